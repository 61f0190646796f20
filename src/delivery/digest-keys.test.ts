// The digest keys over a simulated disk: signing, rotation, listing, expiry, restarts, damaged files.
import { describe, expect, test } from "vitest";
import { SimulatedDisk } from "../../test/sim/simulated-disk.ts";
import {
  always,
  contentsOf,
  dayMs,
  directory,
  ireland,
  isVerified,
  md5Of,
  ohio,
  openKeyWorld,
  shortKey,
  startMs,
} from "./digest-keys.test-world.ts";

const text = "2026-01-10T11:03:05Z\nmy-bucket/key\nhash\nnull";

describe("signing", () => {
  test("is verified by the public key of the list", async () => {
    const { keys } = await openKeyWorld();
    const signed = await keys.sign(ohio, startMs, text);
    expect(signed.signature).toMatch(/^[0-9a-f]{256}$/);
    expect(isVerified(keys, ohio, { ...signed, text })).toBe(true);
    expect(isVerified(keys, ohio, { ...signed, text: `${text}x` })).toBe(false);
    const [key] = keys.publicKeys(ohio, always);
    expect(md5Of(key?.der ?? new Uint8Array())).toBe(signed.fingerprint);
    expect(await keys.sign(ohio, startMs, text)).toEqual(signed);
  });

  test("uses the key whose fingerprint was told before", async () => {
    const world = await openKeyWorld();
    const fingerprint = await world.keys.fingerprint(ohio, startMs);
    expect((await world.keys.sign(ohio, startMs, text)).fingerprint).toBe(fingerprint);
    expect((await world.keys.sign(ohio, startMs + 19 * dayMs, text)).fingerprint).toBe(fingerprint);
    expect(world.made).toBe(1);
  });

  test("is done with a key of each Region", async () => {
    const { keys } = await openKeyWorld();
    const one = await keys.fingerprint(ohio, startMs);
    expect(await keys.fingerprint(ireland, startMs)).not.toBe(one);
    expect(keys.regions()).toEqual(["eu-west-1", "us-east-2"]);
    expect(keys.publicKeys(ohio, always).map(({ fingerprint }) => fingerprint)).toEqual([one]);
  });

  test("by many chains at once makes one key", async () => {
    const world = await openKeyWorld();
    const ends = Array.from({ length: 20 }, (_, n) => startMs + n * 1000);
    const signed = await Promise.all(ends.map((endMs) => world.keys.sign(ohio, endMs, text)));
    expect(new Set(signed.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(world.made).toBe(1);
  });

  test("goes by the end of the digest, not by the clock", async () => {
    const world = await openKeyWorld();
    const current = await world.keys.fingerprint(ohio, startMs);
    const late = await world.keys.sign(ohio, startMs - 400 * dayMs, text);
    const early = await world.keys.sign(ohio, startMs + 400 * dayMs, text);
    expect(new Set([current, late.fingerprint, early.fingerprint]).size).toBe(3);
    const at = (ms: number) =>
      world.keys.publicKeys(ohio, { startMs: ms, endMs: ms }).map(({ fingerprint }) => fingerprint);
    expect(at(startMs - 400 * dayMs)).toEqual([late.fingerprint]);
    expect(at(startMs)).toEqual([current]);
    expect(at(startMs + 400 * dayMs)).toEqual([early.fingerprint]);
  });

  test("survives a restart", async () => {
    const world = await openKeyWorld();
    const signed = await world.keys.sign(ohio, startMs, text);
    const listed = world.keys.publicKeys(ohio, always);
    world.disk = world.disk.crash();
    await world.reopen();
    expect(world.keys.publicKeys(ohio, always)).toEqual(listed);
    expect(await world.keys.sign(ohio, startMs, text)).toEqual(signed);
    expect(world.made).toBe(1);
  });
});

describe("rotation", () => {
  test("makes a key every period, and neighbours overlap", async () => {
    const world = await openKeyWorld();
    for (let day = 0; day < 100; day += 1) {
      world.nowMs = startMs + day * dayMs;
      await world.keys.sign(ohio, world.nowMs, text);
    }
    const listed = world.keys.publicKeys(ohio, always);
    expect(listed).toHaveLength(5);
    for (const [index, { sinceMs, untilMs }] of listed.entries()) {
      expect(untilMs - sinceMs).toBe(30 * dayMs);
      expect(sinceMs - (listed[0]?.sinceMs ?? 0)).toBe(index * 20 * dayMs);
    }
  });

  test("follows new periods after a restart", async () => {
    const world = await openKeyWorld();
    await world.keys.sign(ohio, startMs, text);
    Object.assign(world, { rotationMs: dayMs, validityMs: 2 * dayMs });
    await world.reopen();
    await world.keys.sign(ohio, startMs + dayMs, text);
    const validities = world.keys.publicKeys(ohio, always).map(({ sinceMs, untilMs }) => untilMs - sinceMs);
    expect(validities).toEqual([30 * dayMs, 2 * dayMs]);
  });

  test("refuses periods that leave gaps", async () => {
    const world = await openKeyWorld();
    world.validityMs = world.rotationMs;
    await expect(world.reopen()).rejects.toThrow("a key outlasts its rotation");
  });
});

describe("the list", () => {
  test("is empty for a Region that never signed, and makes no key", async () => {
    const world = await openKeyWorld();
    expect(world.keys.publicKeys(ohio, always)).toEqual([]);
    expect(world.keys.regions()).toEqual([]);
    expect(world.made).toBe(0);
  });

  test.each<[string, number, number, boolean]>([
    ["within", 5, 6, true],
    ["a moment", 5, 5, true],
    ["around", -100, 100, true],
    ["up to its first moment", -5, 0, true],
    ["up to just before", -5, -0.0001, false],
    ["from its last moment", 30, 31, true],
    ["from just after", 30.0001, 31, false],
  ])("has a key of 30 days for a range %s", async (_what, from, to, isListed) => {
    const { keys } = await openKeyWorld();
    await keys.sign(ohio, startMs, text);
    const sinceMs = keys.publicKeys(ohio, always)[0]?.sinceMs ?? Number.NaN;
    const range = { startMs: sinceMs + from * dayMs, endMs: sinceMs + to * dayMs };
    expect(keys.publicKeys(ohio, range)).toHaveLength(isListed ? 1 : 0);
  });
});

describe("expiry", () => {
  const secrets = async (world: Parameters<typeof contentsOf>[0]) =>
    [...(await contentsOf(world)).values()].filter((content) => content.includes("PRIVATE KEY")).length;

  test("deletes the private part after a grace for late digests; the public part stays", async () => {
    const world = await openKeyWorld();
    const signed = await world.keys.sign(ohio, startMs, text);
    const untilMs = world.keys.publicKeys(ohio, always)[0]?.untilMs ?? Number.NaN;
    const listed = world.keys.publicKeys(ohio, always);
    world.nowMs = untilMs + 7 * dayMs;
    await world.keys.forgetExpired();
    expect(await secrets(world)).toBe(1);
    expect((await world.keys.sign(ohio, startMs, text)).fingerprint).toBe(signed.fingerprint);
    world.nowMs += 1;
    await world.keys.forgetExpired();
    expect(await secrets(world)).toBe(0);
    expect(world.keys.publicKeys(ohio, always)).toEqual(listed);
    await world.reopen();
    expect(world.keys.publicKeys(ohio, always)).toEqual(listed);
    expect(isVerified(world.keys, ohio, { ...signed, text })).toBe(true);
  });

  test("also happens at the start, and when a new key is made", async () => {
    const world = await openKeyWorld();
    await world.keys.sign(ohio, startMs, text);
    world.nowMs += 60 * dayMs;
    await world.reopen();
    expect(await secrets(world)).toBe(0);
    await world.keys.sign(ohio, world.nowMs, text);
    world.nowMs += 60 * dayMs;
    await world.keys.sign(ireland, world.nowMs, text);
    expect(await secrets(world)).toBe(1);
  });

  test("leaves a digest that is later still a new key, which is kept as long", async () => {
    const world = await openKeyWorld();
    const before = await world.keys.sign(ohio, startMs, text);
    world.nowMs += 60 * dayMs;
    await world.keys.forgetExpired();
    const after = await world.keys.sign(ohio, startMs, text);
    expect(after.fingerprint).not.toBe(before.fingerprint);
    for (let hour = 1; hour < 100; hour += 1) {
      world.nowMs += 3_600_000;
      await world.keys.forgetExpired();
      const { fingerprint } = await world.keys.sign(ohio, startMs + hour * 3_600_000, text);
      expect(fingerprint).toBe(after.fingerprint);
    }
    expect(world.made).toBe(2);
    for (const signed of [before, after])
      expect(isVerified(world.keys, ohio, { ...signed, text })).toBe(true);
  });

  test("survives a clock that jumps far ahead and comes back", async () => {
    const world = await openKeyWorld();
    const before = await world.keys.sign(ohio, startMs, text);
    world.nowMs += 4000 * dayMs;
    await world.keys.forgetExpired();
    world.nowMs = startMs;
    const after = await world.keys.sign(ohio, startMs + 3_600_000, text);
    await world.reopen();
    expect((await world.keys.sign(ohio, startMs, text)).fingerprint).toBe(after.fingerprint);
    for (const signed of [before, after])
      expect(isVerified(world.keys, ohio, { ...signed, text })).toBe(true);
  });

  test("that fails is logged, harms nothing, and is tried again", async () => {
    const world = await openKeyWorld();
    await world.keys.sign(ohio, startMs, text);
    world.nowMs += 60 * dayMs;
    world.disk.failCall(1, "before");
    await world.keys.forgetExpired();
    expect(world.log.filter((line) => line.startsWith("warn"))).toHaveLength(1);
    expect(await secrets(world)).toBe(1);
    await world.keys.forgetExpired();
    expect(await secrets(world)).toBe(0);
  });
});

describe("what fails", () => {
  test("no key when none can be made; the next try makes it", async () => {
    const world = await openKeyWorld();
    world.canMakeKeys = false;
    await expect(world.keys.sign(ohio, startMs, text)).rejects.toThrow("no entropy");
    expect(world.keys.publicKeys(ohio, always)).toEqual([]);
    world.canMakeKeys = true;
    await world.keys.sign(ohio, startMs, text);
    expect(world.made).toBe(1);
  });

  test("nothing secret is logged", async () => {
    const world = await openKeyWorld();
    await world.keys.sign(ohio, startMs, text);
    world.nowMs += 60 * dayMs;
    await world.keys.forgetExpired();
    const [content = ""] = [...(await contentsOf(world)).values()];
    expect(content).toContain("publicKey");
    expect(world.log.length).toBeGreaterThan(1);
    expect(world.log.join()).not.toContain("PRIVATE");
  });

  const other = shortKey();
  const change = (member: string, value: unknown) => (content: string) =>
    JSON.stringify({ ...(JSON.parse(content) as object), [member]: value });
  test.each<[string, (content: string) => string, string]>([
    ["is empty", () => "", "it is not JSON"],
    ["is cut off", (content) => content.slice(0, -10), "it is not JSON"],
    ["has another format", change("format", 2), "format: not as expected"],
    ["has an unknown member", change("extra", 1), "document: not as expected"],
    ["has no Region", change("region", "?"), "region: expected a Region"],
    ["has another Region", change("region", "eu-west-1"), "it belongs to another key"],
    ["has another fingerprint", change("fingerprint", "00"), "the public key has another fingerprint"],
    ["has a damaged public key", change("publicKey", "AAAA"), "the public key has another fingerprint"],
    ["has a damaged private key", change("privateKey", "x"), "privateKey: not a PEM private key"],
    [
      "has another's private key",
      change("privateKey", other.privatePem),
      "the private key belongs to another public key",
    ],
    ["ends before it begins", change("untilMs", 5), "its validity ends before it begins"],
    ["has no time", change("sinceMs", "now"), "sinceMs: not as expected"],
  ])("a key file that %s stops the start and is named", async (_what, damage, sentence) => {
    const world = await openKeyWorld();
    await world.keys.sign(ohio, startMs, text);
    const [path = ""] = world.disk.files();
    world.disk.damage(path, (bytes) => Buffer.from(damage(Buffer.from(bytes).toString("utf8"))));
    const failure = await world.reopen().then(
      () => "opened",
      (error: unknown) => String(error),
    );
    expect(failure).toContain(`The digest key file ${path} is damaged: ${sentence}.`);
    expect(failure).not.toContain("PRIVATE");
  });

  test("files of others are left alone and told; half written ones are removed", async () => {
    const disk = new SimulatedDisk();
    await disk.makeDirectory(directory);
    for (const name of ["notes.txt", "us-east-2_00.json.writing"]) {
      const file = await disk.create(`${directory}/${name}`);
      await file.close();
    }
    const world = await openKeyWorld(disk);
    expect(world.disk.files()).toEqual([`${directory}/notes.txt`]);
    expect(world.log).toEqual([expect.stringContaining("notes.txt")]);
  });
});
