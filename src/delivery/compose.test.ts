// Composing log files: exact text, one gzip member, the same bytes every time, bounded passes.
import { createHash } from "node:crypto";
import { createInflateRaw, gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { frame, matchSet, MemoryJournal, recordText } from "../../test/sim/delivery-world.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { composeFile, gatherGroups, gzipOneMember, splitIntoPasses } from "./compose.ts";
import { evidenceOfFile } from "./evidence.ts";
import type { Plan } from "./plan.ts";
import { SlotCounter } from "./slots.ts";

/** Journals the frames and returns the plans that a cut over all of them gives. */
async function journaled(
  frames: readonly (readonly { id: string; matchSet: MatchSet; eventTime?: string }[])[],
): Promise<{ journal: MemoryJournal; plans: Plan[] }> {
  const journal = new MemoryJournal();
  const counter = new SlotCounter({ jsonBytesMax: Infinity, slotsMax: Infinity });
  for (const [at, records] of frames.entries()) {
    await journal.append(frame(String(at), 1_000, records));
    counter.add({ ...frame(String(at), 1_000, records), position: { partition: "0", seq: at + 1 } });
  }
  const plans = [...counter.slots].map((slot, n): Plan => plan({ ...slot, n, to: frames.length + 1 }));
  return { journal, plans };
}

function plan(slot: {
  incarnation: string;
  matchSet: Pick<MatchSet, "account" | "region" | "folder">;
  jsonBytes: number;
  recordCount: number;
  corner: { bytes: number };
  n: number;
  to: number;
}): Plan {
  const { incarnation, matchSet, jsonBytes, recordCount, corner, n, to } = slot;
  return {
    ...matchSet,
    ...{ id: `0-1-${n}`, partition: "0", cutSeq: 1, n, incarnation, trail: incarnation, from: 1, to },
    ...{ jsonBytes, recordCount, cornerBytes: corner.bytes, labelMs: 0 },
    target: { kind: "bucket", bucket: "b", key: `k${n}` },
    ...{ unique: "u", createdMs: 0, backing: { kind: "journal" }, attempts: 0, outcome: "none" },
  };
}

/** Unpacks exactly one gzip member and says how many bytes follow it. */
async function unpack(bytes: Uint8Array): Promise<{ text: string; bytesAfter: number }> {
  const raw = createInflateRaw();
  raw.end(bytes.subarray(10));
  const chunks: Buffer[] = [];
  for await (const chunk of raw) chunks.push(chunk as Buffer);
  const trailer = 8;
  return {
    text: Buffer.concat(chunks).toString("utf8"),
    bytesAfter: bytes.length - 10 - raw.bytesWritten - trailer,
  };
}

test("the text is one line of compact JSON with every record byte for byte, group by group", async () => {
  const both = matchSet(["a", "b"]);
  const onlyA = matchSet(["a"]);
  const { journal, plans } = await journaled([
    [
      { id: "1", matchSet: both },
      { id: "2 with ünïcode 🦉", matchSet: onlyA },
    ],
    [
      { id: "3", matchSet: matchSet(["c"]) },
      { id: "4", matchSet: both },
    ],
  ]);
  const groups = await gatherGroups(journal, plans, { readBytesMax: 1, wantsEvidence: () => false });
  const texts = await Promise.all(
    plans.map(async (one) => gunzipSync((await composeFile(one, groups, false)).bytes).toString()),
  );
  const text = (...ids: string[]): string => `{"Records":[${ids.map(recordText).join(",")}]}`;
  expect(texts).toEqual([text("1", "4", "2 with ünïcode 🦉"), text("1", "4"), text("3")]);
});

test("the same plan gives the same bytes, also when the match sets come back as other objects", async () => {
  const sets = () => [matchSet(["a", "b"]), matchSet(["b"])] as const;
  const [ab, b] = sets();
  const [ab2, b2] = sets();
  const { journal, plans } = await journaled([
    [
      { id: "1", matchSet: ab },
      { id: "2", matchSet: b },
    ],
    [
      { id: "3", matchSet: ab2 },
      { id: "4", matchSet: b2 },
    ],
  ]);
  const planOfB = plans.find((one) => one.incarnation === "b");
  if (!planOfB) throw new Error("there is a plan of b");
  const { bytes: together } = await composeFile(
    planOfB,
    await gatherGroups(journal, plans, { readBytesMax: 1_000_000, wantsEvidence: () => false }),
    false,
  );
  const { bytes: alone } = await composeFile(
    planOfB,
    await gatherGroups(journal, [planOfB], { readBytesMax: 1, wantsEvidence: () => false }),
    false,
  );
  expect(Buffer.from(alone)).toEqual(Buffer.from(together));
});

test.each([1, 100, 16_384, 16_385, 3_000_000])("%i bytes become exactly one gzip member", async (length) => {
  const text = Buffer.alloc(length, `{"a":${length}}`);
  const bytes = await gzipOneMember(text);
  // Magic, deflate, no flags, no time, no extra flags, unknown system.
  expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  const { text: back, bytesAfter } = await unpack(bytes);
  expect(back).toBe(text.toString());
  expect(bytesAfter).toBe(0);
  expect(Buffer.from(bytes.subarray(10))).toEqual(gzipSync(text, { level: 6 }).subarray(10));
});

test("the check above sees a second member", async () => {
  const one = await gzipOneMember(Buffer.from("one"));
  expect((await unpack(Buffer.concat([one, one]))).bytesAfter).toBe(one.length);
});

test("a plan that the journal does not match is refused, not written short", async () => {
  const { journal, plans } = await journaled([[{ id: "1", matchSet: matchSet(["a"]) }]]);
  const [first] = plans;
  if (!first) throw new Error("there is a plan");
  const groups = await gatherGroups(journal, plans, { readBytesMax: 1_000, wantsEvidence: () => false });
  await expect(composeFile({ ...first, recordCount: 2 }, groups, false)).rejects.toThrow("says 2 records");
  const tooFar = gatherGroups(journal, [{ ...first, to: 9 }], {
    readBytesMax: 1,
    wantsEvidence: () => false,
  });
  await expect(tooFar).rejects.toThrow("ends at frame 2");
});

test("passes keep every plan once, in order, and stay within the bytes that their groups can hold", () => {
  const anyPlans = fc.array(
    fc.record({ corner: fc.integer({ min: 0, max: 3 }), jsonBytes: fc.integer({ min: 20, max: 200 }) }),
    {
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(anyPlans, fc.integer({ min: 1, max: 600 }), (drawn, bytesMax) => {
      const cornerBytes = (corner: number): number =>
        Math.max(...drawn.filter((one) => one.corner === corner).map((one) => one.jsonBytes)) * 2;
      const plans = drawn.map(({ corner, jsonBytes }, n) =>
        plan({
          ...{ incarnation: String(n), jsonBytes, recordCount: 1, n, to: 2 },
          ...{
            matchSet: matchSet([], { region: `us-east-${corner + 1}` }),
            corner: { bytes: cornerBytes(corner) },
          },
        }),
      );
      const passes = splitIntoPasses(plans, bytesMax);
      expect(passes.flat()).toEqual(plans);
      for (const pass of passes) {
        const sums = new Map<string, number>();
        for (const one of pass) {
          sums.set(one.region, Math.min(one.cornerBytes, (sums.get(one.region) ?? 0) + one.jsonBytes));
        }
        const held = [...sums.values()].reduce((sum, bytes) => sum + bytes, 0);
        expect(pass.length === 1 || held <= bytesMax).toBe(true);
      }
    }),
    { seed: 20_260_110, numRuns: 300 },
  );
});

test("evidence is asked for per plan, and tells the hash and the times of exactly its records", async () => {
  const both = matchSet(["a", "b"]);
  const { journal, plans } = await journaled([
    [
      { id: "1", matchSet: both, eventTime: "2026-01-10T09:18:41Z" },
      { id: "2", matchSet: matchSet(["b"]), eventTime: "2026-01-10T09:00:00Z" },
    ],
    [{ id: "3", matchSet: both, eventTime: "2026-01-10T09:18:42Z" }],
  ]);
  const wantsEvidence = ({ incarnation }: Plan): boolean => incarnation === "a";
  const groups = await gatherGroups(journal, plans, { readBytesMax: 1, wantsEvidence });
  const files = new Map(
    await Promise.all(
      plans.map(
        async (one) => [one.incarnation, await composeFile(one, groups, wantsEvidence(one))] as const,
      ),
    ),
  );
  const ofA = files.get("a");
  if (!ofA) throw new Error("there is a plan of a");
  expect(ofA.evidence).toEqual({
    sha256: createHash("sha256").update(gunzipSync(ofA.bytes)).digest("hex"),
    oldestEventTime: "2026-01-10T09:18:41Z",
    newestEventTime: "2026-01-10T09:18:42Z",
  });
  expect(ofA.evidence).toEqual(evidenceOfFile(ofA.bytes, 1_000_000));
  expect(files.get("b")).not.toHaveProperty("evidence");
});
