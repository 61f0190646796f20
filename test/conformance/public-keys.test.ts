// Real keys on the real disk, as ListPublicKeys lists them: PKCS#1, fingerprint, signature, file mode, and the shape of
// the published example (formats.md §3.5).
import { createHash, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DigestKeys, openDigestKeys } from "../../src/delivery/digest-keys.ts";
import { nodeDisk } from "../../src/disk/node-disk.ts";
import { encodeOutput } from "../../src/model/encode.ts";
import { listPublicKeys } from "../../src/trail/list-public-keys.ts";
import { callFrom, ohio, openTrailWorld } from "../../src/trail/trail.test-world.ts";
import { makeRsaKey, realClock } from "../../src/world.ts";

// The first entry of the example of the specification, list-public-keys-response.json.
const example: Readonly<Record<string, unknown>> = {
  Value:
    "MIIBCgKCAQEAv1jfaYu6bP1RFpmrqrsBkoHGDmLZ0xU3C9YEouyHVu7/TkiH5wpHA/yTDht9GZYPym6LkxBcOR91+4R4rlQgO/Yt6S2GjszcTbJqKzTkysHhUO+4rXqtF/Om4WfqtMcnhDEV3ExB2mXSh8ysQq9Ml0uljD4tDTOESmjV10w+GDjcIiGFUpQqRJ3EjfsBIc2I1JC3FOH9v8ajBB2Lfznc5rPc/6+NtIakJ/ZEdMtBFJ61q9Y5QlfntiKs83ZylK5DYyWqLfnhq0pFj5Hy2mpHLeG/Re4aAffIz4TDyzjXdoj9YGDF/hTfKHICKp9THQ7xrNPaFc/MdtnAbJzOLj7FnwIDAQAB",
  ValidityStartTime: 1_766_620_800,
  ValidityEndTime: 1_769_212_800,
  Fingerprint: "f9176f48dd31d8345ca70f9300c3c981",
};
const endMs = 1_768_046_585_000;
const text = `2026-01-10T12:03:05Z\nmy-bucket/AWSLogs/key\n${"a".repeat(64)}\nnull`;

let root: string;
let keys: DigestKeys;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "cairn-keys-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const open = async () =>
  openDigestKeys({
    directory: join(root, "digest-keys"),
    disk: nodeDisk(),
    clock: realClock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    newKey: makeRsaKey,
    rotationMs: 20 * 86_400_000,
    validityMs: 30 * 86_400_000,
  });

/** The answer of ListPublicKeys as it goes over the wire. */
async function listed(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { ports } = await openTrailWorld();
  const input = { StartTime: new Date(endMs), EndTime: new Date(endMs) };
  const output = await listPublicKeys({ ports: { ...ports, keys } })(input, callFrom());
  const { PublicKeyList } = encodeOutput("ListPublicKeys", output);
  return PublicKeyList as Readonly<Record<string, unknown>>[];
}

describe("a key made for a digest", () => {
  let signed: { readonly signature: string; readonly fingerprint: string };
  beforeAll(async () => {
    keys = await open();
    signed = await keys.sign(ohio, endMs, text);
  });

  test("is listed in the form of the example", async () => {
    const entries = await listed();
    expect(entries).toHaveLength(1);
    for (const entry of [example, ...entries]) {
      expect(Object.keys(entry).sort()).toEqual(Object.keys(example).sort());
      const der = Buffer.from(String(entry["Value"]), "base64");
      expect(der).toHaveLength(270);
      expect(String(entry["Value"])).toMatch(/^MIIBCgKCAQEA/);
      expect(entry["Fingerprint"]).toBe(createHash("md5").update(der).digest("hex"));
      const [since, until] = [Number(entry["ValidityStartTime"]), Number(entry["ValidityEndTime"])];
      expect([since, until].every(Number.isInteger)).toBe(true);
      expect(until - since).toBe(2_592_000);
    }
    expect(Number(entries[0]?.["ValidityStartTime"]) * 1000).toBeLessThanOrEqual(endMs);
  });

  test("verifies its signature by PKCS#1", async () => {
    const [entry] = await listed();
    const der = Buffer.from(String(entry?.["Value"]), "base64");
    expect(entry?.["Fingerprint"]).toBe(signed.fingerprint);
    const key = createPublicKey({ key: der, format: "der", type: "pkcs1" });
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(signed.signature).toMatch(/^[0-9a-f]{512}$/);
    const isSignature = (what: string) =>
      verify("RSA-SHA256", Buffer.from(what), key, Buffer.from(signed.signature, "hex"));
    expect(isSignature(text)).toBe(true);
    expect(isSignature(text.replace("null", "nul1"))).toBe(false);
  });

  test("lies in a file that only its owner can read, and is the same after a restart", async () => {
    const [name = "", ...others] = readdirSync(join(root, "digest-keys"));
    expect(others).toEqual([]);
    const path = join(root, "digest-keys", name);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(root, "digest-keys")).mode & 0o777).toBe(0o700);
    expect(readFileSync(path, "utf8")).toContain("PRIVATE KEY");
    keys = await open();
    expect(await keys.sign(ohio, endMs, text)).toEqual(signed);
  });
});

test("makeRsaKey gives PKCS#8 and PKCS#1 of one pair", async () => {
  const { privatePem, publicDer } = await makeRsaKey();
  expect(privatePem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(createPublicKey(privatePem).export({ type: "pkcs1", format: "der" }).equals(publicDer)).toBe(true);
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  expect(publicKey.export({ type: "pkcs1", format: "der" })).toHaveLength(publicDer.length);
});
