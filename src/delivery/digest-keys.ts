// The keys that sign digest files (formats.md §3.5): one in use per Region, made when a digest first needs it, rotated
// with overlapping validities. Public parts are kept for ever; private parts go when no digest can need them any more.
// Must not: know what is signed. The choice stands in digest-key-choice.ts, the files in digest-key-files.ts.
//
// A key is durable before its first signature. A crash at any step leaves at most a key that never signed anything:
// it is as good as another. Only `madeMs` and the deletion of private parts look at the clock; where it jumps, a key
// more is made, and everything signed stays verifiable.
import { sign as signBytes } from "node:crypto";
import { promisify } from "node:util";
import { createTurns } from "../bucket/turns.ts";
import { assert } from "../model/assert.ts";
import type { Clock } from "../model/environment.ts";
import type { Region } from "../model/regions.ts";
import { isoSeconds } from "../model/timestamp.ts";
import { chooseKey, type KeyPeriods, newValidity } from "./digest-key-choice.ts";
import {
  type DigestKey,
  dropPrivatePart,
  type KeyFilePorts,
  loadKeys,
  type NewKey,
  storeNewKey,
} from "./digest-key-files.ts";
import type { DigestSigner } from "./ports.ts";

export interface DigestPublicKey {
  /** DER of the PKCS#1 RSAPublicKey. */
  readonly der: Uint8Array;
  /** Validity, milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Lower-case hex MD5 of `der`. */
  readonly fingerprint: string;
}

/** Both ends belong to it. Milliseconds since the epoch. */
export interface KeyRange {
  readonly startMs: number;
  readonly endMs: number;
}

/** `sign` and `fingerprint` make the key when there is none; they throw when it can be neither made nor stored. */
export interface DigestKeys extends DigestSigner {
  /** Keys whose validity overlaps the range, oldest first. Makes none: empty for a Region that never signed. */
  publicKeys(region: Region, range: KeyRange): readonly DigestPublicKey[];
  /** Regions that have keys, sorted. */
  regions(): readonly Region[];
  /** Deletes the private parts that are due. Cheap when none is; never rejects: what fails is logged and tried again. */
  forgetExpired(): Promise<void>;
}

export interface DigestKeyPorts extends KeyFilePorts, KeyPeriods {
  readonly clock: Clock;
  /** A new RSA pair of 2048 bits. */
  readonly newKey: () => Promise<NewKey>;
}

/** How long an expired private part is kept for late digests, at most; a key of short validity waits no longer than that. */
const graceMsMax = 7 * 86_400_000;

const signAsync = promisify(
  (
    bytes: Buffer,
    key: NonNullable<DigestKey["privateKey"]>,
    done: (error: Error | null, signature: Buffer) => void,
  ) => signBytes("sha256", bytes, key, done),
);

/** Loads all keys; throws an Error that names the file when one is damaged. */
export async function openDigestKeys(ports: DigestKeyPorts): Promise<DigestKeys> {
  assert(ports.rotationMs > 0 && ports.validityMs > ports.rotationMs, "a key outlasts its rotation");
  const ring = new KeyRing(ports, await loadKeys(ports));
  await ring.forgetExpired();
  return {
    async sign(region, endMs, text) {
      const { privateKey, fingerprint } = await ring.signingKey(region, endMs);
      assert(privateKey, "a key that is chosen can sign");
      const signature = await signAsync(Buffer.from(text, "utf8"), privateKey);
      return { signature: signature.toString("hex"), fingerprint };
    },
    fingerprint: async (region, endMs) => (await ring.signingKey(region, endMs)).fingerprint,
    publicKeys: (region, range) => ring.overlapping(region, range),
    regions: () => ring.regions(),
    forgetExpired: () => ring.forgetExpired(),
  };
}

class KeyRing {
  readonly #ports: DigestKeyPorts;
  // Grows by one key per Region and rotation, for ever: that is the promise. By default some 18 keys a year each.
  readonly #byRegion = new Map<Region, DigestKey[]>();
  /** A pair that could not be stored yet: the next try stores it, under the same name. One per Region. */
  readonly #unstored = new Map<Region, NewKey>();
  readonly #making = createTurns();
  readonly #forgetting = createTurns();

  constructor(ports: DigestKeyPorts, keys: readonly DigestKey[]) {
    this.#ports = ports;
    for (const key of keys) this.#add(key);
  }

  regions(): Region[] {
    return [...this.#byRegion.keys()].sort();
  }

  overlapping(region: Region, { startMs, endMs }: KeyRange): DigestPublicKey[] {
    return this.#of(region)
      .filter((key) => key.sinceMs <= endMs && startMs <= key.untilMs)
      .map(({ der, sinceMs, untilMs, fingerprint }) => ({ der, sinceMs, untilMs, fingerprint }));
  }

  /** The key for that end time, made when it is not there. Several who ask at once get the same one. */
  async signingKey(region: Region, endMs: number): Promise<DigestKey> {
    assert(Number.isSafeInteger(endMs), "a digest ends at a whole millisecond");
    const choose = () => chooseKey(this.#of(region), endMs, this.#ports);
    return choose() ?? this.#making.take(region, async () => choose() ?? this.#make(region, endMs));
  }

  async #make(region: Region, endMs: number): Promise<DigestKey> {
    const { clock, log, newKey } = this.#ports;
    const pair = this.#unstored.get(region) ?? (await newKey());
    this.#unstored.set(region, pair);
    const validity = newValidity(this.#of(region), endMs, this.#ports);
    const key = await storeNewKey(this.#ports, pair, { region, ...validity, madeMs: clock.nowMs() });
    this.#unstored.delete(region);
    this.#add(key);
    const { fingerprint } = key;
    const [validFrom, validTo] = [isoSeconds(key.sinceMs), isoSeconds(key.untilMs)];
    log.info({ region, fingerprint, validFrom, validTo }, "A new key for signing digest files was made.");
    await this.forgetExpired();
    return key;
  }

  async forgetExpired(): Promise<void> {
    // One at a time: each file has one writer.
    await this.#forgetting.take("all", async () => {
      const nowMs = this.#ports.clock.nowMs();
      const due = [...this.#byRegion.values()]
        .flat()
        .filter((key) => key.privateKey && isExpired(key, nowMs));
      for (const key of due) await this.#forget(key);
    });
  }

  async #forget(key: DigestKey): Promise<void> {
    const { log } = this.#ports;
    const { region, fingerprint } = key;
    try {
      const rest = await dropPrivatePart(this.#ports, key);
      const keys = this.#of(region);
      keys[keys.indexOf(key)] = rest;
      log.info({ region, fingerprint }, "The private part of an expired digest key was deleted.");
    } catch (error) {
      log.warn(
        { region, fingerprint, error },
        "The private part of an expired digest key could not be deleted yet.",
      );
    }
  }

  #of(region: Region): DigestKey[] {
    return this.#byRegion.get(region) ?? [];
  }

  #add(key: DigestKey): void {
    const keys = [...this.#of(key.region), key];
    this.#byRegion.set(
      key.region,
      keys.sort((a, b) => a.sinceMs - b.sinceMs || a.madeMs - b.madeMs),
    );
  }
}

/** A key made for digests long past is expired when it is made: it is kept as long after its making as others after expiry. */
function isExpired({ sinceMs, untilMs, madeMs }: DigestKey, nowMs: number): boolean {
  return nowMs > Math.max(untilMs, madeMs) + Math.min(graceMsMax, untilMs - sinceMs);
}
