// The configuration: every setting by flag, variable and file, precedence, bad values, accounts, reload.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { configurationReference } from "../tools/generate-configuration-reference.ts";
import {
  type Configuration,
  type ConfigurationFile,
  flagOf,
  loadConfiguration,
  reloadConfiguration,
  settingList,
  variableOf,
  yamlKeyOf,
} from "./config.ts";

const key = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "very-secret-key" };
const mary = { name: "mary", accessKeys: [key] };
const account = { id: "123456789012", users: [mary] };

interface Given {
  readonly flags?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Content of the configuration file, as an object or as YAML text. */
  readonly yaml?: unknown;
  readonly mode?: number;
  readonly files?: Readonly<Record<string, ConfigurationFile>>;
}

function load({
  flags = {},
  environment = {},
  yaml = { accounts: [account] },
  mode = 0o600,
  files = {},
}: Given) {
  return loadConfiguration(sourcesOf({ flags, environment, yaml, mode, files }));
}

function sourcesOf({ flags = {}, environment = {}, yaml, mode = 0o600, files = {} }: Given) {
  const text = typeof yaml === "string" ? yaml : stringify(yaml);
  const all: Readonly<Record<string, ConfigurationFile>> = { ...files, "cairn.yaml": { text, mode } };
  return {
    flags: { config: "cairn.yaml", ...flags },
    environment,
    readFile(path: string): ConfigurationFile {
      const file = all[path];
      if (!file) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
      return file;
    },
  };
}

function good(given: Given): Configuration {
  const loaded = load(given);
  if ("problem" in loaded) throw new Error(loaded.problem);
  return loaded;
}

function problem(given: Given): string {
  const loaded = load(given);
  if (!("problem" in loaded)) throw new Error("The configuration was accepted.");
  return loaded.problem;
}

// A self-signed certificate for localhost, made for this test, and its key.
const certificate = `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUc6eS8noTM0DgfnHe26dmaN+AKAowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMDIwMjE1M1oYDzIxMjYxMDI3
MjAyMTUzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASWtGQeQyF/v8O6CtDI8EFpsRRrwPH4B+aEA5T4zxNVtZAAGsEB0QyY
W8jxacl8N5bbDzN1Tt2VllwVC4z+mvjOo1MwUTAdBgNVHQ4EFgQUU2MXhIdud7rU
zM0lu0DTj1DuHEAwHwYDVR0jBBgwFoAUU2MXhIdud7rUzM0lu0DTj1DuHEAwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAAgUov56WEwkNEXYRzucmU
f4gmqB7ug7NzZZp63257JgIhAK4v6ZVTdQD1nA/v7qOgHAf+ZwiAXQ0x9G3RXKga
wPs6
-----END CERTIFICATE-----
`;
const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYAojVx8cB3yFAtOj
dfAVht50WTgl5ebok9iaJEXOXwehRANCAASWtGQeQyF/v8O6CtDI8EFpsRRrwPH4
B+aEA5T4zxNVtZAAGsEB0QyYW8jxacl8N5bbDzN1Tt2VllwVC4z+mvjO
-----END PRIVATE KEY-----
`;

/** Settings whose example needs company, or files, to be accepted. */
const company: Readonly<Record<string, Given>> = {
  tlsCertificateFile: { flags: { "tls-key-file": "/etc/cairn/tls.key" } },
  tlsKeyFile: { flags: { "tls-certificate-file": "/etc/cairn/tls.crt" } },
};
const exampleFiles = (): Readonly<Record<string, ConfigurationFile>> => ({
  "/etc/cairn/tls.crt": { text: certificate, mode: 0o644 },
  "/etc/cairn/tls.key": { text: privateKey, mode: 0o600 },
  "/run/secrets/metrics-token": { text: "a-token-from-a-file\n", mode: 0o600 },
  "/run/secrets/audit-webhook-token": { text: "a-token-from-a-file\n", mode: 0o600 },
});

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

const dash = (name: string, variable: string, yaml = name) => `--${name} (${variable}, ${yaml})`;

describe("refused, with a sentence that names the setting", () => {
  test.each<[string, Given, string]>([
    [
      "a unit that is none",
      { flags: { "delivery-interval": "5x" } },
      `${dash("delivery-interval", "CAIRN_DELIVERY_INTERVAL", "deliveryInterval")}: "5x" is not a duration; write for example 500ms, 5s or 5m.`,
    ],
    [
      "a duration without unit",
      { yaml: { deliveryInterval: 60 } },
      `${dash("delivery-interval", "CAIRN_DELIVERY_INTERVAL", "deliveryInterval")}: 60 is not a duration; write for example 500ms, 5s or 5m.`,
    ],
    [
      "a duration too short",
      { flags: { "delivery-interval": "99ms" } },
      `${dash("delivery-interval", "CAIRN_DELIVERY_INTERVAL", "deliveryInterval")}: "99ms" is out of range; write a duration from 100ms to 1h.`,
    ],
    [
      "a history too short",
      { flags: { "history-retention": "1m" } },
      "write a duration from 1h to 3650d, or off",
    ],
    ["a duration too long", { flags: { "delivery-interval": "61m" } }, '"61m" is out of range'],
    [
      "a port too high",
      { environment: { CAIRN_PORT: "65536" } },
      `${dash("port", "CAIRN_PORT")}: "65536" is not a whole number from 0 to 65535.`,
    ],
    ["a fraction", { yaml: { port: 1.5 } }, "port): 1.5 is not a whole number"],
    [
      "a size without unit",
      { flags: { "journal-bytes-max": "1000000" } },
      '"1000000" is not a size; write for example 64KB, 512MB or 10GB.',
    ],
    [
      "another word",
      { flags: { auth: "maybe" } },
      `${dash("auth", "CAIRN_AUTH")}: "maybe" is not one of: on, off.`,
    ],
    ["a truth that is none", { flags: { insecure: "yes" } }, '"yes" is not true or false.'],
    [
      "an account id of 11 digits",
      { flags: { "account-id": "12345678901" } },
      '"12345678901" is not an account id',
    ],
    ["an account id as a number", { yaml: { accountId: 123456789012 } }, "write 12 digits in quotes"],
    [
      "a Region that is none",
      { flags: { regions: "us-east-1,mars" } },
      '"mars" is not the name of a Region; write for example us-east-1.',
    ],
    ["no Region", { flags: { regions: "" } }, "it has 0 values; write 1 to 100."],
    [
      "a host with a port",
      { flags: { hosts: "cairn.example.com:4577" } },
      '"cairn.example.com:4577" is not a host name',
    ],
    ["a URL of another kind", { flags: { "s3-endpoint": "ftp://x" } }, '"ftp://x" is not such a URL'],
    [
      "a URL with a password, not repeated",
      { flags: { "s3-endpoint": "http://u:hunter2@x" } },
      "the value given is not such a URL",
    ],
    [
      "a short token, not repeated",
      { flags: { "metrics-token": "hunter2" } },
      "the value given is not a token; write 16 to 512 visible",
    ],
    ["an unknown flag", { flags: { prot: "1" } }, "--prot: there is no such setting; did you mean --port?"],
    [
      "an unknown flag like nothing",
      { flags: { "flux-capacitor": "1" } },
      "--flux-capacitor: there is no such setting; `cairn serve --help` lists them.",
    ],
    [
      "an unknown variable",
      { environment: { CAIRN_DATADIR: "x" } },
      "CAIRN_DATADIR: there is no such setting; did you mean CAIRN_DATA_DIR?",
    ],
    [
      "an unknown key",
      { yaml: { deliveryIntervall: "5s" } },
      "deliveryIntervall: there is no such setting; did you mean deliveryInterval?",
    ],
    [
      "an unknown key in a group",
      { yaml: { quotas: { trailsPerRegio: 5 } } },
      "quotas.trailsPerRegio: there is no such setting; did you mean trailsPerRegion?",
    ],
    [
      "an unknown key deep down",
      { yaml: { accounts: [{ ...account, users: [{ ...mary, pasword: "x" }] }] } },
      "accounts[0].users[0].pasword: there is no such setting.",
    ],
    ["the file in the file", { yaml: { config: "other.yaml" } }, "config: there is no such setting"],
    ["a group that is a text", { yaml: { tls: "x" } }, "tls: must be a group of settings."],
    ["a list that is a text", { yaml: { accounts: "x" } }, "accounts: must be a list."],
    [
      "a file that is a list",
      { yaml: "- a" },
      "--config (CAIRN_CONFIG): the file must be a group of settings",
    ],
    ["a file that is not YAML", { yaml: "a: [" }, "--config (CAIRN_CONFIG): the file is not YAML: "],
    ["a key twice", { yaml: "port: 1\nport: 2\n" }, "Map keys must be unique"],
    [
      "a file of aliases",
      {
        yaml: `a: &a [${"x,".repeat(20)}]\n${"bcdefgh"
          .split("")
          .map((n, i) => `${n}: &${n} [${`*${"abcdefg"[i]},`.repeat(20)}]`)
          .join("\n")}\n`,
      },
      "--config (CAIRN_CONFIG): the file is not usable",
    ],
    ["a file that is too long", { yaml: `# ${"x".repeat(10_000_000)}` }, "longer than 10000000 characters"],
    [
      "a file that is not there",
      { flags: { config: "gone.yaml" } },
      '--config (CAIRN_CONFIG): "gone.yaml" does not exist; write the path of a file.',
    ],
    [
      "by name and in its group",
      { yaml: { s3Endpoint: "http://a", endpoints: { s3: "http://b" } } },
      "(CAIRN_S3_ENDPOINT, endpoints.s3): it stands twice in the file, also as s3Endpoint; keep one.",
    ],
    [
      "an endpoint for Cairn itself",
      { yaml: { endpoints: { cloudtrail: "http://a" } } },
      "endpoints.cloudtrail: cloudtrail is Cairn itself and has no endpoint.",
    ],
    [
      "an endpoint for no service",
      { flags: { endpoints: "a/b=http://a" } },
      '"a/b" is not the name of a service; write the one that signatures carry, like dynamodb, or default.',
    ],
    [
      "an endpoint given twice",
      { flags: { endpoints: "sqs=http://a,sqs=http://b" } },
      "--endpoints (CAIRN_ENDPOINTS, endpoints): sqs is given twice; keep one.",
    ],
    [
      "an endpoint with nothing behind its name",
      { environment: { CAIRN_ENDPOINTS: "sqs" } },
      '--endpoints (CAIRN_ENDPOINTS, endpoints): "sqs" is not like dynamodb=http://127.0.0.1:8000.',
    ],
    [
      "AWS's own endpoint without credentials for it",
      { yaml: { accounts: [account], endpoints: { lambda: "aws" } } },
      "endpoints.lambda: AWS would refuse signatures made for this server; give resign with credentials, or a URL.",
    ],
    [
      "signing again with authentication off",
      {
        flags: { auth: "off" },
        yaml: {
          endpoints: {
            s3: { url: "http://a", resign: { accessKeyId: "AKIAX", secretAccessKey: "hunter2" } },
          },
        },
      },
      "endpoints.s3.resign: callers are verified before their requests are signed again;",
    ],
    [
      "signing again without a secret",
      { yaml: { endpoints: { sqs: { url: "http://a", resign: { accessKeyId: "AKIAX" } } } } },
      "endpoints.sqs.resign: needs either secretAccessKey or secretAccessKeyFile.",
    ],
    [
      "signing again with something more",
      { yaml: { endpoints: { sqs: { url: "http://a", resigns: {} } } } },
      "endpoints.sqs: there is no such setting: resigns.",
    ],
    [
      "an endpoint that is no URL",
      { yaml: { endpoints: { lambda: 5 } } },
      "endpoints.lambda: 5 is not such a URL",
    ],
    [
      "a service's endpoint that is neither URL nor aws",
      { yaml: { endpoints: { kms: "amazon" } } },
      '--kms-endpoint (CAIRN_KMS_ENDPOINT, endpoints.kms): "amazon" is not such a URL; write for example https://minio.internal:9000, without user, query or fragment, or the word aws.',
    ],
    [
      "a service's endpoint with a password, not repeated",
      { flags: { "sns-endpoint": "http://u:hunter2@x" } },
      "the value given is not such a URL",
    ],
    [
      "a digest interval with a part of a second",
      { flags: { "digest-interval": "1.5s" } },
      '"1.5s" is not a number of whole seconds; write for example 5s or 5m.',
    ],
    ["a digest interval too long", { flags: { "digest-interval": "25h" } }, '"25h" is out of range'],
    [
      "an event bus that is an ARN",
      { flags: { "event-bus-name": "arn:aws:events:x" } },
      "is not the name of",
    ],
    ["__proto__", { yaml: "__proto__: { port: 1 }" }, "__proto__: there is no such setting."],
  ])("%s", (_name, given, sentence) => {
    const found = problem(given);
    expect(found).toContain(sentence);
    expect(found).not.toContain("hunter2");
    expect(found).not.toMatch(/^\s*at |\n\s*at /);
  });

  test("several at once, one per line", () => {
    const found = problem({ flags: { port: "x", auth: "maybe" }, environment: { CAIRN_NO: "1" } });
    expect(found.split("\n")).toHaveLength(3);
  });
});

describe("accounts", () => {
  const policy = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "cloudtrail:*", Resource: "*" }],
  };

  test("users, keys, policies, root, temporary keys", () => {
    const yaml = {
      accounts: [
        {
          ...{ id: "123456789012", name: "main" },
          users: [{ name: "mary", path: "/ops/", accessKeys: [key], policies: [policy] }],
          root: { accessKeys: [{ ...key, accessKeyId: "AKIAROOT" }] },
        },
        {
          id: "210987654321",
          users: [
            {
              name: "tim",
              accessKeys: [
                {
                  accessKeyId: "ASIATEMP",
                  secretAccessKey: "very-secret-key",
                  sessionToken: "token",
                  expires: "2030-01-31T12:00:00Z",
                },
              ],
            },
          ],
        },
      ],
    };
    expect(good({ yaml }).accounts).toMatchObject([
      {
        ...{ id: "123456789012", name: "main", rootAccessKeys: [{ accessKeyId: "AKIAROOT" }] },
        users: [
          {
            name: "mary",
            path: "/ops/",
            accessKeys: [key],
            policies: [{ statements: [{ effect: "Allow", actions: ["cloudtrail:*"], resources: ["*"] }] }],
          },
        ],
      },
      {
        ...{ id: "210987654321", rootAccessKeys: [] },
        users: [
          {
            name: "tim",
            path: "/",
            accessKeys: [{ sessionToken: "token", expiresMs: Date.UTC(2030, 0, 31, 12) }],
            policies: [],
          },
        ],
      },
    ]);
  });

  test("a secret from a file, without its line end", () => {
    const yaml = {
      accounts: [
        {
          id: "123456789012",
          users: [{ name: "mary", accessKeys: [{ accessKeyId: "AKIA", secretAccessKeyFile: "secret" }] }],
        },
      ],
    };
    const files = { secret: { text: "very-secret-key\n", mode: 0o640 } };
    expect(good({ yaml, files }).accounts[0]?.users[0]?.accessKeys).toEqual([
      { accessKeyId: "AKIA", secretAccessKey: "very-secret-key" },
    ]);
    const open = { secret: { text: "very-secret-key\n", mode: 0o644 } };
    const sentence =
      'accounts[0].users[0].accessKeys[0].secretAccessKeyFile: everybody can read "secret"; run chmod o-rwx secret.';
    expect(problem({ yaml, files: open })).toBe(sentence);
    expect(good({ yaml, files: open, flags: { insecure: "true" } }).warnings).toEqual([sentence]);
    expect(problem({ yaml })).toContain('secretAccessKeyFile: "secret" does not exist');
    expect(problem({ yaml, files: { secret: { text: "two words", mode: 0o600 } } })).toContain(
      'the content of "secret" is not a secret access key.',
    );
  });

  const withKey = (change: object) => ({
    accounts: [{ ...account, users: [{ ...mary, accessKeys: [{ ...key, ...change }] }] }],
  });
  const withUser = (change: object) => ({ accounts: [{ ...account, users: [{ ...mary, ...change }] }] });
  const at = "accounts[0].users[0]";

  test.each<[string, unknown, string]>([
    ["no id", { accounts: [{ users: [mary] }] }, "accounts[0].id: is missing; write 12 digits, in quotes."],
    [
      "an id as a number",
      { accounts: [{ ...account, id: 123456789012 }] },
      "accounts[0].id: 123456789012 is not an account id; write 12 digits in quotes",
    ],
    ["no user name", withUser({ name: undefined }), `${at}.name: is missing`],
    ["a user name with a space", withUser({ name: "mary ann" }), `${at}.name: "mary ann" is not a user name`],
    [
      "a user path",
      withUser({ path: "ops" }),
      `${at}.path: "ops" is not a user path; write for example /teams/security/.`,
    ],
    [
      "no secret",
      withKey({ secretAccessKey: undefined }),
      `${at}.accessKeys[0]: needs either secretAccessKey or secretAccessKeyFile.`,
    ],
    [
      "both secrets",
      withKey({ secretAccessKeyFile: "x" }),
      `${at}.accessKeys[0]: needs either secretAccessKey or secretAccessKeyFile.`,
    ],
    [
      "a secret with a space, not repeated",
      withKey({ secretAccessKey: "hunter2 hunter2" }),
      `${at}.accessKeys[0].secretAccessKey: the value given is not a secret access key`,
    ],
    [
      "an end without a token",
      withKey({ expires: "2030-01-31T12:00:00Z" }),
      `${at}.accessKeys[0]: expires, so it also needs a sessionToken.`,
    ],
    [
      "an end that is no time",
      withKey({ expires: "tomorrow", sessionToken: "t" }),
      `${at}.accessKeys[0].expires: "tomorrow" is not a time`,
    ],
    ["an end on no day", withKey({ expires: "2030-02-31T12:00:60Z", sessionToken: "t" }), "is not a time"],
    [
      "a policy that is none",
      withUser({ policies: [{ Statement: [{ Effect: "Maybe" }] }] }),
      `${at}.policies[0]: is not a policy: `,
    ],
    [
      "a policy with a principal",
      withUser({ policies: [{ ...policy, Statement: [{ ...policy.Statement[0], Principal: "*" }] }] }),
      `${at}.policies[0]: belongs to this user, so no statement may have a Principal.`,
    ],
    [
      "the same account twice",
      { accounts: [account, { id: "123456789012" }] },
      'accounts[1].id: "123456789012" is already given at accounts[0].id; give each only once.',
    ],
    [
      "the same key twice",
      { accounts: [account, { id: "210987654321", users: [mary] }] },
      'accounts[1].users[0].accessKeys[0].accessKeyId: "AKIAEXAMPLE" is already given at accounts[0].users[0].accessKeys[0].accessKeyId',
    ],
    [
      "the same key for root",
      { accounts: [{ ...account, root: { accessKeys: [key] } }] },
      "accounts[0].root.accessKeys[0].accessKeyId: ",
    ],
    [
      "the same user twice",
      { accounts: [{ ...account, users: [mary, { name: "Mary" }] }] },
      "accounts[0].users[1].name: ",
    ],
  ])("%s is refused", (_name, yaml, sentence) => {
    const found = problem({ yaml });
    expect(found).toContain(sentence);
    expect(found).not.toContain("hunter2");
  });
});

describe("organization", () => {
  const organization = { id: "o-exampleorgid", managementAccount: "123456789012" };
  const accounts = [account, { id: "210987654321" }];

  test("its members are the accounts", () => {
    const yaml = { accounts, organization: { ...organization, delegatedAdministrators: ["210987654321"] } };
    expect(good({ yaml }).organization).toEqual({
      ...organization,
      delegatedAdministrators: ["210987654321"],
      members: ["123456789012", "210987654321"],
    });
  });

  test.each<[string, object, string]>([
    ["a bad id", { id: "org" }, 'organization.id: "org" is not an organization id'],
    [
      "a foreign management account",
      { managementAccount: "999999999999" },
      'organization.managementAccount: "999999999999" is not among the accounts',
    ],
    [
      "a foreign administrator",
      { delegatedAdministrators: ["999999999999"] },
      'organization.delegatedAdministrators[0]: "999999999999" is not among the accounts',
    ],
    [
      "management as administrator",
      { delegatedAdministrators: ["123456789012"] },
      "is the management account; leave it out.",
    ],
  ])("%s is refused", (_name, change, sentence) => {
    expect(problem({ yaml: { accounts, organization: { ...organization, ...change } } })).toContain(sentence);
  });
});

describe("settings together", () => {
  test.each<[string, Given, string]>([
    [
      "auth on without keys",
      { yaml: {} },
      "--auth (CAIRN_AUTH, auth): auth is on, but no access key is configured, so nobody could call; run `cairn init`",
    ],
    [
      "auth off for everybody",
      { flags: { auth: "off", host: "0.0.0.0" } },
      '--host (CAIRN_HOST, host): "0.0.0.0" can be reached from other machines, and with auth off',
    ],
    [
      "auth off by name",
      { flags: { auth: "off", host: "127.0.0.1.example.com" } },
      "can be reached from other machines",
    ],
    [
      "a certificate alone",
      { flags: { "tls-certificate-file": "crt" } },
      "tls.certificateFile): TLS needs certificate and key; give --tls-key-file",
    ],
    [
      "a key alone",
      { flags: { "tls-key-file": "key" } },
      "tls.keyFile): TLS needs certificate and key; give --tls-certificate-file",
    ],
    [
      "token and token file",
      { flags: { "metrics-token": "x".repeat(16), "metrics-token-file": "f" } },
      "is given too; keep one.",
    ],
    [
      "a reserve larger than the journal",
      { flags: { "journal-bytes-max": "16MB" } },
      "--journal-reserve (CAIRN_JOURNAL_RESERVE, journalReserve): it must not be larger than --journal-bytes-max",
    ],
    [
      "a reserve that leaves little",
      { flags: { "journal-bytes-max": "100MB" } },
      "it must leave at least half of --journal-bytes-max",
    ],
    ...["30d", "31d"].map((rotation): [string, Given, string] => [
      `keys that rotate after ${rotation} and are valid for 30 days`,
      { flags: { "digest-key-rotation": rotation } },
      "--digest-key-validity (CAIRN_DIGEST_KEY_VALIDITY, digestKeyValidity): it must be longer than --digest-key-rotation (CAIRN_DIGEST_KEY_ROTATION, digestKeyRotation)",
    ]),
    [
      "bodies larger than all bodies",
      { flags: { "body-bytes-max": "256MB" } },
      "--body-bytes-max (CAIRN_BODY_BYTES_MAX, bodyBytesMax): it must not be larger than --bytes-in-flight-max",
    ],
  ])("%s is refused", (_name, given, sentence) => {
    expect(problem(given)).toContain(sentence);
  });

  test.each([
    ["127.0.0.1", "false"],
    ["127.1.2.3", "false"],
    ["localhost", "false"],
    ["::1", "false"],
    ["0.0.0.0", "true"],
  ])("auth off on %s with insecure %s is allowed, and told", (host, insecure) => {
    const { warnings } = good({ flags: { auth: "off", host, insecure }, yaml: {} });
    expect(warnings).toEqual([expect.stringMatching(/^Authentication is off/)]);
  });

  test("an event bus without an endpoint is allowed, and told", () => {
    const flags = { "event-bus": "write" };
    expect(good({ flags }).warnings).toEqual([
      "--event-bus (CAIRN_EVENT_BUS, eventBus): nothing goes to EventBridge without --events-endpoint (CAIRN_EVENTS_ENDPOINT, endpoints.events).",
    ]);
    expect(good({ flags: { ...flags, "events-endpoint": "aws" } }).warnings).toEqual([]);
  });

  test("TLS gives the content of both files", () => {
    const flags = { "tls-certificate-file": "/etc/cairn/tls.crt", "tls-key-file": "/etc/cairn/tls.key" };
    expect(good({ flags, files: exampleFiles() }).tls).toEqual({
      certificate,
      key: privateKey,
    });
    const files = exampleFiles();
    const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    });
    const keyNames = "--tls-key-file (CAIRN_TLS_KEY_FILE, tls.keyFile): ";
    const withKey = (text: string, mode = 0o600) => ({ ...files, "/etc/cairn/tls.key": { text, mode } });
    expect(problem({ flags, files: withKey(String(otherKey)) })).toBe(
      `${keyNames}the key does not belong to the certificate.`,
    );
    expect(problem({ flags, files: withKey("x") })).toBe(
      `${keyNames}the file is not a PEM private key without a passphrase.`,
    );
    expect(problem({ flags, files: withKey(privateKey, 0o644) })).toContain(`${keyNames}everybody can read`);
    expect(
      problem({ flags, files: { ...files, "/etc/cairn/tls.crt": { text: "x", mode: 0o600 } } }),
    ).toContain("does not begin with a PEM certificate.");
  });

  test("the metrics token may stand in a file", () => {
    const flags = { "metrics-token-file": "/run/secrets/metrics-token" };
    expect(good({ flags, files: exampleFiles() }).metricsToken).toBe("a-token-from-a-file");
    expect(
      problem({ flags: { "metrics-token-file": "t" }, files: { t: { text: "short", mode: 0o600 } } }),
    ).toContain("its content is not a token");
  });

  test.each([
    [0o600, 0],
    [0o640, 1],
    [0o644, 1],
  ])("a file with secrets and mode %o: %i warnings", (mode, count) => {
    expect(good({ mode }).warnings).toHaveLength(count);
    expect(good({ mode, yaml: {}, flags: { auth: "off" } }).warnings).toHaveLength(1);
  });
});

describe("reload", () => {
  test("changes what may change and keeps the rest with a warning", () => {
    const before = good({});
    const yaml = {
      accounts: [account, { id: "210987654321" }],
      logLevel: "debug",
      port: 1,
      quotas: { trailsPerRegion: 9 },
      s3Endpoint: "http://a",
    };
    const after = reloadConfiguration(before, sourcesOf({ yaml }));
    expect(after).toMatchObject({ port: 4577, logLevel: "debug", quotas: { trailsPerRegion: 9 } });
    expect(after).toHaveProperty("accounts.1.id", "210987654321");
    expect(after).not.toHaveProperty("s3Endpoint");
    expect(after).toHaveProperty("warnings", [
      "Calls to these endpoints are passed on without a look at their signatures, which the service must check itself: s3. With resign they are checked here.",
      "These settings keep their value until Cairn is started again: --port (CAIRN_PORT, port), --s3-endpoint (CAIRN_S3_ENDPOINT, endpoints.s3).",
    ]);
  });

  test("a setting that was removed stays until the restart", () => {
    const before = good({ flags: { "s3-endpoint": "http://a" } });
    const after = reloadConfiguration(before, sourcesOf({ yaml: { accounts: [account] } }));
    expect(after).toHaveProperty("s3Endpoint", "http://a");
    expect(after).toHaveProperty("warnings.length", 1);
  });

  test("a new certificate is taken, but TLS does not come or go", () => {
    const flags = { "tls-certificate-file": "/etc/cairn/tls.crt", "tls-key-file": "/etc/cairn/tls.key" };
    const files = exampleFiles();
    const yaml = { accounts: [account] };
    const renewed = { ...files, "/etc/cairn/tls.crt": { text: `${certificate}\n`, mode: 0o644 } };
    const before = good({ flags, files });
    const after = reloadConfiguration(before, sourcesOf({ flags, yaml, files: renewed }));
    expect(after).toMatchObject({ tls: { certificate: `${certificate}\n` }, warnings: [] });
    const gone = reloadConfiguration(before, sourcesOf({ yaml, files }));
    expect(gone).toMatchObject({
      tls: { certificate },
      warnings: [expect.stringContaining("--tls-key-file")],
    });
    const come = reloadConfiguration(good({}), sourcesOf({ flags, yaml, files }));
    expect(come).not.toHaveProperty("tls");
    expect(come).toHaveProperty("warnings.length", 1);
  });

  test("the same file changes nothing", () => {
    const before = good({});
    expect(reloadConfiguration(before, sourcesOf({ yaml: { accounts: [account] } }))).toEqual(before);
  });

  test("a problem is given back", () => {
    expect(reloadConfiguration(good({}), sourcesOf({ yaml: { port: "x" } }))).toHaveProperty("problem");
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
