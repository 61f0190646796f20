// The configuration: every setting by flag, variable and file, their precedence, their values, and the page that tells of them.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { configurationReference } from "../tools/generate-configuration-reference.ts";
import { flagOf, loadConfiguration, settingList, variableOf, yamlKeyOf } from "./config.ts";
import { account, exampleFiles, type Given, good, problem } from "./config-loading.test-world.ts";

/** Settings whose example needs company, or files, to be accepted. */
const company: Readonly<Record<string, Given>> = {
  tlsCertificateFile: { flags: { "tls-key-file": "/etc/cairn/tls.key" } },
  tlsKeyFile: { flags: { "tls-certificate-file": "/etc/cairn/tls.crt" } },
};

describe("every setting", () => {
  const rows = settingList.filter((setting) => setting.name !== "config");

  test("there are many, with names that follow the rule", () => {
    expect(rows.length).toBeGreaterThan(35);
    expect(new Set(settingList.map((setting) => setting.name)).size).toBe(settingList.length);
    expect(settingList.filter(({ name }) => !/^[a-z][a-zA-Z0-9]*$/.test(name))).toEqual([]);
  });

  test.each(rows)("$name can be a flag, a variable and a YAML key", (setting) => {
    const { example, kind, member } = setting;
    const others = company[setting.name]?.flags ?? {};
    const expected = kind.read(example);
    const accounts = [account];
    const [group, groupKey] = setting.group ?? [];
    const nested = group && groupKey ? { [group]: { [groupKey]: example } } : { [setting.name]: example };
    const ways: readonly Given[] = [
      { flags: { ...others, [flagOf(setting)]: example } },
      { flags: others, environment: { [variableOf(setting)]: example } },
      { flags: others, yaml: { accounts, ...nested } },
      { flags: others, yaml: { accounts, [setting.name]: example } },
    ];
    const unset: unknown = good({})[member];
    for (const way of ways) {
      const value: unknown = good({ ...way, files: exampleFiles() })[member];
      expect({ value }).toEqual(expected);
      expect(value).not.toEqual(unset);
    }
  });

  test.each(rows)("$name with a bad value is refused by all its names", (setting) => {
    const bad = "\0 bad";
    const names = `--${flagOf(setting)} (${variableOf(setting)}, ${yamlKeyOf(setting)}): `;
    const [group, groupKey] = setting.group ?? [];
    const nested = group && groupKey ? { [group]: { [groupKey]: bad } } : { [setting.name]: bad };
    expect(problem({ flags: { [flagOf(setting)]: bad } })).toContain(names);
    expect(problem({ environment: { [variableOf(setting)]: bad } })).toContain(names);
    expect(problem({ yaml: { accounts: [account], ...nested } })).toContain(names);
    // YAML may also have the wrong type altogether.
    for (const odd of [null, { a: 1 }, [[]]]) {
      expect(problem({ yaml: { accounts: [account], [setting.name]: odd } })).toContain(names);
    }
  });
});

describe("precedence", () => {
  test.each<[string, Given, number]>([
    ["default", {}, 4577],
    ["file over default", { yaml: { port: 1, accounts: [account] } }, 1],
    [
      "environment over file",
      { environment: { CAIRN_PORT: "2" }, yaml: { port: 1, accounts: [account] } },
      2,
    ],
    [
      "flag over environment and file",
      { flags: { port: "3" }, environment: { CAIRN_PORT: "2" }, yaml: { port: 1, accounts: [account] } },
      3,
    ],
    [
      "an empty variable is not given",
      { environment: { CAIRN_PORT: "" }, yaml: { port: 1, accounts: [account] } },
      1,
    ],
  ])("%s", (_name, given, port) => {
    expect(good(given).port).toBe(port);
  });

  test("a bad value counts also where a stronger source overrides it", () => {
    expect(problem({ flags: { port: "3" }, environment: { CAIRN_PORT: "x" } })).toContain(
      '"x" is not a whole number',
    );
  });
});

describe("values", () => {
  test("defaults", () => {
    const { regions, accounts, ...others } = good({});
    expect(regions).toContain("eu-central-1");
    expect(accounts).toHaveLength(1);
    expect(others).toMatchObject({
      ...{ port: 4577, host: "127.0.0.1", dataDir: "./data", deliveryIntervalMs: 60_000, auth: "on" },
      ...{ accountId: "123456789012", s3Region: "us-east-1", s3PathStyle: true, insecure: false },
      ...{ bucketPolicy: "when-present", clockSkewMs: 300_000, journalBytesMax: 10 * 1024 ** 3 },
      ...{ journalReserveBytes: 64 * 1024 ** 2, retentionMs: 30 * 86_400_000, logLevel: "info" },
      ...{ callBodyBytesMax: 1024 ** 2, bodyBytesMax: 64 * 1024 ** 2, bytesInFlightMax: 128 * 1024 ** 2 },
      ...{
        connectionsMax: 10_000,
        headersTimeoutMs: 20_000,
        requestTimeoutMs: 60_000,
        keepAliveTimeoutMs: 65_000,
      },
      ...{
        logFileBytesMax: 50 * 1024 ** 2,
        compressionLevel: 6,
        putTimeoutMs: 30_000,
        outboxBytesMax: 10 * 1024 ** 3,
      },
      ...{ hosts: [], extraResourceTypes: [], defaultRegion: "us-east-1", warnings: [] },
      ...{ digestIntervalMs: 3_600_000, eventBus: "off", eventBusName: "default" },
      ...{ digestKeyRotationMs: 20 * 86_400_000, digestKeyValidityMs: 30 * 86_400_000 },
      quotas: {
        trailsPerRegion: 5,
        basicSelectorsPerTrail: 5,
        dataResourceValuesPerTrail: 250,
        advancedValuesPerTrail: 500,
        tagsPerResource: 50,
      },
    });
    for (const service of ["s3", "sns", "logs", "events", "kms", "sts"]) {
      expect(others).not.toHaveProperty(`${service}Endpoint`);
    }
    expect(others).not.toHaveProperty("tls");
    expect(others).not.toHaveProperty("organization");
  });

  test.each<[string, string, string, unknown]>([
    ["delivery-interval", "500ms", "deliveryIntervalMs", 500],
    ["delivery-interval", "1.5s", "deliveryIntervalMs", 1500],
    ["delivery-interval", "5m", "deliveryIntervalMs", 300_000],
    ["delivery-interval", "1h", "deliveryIntervalMs", 3_600_000],
    ["delivery-interval", "100ms", "deliveryIntervalMs", 100],
    ["retention", "7d", "retentionMs", 604_800_000],
    ["journal-bytes-max", "512MB", "journalBytesMax", 512 * 1024 ** 2],
    ["journal-bytes-max", "1.5 GB", "journalBytesMax", 1.5 * 1024 ** 3],
    ["port", "0", "port", 0],
    ["host", "::1", "host", "::1"],
    ["regions", "eu-west-1, us-east-2,eu-west-1", "regions", ["eu-west-1", "us-east-2"]],
    ["regions", "eu-west-1", "defaultRegion", "eu-west-1"],
    ["hosts", "a.example.com,b", "hosts", ["a.example.com", "b"]],
    ["s3-endpoint", "http://localhost:9000/", "s3Endpoint", "http://localhost:9000"],
    ["sns-endpoint", "http://localhost:9911/", "snsEndpoint", { kind: "url", url: "http://localhost:9911" }],
    ["kms-endpoint", "aws", "kmsEndpoint", { kind: "aws" }],
    ["history-retention", "off", "historyRetentionMs", 0],
    ["shared-log-files", "on", "sharedLogFiles", "on"],
    ["history-retention", "7d", "historyRetentionMs", 604_800_000],
    ["digest-interval", "5s", "digestIntervalMs", 5000],
    ["digest-interval", "1.5m", "digestIntervalMs", 90_000],
  ])("--%s %s", (flag, text, member, value) => {
    expect(good({ flags: { [flag]: text } })).toHaveProperty(member, value);
  });

  test("YAML's own numbers, booleans and lists", () => {
    const yaml = `accounts: [{ id: "123456789012", users: [{ name: mary, accessKeys: [{ accessKeyId: AKIA, secretAccessKey: very-secret-key }] }] }]
port: 5000
insecure: true
auth: off
regions:
  - eu-west-1
  - us-east-1
quotas: { trailsPerRegion: 7 }
endpoints:
  s3: https://minio.internal:9000
`;
    expect(good({ yaml })).toMatchObject({
      ...{ port: 5000, insecure: true, auth: "off", regions: ["eu-west-1", "us-east-1"] },
      ...{ s3Endpoint: "https://minio.internal:9000", quotas: { trailsPerRegion: 7, tagsPerResource: 50 } },
    });
  });

  test("CAIRN_TEST_… and variables of others are not ours", () => {
    expect(good({ environment: { CAIRN_TEST_X: "1", AWS_REGION: "x", cairn_port: "1" } }).port).toBe(4577);
  });

  test("without a file nothing is read", () => {
    const readFile = (): never => {
      throw new Error("must not be called");
    };
    expect(loadConfiguration({ flags: { auth: "off" }, environment: {}, readFile })).toHaveProperty(
      "accounts",
      [],
    );
  });
});

describe("docs/reference/configuration.md", () => {
  const page = readFileSync(new URL("../docs/reference/configuration.md", import.meta.url), "utf8");

  test("is what tools/generate-configuration-reference.ts writes", () => {
    expect(page).toBe(configurationReference());
  });

  test("its example is accepted", () => {
    const yaml = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? "missing: true";
    const files = { ...exampleFiles(), "/run/secrets/tim": { text: "very-secret-key", mode: 0o600 } };
    expect(good({ yaml, files }).accounts).toHaveLength(2);
  });
});
