// Which S3 operation a path-style request is, by method, path, query and headers. Pure.
import { BucketError } from "./contract.ts";

export interface OperationRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Target {
  /** S3's name of the operation; also for operations that are not implemented here. */
  readonly operation: string;
  /** "" for the service itself. */
  readonly bucket: string;
  /** "" for the bucket itself. */
  readonly key: string;
}

/** Throws BucketError `InvalidURI` for a path that is not percent-encoded UTF-8, `MethodNotAllowed` for other methods. */
export function targetOf(request: OperationRequest): Target {
  const [, bucket = "", key = ""] = /^\/?([^/]*)\/?(.*)$/s.exec(decodePath(request.path)) ?? [];
  const name = nameOf(request, bucket === "" ? "service" : key === "" ? "bucket" : "object");
  if (name === undefined) {
    throw new BucketError("MethodNotAllowed", "The specified method is not allowed against this resource.");
  }
  return { operation: name, bucket, key };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new BucketError("InvalidURI", "Couldn't parse the specified URI.");
  }
}

function nameOf(request: OperationRequest, level: "service" | "bucket" | "object"): string | undefined {
  const { method, query, headers } = request;
  const verb = { GET: "Get", PUT: "Put", DELETE: "Delete" }[method];
  if (level === "service") return method === "GET" ? "ListBuckets" : undefined;
  if (method === "PUT" && query.has("uploadId") && headers["x-amz-copy-source"] !== undefined) {
    return level === "object" ? "UploadPartCopy" : undefined;
  }
  const special = specials[level].find(([wanted, parameter]) => wanted === method && query.has(parameter));
  if (special) return special[2];
  const subresource = Object.entries(subresources[level]).find(([parameter]) => query.has(parameter));
  if (subresource && verb) return `${verb}${subresource[1]}`;
  if (method === "PUT" && level === "object" && headers["x-amz-copy-source"] !== undefined)
    return "CopyObject";
  return plain[level][method];
}

type Level = "bucket" | "object";

const plain: Readonly<Record<Level, Readonly<Record<string, string>>>> = {
  bucket: {
    GET: "ListObjects",
    HEAD: "HeadBucket",
    PUT: "CreateBucket",
    DELETE: "DeleteBucket",
    POST: "PostObject",
  },
  object: {
    GET: "GetObject",
    HEAD: "HeadObject",
    PUT: "PutObject",
    DELETE: "DeleteObject",
    POST: "PostObject",
  },
};

/** Method, query parameter, operation: looked at before the subresources. */
const specials: Readonly<Record<Level, readonly (readonly [string, string, string])[]>> = {
  bucket: [
    ["GET", "list-type", "ListObjectsV2"],
    ["GET", "uploads", "ListMultipartUploads"],
    ["GET", "versions", "ListObjectVersions"],
    ["POST", "delete", "DeleteObjects"],
  ],
  object: [
    ["POST", "uploads", "CreateMultipartUpload"],
    ["PUT", "uploadId", "UploadPart"],
    ["POST", "uploadId", "CompleteMultipartUpload"],
    ["DELETE", "uploadId", "AbortMultipartUpload"],
    ["GET", "uploadId", "ListParts"],
    ["POST", "restore", "RestoreObject"],
    ["POST", "select", "SelectObjectContent"],
  ],
};

/** Query parameter → what Get, Put and Delete of it are called. */
const subresources: Readonly<Record<Level, Readonly<Record<string, string>>>> = {
  bucket: {
    accelerate: "BucketAccelerateConfiguration",
    acl: "BucketAcl",
    analytics: "BucketAnalyticsConfiguration",
    cors: "BucketCors",
    encryption: "BucketEncryption",
    "intelligent-tiering": "BucketIntelligentTieringConfiguration",
    inventory: "BucketInventoryConfiguration",
    lifecycle: "BucketLifecycleConfiguration",
    location: "BucketLocation",
    logging: "BucketLogging",
    metrics: "BucketMetricsConfiguration",
    notification: "BucketNotificationConfiguration",
    "object-lock": "ObjectLockConfiguration",
    ownershipControls: "BucketOwnershipControls",
    policy: "BucketPolicy",
    policyStatus: "BucketPolicyStatus",
    publicAccessBlock: "PublicAccessBlock",
    replication: "BucketReplication",
    requestPayment: "BucketRequestPayment",
    tagging: "BucketTagging",
    versioning: "BucketVersioning",
    website: "BucketWebsite",
  },
  object: {
    acl: "ObjectAcl",
    attributes: "ObjectAttributes",
    "legal-hold": "ObjectLegalHold",
    retention: "ObjectRetention",
    tagging: "ObjectTagging",
    torrent: "ObjectTorrent",
  },
};
