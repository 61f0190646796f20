// A configuration that is read again while Cairn runs: what changes, what stays, what is told.
import { describe, expect, test } from "vitest";
import { reloadConfiguration } from "./config.ts";
import { account, certificate, exampleFiles, good, sourcesOf } from "./config-loading.test-world.ts";

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
