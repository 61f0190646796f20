// The bucket door's operations on buckets: make, remove, policy, and what clients read of a bucket's settings.
import { parseRegion } from "../model/regions.ts";
import { parsePolicy, policyTextBytesMax } from "../model/policy.ts";
import { BucketError } from "./contract.ts";
import {
  aclAnswer,
  type DoorCall,
  type DoorOperation,
  type DoorOperationTable,
  emptyAnswer,
  mustExist,
  noSuchBucket,
  notImplemented,
  ownerElement,
  xmlAnswer,
} from "./s3-answer.ts";
import { checkBody } from "./s3-checksums.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import { isoDate } from "./s3-http.ts";
import { element, memberText, parseXml, textElement } from "./s3-xml.ts";

/** Where a bucket is that nobody gave a Region; S3 writes it as an empty LocationConstraint. */
const firstRegion = "us-east-1";
const createBodyBytesMax = 64 * 1024;

export const bucketOperations: DoorOperationTable = {
  ListBuckets: { action: "s3:ListAllMyBuckets", on: "service", run: listBuckets },
  CreateBucket: onBucket("s3:CreateBucket", createBucket),
  HeadBucket: onBucket("s3:ListBucket", headBucket),
  DeleteBucket: onBucket("s3:DeleteBucket", deleteBucket),
  GetBucketLocation: onBucket("s3:GetBucketLocation", getBucketLocation),
  GetBucketAcl: onBucket(
    "s3:GetBucketAcl",
    settled(({ request }) => aclAnswer(request.caller)),
  ),
  GetBucketPolicy: onBucket("s3:GetBucketPolicy", getBucketPolicy),
  PutBucketPolicy: onBucket("s3:PutBucketPolicy", putBucketPolicy),
  DeleteBucketPolicy: onBucket("s3:DeleteBucketPolicy", deleteBucketPolicy),
  ...settings(),
};

function onBucket(action: string, run: DoorOperation["run"]): DoorOperation {
  return { action, on: "bucket", run };
}

/** An answer that is the same for every bucket that exists. */
function settled(answer: (call: DoorCall) => BucketDoorResponse): DoorOperation["run"] {
  return async (call) => {
    await mustExist(call);
    return answer(call);
  };
}

/** Settings that no bucket here can have: what a new bucket of AWS without them answers. */
function settings(): DoorOperationTable {
  const empty = (root: string, content: readonly string[] = []) => settled(() => xmlAnswer(root, content));
  const absent = (code: string, message: string) =>
    settled(() => {
      throw new BucketError(code, message);
    });
  const payer = textElement("Payer", "BucketOwner");
  return {
    GetBucketVersioning: onBucket("s3:GetBucketVersioning", empty("VersioningConfiguration")),
    GetBucketLogging: onBucket("s3:GetBucketLogging", empty("BucketLoggingStatus")),
    GetBucketNotificationConfiguration: onBucket(
      "s3:GetBucketNotification",
      empty("NotificationConfiguration"),
    ),
    GetBucketRequestPayment: onBucket(
      "s3:GetBucketRequestPayment",
      empty("RequestPaymentConfiguration", [payer]),
    ),
    GetBucketAccelerateConfiguration: onBucket(
      "s3:GetAccelerateConfiguration",
      empty("AccelerateConfiguration"),
    ),
    GetBucketEncryption: onBucket(
      "s3:GetEncryptionConfiguration",
      absent(
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
      ),
    ),
    GetBucketLifecycleConfiguration: onBucket(
      "s3:GetLifecycleConfiguration",
      absent("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ),
    GetBucketCors: onBucket(
      "s3:GetBucketCORS",
      absent("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ),
    GetBucketWebsite: onBucket(
      "s3:GetBucketWebsite",
      absent("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    ),
    GetBucketReplication: onBucket(
      "s3:GetReplicationConfiguration",
      absent("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    ),
    GetObjectLockConfiguration: onBucket(
      "s3:GetBucketObjectLockConfiguration",
      absent(
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
      ),
    ),
    GetPublicAccessBlock: onBucket(
      "s3:GetBucketPublicAccessBlock",
      absent("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
    ),
    GetBucketOwnershipControls: onBucket(
      "s3:GetBucketOwnershipControls",
      absent("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    ),
  };
}

async function listBuckets({ store, request }: DoorCall): Promise<BucketDoorResponse> {
  const prefix = request.query.get("prefix") ?? "";
  const buckets = (await store.buckets()).filter(({ name }) => name.startsWith(prefix));
  const listed = buckets.map(({ name, createdMs, region = firstRegion }) =>
    element("Bucket", [
      textElement("Name", name),
      textElement("CreationDate", isoDate(createdMs)),
      textElement("BucketRegion", region),
    ]),
  );
  return xmlAnswer("ListAllMyBucketsResult", [
    ownerElement("Owner", request.caller),
    element("Buckets", listed),
  ]);
}

/** Making a bucket again is no error in us-east-1, and `BucketAlreadyOwnedByYou` anywhere else. */
async function createBucket({ store, bucket, request }: DoorCall): Promise<BucketDoorResponse> {
  if (request.headers["x-amz-bucket-object-lock-enabled"]?.toLowerCase() === "true") {
    throw notImplemented("Object Lock");
  }
  await checkBody(request.body, request.headers);
  const region = wantedRegion(request.body);
  const answer = emptyAnswer(200, { location: `/${bucket}` });
  if ((await store.create(bucket, region === undefined ? {} : { region })) === "created") return answer;
  const present = (await store.info(bucket))?.region ?? firstRegion;
  if (present === firstRegion && (region ?? firstRegion) === firstRegion) return answer;
  throw new BucketError(
    "BucketAlreadyOwnedByYou",
    "Your previous request to create the named bucket succeeded and you already own it.",
  );
}

function wantedRegion(body: Uint8Array): string | undefined {
  if (body.length === 0) return undefined;
  const configuration = parseXml(body, { root: "CreateBucketConfiguration", bytesMax: createBodyBytesMax });
  const constraint = memberText(configuration, "LocationConstraint")?.trim() ?? "";
  if (constraint === "") return undefined;
  const region = parseRegion(constraint === "EU" ? "eu-west-1" : constraint);
  if (region === undefined || region === firstRegion) {
    throw new BucketError("InvalidLocationConstraint", "The specified location-constraint is not valid");
  }
  return region;
}

async function headBucket({ store, bucket }: DoorCall): Promise<BucketDoorResponse> {
  const info = await store.info(bucket);
  if (!info) throw noSuchBucket();
  return emptyAnswer(200, { "x-amz-bucket-region": info.region ?? firstRegion });
}

async function deleteBucket({ store, bucket }: DoorCall): Promise<BucketDoorResponse> {
  await store.remove(bucket);
  return emptyAnswer(204);
}

async function getBucketLocation({ store, bucket }: DoorCall): Promise<BucketDoorResponse> {
  const info = await store.info(bucket);
  if (!info) throw noSuchBucket();
  const { region = firstRegion } = info;
  // Here the root holds the text itself.
  return xmlAnswer("LocationConstraint", region === firstRegion ? [] : [region]);
}

async function getBucketPolicy(call: DoorCall): Promise<BucketDoorResponse> {
  await mustExist(call);
  const answer = await call.store.policy(call.bucket);
  switch (answer.kind) {
    case "policy":
      return { status: 200, headers: { "content-type": "application/json" }, body: answer.text };
    case "none":
      throw new BucketError("NoSuchBucketPolicy", "The bucket policy does not exist");
    case "unreadable":
      throw new BucketError("ServiceUnavailable", answer.message);
    default:
      throw new BucketError("InternalError", "The policy could not be read.");
  }
}

async function putBucketPolicy(call: DoorCall): Promise<BucketDoorResponse> {
  await mustExist(call);
  await checkBody(call.request.body, call.request.headers);
  const text = Buffer.from(call.request.body).toString("utf8");
  const problem = bucketPolicyProblem(text, call.bucket);
  if (problem !== undefined) throw new BucketError("MalformedPolicy", problem);
  await call.store.putPolicy(call.bucket, text);
  return emptyAnswer(204);
}

async function deleteBucketPolicy({ store, bucket }: DoorCall): Promise<BucketDoorResponse> {
  await store.deletePolicy(bucket);
  return emptyAnswer(204);
}

/** Beyond the language itself, a bucket policy names principals, S3 actions and this bucket alone. */
function bucketPolicyProblem(text: string, bucket: string): string | undefined {
  if (text.length > policyTextBytesMax) return `The policy is longer than ${policyTextBytesMax} bytes.`;
  const policy = parsePolicy(text);
  if ("problem" in policy) return policy.problem;
  for (const statement of policy.statements) {
    const { principals, notPrincipals, actions, notActions, resources, notResources } = statement;
    if (principals === undefined && notPrincipals === undefined) return "Missing required field Principal";
    if ([...(actions ?? notActions ?? [])].some((action) => !/^(\*$|s3:)/i.test(action))) {
      return "Policy has invalid action";
    }
    if ([...(resources ?? notResources ?? [])].some((resource) => !isOfBucket(resource, bucket))) {
      return "Policy has invalid resource";
    }
  }
  return undefined;
}

function isOfBucket(resource: string, bucket: string): boolean {
  const place = resource === "*" ? "*" : /^arn:[^:]+:s3:::(.+)$/s.exec(resource)?.[1];
  if (place === undefined) return false;
  const name = place.split("/", 1)[0] ?? "";
  // A name with wildcards is judged when the policy is evaluated.
  return name === bucket || /[*?]/.test(name);
}
