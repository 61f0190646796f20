// Derived signing keys, remembered: four HMACs per key, day, Region and service instead of per request.
import { createHmac, hash } from "node:crypto";
import type { CredentialScope } from "./signature-claim.ts";

/** Enough for every user of a busy installation on one day. */
const entriesMax = 1024;

/** Signs under one scope. */
export interface SigningKey {
  /** The signature of a text of bytes (one character per byte), in hexadecimal. */
  sign(text: string): string;
}

export interface SigningKeys {
  /** The key that signs under this scope. The secret is part of the lookup: a changed one gives a new key. */
  derive(secretAccessKey: string, scope: CredentialScope): SigningKey;
}

interface Entry {
  readonly secret: string;
  readonly key: SigningKey;
}

/** Makes a cache of at most `entriesMax` keys; the one not used for longest goes first. */
export function createSigningKeys(): SigningKeys {
  const entries = new Map<string, Entry>();
  let latest = "";
  return {
    derive(secret, scope) {
      const name = `${scope.accessKeyId}/${scope.date}/${scope.region}/${scope.service}`;
      const known = entries.get(name);
      const isKnown = known?.secret === secret;
      if (isKnown && name === latest) return known.key;
      const entry = isKnown ? known : { secret, key: signingKeyOf(deriveKey(secret, scope)) };
      // Deleting first moves the entry to the end: a Map keeps the order of insertion.
      entries.delete(name);
      entries.set(name, entry);
      latest = name;
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

const blockBytes = 64;
const digestBytes = 32;
/** No string to sign of a request comes near this; a longer one is signed the ordinary way. */
const quickTextMax = 512;

/**
 * HMAC-SHA-256 as RFC 2104 defines it, H(key ^ opad, H(key ^ ipad, text)), on two buffers that hold the key's blocks
 * already: half the time of a createHmac, which sets its key up anew for every text.
 */
function signingKeyOf(key: Buffer): SigningKey {
  const inner = Buffer.alloc(blockBytes + quickTextMax);
  const outer = Buffer.alloc(blockBytes + digestBytes);
  for (let at = 0; at < blockBytes; at++) {
    inner[at] = (key[at] ?? 0) ^ 0x36;
    outer[at] = (key[at] ?? 0) ^ 0x5c;
  }
  return {
    sign(text) {
      if (text.length > quickTextMax) return createHmac("sha256", key).update(text, "latin1").digest("hex");
      const end = blockBytes + inner.write(text, blockBytes, "latin1");
      outer.write(hash("sha256", inner.subarray(0, end), "binary"), blockBytes, "binary");
      return hash("sha256", outer, "hex");
    },
  };
}
