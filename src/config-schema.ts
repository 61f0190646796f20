// The form of the YAML file: every setting by name or in its group, and the parts that only a file can hold
// (accounts, organization). From YAML text to checked values, or sentences that name what is wrong.
import { parseDocument } from "yaml";
import { z } from "zod";
import { endpointsSchema, type ResignInFile } from "./config-endpoint-values.ts";
import { nearest } from "./config-nearest.ts";
import { namesOf, type Setting } from "./config-setting.ts";
import { settingList, type SettingMember, settings } from "./config-settings.ts";
import { accountId, type Reading, shown, text, type ValueKind } from "./config-values.ts";
import type { AccountId } from "./model/arn.ts";
import { parsePolicyValue, type PolicyDocument } from "./model/policy.ts";

/** An access key as the file has it: the secret may still stand in a file of its own. */
export interface AccessKeyInFile {
  readonly accessKeyId: string;
  readonly secretAccessKey?: string | undefined;
  readonly secretAccessKeyFile?: string | undefined;
  readonly sessionToken?: string | undefined;
  /** When temporary credentials end, milliseconds since the epoch. */
  readonly expires?: number | undefined;
}

interface UserInFile {
  readonly name: string;
  readonly path: string;
  readonly accessKeys: readonly AccessKeyInFile[];
  readonly policies: readonly PolicyDocument[];
}

export interface AccountInFile {
  readonly id: AccountId;
  readonly name?: string | undefined;
  readonly users: readonly UserInFile[];
  readonly root?: { readonly accessKeys: readonly AccessKeyInFile[] } | undefined;
}

interface OrganizationInFile {
  readonly id: string;
  readonly managementAccount: AccountId;
  readonly delegatedAdministrators: readonly AccountId[];
}

export interface FileContent {
  /** Values of the settings that the file has. */
  readonly values: ReadonlyMap<SettingMember, unknown>;
  readonly accounts: readonly AccountInFile[];
  readonly organization?: OrganizationInFile;
  /** Service → credentials with which calls to its endpoint are signed again. */
  readonly resigns: ReadonlyMap<string, ResignInFile>;
}

export const emptyFile: FileContent = { values: new Map(), accounts: [], resigns: new Map() };

const fileCharactersMax = 10_000_000;
const fileNames = namesOf(settings.config);

/** Reads the YAML text of a configuration file. */
export function readFileContent(yaml: string): FileContent | { readonly problems: readonly string[] } {
  if (yaml.length > fileCharactersMax) {
    return { problems: [`${fileNames}: the file is longer than ${fileCharactersMax} characters.`] };
  }
  const document = parseDocument(yaml);
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map(
        (error) => `${fileNames}: the file is not YAML: ${firstLine(error.message)}`,
      ),
    };
  }
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return { problems: [`${fileNames}: the file is not usable: ${firstLine(String(error))}`] };
  }
  const result = fileSchema.safeParse(raw);
  if (!result.success) return { problems: result.error.issues.flatMap(sentencesOf) };
  return contentOf(result.data);
}

function firstLine(message: string): string {
  return `${message.split("\n", 1)[0]?.replace(/[:.]*$/, "") ?? ""}.`;
}

/** A value that a kind of config-values.ts reads; its problem becomes the issue's message. */
function value<Value>(kind: ValueKind<Value>): z.ZodType<Value> {
  return z.unknown().transform((raw, context) => {
    const reading: Reading<Value> = kind.read(raw);
    if ("value" in reading) return reading.value;
    const problem = raw === undefined ? `is missing; write ${kind.form}` : reading.problem;
    context.addIssue({ code: "custom", message: problem });
    return z.NEVER;
  });
}

const accessKeySchema = z
  .strictObject({
    accessKeyId: value(
      text({
        what: "an access key id",
        pattern: /^\w{3,128}$/,
        right: "3 to 128 letters, digits or underscores",
      }),
    ),
    secretAccessKey: value(secretText("a secret access key", /^[\x21-\x7e]{8,256}$/)).optional(),
    secretAccessKeyFile: value(
      text({ what: "a path", pattern: /^[^\0]{1,4096}$/, right: "a path" }),
    ).optional(),
    sessionToken: value(secretText("a session token", /^[\x21-\x7e]{1,4096}$/)).optional(),
    expires: value(moment()).optional(),
  })
  .superRefine((key, context) => {
    if ((key.secretAccessKey === undefined) === (key.secretAccessKeyFile === undefined)) {
      context.addIssue({ code: "custom", message: "needs either secretAccessKey or secretAccessKeyFile" });
    }
    if (key.expires !== undefined && key.sessionToken === undefined) {
      context.addIssue({ code: "custom", message: "expires, so it also needs a sessionToken" });
    }
  });

function secretText(what: string, pattern: RegExp): ValueKind<string> {
  return text({ what, pattern, right: "visible ASCII characters without spaces", secret: true });
}

function moment(): ValueKind<number> {
  return {
    form: 'a time in UTC, like "2030-01-31T12:00:00Z"',
    read(raw) {
      const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;
      // oxlint-disable-next-line no-restricted-globals -- converts the text, does not look at the clock
      const ms = typeof raw === "string" && form.test(raw) ? Date.parse(raw) : Number.NaN;
      if (!Number.isNaN(ms)) return { value: ms };
      return { problem: `${shown(raw)} is not a time; write it in UTC, like "2030-01-31T12:00:00Z"` };
    },
  };
}

const policySchema = z.unknown().transform((raw, context): PolicyDocument => {
  const policy = parsePolicyValue(raw);
  if ("problem" in policy) {
    context.addIssue({ code: "custom", message: `is not a policy: ${policy.problem.replace(/\.$/, "")}` });
    return z.NEVER;
  }
  if (policy.statements.some((statement) => statement.principals ?? statement.notPrincipals)) {
    context.addIssue({
      code: "custom",
      message: "belongs to this user, so no statement may have a Principal",
    });
  }
  return policy;
});

const userSchema = z.strictObject(
  {
    name: value(
      text({
        what: "a user name",
        pattern: /^[\w+=,.@-]{1,64}$/,
        right: "1 to 64 of A-Z a-z 0-9 _ + = , . @ -",
      }),
    ),
    path: value(
      text({
        what: "a user path",
        pattern: /^\/([\w+=,.@-]{1,64}\/){0,8}$/,
        right: "for example /teams/security/",
      }),
    ).default("/"),
    accessKeys: listOf(accessKeySchema),
    policies: listOf(policySchema),
  },
  { error: "must be a group with name, accessKeys and policies" },
);

const accountSchema = z.strictObject(
  {
    id: value(accountId()),
    name: value(
      text({ what: "an account name", pattern: /^[^\p{Cc}]{1,100}$/u, right: "1 to 100 characters" }),
    ).optional(),
    users: listOf(userSchema),
    root: z.strictObject({ accessKeys: listOf(accessKeySchema) }).optional(),
  },
  { error: "must be a group with id, name and users" },
);

const organizationSchema = z.strictObject(
  {
    id: value(
      text({
        what: "an organization id",
        pattern: /^o-[a-z0-9]{10,32}$/,
        right: "for example o-exampleorgid",
      }),
    ),
    managementAccount: value(accountId()),
    delegatedAdministrators: listOf(value(accountId())),
  },
  { error: "must be a group with id and managementAccount" },
);

function listOf<Entry extends z.ZodType>(entry: Entry) {
  return z.array(entry, { error: "must be a list" }).default([]);
}

function endpointKind(service: string): ValueKind<unknown> | undefined {
  return settingList.find(({ group }) => group?.[0] === "endpoints" && group[1] === service)?.kind;
}

const fileSchema = z.strictObject(
  {
    ...Object.fromEntries(settingList.filter(inFile).map((row) => [row.name, value(row.kind).optional()])),
    tls: groupSchema("tls").optional(),
    quotas: groupSchema("quotas").optional(),
    endpoints: endpointsSchema(endpointKind).optional(),
    accounts: listOf(accountSchema),
    organization: organizationSchema.optional(),
  },
  { error: `${fileNames}: the file must be a group of settings, like "port: 4577"` },
);

function inFile(setting: Setting): boolean {
  return setting.name !== "config";
}

function groupSchema(group: "tls" | "quotas") {
  const rows = settingList.filter((row) => row.group?.[0] === group);
  const members = rows.map((row) => [row.group?.[1] ?? "", value(row.kind).optional()] as const);
  return z.strictObject(Object.fromEntries(members), { error: "must be a group of settings" });
}

function contentOf(data: z.infer<typeof fileSchema>): FileContent | { readonly problems: readonly string[] } {
  const values = new Map<SettingMember, unknown>();
  const problems: string[] = [];
  const { own, others, resigns } = data.endpoints ?? { resigns: new Map() };
  const named: Readonly<Record<string, unknown>> = { ...data, endpoints: others };
  const groups = { ...data, endpoints: own };
  for (const setting of settingList.filter(inFile)) {
    const [group, key] = setting.group ?? [];
    const plain = named[setting.name];
    const grouped = group && key ? groups[group]?.[key] : undefined;
    if (plain !== undefined && grouped !== undefined) {
      problems.push(`${namesOf(setting)}: it stands twice in the file, also as ${setting.name}; keep one.`);
    }
    const found = plain ?? grouped;
    if (found !== undefined) values.set(setting.member, found);
  }
  if (problems.length > 0) return { problems };
  const { accounts, organization } = data;
  return { values, accounts, resigns, ...(organization ? { organization } : {}) };
}

function sentencesOf(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...issue.path, key]));
  const setting = settingAt(path);
  if (setting) return [`${namesOf(setting)}: ${issue.message}.`];
  const where = path[0] === "endpoints" ? `${namesOf(settings.endpoints)}: ` : "";
  return [path.length === 0 ? `${issue.message}.` : `${where}${dotted(issue.path)}: ${issue.message}.`];
}

function settingAt(path: readonly string[]): Setting | undefined {
  return settingList.find(
    ({ name, group }) =>
      path.join(".") === name || (group !== undefined && path.join(".") === group.join(".")),
  );
}

function unknownKey(path: readonly PropertyKey[]): string {
  const key = String(path.at(-1));
  const names = path.length === 1 ? topNames : settingList.map(({ group }) => group?.[1] ?? "");
  const near = nearest(key, names);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return `${dotted(path)}: there is no such setting${hint === "" ? "." : hint}`;
}

const topNames: readonly string[] = [
  ...settingList.filter(inFile).map(({ name }) => name),
  ...["tls", "quotas", "endpoints", "accounts", "organization"],
];

/** `accounts`, 0, `id` → `accounts[0].id`. */
function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}
