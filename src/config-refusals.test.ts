// What a configuration is refused for, alone and together with other settings, each with a sentence that names the setting;
// and what is allowed, and told.
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  account,
  certificate,
  exampleFiles,
  type Given,
  good,
  mary,
  privateKey,
  problem,
} from "./config-loading.test-world.ts";

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
