// The other policies that a trail's destinations need: topic, key, role of the log group. Composed, never checked. Pure.
// The bucket's policy is in delivery-policy.ts.
import { parseArn } from "./arn.ts";
import { policyLiteral } from "./policy.ts";

const service = "cloudtrail.amazonaws.com";
const version = "2012-10-17";
const Principal = { Service: service };

/** The policy of the SNS topic, as JSON (formats.md §4.3). */
export function topicPolicy({
  trailArn,
  topicArn,
}: Readonly<Record<"trailArn" | "topicArn", string>>): string {
  return written({
    Version: version,
    Statement: [
      {
        Sid: "AWSCloudTrailSNSPolicy20131101",
        Effect: "Allow",
        Principal,
        Action: "SNS:Publish",
        Resource: topicArn,
        Condition: { StringEquals: { "aws:SourceArn": trailArn } },
      },
    ],
  });
}

/**
 * The statements to add to the policy of the KMS key, as a JSON list: the service encrypts, the trail's account may
 * decrypt what was encrypted for a trail.
 */
export function keyPolicyStatements({
  trailArn,
  owner,
}: Readonly<Record<"trailArn" | "owner", string>>): string {
  const partition = parseArn(trailArn)?.partition ?? "aws";
  const source = { "aws:SourceArn": trailArn };
  const context = "kms:EncryptionContext:aws:cloudtrail:arn";
  return written([
    {
      Sid: "CloudTrailEncrypts",
      Effect: "Allow",
      Principal,
      Action: "kms:GenerateDataKey*",
      Resource: "*",
      Condition: {
        StringEquals: source,
        StringLike: { [context]: `arn:${partition}:cloudtrail:*:${owner}:trail/*` },
      },
    },
    {
      Sid: "CloudTrailDescribesKey",
      Effect: "Allow",
      Principal,
      Action: "kms:DescribeKey",
      Resource: "*",
      Condition: { StringEquals: source },
    },
    {
      Sid: "ReadersDecrypt",
      Effect: "Allow",
      Principal: { AWS: `arn:${partition}:iam::${owner}:root` },
      Action: "kms:Decrypt",
      Resource: "*",
      Condition: { Null: { [context]: "false" } },
    },
  ]);
}

/** The log group of a trail and whose records its streams hold. */
export interface LogGroupWriter {
  /** With or without the `:*` at its end. */
  readonly logGroupArn: string;
  readonly owner: string;
  readonly homeRegion: string;
  /** A trail of all Regions has a stream for each. */
  readonly isMultiRegion: boolean;
  readonly isOrganization: boolean;
}

/** What the role may do that writes to the log group, as JSON (formats.md §5.1). */
export function logRolePolicy(writer: LogGroupWriter): string {
  const { logGroupArn, owner, homeRegion, isMultiRegion, isOrganization } = writer;
  const streams = `${policyLiteral(logGroupArn.replace(/:\*$/, ""))}:log-stream:`;
  const Resource = [
    `${streams}${owner}_CloudTrail_${isMultiRegion ? "" : homeRegion}*`,
    ...(isOrganization ? [`${streams}org_*`] : []),
  ];
  const allow = (Sid: string, action: string) => ({ Sid, Effect: "Allow", Action: [action], Resource });
  return written({
    Version: version,
    Statement: [
      allow("AWSCloudTrailCreateLogStream20141101", "logs:CreateLogStream"),
      allow("AWSCloudTrailPutLogEvents20141101", "logs:PutLogEvents"),
    ],
  });
}

/** Who may assume that role, as JSON. */
export function logRoleTrust(): string {
  return written({ Version: version, Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }] });
}

function written(document: object): string {
  return JSON.stringify(document, undefined, 2);
}
