// The bucket policy that lets CloudTrail write: checking one (formats.md §2.5-2.6) and composing one. Pure.
import { parseArn } from "./arn.ts";
import { evaluate, type PolicyDocument, parsePolicy, policyLiteral } from "./policy.ts";

/** The trail that wants to write, and where. */
export interface DeliveryPermission {
  readonly trailArn: string;
  readonly bucket: string;
  /** S3KeyPrefix as given, without the joining slash. */
  readonly keyPrefix?: string;
  /** The account that owns the trail; of an organization trail, the management account. */
  readonly owner: string;
  /** Organization trails only. */
  readonly organizationId?: string;
  /** Set when the trail encrypts with a key; else its objects ask for AES256. */
  readonly kmsKeyArn?: string;
  /** Folders below the account that must be writable; default `CloudTrail`. With validation also `CloudTrail-Digest`. */
  readonly folders?: readonly string[];
}

const service = "cloudtrail.amazonaws.com";
const acl = "bucket-owner-full-control";

/**
 * Whether the bucket policy lets CloudTrail read the bucket's ACL and put objects into every folder it needs.
 * A text that is no policy lets nobody do anything. Statements without a Principal do not count.
 */
export function letsCloudTrailWrite(policyText: string, permission: DeliveryPermission): boolean {
  const policy = parsePolicy(policyText);
  if ("problem" in policy) return false;
  const policies = [withPrincipal(policy)];
  const bucket = bucketArn(permission);
  const may = (action: string, resource: string, context: Readonly<Record<string, readonly string[]>>) =>
    evaluate(policies, { action, resource, principal: { service }, context }) === "allowed";
  const always = serviceContext(permission);
  if (!may("s3:GetBucketAcl", bucket, always)) return false;
  const put = { ...always, ...putContext(permission) };
  return probedFolders(permission).every((folder) => may("s3:PutObject", `${bucket}/${folder}`, put));
}

/** The policy to attach to a trail's bucket, as JSON (formats.md §2.5). It covers digests and Insights too. */
export function deliveryPolicy(permission: DeliveryPermission): string {
  const { trailArn, owner, organizationId } = permission;
  const bucket = bucketArn(permission);
  const Principal = { Service: service };
  const write = (Sid: string, folder: string) => ({
    Sid,
    Effect: "Allow",
    Principal,
    Action: "s3:PutObject",
    // A prefix may hold what would be a wildcard here.
    Resource: `${bucket}/${policyLiteral(logRoot(permission))}${folder}/*`,
    Condition: { StringEquals: { "s3:x-amz-acl": acl, "aws:SourceArn": trailArn } },
  });
  const statements = [
    {
      Sid: "AWSCloudTrailAclCheck20150319",
      Effect: "Allow",
      Principal,
      Action: "s3:GetBucketAcl",
      Resource: bucket,
      Condition: { StringEquals: { "aws:SourceArn": trailArn } },
    },
    write("AWSCloudTrailWrite20150319", owner),
    ...(organizationId === undefined
      ? []
      : [write("AWSCloudTrailOrganizationWrite20150319", organizationId)]),
  ];
  return JSON.stringify({ Version: "2012-10-17", Statement: statements }, undefined, 2);
}

function withPrincipal(policy: PolicyDocument): PolicyDocument {
  const statements = policy.statements.filter(
    ({ principals, notPrincipals }) => principals !== undefined || notPrincipals !== undefined,
  );
  return { ...policy, statements };
}

/** The folder keys that AWS probes with an empty object (formats.md §2.6), without the bucket. */
function probedFolders(permission: DeliveryPermission): readonly string[] {
  const { owner, organizationId, folders = ["CloudTrail"] } = permission;
  const accounts = organizationId === undefined ? [owner] : [owner, `${organizationId}/${owner}`];
  return accounts.flatMap((account) =>
    folders.map((folder) => `${logRoot(permission)}${account}/${folder}/`),
  );
}

function logRoot({ keyPrefix }: DeliveryPermission): string {
  return keyPrefix ? `${keyPrefix}/AWSLogs/` : "AWSLogs/";
}

function bucketArn({ trailArn, bucket }: DeliveryPermission): string {
  return `arn:${parseArn(trailArn)?.partition ?? "aws"}:s3:::${bucket}`;
}

/** What S3 knows of a request that CloudTrail makes for a trail. */
function serviceContext(permission: DeliveryPermission): Readonly<Record<string, readonly string[]>> {
  const { trailArn, owner, organizationId } = permission;
  return {
    "aws:SourceArn": [trailArn],
    "aws:SourceAccount": [owner],
    ...(organizationId !== undefined && { "aws:SourceOrgID": [organizationId] }),
    "aws:SecureTransport": ["true"],
    "aws:PrincipalIsAWSService": ["true"],
    "aws:PrincipalServiceName": [service],
    "aws:PrincipalServiceNamesList": [service],
    "aws:ViaAWSService": ["false"],
    "s3:authType": ["REST-HEADER"],
    "s3:signatureversion": ["AWS4-HMAC-SHA256"],
  };
}

function putContext({ kmsKeyArn }: DeliveryPermission): Readonly<Record<string, readonly string[]>> {
  return {
    "s3:x-amz-acl": [acl],
    "s3:x-amz-server-side-encryption": [kmsKeyArn === undefined ? "AES256" : "aws:kms"],
    ...(kmsKeyArn !== undefined && { "s3:x-amz-server-side-encryption-aws-kms-key-id": [kmsKeyArn] }),
  };
}
