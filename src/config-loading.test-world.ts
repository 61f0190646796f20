// Configurations for tests: what is given by flags, variables and a file in memory, loaded; a good account, a certificate.
import { stringify } from "yaml";
import { type Configuration, type ConfigurationFile, loadConfiguration } from "./config.ts";

export const key = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "very-secret-key" };
export const mary = { name: "mary", accessKeys: [key] };
export const account = { id: "123456789012", users: [mary] };

export interface Given {
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

export function sourcesOf({ flags = {}, environment = {}, yaml, mode = 0o600, files = {} }: Given) {
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

export function good(given: Given): Configuration {
  const loaded = load(given);
  if ("problem" in loaded) throw new Error(loaded.problem);
  return loaded;
}

export function problem(given: Given): string {
  const loaded = load(given);
  if (!("problem" in loaded)) throw new Error("The configuration was accepted.");
  return loaded.problem;
}

// A self-signed certificate for localhost, made for this test, and its key.
export const certificate = `-----BEGIN CERTIFICATE-----
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
export const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYAojVx8cB3yFAtOj
dfAVht50WTgl5ebok9iaJEXOXwehRANCAASWtGQeQyF/v8O6CtDI8EFpsRRrwPH4
B+aEA5T4zxNVtZAAGsEB0QyYW8jxacl8N5bbDzN1Tt2VllwVC4z+mvjO
-----END PRIVATE KEY-----
`;

export const exampleFiles = (): Readonly<Record<string, ConfigurationFile>> => ({
  "/etc/cairn/tls.crt": { text: certificate, mode: 0o644 },
  "/etc/cairn/tls.key": { text: privateKey, mode: 0o600 },
  "/run/secrets/metrics-token": { text: "a-token-from-a-file\n", mode: 0o600 },
  "/run/secrets/audit-webhook-token": { text: "a-token-from-a-file\n", mode: 0o600 },
});
