// The bucket door's multipart uploads: begin, put and copy parts, complete, abort.
import { BucketError } from "./contract.ts";
import type { ByteRange, ChecksumAlgorithm, UploadDescription, WantedPart } from "./object-contract.ts";
import { wholeRange } from "./open-object.ts";
import { type DoorCall, type DoorOperationTable, emptyAnswer, xmlAnswer } from "./s3-answer.ts";
import {
  bodyClaims,
  type BodyClaims,
  checkClaims,
  checksumElements,
  elementOf,
  namedAlgorithm,
  namedChecksumType,
  partChecksumHeaders,
  saidChecksum,
} from "./s3-checksums.ts";
import { copySource, withSource } from "./s3-door-copy.ts";
import { sentTags } from "./s3-door-tagging.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import { isoDate, partNumber } from "./s3-http.ts";
import {
  encryptionHeaders,
  refuseUnknownFeatures,
  sentMetadata,
  sentOtherHeaders,
  withoutQuotes,
  writeConditions,
} from "./s3-object-headers.ts";
import { malformedXml, memberText, members, parseXml, textElement, type XmlValue } from "./s3-xml.ts";
import { checksumAlgorithms } from "./read-traits.ts";

const partsMax = 10_000;
const completionBytesMax = 4 * 1024 * 1024;
const copiedPartBytesMax = 5 * 1024 * 1024 * 1024;

export const multipartOperations: DoorOperationTable = {
  CreateMultipartUpload: { action: "s3:PutObject", on: "object", run: createUpload },
  UploadPart: { action: "s3:PutObject", on: "object", run: uploadPart },
  UploadPartCopy: { action: "s3:PutObject", on: "object", run: uploadPartCopy },
  CompleteMultipartUpload: { action: "s3:PutObject", on: "object", run: completeUpload },
  AbortMultipartUpload: { action: "s3:AbortMultipartUpload", on: "object", run: abortUpload },
};

/** The upload that a call names. */
export function uploadOf({ request, bucket, key }: DoorCall) {
  return { bucket, key, uploadId: request.query.get("uploadId") ?? "" };
}

async function createUpload(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, bucket, key, store } = call;
  const { headers, caller } = request;
  refuseUnknownFeatures(headers);
  const metadata = sentMetadata(headers);
  const tags = sentTags(call);
  const checksum = wantedChecksum(headers);
  const initiator = { account: caller.accountId, arn: caller.arn };
  const upload = {
    ...{ bucket, key, metadata, initiator },
    ...sentOtherHeaders(headers),
    ...(tags && { tags }),
    ...(checksum && { checksum }),
  };
  const uploadId = await store.uploads.create(upload, request.requestId);
  const answer = xmlAnswer("InitiateMultipartUploadResult", [
    textElement("Bucket", bucket),
    textElement("Key", key),
    textElement("UploadId", uploadId),
  ]);
  const told = checksum && {
    "x-amz-checksum-algorithm": checksum.algorithm,
    "x-amz-checksum-type": checksum.type,
  };
  return { ...answer, headers: { ...answer.headers, ...told, ...encryptionHeaders(metadata) } };
}

function wantedChecksum(headers: Readonly<Record<string, string>>): UploadDescription["checksum"] {
  const algorithm = namedAlgorithm(headers["x-amz-checksum-algorithm"]);
  const type = headers["x-amz-checksum-type"];
  if (algorithm) return { algorithm, type: namedChecksumType(algorithm, type) };
  if (type === undefined) return undefined;
  throw new BucketError(
    "InvalidRequest",
    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
  );
}

async function uploadPart(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, store } = call;
  const number = partNumber(request.query.get("partNumber") ?? "");
  const claims = bodyClaims(request.headers);
  const name = uploadOf(call);
  const upload = await store.uploads.find(name);
  const algorithm = partAlgorithm(upload, claims);
  const part = await store.uploads.putPart(name, {
    ...{ number, pieces: request.body },
    ...(algorithm && { checksumAlgorithm: algorithm }),
    verify: (content) => checkClaims(claims, content),
  });
  return emptyAnswer(200, {
    etag: `"${part.etag}"`,
    ...(claims.checksum && partChecksumHeaders(part.checksum)),
    ...encryptionHeaders(upload.metadata),
  });
}

/** Parts of an upload with a checksum bear one of the same algorithm; SHA digests are never made up for the client. */
function partAlgorithm({ checksum }: UploadDescription, claims: BodyClaims): ChecksumAlgorithm | undefined {
  const said = claims.checksum?.algorithm;
  if (!checksum) return said;
  const isOptional = !checksum.algorithm.startsWith("SHA");
  if (said === checksum.algorithm || (said === undefined && isOptional)) return checksum.algorithm;
  throw new BucketError(
    "InvalidRequest",
    `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${said?.toLowerCase() ?? "null"}`,
  );
}

async function uploadPartCopy(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, store } = call;
  refuseUnknownFeatures(request.headers);
  const number = partNumber(request.query.get("partNumber") ?? "");
  const name = uploadOf(call);
  const upload = await store.uploads.find(name);
  const source = copySource(request.headers["x-amz-copy-source"] ?? "");
  return withSource(call, source, async (object) => {
    const range = copiedRange(request.headers["x-amz-copy-source-range"], object.head.sizeBytes);
    const part = await store.uploads.putPart(name, {
      ...{ number, pieces: object.pieces(range) },
      ...(upload.checksum && { checksumAlgorithm: upload.checksum.algorithm }),
    });
    const answer = xmlAnswer("CopyPartResult", [
      textElement("LastModified", isoDate(part.lastModifiedMs)),
      textElement("ETag", `"${part.etag}"`),
      ...checksumElements(part.checksum),
    ]);
    return { ...answer, headers: { ...answer.headers, ...encryptionHeaders(upload.metadata) } };
  });
}

/** Unlike a Range header, one that does not fit is an error. */
function copiedRange(header: string | undefined, sizeBytes: number): ByteRange {
  const range = header === undefined ? wholeRange(sizeBytes) : readRange(header, sizeBytes);
  if (range.last - range.first < copiedPartBytesMax) return range;
  throw new BucketError(
    "InvalidRequest",
    `The specified copy source is larger than the maximum allowable size for a copy source: ${copiedPartBytesMax}`,
  );
}

function readRange(header: string, sizeBytes: number): ByteRange {
  const [, from, to] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header.trim()) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || last < first) {
    throw new BucketError(
      "InvalidArgument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      { ArgumentName: "x-amz-copy-source-range", ArgumentValue: header },
    );
  }
  if (last < sizeBytes) return { first, last };
  throw new BucketError(
    "InvalidArgument",
    `Range specified is not valid for source object of size: ${sizeBytes}`,
    { ArgumentName: "x-amz-copy-source-range", ArgumentValue: header },
  );
}

async function completeUpload(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, bucket, key, store } = call;
  const { headers } = request;
  const parts = wantedParts(request.body);
  const checksum = saidChecksum(headers);
  const size = headers["x-amz-mp-object-size"];
  await refuseOtherType(call);
  const written = await store.uploads.complete(uploadOf(call), {
    parts,
    ...writeConditions(headers),
    ...(checksum && { checksum }),
    ...(size !== undefined && { sizeBytes: saidSize(size) }),
  });
  const answer = xmlAnswer("CompleteMultipartUploadResult", [
    textElement("Location", request.url ?? request.path),
    textElement("Bucket", bucket),
    textElement("Key", key),
    textElement("ETag", `"${written.etag}"`),
    ...checksumElements(written.checksum),
  ]);
  return { ...answer, headers: { ...answer.headers, ...encryptionHeaders(written.metadata) } };
}

function saidSize(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BucketError("InvalidRequest", "Value for x-amz-mp-object-size header is invalid.");
}

/** The request may say the checksum's type again; then it must be the upload's. */
async function refuseOtherType(call: DoorCall): Promise<void> {
  const said = call.request.headers["x-amz-checksum-type"]?.toUpperCase();
  if (said === undefined) return;
  const upload = await call.store.uploads.find(uploadOf(call)).catch((error: unknown) => {
    // It may be completed already; then completing says what there is to say.
    if (error instanceof BucketError && error.code === "NoSuchUpload") return undefined;
    throw error;
  });
  const type = upload?.checksum?.type;
  if (!upload || type === said) return;
  throw new BucketError(
    "InvalidRequest",
    `The upload was created using the ${type ?? "null"} checksum mode. The complete request must use the same checksum mode.`,
  );
}

/** The parts of a `CompleteMultipartUpload` document. */
function wantedParts(body: Uint8Array): readonly WantedPart[] {
  const root = "CompleteMultipartUpload";
  if (body.length === 0) throw new BucketError("InvalidRequest", "You must specify at least one part");
  const parts = members(parseXml(body, { root, bytesMax: completionBytesMax }), "Part").map(wantedPart);
  if (parts.length === 0 || parts.length > partsMax) throw malformedXml();
  if (parts.every(({ number }, index) => index === 0 || number > (parts[index - 1]?.number ?? 0)))
    return parts;
  throw new BucketError(
    "InvalidPartOrder",
    "The list of parts was not in ascending order. Parts must be ordered by part number.",
  );
}

function wantedPart(part: XmlValue): WantedPart {
  const [number, etag] = [memberText(part, "PartNumber")?.trim(), memberText(part, "ETag")];
  if (number === undefined || etag === undefined || !/^\d{1,9}$/.test(number)) throw malformedXml();
  const checksums = checksumAlgorithms.flatMap((algorithm) => {
    const value = memberText(part, elementOf(algorithm))?.trim() ?? "";
    return value === "" ? [] : [{ algorithm, value }];
  });
  const [checksum] = checksums;
  return { number: partNumber(number), etag: withoutQuotes(etag), ...(checksum && { checksum }) };
}

async function abortUpload(call: DoorCall): Promise<BucketDoorResponse> {
  await call.store.uploads.abort(uploadOf(call));
  return emptyAnswer(204);
}
