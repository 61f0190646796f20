// Makes a digest: its text from what is named, its hash and its signature (formats.md §3.2, §3.3). The same input gives
// the same text; the same key gives the same signature. Must not: read notes, or know where chains are kept.
import { createHash } from "node:crypto";
import type { DeliveryPlace } from "../bucket/place.ts";
import { parseTrailArn } from "../model/arn.ts";
import { assert } from "../model/assert.ts";
import {
  digestDocument,
  digestHashAlgorithm,
  type DigestLogFile,
  digestText,
  type PreviousDigest,
  stringToSign,
} from "../model/digest.ts";
import { digestKey } from "../model/digest-key.ts";
import { isoSeconds } from "../model/timestamp.ts";
import type { ChainName, SealedDigest } from "./digest-chain.ts";
import type { EvidenceNote } from "./evidence-book.ts";
import type { DigestSigner } from "./ports.ts";

/** Everything a digest says, but for its fingerprint. */
export interface DigestContent {
  readonly chain: ChainName;
  readonly startMs: number;
  readonly endMs: number;
  readonly bucket: string;
  readonly key: string;
  /** Absent in a starting digest. */
  readonly previous?: PreviousDigest | undefined;
  readonly notes: readonly EvidenceNote[];
}

export interface SignedDigest extends Pick<SealedDigest, "fingerprint" | "hash" | "signature"> {
  readonly text: Uint8Array;
}

/** Where the digest of a chain that ends at `endMs` goes now. */
export function digestTarget(
  { account, region }: ChainName,
  endMs: number,
  place: DeliveryPlace,
): Pick<SealedDigest, "bucket" | "key"> {
  const trail = parseTrailArn(place.trailArn);
  assert(trail, "a place names its trail");
  const { name: trailName, homeRegion } = trail;
  return { bucket: place.bucket, key: digestKey({ account, region, trailName, homeRegion, endMs }, place) };
}

/** Throws when the signer has no key, or changed it in the middle: then nothing was signed that anybody saw. */
export async function signDigest(signer: DigestSigner, content: DigestContent): Promise<SignedDigest> {
  const { chain, endMs, bucket, key, previous } = content;
  const fingerprint = await signer.fingerprint(chain.region, endMs);
  const text = textOf(content, fingerprint);
  const hash = hashOf(text);
  const toSign = stringToSign(
    {
      digestEndTime: isoSeconds(endMs),
      digestS3Bucket: bucket,
      digestS3Object: key,
      previousDigestSignature: previous?.signature ?? null,
    },
    hash,
  );
  const signed = await signer.sign(chain.region, endMs, toSign);
  if (signed.fingerprint !== fingerprint) {
    throw new Error(`The signing key of ${chain.region} changed while a digest was made.`);
  }
  return { text, fingerprint, hash, signature: signed.signature };
}

/** The text of a digest that was sealed before; throws when it did not come out the same. */
export function sealedText(content: DigestContent, sealed: SealedDigest): Uint8Array {
  const text = textOf(content, sealed.fingerprint);
  if (hashOf(text) !== sealed.hash) {
    throw new Error(`The sealed digest ${sealed.bucket}/${sealed.key} cannot be made again from its notes.`);
  }
  return text;
}

function textOf(content: DigestContent, fingerprint: string): Uint8Array {
  const { chain, startMs, endMs, bucket, key, previous, notes } = content;
  const document = digestDocument({
    account: chain.account,
    startTime: isoSeconds(startMs),
    endTime: isoSeconds(endMs),
    ...{ bucket, key, fingerprint },
    ...(previous && { previous }),
    logFiles: notes.map(logFileOf),
  });
  return Buffer.from(digestText(document), "utf8");
}

function logFileOf(note: EvidenceNote): DigestLogFile {
  return {
    s3Bucket: note.bucket,
    s3Object: note.key,
    hashValue: note.sha256,
    hashAlgorithm: digestHashAlgorithm,
    ...(note.newestEventTime !== undefined && { newestEventTime: note.newestEventTime }),
    ...(note.oldestEventTime !== undefined && { oldestEventTime: note.oldestEventTime }),
  };
}

function hashOf(text: Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}
