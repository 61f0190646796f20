// A small world for the tests of the digest keys: a simulated disk, a clock the test moves, and short RSA keys.
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import type { Log } from "../model/environment.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import { SimulatedDisk } from "../../test/sim/simulated-disk.ts";
import type { NewKey } from "./digest-key-files.ts";
import { type DigestKeys, type DigestPublicKey, openDigestKeys } from "./digest-keys.ts";

export const dayMs = 86_400_000;
export const directory = "/data/digest-keys";
/** 2026-01-10T11:03:05Z */
export const startMs = 1_768_042_985_000;
export const ohio = regionOf("us-east-2");
export const ireland = regionOf("eu-west-1");
export const always = { startMs: 0, endMs: Number.MAX_SAFE_INTEGER };

function regionOf(text: string): Region {
  const region = parseRegion(text);
  if (!region) throw new Error(`${text} is no Region`);
  return region;
}

export interface KeyWorld {
  disk: SimulatedDisk;
  keys: DigestKeys;
  nowMs: number;
  rotationMs: number;
  validityMs: number;
  /** How many pairs were made. */
  made: number;
  /** False: no new pair can be had. */
  canMakeKeys: boolean;
  readonly log: string[];
  /** Starts again on the disk as it is now. */
  reopen(): Promise<void>;
}

/** A world with no key; `disk` may hold those of an earlier one. */
export async function openKeyWorld(disk = new SimulatedDisk()): Promise<KeyWorld> {
  const base = {
    disk,
    nowMs: startMs,
    rotationMs: 20 * dayMs,
    validityMs: 30 * dayMs,
    made: 0,
    canMakeKeys: true,
    log: [],
  };
  const open = async () =>
    openDigestKeys({
      directory,
      disk: base.disk,
      clock: { nowMs: () => base.nowMs, monotonicMs: () => base.nowMs, sleep: async () => {} },
      log: logInto(base.log),
      newKey: async () => {
        await Promise.resolve();
        if (!base.canMakeKeys) throw new Error("no entropy");
        base.made += 1;
        return shortKey();
      },
      rotationMs: base.rotationMs,
      validityMs: base.validityMs,
    });
  const world: KeyWorld = Object.assign(base, {
    keys: await open(),
    async reopen() {
      world.keys = await open();
    },
  });
  return world;
}

/** RSA of 1024 bits: made in a few milliseconds, enough to sign. */
export function shortKey(): NewKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  return {
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicDer: publicKey.export({ type: "pkcs1", format: "der" }),
  };
}

export function publicKeyOf({ der }: Pick<DigestPublicKey, "der">): KeyObject {
  return createPublicKey({ key: Buffer.from(der), format: "der", type: "pkcs1" });
}

export function md5Of(der: Uint8Array): string {
  return createHash("md5").update(der).digest("hex");
}

/** Whether a listed key of the Region, with that fingerprint, has signed the text. */
export function isVerified(
  keys: DigestKeys,
  region: Region,
  signed: { readonly text: string; readonly signature: string; readonly fingerprint: string },
): boolean {
  const key = keys.publicKeys(region, always).find(({ fingerprint }) => fingerprint === signed.fingerprint);
  if (!key) return false;
  return verify("sha256", Buffer.from(signed.text), publicKeyOf(key), Buffer.from(signed.signature, "hex"));
}

/** All that the disk holds, as text by path. */
export async function contentsOf({ disk }: Pick<KeyWorld, "disk">): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  for (const path of disk.files()) {
    contents.set(path, Buffer.from((await disk.readWhole(path)) ?? []).toString("utf8"));
  }
  return contents;
}

function logInto(lines: string[]): Log {
  const add = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  return { debug: add("debug"), info: add("info"), warn: add("warn"), error: add("error") };
}
