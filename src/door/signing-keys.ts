// Derived signing keys, remembered: four HMACs per key, day, Region and service instead of per request.
import { createHmac } from "node:crypto";
import type { CredentialScope } from "./signature-claim.ts";

/** Enough for every user of a busy installation on one day. */
const entriesMax = 1024;

export interface SigningKeys {
  /** The key that signs under this scope. The secret is part of the lookup: a changed one gives a new key. */
  derive(secretAccessKey: string, scope: CredentialScope): Buffer;
}

/** Makes a cache of at most `entriesMax` keys; the one not used for longest goes first. */
export function createSigningKeys(): SigningKeys {
  const entries = new Map<string, { readonly secret: string; readonly key: Buffer }>();
  return {
    derive(secret, scope) {
      const name = `${scope.accessKeyId}/${scope.date}/${scope.region}/${scope.service}`;
      const known = entries.get(name);
      const entry = known?.secret === secret ? known : { secret, key: deriveKey(secret, scope) };
      // Deleting first moves the entry to the end: a Map keeps the order of insertion.
      entries.delete(name);
      entries.set(name, entry);
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value ?? "");
      return entry.key;
    },
  };
}

function deriveKey(secret: string, scope: CredentialScope): Buffer {
  let key: Buffer = Buffer.from(`AWS4${secret}`, "utf8");
  for (const part of [scope.date, scope.region, scope.service, "aws4_request"]) {
    key = createHmac("sha256", key).update(part, "utf8").digest();
  }
  return key;
}
