// The digests that a request gives for its body, and the headers in which an answer gives an object's back.
import { BucketError } from "./contract.ts";
import { type DigestedContent, digestBytes } from "./content-digest.ts";
import type { ChecksumAlgorithm, ChecksumType, ObjectChecksum } from "./object-contract.ts";
import { checksumAlgorithms, readAlgorithm, readChecksumType } from "./read-traits.ts";
import { textElement } from "./s3-xml.ts";

type Headers = Readonly<Record<string, string>>;

export interface SaidChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

const valueBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

/** The checksum header of a request, as it stands there. Throws BucketError `InvalidRequest` when there are several. */
export function saidChecksum(headers: Headers): SaidChecksum | undefined {
  const said = checksumAlgorithms.flatMap((algorithm) => {
    const value = headers[headerOf(algorithm)];
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (said.length > 1) {
    throw invalidRequest(
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  return said[0];
}

/** What a request says of its body, in forms that can be compared. */
export interface BodyClaims {
  readonly md5?: string;
  readonly checksum?: SaidChecksum;
}

/** Throws BucketError `InvalidDigest` or `InvalidRequest` for what no digest looks like. */
export function bodyClaims(headers: Headers): BodyClaims {
  const md5 = headers["content-md5"];
  if (md5 !== undefined && !/^[A-Za-z0-9+/]{22}==$/.test(md5)) {
    throw new BucketError("InvalidDigest", "The Content-MD5 you specified was invalid.");
  }
  const checksum = saidChecksum(headers);
  if (checksum && !isChecksumText(checksum)) {
    throw invalidRequest(`Value for ${headerOf(checksum.algorithm)} header is invalid.`);
  }
  return { ...(md5 !== undefined && { md5 }), ...(checksum && { checksum }) };
}

/** Compares a body with what was said of it. Throws BucketError `BadDigest`. */
export function checkClaims(claims: BodyClaims, content: DigestedContent): void {
  if (claims.md5 !== undefined && Buffer.from(content.md5Hex, "hex").toString("base64") !== claims.md5) {
    throw new BucketError("BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
  const { checksum } = claims;
  if (checksum && checksum.value !== content.checksum) {
    throw new BucketError(
      "BadDigest",
      `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
    );
  }
}

/** Compares a body with every digest that the request gives for it, and gives back what was computed. */
export async function checkBody(
  body: Uint8Array,
  headers: Headers,
): Promise<{ readonly md5Hex: string; readonly checksum?: ObjectChecksum }> {
  const claims = bodyClaims(headers);
  const algorithm = claims.checksum?.algorithm;
  const content = await digestBytes(body, algorithm);
  checkClaims(claims, content);
  const { md5Hex, checksum: value } = content;
  return {
    md5Hex,
    ...(algorithm && value !== undefined && { checksum: { algorithm, type: "FULL_OBJECT" as const, value } }),
  };
}

/** The algorithm that a header names. Throws BucketError `InvalidRequest` for any that S3 does not know. */
export function namedAlgorithm(text: string | undefined): ChecksumAlgorithm | undefined {
  if (text === undefined) return undefined;
  const algorithm = readAlgorithm(text.toUpperCase());
  if (algorithm) return algorithm;
  throw invalidRequest(
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
  );
}

/** How an upload's checksum is to be made. Throws BucketError `InvalidRequest` for what the algorithm cannot. */
export function namedChecksumType(algorithm: ChecksumAlgorithm, text: string | undefined): ChecksumType {
  const type = text === undefined ? undefined : readChecksumType(text.toUpperCase());
  if (text !== undefined && !type) throw invalidRequest("Value for x-amz-checksum-type header is invalid.");
  const only = onlyTypes[algorithm];
  if (type && only && type !== only) {
    throw invalidRequest(
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return type ?? only ?? "COMPOSITE";
}

const onlyTypes: Readonly<Partial<Record<ChecksumAlgorithm, ChecksumType>>> = {
  CRC64NVME: "FULL_OBJECT",
  SHA1: "COMPOSITE",
  SHA256: "COMPOSITE",
};

export function checksumHeaders(checksum: ObjectChecksum | undefined): Headers {
  if (!checksum) return {};
  return { [headerOf(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type };
}

export function partChecksumHeaders(checksum: SaidChecksum | undefined): Headers {
  return checksum ? { [headerOf(checksum.algorithm)]: checksum.value } : {};
}

/** `<ChecksumCRC32>…`, and its type where it is known. */
export function checksumElements(
  checksum: (SaidChecksum & { readonly type?: ChecksumType }) | undefined,
): readonly string[] {
  if (!checksum) return [];
  const value = textElement(elementOf(checksum.algorithm), checksum.value);
  return checksum.type ? [value, textElement("ChecksumType", checksum.type)] : [value];
}

export function elementOf(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

function headerOf(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

function isChecksumText({ algorithm, value }: SaidChecksum): boolean {
  const bytes = Buffer.from(value, "base64");
  return bytes.length === valueBytes[algorithm] && bytes.toString("base64") === value;
}

function invalidRequest(message: string): BucketError {
  return new BucketError("InvalidRequest", message);
}
