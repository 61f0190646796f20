// The files that a configuration names: TLS certificate and key, tokens, secret access keys. Reads them through the
// given readFile, and refuses secrets that everybody on the machine can read.
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { ResignInFile } from "./config-endpoint-values.ts";
import type { AccessKeyInFile, AccountInFile } from "./config-schema.ts";
import { namesOf } from "./config-setting.ts";
import { settings, type SettingValues } from "./config-settings.ts";
import type {
  AccessKeyConfiguration,
  AccountConfiguration,
  ConfigurationFile,
  ConfigurationSources,
  ResignConfiguration,
} from "./config-types.ts";

const readableByOthers = 0o004;

/** Reads files and gathers what is wrong with them; both lists grow while it is used. */
export interface FileReader {
  readonly problems: string[];
  readonly warnings: string[];
  /** Undefined when it cannot be read: `names` and the reason are then in `problems`. */
  read(path: string, names: string): ConfigurationFile | undefined;
  /** The same for a file that must be kept from others. */
  readSecret(path: string, names: string): string | undefined;
}

export function fileReader(readFile: ConfigurationSources["readFile"], insecure: boolean): FileReader {
  const problems: string[] = [];
  const warnings: string[] = [];
  const read = (path: string, names: string): ConfigurationFile | undefined => {
    try {
      return readFile(path);
    } catch (error) {
      problems.push(`${names}: ${JSON.stringify(path)} ${whyUnreadable(error)}.`);
      return undefined;
    }
  };
  const readSecret = (path: string, names: string): string | undefined => {
    const file = read(path, names);
    if (!file) return undefined;
    if ((file.mode & readableByOthers) !== 0) {
      const sentence = `${names}: everybody can read ${JSON.stringify(path)}; run chmod o-rwx ${path}.`;
      (insecure ? warnings : problems).push(sentence);
    }
    return file.text;
  };
  return { problems, warnings, read, readSecret };
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "does not exist; write the path of a file";
  if (code === "EACCES") return "may not be read by this user; change its permissions";
  if (code === "EISDIR") return "is a folder; write the path of a file";
  return `cannot be read: ${error instanceof Error ? error.message : "unknown reason"}`;
}

/** Certificate and key as PEM, checked to belong together; undefined without TLS or after a problem. */
export function readTls(
  values: SettingValues,
  files: FileReader,
): { certificate: string; key: string } | undefined {
  const { tlsCertificateFile, tlsKeyFile } = values;
  const [certificateNames, keyNames] = [namesOf(settings.tlsCertificateFile), namesOf(settings.tlsKeyFile)];
  if (tlsCertificateFile === undefined && tlsKeyFile === undefined) return undefined;
  if (tlsCertificateFile === undefined || tlsKeyFile === undefined) {
    const [given, missing] =
      tlsKeyFile === undefined ? [certificateNames, keyNames] : [keyNames, certificateNames];
    files.problems.push(`${given}: TLS needs certificate and key; give ${missing} too.`);
    return undefined;
  }
  const certificate = files.read(tlsCertificateFile, certificateNames)?.text;
  const key = files.readSecret(tlsKeyFile, keyNames);
  if (certificate === undefined || key === undefined) return undefined;
  const problem = tlsProblem(certificate, key);
  if (problem)
    files.problems.push(`${problem.about === "key" ? keyNames : certificateNames}: ${problem.text}`);
  return problem ? undefined : { certificate, key };
}

function tlsProblem(
  certificate: string,
  key: string,
): { about: "key" | "certificate"; text: string } | undefined {
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificate);
  } catch {
    return { about: "certificate", text: "the file does not begin with a PEM certificate." };
  }
  try {
    if (parsed.checkPrivateKey(createPrivateKey(key))) return undefined;
  } catch {
    return { about: "key", text: "the file is not a PEM private key without a passphrase." };
  }
  return { about: "key", text: "the key does not belong to the certificate." };
}

/** A token, written out or from its file. */
export function readToken(
  token: "metricsToken" | "auditWebhookToken",
  values: SettingValues,
  files: FileReader,
): string | undefined {
  const path = values[`${token}File`];
  if (path === undefined) return values[token];
  const names = namesOf(settings[`${token}File`]);
  if (values[token] !== undefined) {
    files.problems.push(`${names}: ${namesOf(settings[token])} is given too; keep one.`);
    return undefined;
  }
  const content = files.readSecret(path, names)?.trim();
  if (content === undefined) return undefined;
  const reading = settings[token].kind.read(content);
  if ("value" in reading) return reading.value;
  files.problems.push(`${names}: ${reading.problem.replace("the value given", "its content")}.`);
  return undefined;
}

/** The accounts with every secret read. A key whose secret cannot be had is a problem, and left out. */
export function readAccounts(accounts: readonly AccountInFile[], files: FileReader): AccountConfiguration[] {
  return accounts.map((account, index) => {
    const at = `accounts[${index}]`;
    return {
      id: account.id,
      ...(account.name === undefined ? {} : { name: account.name }),
      users: account.users.map((user, position) => ({
        ...user,
        accessKeys: readKeys(user.accessKeys, `${at}.users[${position}]`, files),
      })),
      rootAccessKeys: readKeys(account.root?.accessKeys ?? [], `${at}.root`, files),
    };
  });
}

/** The credentials for signing again, with every secret read. */
export function readResigns(
  resigns: ReadonlyMap<string, ResignInFile>,
  files: FileReader,
): Map<string, ResignConfiguration> {
  const read = new Map<string, ResignConfiguration>();
  for (const [service, { secretAccessKeyFile = "", ...resign }] of resigns) {
    const names = `endpoints.${service}.resign.secretAccessKeyFile`;
    const secretAccessKey = resign.secretAccessKey ?? readSecretKey(secretAccessKeyFile, names, files);
    if (secretAccessKey === undefined) continue;
    const { accessKeyId, sessionToken, region } = resign;
    read.set(service, {
      ...{ accessKeyId, secretAccessKey },
      ...(sessionToken !== undefined && { sessionToken }),
      ...(region !== undefined && { region }),
    });
  }
  return read;
}

function readKeys(keys: readonly AccessKeyInFile[], at: string, files: FileReader): AccessKeyConfiguration[] {
  return keys.flatMap((key, index) => {
    const names = `${at}.accessKeys[${index}].secretAccessKeyFile`;
    const secretAccessKey = key.secretAccessKey ?? readSecretKey(key.secretAccessKeyFile ?? "", names, files);
    if (secretAccessKey === undefined) return [];
    return [
      {
        accessKeyId: key.accessKeyId,
        secretAccessKey,
        ...(key.sessionToken === undefined ? {} : { sessionToken: key.sessionToken }),
        ...(key.expires === undefined ? {} : { expiresMs: key.expires }),
      },
    ];
  });
}

function readSecretKey(path: string, names: string, files: FileReader): string | undefined {
  const content = files.readSecret(path, names)?.trim();
  if (content === undefined || /^[\x21-\x7e]{8,256}$/.test(content)) return content;
  files.problems.push(`${names}: the content of ${JSON.stringify(path)} is not a secret access key.`);
  return undefined;
}
