// What the headers of a request say about the object to be written, and those of an answer about the one that is there. Pure.
import { BucketError, type ObjectMetadata } from "./contract.ts";
import type { ObjectTraits, StoredObject, WriteConditions } from "./object-contract.ts";
import { notImplemented } from "./s3-answer.ts";
import { httpDate } from "./s3-http.ts";

type Headers = Readonly<Record<string, string>>;

const userMetadataBytesMax = 2 * 1024;
const userPrefix = "x-amz-meta-";
/** Kept as they are. */
const otherNames = ["content-language", "expires"];

/** What would be lost without a word if it were ignored is refused. */
export function refuseUnknownFeatures(headers: Headers): void {
  const unknown = [
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
  ].find((name) => headers[name] !== undefined);
  if (unknown !== undefined) throw notImplemented(`the header ${unknown}`);
  const storageClass = headers["x-amz-storage-class"] ?? "STANDARD";
  if (storageClass !== "STANDARD") throw notImplemented(`the storage class ${storageClass}`);
  const encryption = headers["x-amz-server-side-encryption"] ?? "AES256";
  if (encryption !== "AES256") throw notImplemented(`the encryption ${encryption}`);
}

/** If-None-Match and If-Match of a write. */
export function writeConditions(headers: Headers): WriteConditions {
  const [noneMatch, match] = [headers["if-none-match"], headers["if-match"]];
  if (noneMatch !== undefined && noneMatch !== "*")
    throw notImplemented("If-None-Match with an ETag on writes");
  return {
    ...(noneMatch === "*" && { ifAbsent: true }),
    ...(match !== undefined && { ifMatch: withoutQuotes(match) }),
  };
}

export function withoutQuotes(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/, "$1");
}

/** The metadata a request carries. `AES256` is kept and given back; the directory itself does not encrypt. */
export function sentMetadata(headers: Headers): ObjectMetadata {
  const contentEncoding = headers["content-encoding"];
  const user = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(userPrefix))
      .map(([name, value]) => [name.slice(userPrefix.length), value]),
  );
  const userBytes = Object.entries(user).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (userBytes > userMetadataBytesMax) {
    throw new BucketError(
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
    );
  }
  return {
    contentType: headers["content-type"] ?? "binary/octet-stream",
    ...(contentEncoding !== undefined && { contentEncoding }),
    ...(headers["cache-control"] !== undefined && { cacheControl: headers["cache-control"] }),
    ...(headers["content-disposition"] !== undefined && {
      contentDisposition: headers["content-disposition"],
    }),
    ...(userBytes > 0 && { user }),
    ...(headers["x-amz-server-side-encryption"] === "AES256" && {
      encryption: { algorithm: "AES256" as const },
    }),
  };
}

export function sentOtherHeaders(headers: Headers): Pick<ObjectTraits, "otherHeaders"> {
  const sent = otherNames.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return sent.length === 0 ? {} : { otherHeaders: Object.fromEntries(sent) };
}

export function objectHeaders(object: StoredObject): Headers {
  const { etag, lastModifiedMs, metadata, otherHeaders } = object;
  const {
    contentType = "binary/octet-stream",
    contentEncoding,
    cacheControl,
    contentDisposition,
    user,
  } = metadata;
  return {
    "content-type": contentType,
    "accept-ranges": "bytes",
    etag: `"${etag}"`,
    "last-modified": httpDate(lastModifiedMs),
    ...(contentEncoding !== undefined && { "content-encoding": contentEncoding }),
    ...(cacheControl !== undefined && { "cache-control": cacheControl }),
    ...(contentDisposition !== undefined && { "content-disposition": contentDisposition }),
    ...otherHeaders,
    ...encryptionHeaders(metadata),
    ...Object.fromEntries(Object.entries(user ?? {}).map(([name, value]) => [userPrefix + name, value])),
  };
}

export function encryptionHeaders({ encryption }: ObjectMetadata): Headers {
  if (!encryption) return {};
  const algorithm = { "x-amz-server-side-encryption": encryption.algorithm };
  if (encryption.algorithm === "AES256") return algorithm;
  return { ...algorithm, "x-amz-server-side-encryption-aws-kms-key-id": encryption.keyArn };
}

/** `response-content-type=…` and its like replace headers of the answer. */
export function overriddenHeaders(query: URLSearchParams): Headers {
  const names = [
    "content-type",
    "content-language",
    "expires",
    "cache-control",
    "content-disposition",
    "content-encoding",
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = query.get(`response-${name}`);
      if (value === null) return [];
      // Whatever is no header text could end the header and begin another.
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
        throw new BucketError("InvalidArgument", `The value of response-${name} is not a header value.`);
      }
      return [[name, value]];
    }),
  );
}
