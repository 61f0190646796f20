// The bucket door's lists of multipart uploads: the parts of one, and those of a bucket that are under way.
import { BucketError } from "./contract.ts";
import type { UploadDescription } from "./object-contract.ts";
import {
  type DoorCall,
  type DoorOperationTable,
  initiatorElement,
  ownerElement,
  xmlAnswer,
} from "./s3-answer.ts";
import { checksumElements } from "./s3-checksums.ts";
import { keyEncoding, type KeyEncoding } from "./s3-door-listing.ts";
import { uploadOf } from "./s3-door-multipart.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import { isoDate } from "./s3-http.ts";
import { element, textElement } from "./s3-xml.ts";
import { inUploadOrder } from "./upload-files.ts";

const listedMax = 1000;

export const uploadListingOperations: DoorOperationTable = {
  ListParts: { action: "s3:ListMultipartUploadParts", on: "object", run: listParts },
  ListMultipartUploads: { action: "s3:ListBucketMultipartUploads", on: "bucket", run: listUploads },
};

async function listParts(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, bucket, key, store } = call;
  const { encode, elements } = keyEncoding(request.query);
  const count = wholeNumber(call, "max-parts", listedMax);
  const after = wholeNumber(call, "part-number-marker", 0);
  const name = uploadOf(call);
  const upload = await store.uploads.find(name);
  // One more than asked for tells whether there are more.
  const found = await store.uploads.parts(name, { after, count: Math.min(count, listedMax) + 1 });
  const parts = found.slice(0, Math.min(count, listedMax));
  const { checksum } = upload;
  return xmlAnswer("ListPartsResult", [
    textElement("Bucket", bucket),
    textElement("Key", encode(key)),
    textElement("UploadId", name.uploadId),
    initiatorElement(upload.initiator),
    ownerElement("Owner", request.caller),
    textElement("StorageClass", "STANDARD"),
    textElement("PartNumberMarker", after),
    textElement("NextPartNumberMarker", parts.at(-1)?.number ?? 0),
    textElement("MaxParts", Math.min(count, listedMax)),
    textElement("IsTruncated", found.length > parts.length && parts.length > 0),
    ...elements,
    ...(checksum
      ? [textElement("ChecksumAlgorithm", checksum.algorithm), textElement("ChecksumType", checksum.type)]
      : []),
    ...parts.map((part) =>
      element("Part", [
        textElement("PartNumber", part.number),
        textElement("LastModified", isoDate(part.lastModifiedMs)),
        textElement("ETag", `"${part.etag}"`),
        textElement("Size", part.sizeBytes),
        ...checksumElements(part.checksum),
      ]),
    ),
  ]);
}

interface Wanted {
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  readonly uploadIdMarker: string;
  readonly count: number;
}

/** An upload, or the prefix that the keys of several share. */
type Listed =
  | { readonly kind: "upload"; readonly upload: UploadDescription }
  | { readonly kind: "prefix"; readonly prefix: string };

async function listUploads(call: DoorCall): Promise<BucketDoorResponse> {
  const { query } = call.request;
  const encoding = keyEncoding(query);
  const wanted: Wanted = {
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    keyMarker: query.get("key-marker") ?? "",
    uploadIdMarker: query.get("upload-id-marker") ?? "",
    count: Math.min(wholeNumber(call, "max-uploads", listedMax), listedMax),
  };
  const listed = listedUploads(await call.store.uploads.list(call.bucket), wanted);
  const page = listed.slice(0, wanted.count);
  return xmlAnswer("ListMultipartUploadsResult", [
    textElement("Bucket", call.bucket),
    ...markerElements(wanted, encoding),
    ...(listed.length > page.length ? nextElements(page.at(-1), encoding) : []),
    textElement("MaxUploads", wanted.count),
    textElement("IsTruncated", listed.length > page.length && page.length > 0),
    ...encoding.elements,
    ...page.flatMap((item) => (item.kind === "upload" ? [uploadElement(call, item.upload, encoding)] : [])),
    ...page.flatMap((item) =>
      item.kind === "prefix"
        ? [element("CommonPrefixes", [textElement("Prefix", encoding.encode(item.prefix))])]
        : [],
    ),
  ]);
}

function listedUploads(uploads: readonly UploadDescription[], wanted: Wanted): readonly Listed[] {
  const { prefix, delimiter, keyMarker, uploadIdMarker } = wanted;
  const marker = { bucket: "", key: keyMarker, uploadId: uploadIdMarker };
  const listed: Listed[] = [];
  let lastPrefix: string | undefined;
  for (const upload of uploads) {
    if (!upload.key.startsWith(prefix)) continue;
    const isAfter = uploadIdMarker === "" ? isKeyAfter(upload, marker) : inUploadOrder(upload, marker) > 0;
    if (keyMarker !== "" && !isAfter) continue;
    const at = delimiter === "" ? -1 : upload.key.indexOf(delimiter, prefix.length);
    if (at < 0) {
      listed.push({ kind: "upload", upload });
      continue;
    }
    const shared = upload.key.slice(0, at + delimiter.length);
    if (shared === lastPrefix || shared === keyMarker) continue;
    lastPrefix = shared;
    listed.push({ kind: "prefix", prefix: shared });
  }
  return listed;
}

/** Without an upload id the marker covers all uploads of its key. */
function isKeyAfter(upload: UploadDescription, marker: { readonly key: string }): boolean {
  return Buffer.compare(Buffer.from(upload.key, "utf8"), Buffer.from(marker.key, "utf8")) > 0;
}

function markerElements(wanted: Wanted, { encode }: KeyEncoding): readonly string[] {
  return [
    textElement("KeyMarker", encode(wanted.keyMarker)),
    textElement("UploadIdMarker", wanted.uploadIdMarker),
    textElement("Prefix", encode(wanted.prefix)),
    ...(wanted.delimiter === "" ? [] : [textElement("Delimiter", encode(wanted.delimiter))]),
  ];
}

function nextElements(last: Listed | undefined, { encode }: KeyEncoding): readonly string[] {
  if (!last) return [];
  if (last.kind === "prefix") return [textElement("NextKeyMarker", encode(last.prefix))];
  return [
    textElement("NextKeyMarker", encode(last.upload.key)),
    textElement("NextUploadIdMarker", last.upload.uploadId),
  ];
}

function uploadElement(call: DoorCall, upload: UploadDescription, { encode }: KeyEncoding): string {
  const { key, uploadId, initiator, initiatedMs, checksum } = upload;
  return element("Upload", [
    textElement("Key", encode(key)),
    textElement("UploadId", uploadId),
    initiatorElement(initiator),
    ownerElement("Owner", call.request.caller),
    textElement("StorageClass", "STANDARD"),
    textElement("Initiated", isoDate(initiatedMs)),
    ...(checksum
      ? [textElement("ChecksumAlgorithm", checksum.algorithm), textElement("ChecksumType", checksum.type)]
      : []),
  ]);
}

function wholeNumber({ request }: DoorCall, name: string, otherwise: number): number {
  const text = request.query.get(name);
  if (text === null || text === "") return otherwise;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new BucketError("InvalidArgument", `Provided ${name} not an integer or within integer range`, {
    ArgumentName: name,
    ArgumentValue: text,
  });
}
