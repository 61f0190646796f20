// The files of the digest keys: one per key, `{region}_{fingerprint}.json`, mode 0600, written as a whole. Must not:
// decide which key signs, or when a private part goes.
//
// A file is one JSON object: format 1, region, fingerprint, sinceMs, untilMs, madeMs, publicKey (base64 of the DER
// PKCS#1 RSAPublicKey) and, until the key has expired, privateKey (PEM, PKCS#8). Files are never removed: without
// its public part no digest that the key has signed could be verified.
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { Disk } from "../disk/contract.ts";
import { temporarySuffix, writeAtomically } from "../disk/write-atomically.ts";
import type { Log } from "../model/environment.ts";
import { parseRegion, type Region } from "../model/regions.ts";

export interface DigestKey {
  readonly region: Region;
  /** Lower-case hex MD5 of `der` (formats.md §3.5). */
  readonly fingerprint: string;
  /** Validity and making, milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly madeMs: number;
  /** DER of the PKCS#1 RSAPublicKey. */
  readonly der: Uint8Array;
  /** Absent once the private part was deleted. */
  readonly privateKey?: KeyObject;
}

/** A key pair just made: PEM (PKCS#8) and DER (PKCS#1). */
export interface NewKey {
  readonly privatePem: string;
  readonly publicDer: Uint8Array;
}

export interface KeyFilePorts {
  readonly directory: string;
  readonly disk: Disk;
  readonly log: Log;
}

const nameForm = /^[a-z0-9-]+_[0-9a-f]{32}\.json$/;

const keyDocument = z.strictObject({
  format: z.literal(1),
  region: z.string(),
  fingerprint: z.string(),
  sinceMs: z.number().int(),
  untilMs: z.number().int(),
  madeMs: z.number().int(),
  publicKey: z.string(),
  privateKey: z.string().exactOptional(),
});

/** Reads every key; throws an Error that names the file when one is damaged. Removes what a crash left half written. */
export async function loadKeys({ directory, disk, log }: KeyFilePorts): Promise<DigestKey[]> {
  await disk.makeDirectory(directory);
  const keys: DigestKey[] = [];
  for (const name of (await disk.list(directory)).sort()) {
    const path = join(directory, name);
    if (name.endsWith(temporarySuffix)) await disk.remove(path);
    else if (nameForm.test(name)) keys.push(readKey(path, name, await disk.readWhole(path)));
    else log.warn({ file: path }, "This file is no digest key though it lies among them; it is left alone.");
  }
  return keys;
}

/** Makes a new key durable. The result can sign. Throws when the pair does not belong together or cannot be stored. */
export async function storeNewKey(
  { directory, disk }: KeyFilePorts,
  pair: NewKey,
  about: Pick<DigestKey, "region" | "sinceMs" | "untilMs" | "madeMs">,
): Promise<DigestKey> {
  const der = new Uint8Array(pair.publicDer);
  const key: DigestKey = {
    ...about,
    fingerprint: fingerprintOf(der),
    der,
    privateKey: createPrivateKey(pair.privatePem),
  };
  if (!isPair(key)) throw new Error("The new digest key's private and public parts do not belong together.");
  await writeAtomically(disk, join(directory, nameOf(key)), encodeKey(key, pair.privatePem));
  return key;
}

/** Deletes the private part of a key, durably; gives the key without it. */
export async function dropPrivatePart({ directory, disk }: KeyFilePorts, key: DigestKey): Promise<DigestKey> {
  const { privateKey: _dropped, ...rest } = key;
  await writeAtomically(disk, join(directory, nameOf(key)), encodeKey(rest));
  return rest;
}

function fingerprintOf(der: Uint8Array): string {
  return createHash("md5").update(der).digest("hex");
}

function nameOf({ region, fingerprint }: DigestKey): string {
  return `${region}_${fingerprint}.json`;
}

function encodeKey(key: DigestKey, privatePem?: string): Uint8Array {
  const { region, fingerprint, sinceMs, untilMs, madeMs } = key;
  const publicKey = Buffer.from(key.der).toString("base64");
  const secret = privatePem === undefined ? {} : { privateKey: privatePem };
  const document = { format: 1, region, fingerprint, sinceMs, untilMs, madeMs, publicKey, ...secret };
  return Buffer.from(`${JSON.stringify(document)}\n`, "utf8");
}

function readKey(path: string, name: string, bytes: Uint8Array | undefined): DigestKey {
  const document = parseDocument(path, bytes);
  const region = parseRegion(document.region);
  if (region === undefined) throw damaged(path, "region: expected a Region");
  const { fingerprint, sinceMs, untilMs, madeMs } = document;
  const der = new Uint8Array(Buffer.from(document.publicKey, "base64"));
  if (untilMs <= sinceMs) throw damaged(path, "its validity ends before it begins");
  if (fingerprintOf(der) !== fingerprint) throw damaged(path, "the public key has another fingerprint");
  const key: DigestKey = {
    ...{ region, fingerprint, sinceMs, untilMs, madeMs, der },
    ...(document.privateKey !== undefined && { privateKey: readPrivateKey(path, document.privateKey) }),
  };
  if (nameOf(key) !== name) throw damaged(path, "it belongs to another key");
  if (!isPair(key)) throw damaged(path, "the private key belongs to another public key");
  return key;
}

/** Parse errors are not passed on: they would quote from a file that holds a secret. */
function parseDocument(path: string, bytes: Uint8Array | undefined): z.infer<typeof keyDocument> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes ?? []).toString("utf8"));
  } catch {
    throw damaged(path, "it is not JSON");
  }
  const { data, error } = keyDocument.safeParse(value);
  if (data) return data;
  throw damaged(path, `${error?.issues[0]?.path.join(".") || "document"}: not as expected`);
}

function readPrivateKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw damaged(path, "privateKey: not a PEM private key");
  }
}

function isPair({ privateKey, der }: DigestKey): boolean {
  if (!privateKey) return true;
  if (privateKey.asymmetricKeyType !== "rsa") return false;
  return createPublicKey(privateKey).export({ type: "pkcs1", format: "der" }).equals(der);
}

function damaged(path: string, what: string): Error {
  return new Error(
    `The digest key file ${path} is damaged: ${what}. Restore it from a backup, or move it away: digest files that its key has signed can then no longer be verified.`,
  );
}
