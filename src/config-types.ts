// The configuration as the rest of Cairn sees it: read, checked and resolved. Types only.
import type { SettingValues } from "./config-settings.ts";
import type { AccountId } from "./model/arn.ts";
import type { PolicyDocument } from "./model/policy.ts";
import type { Region } from "./model/regions.ts";

/** A file as the outside gives it. `mode` holds its permission bits. */
export interface ConfigurationFile {
  readonly text: string;
  readonly mode: number;
}

/** Where settings come from: flags win over the environment, the environment over the file. */
export interface ConfigurationSources {
  /** Flag without its dashes → value; a flag that stood alone has the value `true`. */
  readonly flags: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Throws an error with a `code` (ENOENT …) when the file cannot be read. */
  readonly readFile: (path: string) => ConfigurationFile;
}

/** One or more sentences, one per line; each names the setting, what is wrong and what is right. */
export interface ConfigurationProblem {
  readonly problem: string;
}

export interface AccessKeyConfiguration {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Temporary credentials: the token that every request must carry, and when they end. */
  readonly sessionToken?: string;
  readonly expiresMs?: number;
}

export interface ResignConfiguration {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Instead of the Region that the caller signed for. */
  readonly region?: string;
}

interface UserConfiguration {
  readonly name: string;
  /** Begins and ends with a slash. */
  readonly path: string;
  readonly accessKeys: readonly AccessKeyConfiguration[];
  readonly policies: readonly PolicyDocument[];
}

export interface AccountConfiguration {
  readonly id: AccountId;
  readonly name?: string;
  readonly users: readonly UserConfiguration[];
  /** Keys of the account's root user, who may do everything in it. */
  readonly rootAccessKeys: readonly AccessKeyConfiguration[];
}

interface OrganizationConfiguration {
  readonly id: string;
  readonly managementAccount: AccountId;
  readonly delegatedAdministrators: readonly AccountId[];
  /** Every configured account, the management account among them. */
  readonly members: readonly AccountId[];
}

interface QuotaConfiguration {
  readonly trailsPerRegion: number;
  readonly basicSelectorsPerTrail: number;
  readonly dataResourceValuesPerTrail: number;
  readonly advancedValuesPerTrail: number;
  readonly tagsPerResource: number;
}

/** Every setting of config-settings.ts under its member name, and what was made of several or of files. */
export interface Configuration extends Omit<SettingValues, "regions" | "metricsToken" | "auditWebhookToken"> {
  readonly regions: readonly Region[];
  /** Region of unsigned requests: us-east-1, or the first of `regions` without it. */
  readonly defaultRegion: Region;
  /** PEM texts. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Also when it came from a file. */
  readonly metricsToken?: string;
  readonly auditWebhookToken?: string;
  readonly quotas: QuotaConfiguration;
  /** Service → credentials with which calls to its endpoint are signed again. */
  readonly resigns: ReadonlyMap<string, ResignConfiguration>;
  readonly accounts: readonly AccountConfiguration[];
  readonly organization?: OrganizationConfiguration;
  /** Sentences for the log at start and after a reload: allowed, but worth a look. */
  readonly warnings: readonly string[];
}
