// The one place that reads configuration: file < environment < flags, defaults, checks, and what a reload may change.
// The table of settings stands in config-settings.ts, the form of the file in config-schema.ts.
import { combinationProblems } from "./config-checks.ts";
import {
  type FileReader,
  fileReader,
  readAccounts,
  readResigns,
  readTls,
  readToken,
} from "./config-files.ts";
import { nearest } from "./config-nearest.ts";
import { emptyFile, type FileContent, readFileContent } from "./config-schema.ts";
import { flagOf, namesOf, type Setting, variableOf } from "./config-setting.ts";
import { settingList, type SettingMember, settings, type SettingValues } from "./config-settings.ts";
import type { Configuration, ConfigurationProblem, ConfigurationSources } from "./config-types.ts";
import { globalServiceRegion, publicRegions } from "./model/regions.ts";

export { flagOf, type Setting, variableOf, yamlKeyOf } from "./config-setting.ts";
export { settingList } from "./config-settings.ts";
export type {
  Configuration,
  ConfigurationFile,
  ConfigurationProblem,
  ConfigurationSources,
} from "./config-types.ts";

const readableByGroupOrOthers = 0o044;

/**
 * Reads the whole configuration. Every source is checked, also where a stronger one overrides it; an empty
 * environment variable counts as not given, and CAIRN_TEST_… is left to tests. Paths are relative to the working
 * directory. Gives either a complete configuration or all problems, never a part.
 */
export function loadConfiguration(sources: ConfigurationSources): Configuration | ConfigurationProblem {
  const given = givenOutsideFile(sources);
  if (given.problems.length > 0) return problemOf(given.problems);
  const file = openFile(given.values.get("config"), sources.readFile);
  if ("problems" in file) return problemOf(file.problems);
  const values = merged(file.content.values, given.values);
  const files = fileReader(sources.readFile, values.insecure);
  const configuration = resolve(values, file, files);
  if (files.problems.length > 0) return problemOf(files.problems);
  const problems = combinationProblems(configuration);
  return problems.length > 0 ? problemOf(problems) : configuration;
}

/**
 * Reads the configuration again (SIGHUP). Settings that only a restart can change keep their value; a warning names
 * those that would have changed. A problem changes nothing.
 */
export function reloadConfiguration(
  current: Configuration,
  sources: ConfigurationSources,
): Configuration | ConfigurationProblem {
  const next = loadConfiguration(sources);
  if ("problem" in next) return next;
  const fixed = [...restartMembers, ...(hasTls(current) === hasTls(next) ? [] : tlsMembers)];
  const changed = fixed.filter((member) => !same(current[member], next[member]));
  if (changed.length === 0) return next;
  const names = settingList.filter(({ member }) => changed.some((name) => name === member)).map(namesOf);
  const warning = `These settings keep their value until Cairn is started again: ${names.join(", ")}.`;
  return { ...withMembersOf(current, next, new Set<string>(fixed)), warnings: [...next.warnings, warning] };
}

/** What SIGHUP does not change. The file itself is named by the start alone. */
const restartMembers: readonly SettingMember[] = settingList.flatMap(({ reload, member }) =>
  reload === "restart" && member !== "config" ? [member] : [],
);
/** A listener takes a new certificate, but does not turn from http to https or back. */
const tlsMembers = ["tls", "tlsCertificateFile", "tlsKeyFile"] as const;

function hasTls({ tls }: Configuration): boolean {
  return tls !== undefined;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** `next` with the named members as they are, or are absent, in `current`. */
function withMembersOf(
  current: Configuration,
  next: Configuration,
  members: ReadonlySet<string>,
): Configuration {
  const entries = [
    ...Object.entries(next).filter(([member]) => !members.has(member)),
    ...Object.entries(current).filter(([member]) => members.has(member)),
  ];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every member comes whole from one of two configurations
  return Object.fromEntries(entries) as unknown as Configuration;
}

interface Given {
  readonly values: ReadonlyMap<SettingMember, unknown>;
  readonly problems: readonly string[];
}

/** Flags over environment variables; the problems of both. */
function givenOutsideFile({ flags, environment }: ConfigurationSources): Given {
  const variables = Object.entries(environment).flatMap(([name, raw]) =>
    /^CAIRN_(?!TEST_)/.test(name) && raw !== undefined && raw !== "" ? [[name, raw] as const] : [],
  );
  const fromVariables = readNamed(variables, variableOf);
  const fromFlags = readNamed(Object.entries(flags), (setting) => flagOf(setting));
  return {
    values: new Map([...fromVariables.values, ...fromFlags.values]),
    problems: [
      ...fromFlags.unknown.map((name) => unknownSetting(`--${name}`, (setting) => `--${flagOf(setting)}`)),
      ...fromVariables.unknown.map((name) => unknownSetting(name, variableOf)),
      ...fromFlags.problems,
      ...fromVariables.problems,
    ],
  };
}

function readNamed(
  entries: readonly (readonly [name: string, raw: string])[],
  nameOf: (setting: Setting) => string,
): Given & { readonly unknown: readonly string[] } {
  const values = new Map<SettingMember, unknown>();
  const problems: string[] = [];
  const unknown: string[] = [];
  for (const [name, raw] of entries) {
    const setting = settingList.find((candidate) => nameOf(candidate) === name);
    const reading = setting?.kind.read(raw);
    if (!setting || !reading) unknown.push(name);
    else if ("problem" in reading) problems.push(`${namesOf(setting)}: ${reading.problem}.`);
    else values.set(setting.member, reading.value);
  }
  return { values, problems, unknown };
}

function unknownSetting(name: string, nameOf: (setting: Setting) => string): string {
  const near = nearest(name, settingList.map(nameOf));
  const hint = near === undefined ? "`cairn serve --help` lists them" : `did you mean ${near}?`;
  return `${name}: there is no such setting; ${hint}${near === undefined ? "." : ""}`;
}

interface OpenedFile {
  readonly content: FileContent;
  readonly warnings: readonly string[];
}

function openFile(
  path: unknown,
  readFile: ConfigurationSources["readFile"],
): OpenedFile | { readonly problems: readonly string[] } {
  if (typeof path !== "string") return { content: emptyFile, warnings: [] };
  const files = fileReader(readFile, false);
  const file = files.read(path, namesOf(settings.config));
  if (!file) return { problems: files.problems };
  const content = readFileContent(file.text);
  if ("problems" in content) return content;
  const open = holdsSecrets(content) && (file.mode & readableByGroupOrOthers) !== 0;
  const warning = `${JSON.stringify(path)} holds secrets and others can read it; run chmod 600 ${path}.`;
  return { content, warnings: open ? [warning] : [] };
}

function holdsSecrets({ accounts, values, resigns }: FileContent): boolean {
  const keys = accounts.flatMap(({ users, root }) => [
    ...users.flatMap((user) => user.accessKeys),
    ...(root?.accessKeys ?? []),
  ]);
  const hasToken = values.has("metricsToken") || values.has("auditWebhookToken");
  const hasResign = [...resigns.values()].some((resign) => resign.secretAccessKey !== undefined);
  return hasToken || hasResign || keys.some((key) => key.secretAccessKey !== undefined);
}

/** Defaults, then the file, then what was given outside it. */
function merged(
  fromFile: ReadonlyMap<SettingMember, unknown>,
  given: ReadonlyMap<SettingMember, unknown>,
): SettingValues {
  const values = Object.fromEntries([...defaultValues(), ...fromFile, ...given]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value was read by the kind of its row, and the type is made of the rows
  return values as unknown as SettingValues;
}

function defaultValues(): (readonly [SettingMember, unknown])[] {
  return settingList.flatMap((setting) => {
    if (setting.fallback === undefined) return [];
    const reading = setting.kind.read(setting.fallback);
    if ("problem" in reading) throw new Error(`Assertion failed: the default of ${setting.name} is valid`);
    return [[setting.member, reading.value] as const];
  });
}

function resolve(values: SettingValues, file: OpenedFile, files: FileReader): Configuration {
  const { regions = publicRegions, metricsToken: _metrics, auditWebhookToken: _audit, ...others } = values;
  const tls = readTls(values, files);
  const metricsToken = readToken("metricsToken", values, files);
  const auditWebhookToken = readToken("auditWebhookToken", values, files);
  const accounts = readAccounts(file.content.accounts, files);
  const { organization } = file.content;
  return {
    ...others,
    regions,
    defaultRegion:
      regions.find((region) => region === globalServiceRegion) ?? regions[0] ?? globalServiceRegion,
    ...(tls ? { tls } : {}),
    ...(metricsToken === undefined ? {} : { metricsToken }),
    ...(auditWebhookToken === undefined ? {} : { auditWebhookToken }),
    quotas: {
      trailsPerRegion: values.quotaTrailsPerRegion,
      basicSelectorsPerTrail: values.quotaBasicSelectorsPerTrail,
      dataResourceValuesPerTrail: values.quotaDataResourceValuesPerTrail,
      advancedValuesPerTrail: values.quotaAdvancedValuesPerTrail,
      tagsPerResource: values.quotaTagsPerResource,
    },
    accounts,
    resigns: readResigns(file.content.resigns, files),
    ...(organization ? { organization: { ...organization, members: accounts.map(({ id }) => id) } } : {}),
    warnings: [
      ...warningsOf(values),
      ...passingWarnings(values, file.content),
      ...file.warnings,
      ...files.warnings,
    ],
  };
}

function warningsOf({ auth, eventBus, eventsEndpoint }: SettingValues): string[] {
  const busNames = [settings.eventBus, settings.eventsEndpoint].map(namesOf);
  return [
    ...(auth === "on"
      ? []
      : [
          "Authentication is off: signatures and policies are not checked, and records say that identities were not verified.",
        ]),
    ...(eventBus === "off" || eventsEndpoint
      ? []
      : [`${busNames[0]}: nothing goes to EventBridge without ${busNames[1]}.`]),
  ];
}

/** With authentication on, who reaches the services behind Cairn is their own business unless they are signed for here. */
function passingWarnings({ auth, endpoints, s3Endpoint }: SettingValues, { resigns }: FileContent): string[] {
  const passing = [...(s3Endpoint === undefined ? [] : ["s3"]), ...endpoints.map(({ service }) => service)];
  const unverified = passing.filter((service) => !resigns.has(service));
  if (auth === "off" || unverified.length === 0) return [];
  const list = unverified.join(", ");
  return [
    `Calls to these endpoints are passed on without a look at their signatures, which the service must check itself: ${list}. With resign they are checked here.`,
  ];
}

function problemOf(problems: readonly string[]): ConfigurationProblem {
  return { problem: [...new Set(problems)].join("\n") };
}
