// The bucket door's ListObjects, in both versions.
import { BucketError, type ListPage } from "./contract.ts";
import { type DoorCall, type DoorOperationTable, ownerElement, xmlAnswer } from "./s3-answer.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import { isoDate } from "./s3-http.ts";
import { element, textElement } from "./s3-xml.ts";
import { percentEncoded } from "../model/percent-encoding.ts";

const keysMax = 1000;

export const listingOperations: DoorOperationTable = {
  ListObjects: { action: "s3:ListBucket", on: "bucket", run: listObjects },
  ListObjectsV2: { action: "s3:ListBucket", on: "bucket", run: listObjectsV2 },
};

interface Wanted {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly encoding: KeyEncoding;
}

async function listObjects(call: DoorCall): Promise<BucketDoorResponse> {
  const wanted = readWanted(call);
  const marker = call.request.query.get("marker") ?? "";
  const page = await pageAfter(call, wanted, marker);
  const { encode } = wanted.encoding;
  // Without a delimiter clients go on after the last key; S3 gives NextMarker only with one.
  const hasNextMarker = page.nextStartAfter !== undefined && wanted.delimiter !== "";
  return xmlAnswer("ListBucketResult", [
    ...commonElements(call, wanted, page),
    textElement("Marker", encode(marker)),
    ...(hasNextMarker ? [textElement("NextMarker", encode(page.nextStartAfter ?? ""))] : []),
    ...itemElements(call, { page, encode, withOwner: true }),
  ]);
}

async function listObjectsV2(call: DoorCall): Promise<BucketDoorResponse> {
  const { query } = call.request;
  if (query.get("list-type") !== "2") throw invalidArgument("Invalid List Type");
  const wanted = readWanted(call);
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after");
  const page = await pageAfter(call, wanted, token === null ? (startAfter ?? "") : readToken(token));
  const { encode } = wanted.encoding;
  const next = page.nextStartAfter;
  return xmlAnswer("ListBucketResult", [
    ...commonElements(call, wanted, page),
    textElement("KeyCount", page.objects.length + page.commonPrefixes.length),
    ...(startAfter === null ? [] : [textElement("StartAfter", encode(startAfter))]),
    ...(token === null ? [] : [textElement("ContinuationToken", token)]),
    ...(next === undefined ? [] : [textElement("NextContinuationToken", writeToken(next))]),
    ...itemElements(call, { page, encode, withOwner: query.get("fetch-owner") === "true" }),
  ]);
}

function readWanted({ request: { query } }: DoorCall): Wanted {
  const maxKeysText = query.get("max-keys") ?? String(keysMax);
  if (!/^\d{1,10}$/.test(maxKeysText))
    throw invalidArgument("Provided max-keys not an integer or within integer range");
  return {
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    maxKeys: Math.min(Number(maxKeysText), keysMax),
    encoding: keyEncoding(query),
  };
}

/** How keys are written, and what an answer says about it. */
export interface KeyEncoding {
  readonly encode: (text: string) => string;
  readonly elements: readonly string[];
}

/** Throws BucketError `InvalidArgument` for an `encoding-type` other than `url`. */
export function keyEncoding(query: URLSearchParams): KeyEncoding {
  const type = query.get("encoding-type");
  if (type === null) return { encode: (text) => text, elements: [] };
  if (type !== "url") throw invalidArgument("Invalid Encoding Method specified in Request");
  return { encode: urlEncode, elements: [textElement("EncodingType", type)] };
}

async function pageAfter(call: DoorCall, wanted: Wanted, startAfter: string): Promise<ListPage> {
  const { prefix, delimiter, maxKeys } = wanted;
  const asked = { bucket: call.bucket, prefix, delimiter, startAfter, keysMax: Math.max(1, maxKeys) };
  const page = await call.store.list(asked);
  return maxKeys === 0 ? { objects: [], commonPrefixes: [] } : page;
}

function commonElements(call: DoorCall, wanted: Wanted, page: ListPage): readonly string[] {
  const { delimiter } = wanted;
  const { encode, elements } = wanted.encoding;
  return [
    textElement("Name", call.bucket),
    textElement("Prefix", encode(wanted.prefix)),
    ...(delimiter === "" ? [] : [textElement("Delimiter", encode(delimiter))]),
    textElement("MaxKeys", wanted.maxKeys),
    ...elements,
    textElement("IsTruncated", page.nextStartAfter !== undefined),
  ];
}

interface Items {
  readonly page: ListPage;
  readonly encode: (text: string) => string;
  readonly withOwner: boolean;
}

function itemElements(call: DoorCall, { page, encode, withOwner }: Items): readonly string[] {
  const owner = withOwner ? [ownerElement("Owner", call.request.caller)] : [];
  const contents = page.objects.map(({ key, sizeBytes, etag, lastModifiedMs }) =>
    element("Contents", [
      textElement("Key", encode(key)),
      textElement("LastModified", isoDate(lastModifiedMs)),
      textElement("ETag", `"${etag}"`),
      textElement("Size", sizeBytes),
      ...owner,
      textElement("StorageClass", "STANDARD"),
    ]),
  );
  const prefixes = page.commonPrefixes.map((prefix) =>
    element("CommonPrefixes", [textElement("Prefix", encode(prefix))]),
  );
  return [...contents, ...prefixes];
}

/** As S3 does it: everything but unreserved characters and the slash. */
function urlEncode(text: string): string {
  return percentEncoded(text).replaceAll("%2F", "/");
}

function writeToken(startAfter: string): string {
  return Buffer.from(startAfter, "utf8").toString("base64url");
}

function readToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (token === "" || writeToken(text) !== token)
    throw invalidArgument("The continuation token provided is incorrect");
  return text;
}

function invalidArgument(message: string): BucketError {
  return new BucketError("InvalidArgument", message);
}
