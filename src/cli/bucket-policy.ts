// `cairn bucket-policy`: prints the policy that lets a trail deliver, to attach to its bucket, topic, key or role.
import { deliveryPolicy } from "../model/delivery-policy.ts";
import {
  keyPolicyStatements,
  logRolePolicy,
  logRoleTrust,
  topicPolicy,
} from "../model/destination-policies.ts";
import { arnOf, findSubject, type PolicySubject } from "./policy-subject.ts";
import { printable } from "./printable.ts";
import { unknownFlag } from "./server-address.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

const knownFlags = [
  ...["trail", "kind", "endpoint-url", "region", "account-id", "organization-id"],
  ...["bucket", "prefix", "topic", "log-group", "multi-region"],
];

interface Kind {
  /** The flag that names the destination, and what a trail lacks without it. */
  readonly destination?: { readonly flag: string; readonly missing: string };
  /** The policy; undefined when the trail has no such destination. */
  readonly compose: (subject: PolicySubject) => string | undefined;
}

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["bucket", { destination: { flag: "bucket", missing: "bucket" }, compose: composeBucket }],
  [
    "topic",
    {
      destination: { flag: "topic", missing: "SNS topic" },
      compose: (subject) =>
        subject.topicArn && topicPolicy({ trailArn: arnOf(subject), topicArn: subject.topicArn }),
    },
  ],
  [
    "key",
    {
      compose: (subject) =>
        keyPolicyStatements({ trailArn: arnOf(subject), owner: subject.identity.account }),
    },
  ],
  ["role", { destination: { flag: "log-group", missing: "log group" }, compose: composeRole }],
]);

/** Exit code 0 when the policy was printed, 1 when the server did not tell, 2 when a flag is wrong. */
export async function bucketPolicy(
  flags: Readonly<Record<string, string>>,
  terminal: Pick<Terminal, "environment" | "readFile" | "out" | "err">,
): Promise<ExitCode> {
  const refuse = (problem: string, code: ExitCode = exitCodes.usage): ExitCode => {
    terminal.err(problem);
    return code;
  };
  const unknown = unknownFlag(flags, "cairn bucket-policy", knownFlags);
  if (unknown !== undefined) return refuse(unknown);
  const { kind: kindName = "bucket" } = flags;
  if (kindName === "role-trust") {
    terminal.out(logRoleTrust());
    return exitCodes.done;
  }
  const kind = kinds.get(kindName);
  if (!kind) {
    const list = `${[...kinds.keys()].join(", ")} and role-trust`;
    return refuse(`--kind: ${printable(JSON.stringify(kindName))} is not one of ${list}.`);
  }
  if (flags["trail"] === undefined) return refuse("--trail: give the name or ARN of a trail.");
  const subject = await findSubject(flags, kind.destination?.flag, terminal);
  if ("problem" in subject) return refuse(subject.problem, subject.code);
  if (kindName === "bucket" && subject.isOrganization && subject.organizationId === undefined) {
    return refuse("--organization-id: the trail is an organization trail; give the organization's id, o-….");
  }
  const policy = kind.compose(subject);
  if (policy === undefined) {
    const { flag, missing } = kind.destination ?? { flag: "", missing: "" };
    return refuse(
      `The trail ${arnOf(subject)} has no ${missing}; give one with --${flag}.`,
      exitCodes.failed,
    );
  }
  terminal.out(policy);
  return exitCodes.done;
}

function composeBucket(subject: PolicySubject): string | undefined {
  const { bucket, prefix, organizationId, identity } = subject;
  if (bucket === undefined) return undefined;
  return deliveryPolicy({
    trailArn: arnOf(subject),
    owner: identity.account,
    bucket,
    ...(prefix !== undefined && { keyPrefix: prefix }),
    ...(organizationId !== undefined && { organizationId }),
  });
}

function composeRole(subject: PolicySubject): string | undefined {
  const { logGroupArn, isMultiRegion, isOrganization, identity } = subject;
  if (logGroupArn === undefined) return undefined;
  const { account: owner, homeRegion } = identity;
  return logRolePolicy({ logGroupArn, owner, homeRegion, isMultiRegion, isOrganization });
}
