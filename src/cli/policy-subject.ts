// For which trail and destination `cairn bucket-policy` composes a policy: from the flags alone, or from the server's
// GetTrail with flags over it. Must not: compose or print.
import type { GetTrailCommandOutput } from "@aws-sdk/client-cloudtrail";
import { parseAccountId, parseTrailArn, trailArn, type TrailIdentity } from "../model/arn.ts";
import { parseRegion } from "../model/regions.ts";
import { type AskingTerminal, openCloudTrail } from "./cloudtrail-client.ts";
import { printable } from "./printable.ts";
import { serverAddress } from "./server-address.ts";
import { type ExitCode, exitCodes } from "./terminal.ts";

type Flags = Readonly<Record<string, string>>;
type Trail = NonNullable<GetTrailCommandOutput["Trail"]>;

/** A trail as far as policies name it. What the kind of policy does not need may be absent. */
export interface PolicySubject {
  readonly identity: TrailIdentity;
  readonly bucket?: string;
  readonly prefix?: string;
  readonly organizationId?: string;
  readonly isOrganization: boolean;
  readonly topicArn?: string;
  readonly logGroupArn?: string;
  readonly isMultiRegion: boolean;
}

/** A sentence, and the exit code: the flags were wrong or the server did not tell. */
export interface SubjectProblem {
  readonly problem: string;
  readonly code: ExitCode;
}

/** Complete without a server when the flags give the trail and, if the kind has one, its `destination` flag. */
export async function findSubject(
  flags: Flags,
  destination: string | undefined,
  terminal: AskingTerminal,
): Promise<PolicySubject | SubjectProblem> {
  const identity = identityOf(flags);
  if (typeof identity === "string") return usage(identity);
  const isOffline = destination === undefined ? flags["endpoint-url"] === undefined : destination in flags;
  if (!isOffline || !identity) {
    if (isOffline && destination !== undefined) {
      return usage(
        "--trail: without a server a name is not enough; give the ARN, or --account-id and --region.",
      );
    }
    return askServer(flags, terminal);
  }
  return withFlags({ identity, isOrganization: "organization-id" in flags, isMultiRegion: false }, flags);
}

/** Undefined when the flags name the trail but not fully; a text when they are wrong. */
function identityOf(flags: Flags): TrailIdentity | string | undefined {
  const { trail = "" } = flags;
  const [region, account] = [flags["region"], flags["account-id"]];
  const homeRegion = region === undefined ? undefined : parseRegion(region);
  if (region !== undefined && !homeRegion) return `--region: ${quoted(region)} is no Region like us-east-1.`;
  const owner = account === undefined ? undefined : parseAccountId(account);
  if (account !== undefined && !owner)
    return `--account-id: ${quoted(account)} is no account id of 12 digits.`;
  const identity = parseTrailArn(trail);
  const name = identity?.name ?? trail;
  // The rest of the rules (api.md §2.2) is the server's; these characters mean nothing in a policy.
  if (!/^[A-Za-z0-9._-]{3,128}$/.test(name)) {
    return `--trail: ${quoted(trail)} is neither a trail's name nor its ARN.`;
  }
  if (identity) return identity;
  return owner && homeRegion && { name, account: owner, homeRegion };
}

async function askServer(flags: Flags, terminal: AskingTerminal): Promise<PolicySubject | SubjectProblem> {
  const address = serverAddress(flags, terminal.environment);
  if ("problem" in address) return usage(address.problem);
  const { trail: Name = "" } = flags;
  const given = parseTrailArn(Name);
  const [region, account] = [flags["region"] ?? given?.homeRegion, flags["account-id"] ?? given?.account];
  try {
    const { GetTrailCommand } = await import("@aws-sdk/client-cloudtrail");
    const wish = { url: address.url, ...(region && { region }), ...(account && { account }) };
    const client = await openCloudTrail(wish, terminal);
    const { Trail } = await client.send(new GetTrailCommand({ Name })).finally(() => client.destroy());
    return fromTrail(Trail, flags);
  } catch (error) {
    return failure(`GetTrail at ${printable(address.url.href)} failed: ${reasonOf(error)}`);
  }
}

function fromTrail(trail: Trail | undefined, flags: Flags): PolicySubject | SubjectProblem {
  const identity = parseTrailArn(trail?.TrailARN ?? "");
  if (!trail || !identity) return failure("GetTrail was answered without a trail.");
  const { S3BucketName, S3KeyPrefix, SnsTopicARN, CloudWatchLogsLogGroupArn } = trail;
  const subject = {
    identity,
    isOrganization: trail.IsOrganizationTrail === true,
    isMultiRegion: trail.IsMultiRegionTrail === true,
    ...(S3BucketName !== undefined && { bucket: S3BucketName }),
    ...(S3KeyPrefix !== undefined && { prefix: S3KeyPrefix }),
    ...(SnsTopicARN !== undefined && { topicArn: SnsTopicARN }),
    ...(CloudWatchLogsLogGroupArn !== undefined && { logGroupArn: CloudWatchLogsLogGroupArn }),
  };
  return withFlags(subject, flags);
}

/** What a flag may look like, and the sentence that says so. */
const forms: readonly (readonly [flag: string, form: RegExp, what: string])[] = [
  ["bucket", /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "a bucket name"],
  ["prefix", /^(?!\/)[\s\S]{0,200}$/, "a key prefix: at most 200 characters, no slash in front"],
  ["organization-id", /^o-[a-z0-9]{10,32}$/, "an organization id like o-exampleorgid"],
  ["topic", /^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, "the ARN of an SNS topic"],
  [
    "log-group",
    /^arn:[a-z-]+:logs:[a-z0-9-]+:\d{12}:log-group:[^:*]{1,512}(:\*)?$/,
    "the ARN of a log group",
  ],
];

function withFlags(subject: PolicySubject, flags: Flags): PolicySubject | SubjectProblem {
  const wrong = forms.find(([flag, form]) => flags[flag] !== undefined && !form.test(flags[flag]));
  if (wrong) return usage(`--${wrong[0]}: ${quoted(flags[wrong[0]] ?? "")} is not ${wrong[2]}.`);
  const { bucket, prefix, topic, "organization-id": organizationId, "log-group": logGroupArn } = flags;
  return {
    ...subject,
    ...(bucket !== undefined && { bucket }),
    ...(prefix !== undefined && { prefix }),
    ...(topic !== undefined && { topicArn: topic }),
    ...(logGroupArn !== undefined && { logGroupArn }),
    ...(organizationId !== undefined && { organizationId, isOrganization: true }),
    ...(flags["multi-region"] === "true" && { isMultiRegion: true }),
  };
}

/** The ARN of the subject's trail. */
export function arnOf({ identity }: PolicySubject): string {
  return trailArn(identity);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown reason";
  const code = "code" in error ? String(error.code) : "";
  const text = error.message === "" ? code : error.message;
  return printable(error.name === "Error" ? text : `${error.name}: ${text}`);
}

function quoted(text: string): string {
  return printable(JSON.stringify(text));
}

function usage(problem: string): SubjectProblem {
  return { problem, code: exitCodes.usage };
}

function failure(problem: string): SubjectProblem {
  return { problem, code: exitCodes.failed };
}
