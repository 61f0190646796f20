// The bucket door's CopyObject, and opening the source of a copy, which the copies of parts share.
import { BucketError } from "./contract.ts";
import type { ObjectTraits, OpenObject, StoredObject } from "./object-contract.ts";
import {
  type DoorCall,
  type DoorOperationTable,
  mayAlso,
  noSuchKey,
  objectArn,
  xmlAnswer,
} from "./s3-answer.ts";
import { checksumElements, namedAlgorithm } from "./s3-checksums.ts";
import { sentTags } from "./s3-door-tagging.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import { isoDate, precondition, preconditionFailed, refuseVersions } from "./s3-http.ts";
import {
  encryptionHeaders,
  refuseUnknownFeatures,
  sentMetadata,
  sentOtherHeaders,
  writeConditions,
} from "./s3-object-headers.ts";
import { textElement } from "./s3-xml.ts";

/** What CopyObject copies at once; what is larger is copied in parts. */
const copiedBytesMax = 5 * 1024 * 1024 * 1024;

export const copyOperations: DoorOperationTable = {
  CopyObject: { action: "s3:PutObject", on: "object", run: copyObject },
};

interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

async function copyObject(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, bucket, key, store } = call;
  refuseUnknownFeatures(request.headers);
  const name = copySource(request.headers["x-amz-copy-source"] ?? "");
  const isReplacing = directive(call, "metadata") === "REPLACE";
  const conditions = writeConditions(request.headers);
  const algorithm = namedAlgorithm(request.headers["x-amz-checksum-algorithm"]);
  if (name.bucket === bucket && name.key === key && !isReplacing) throw copiedOntoItself();
  return withSource(call, name, async (source) => {
    if (source.head.sizeBytes > copiedBytesMax) throw tooLargeToCopy();
    const checksumAlgorithm = algorithm ?? source.head.checksum?.algorithm;
    const metadata = isReplacing ? sentMetadata(request.headers) : copiedMetadata(call, source.head);
    const written = await store.copy({
      ...{ source, bucket, key, metadata },
      ...conditions,
      ...copiedTraits(call, { name, head: source.head, isReplacing }),
      ...(checksumAlgorithm && { checksumAlgorithm }),
    });
    const answer = xmlAnswer("CopyObjectResult", [
      textElement("LastModified", isoDate(written.lastModifiedMs)),
      textElement("ETag", `"${written.etag}"`),
      ...checksumElements(written.checksum),
    ]);
    return { ...answer, headers: { ...answer.headers, ...encryptionHeaders(metadata) } };
  });
}

/** Runs `use` with the source of a copy held open, once the caller may read it and the request's conditions on it hold. */
export async function withSource<Result>(
  call: DoorCall,
  name: ObjectName,
  use: (source: OpenObject) => Promise<Result>,
): Promise<Result> {
  mayAlso(call, "s3:GetObject", objectArn(name.bucket, name.key));
  const source = await call.store.open(name.bucket, name.key);
  if (!source) throw noSuchKey();
  try {
    const judged = precondition(call.request.headers, source.head, "x-amz-copy-source-");
    if (judged !== "holds") throw preconditionFailed();
    return await use(source);
  } finally {
    await source.close();
  }
}

/** Reads an `x-amz-copy-source` header. Throws BucketError. */
export function copySource(header: string): ObjectName {
  const [path = "", query] = header.split("?", 2);
  if (query !== undefined) refuseVersions(new URLSearchParams(query));
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(decodeSource(path)) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new BucketError(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  return { bucket, key };
}

function decodeSource(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new BucketError("InvalidArgument", "Invalid copy source encoding.");
  }
}

function directive({ request }: DoorCall, of: "metadata" | "tagging"): "COPY" | "REPLACE" {
  const text = request.headers[`x-amz-${of}-directive`]?.toUpperCase() ?? "COPY";
  if (text === "COPY" || text === "REPLACE") return text;
  throw new BucketError("InvalidArgument", `Unknown ${of} directive.`);
}

/** The source's, with the encryption that the request asks for. */
function copiedMetadata({ request }: DoorCall, { metadata }: StoredObject): StoredObject["metadata"] {
  if (request.headers["x-amz-server-side-encryption"] !== "AES256") return metadata;
  return { ...metadata, encryption: { algorithm: "AES256" } };
}

interface CopiedFrom {
  readonly name: ObjectName;
  readonly head: StoredObject;
  readonly isReplacing: boolean;
}

/** Tags go along unless they are replaced; either way they take permissions of their own. */
function copiedTraits(call: DoorCall, { name, head, isReplacing }: CopiedFrom): ObjectTraits {
  const { otherHeaders } = isReplacing ? sentOtherHeaders(call.request.headers) : head;
  const kept = otherHeaders ? { otherHeaders } : {};
  if (directive(call, "tagging") === "REPLACE") {
    const tags = sentTags(call);
    return tags ? { ...kept, tags } : kept;
  }
  if (!head.tags) return kept;
  mayAlso(call, "s3:GetObjectTagging", objectArn(name.bucket, name.key));
  mayAlso(call, "s3:PutObjectTagging", objectArn(call.bucket, call.key));
  return { ...kept, tags: head.tags };
}

function copiedOntoItself(): BucketError {
  return new BucketError(
    "InvalidRequest",
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

function tooLargeToCopy(): BucketError {
  return new BucketError(
    "InvalidRequest",
    `The specified copy source is larger than the maximum allowable size for a copy source: ${copiedBytesMax}`,
  );
}
