// What `cairn verify` reads: objects under their keys, wherever they lie. Contract only.
import type { AtOnce } from "./at-once.ts";

/** The content of an object: whole when it is small, in chunks when it is not. */
export type EvidenceContent = Uint8Array | AsyncIterable<Uint8Array>;

export type EvidenceObject =
  | {
      readonly kind: "present";
      readonly content: EvidenceContent;
      /** User metadata, without `x-amz-meta-`; undefined where metadata is not kept, as in a plain copy. */
      metadata(): Promise<Readonly<Record<string, string>> | undefined>;
    }
  /** `reason` in the words of validate-logs (`not found`), or why it was not read. */
  | { readonly kind: "absent"; readonly reason: string }
  /** In a bucket that this evidence does not hold. */
  | { readonly kind: "elsewhere" };

export interface Listing {
  /** Ends in `/`. */
  readonly prefix: string;
  /** A hint: keys up to this one may be left out. */
  readonly after?: string;
  /** A hint: keys beyond this one may be left out. */
  readonly until?: string;
}

export interface Evidence {
  /** The bucket's name; undefined for a copy that nobody named. */
  readonly bucket: string | undefined;
  /** Names the bucket of such a copy, as the first signed digest does. */
  learnBucket(name: string): void;
  /** Names of the folders directly below a prefix that ends in `/` or is empty, without their slash. */
  folders(prefix: string): Promise<readonly string[]>;
  /** Every key below a prefix, page by page, in no order; keys that end in `/` are left out. */
  keys(listing: Listing): AsyncIterable<readonly string[]>;
  /** `bucket` undefined: the evidence's own. Throws when the store refuses or fails. */
  get(bucket: string | undefined, key: string): AtOnce<EvidenceObject>;
  close(): void;
}

export const notFound: EvidenceObject = { kind: "absent", reason: "not found" };

/** Above it an object is read in chunks. */
export const wholeBytesMax = 1024 * 1024;
