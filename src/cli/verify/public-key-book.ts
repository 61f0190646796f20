// The public keys that digests were signed with, by fingerprint: from a file, or from the server per Region.
// Both are trusted: whoever verifies chooses them. A key whose fingerprint is not its own is refused.
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";

export interface PublicKeyBook {
  /** Undefined when no key of this fingerprint is known for the source Region. */
  find(region: string, fingerprint: string): Promise<KeyObject | undefined>;
}

const keysMax = 100_000;
/** Times are numbers, or texts as the AWS CLI prints them when told so; they are not needed to verify. */
const keySchema = z.object({
  Value: z.string().max(16 * 1024),
  Fingerprint: z.string(),
  Region: z.string().optional(),
});
const listSchema = z.object({ PublicKeyList: z.array(keySchema).max(keysMax) });
type Entry = z.infer<typeof keySchema>;

/** Reads what `cairn public-keys` exported, or the output of `aws cloudtrail list-public-keys`. */
export function publicKeysOf(text: string): { readonly book: PublicKeyBook } | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "it is not JSON" };
  }
  const list = listSchema.safeParse(value).data?.PublicKeyList;
  if (!list) return { problem: "it has no PublicKeyList with Value and Fingerprint in each entry" };
  if (list.length === 0) return { problem: "it holds no key" };
  try {
    const keys = new Map(list.map((entry) => [entry.Fingerprint, keyOf(entry)]));
    return { book: { find: (_region, fingerprint) => Promise.resolve(keys.get(fingerprint)) } };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Asks once per Region, when the first digest of that Region is verified. */
export function askedPublicKeys(list: (region: string) => Promise<readonly Entry[]>): PublicKeyBook {
  // Bounded by the Regions that the bucket's folders name.
  const regions = new Map<string, Promise<ReadonlyMap<string, KeyObject>>>();
  return {
    async find(region, fingerprint) {
      let keys = regions.get(region);
      if (!keys) {
        keys = list(region).then(
          (entries) => new Map(entries.map((entry) => [entry.Fingerprint, keyOf(entry)])),
        );
        regions.set(region, keys);
      }
      return (await keys).get(fingerprint);
    },
  };
}

/** The key of an entry (formats.md §3.5); throws a sentence when it is none. */
function keyOf({ Value: value, Fingerprint: fingerprint }: Entry): KeyObject {
  const der = Buffer.from(value, "base64");
  if (createHash("md5").update(der).digest("hex") !== fingerprint) {
    throw new Error(`the fingerprint ${JSON.stringify(fingerprint)} is not that of its key`);
  }
  try {
    return createPublicKey({ key: der, format: "der", type: "pkcs1" });
  } catch {
    throw new Error(`the key with fingerprint ${JSON.stringify(fingerprint)} is not a PKCS #1 key`);
  }
}
