// Composing log files: exact text, one gzip member, the same bytes every time, bounded passes.
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { frame, matchSet, MemoryJournal, recordText } from "../../test/sim/delivery-world.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { type ComposedFile, PassFiles, splitIntoPasses } from "./compose.ts";
import { createDeflater } from "./deflater.ts";
import { evidenceOfFile } from "./evidence.ts";
import { gatherGroups, type WantsEvidence } from "./gather.ts";
import { unpack } from "./gzip-member.test-world.ts";
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
    counter.add(frame(String(at), 1_000, records));
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

/** The files of these plans, as one pass makes them. */
async function filesOf(
  journal: MemoryJournal,
  plans: readonly Plan[],
  {
    readBytesMax = 1_000,
    wantsEvidence = () => false,
  }: { readBytesMax?: number; wantsEvidence?: WantsEvidence } = {},
): Promise<Map<Plan, ComposedFile>> {
  const deflater = createDeflater({ level: 6 });
  const files = new PassFiles(
    await gatherGroups(journal, plans, { readBytesMax, wantsEvidence, deflater }),
    deflater,
  );
  const made = new Map<Plan, ComposedFile>();
  for (const { plan: one } of files.inOrder(plans.map((plan) => ({ plan })))) {
    made.set(one, await files.compose(one, wantsEvidence(one)));
  }
  return made;
}

function textOf(file: ComposedFile | undefined): string {
  return gunzipSync(file?.bytes ?? "").toString();
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
  const files = await filesOf(journal, plans, { readBytesMax: 1 });
  const texts = plans.map((one) => textOf(files.get(one)));
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
  const together = (await filesOf(journal, plans, { readBytesMax: 1_000_000 })).get(planOfB);
  const alone = (await filesOf(journal, [planOfB], { readBytesMax: 1 })).get(planOfB);
  expect(alone?.bytes).toEqual(together?.bytes);
});

test("large groups give the same bytes however the journal is read, and the text of their records", async () => {
  const [ab, b] = [matchSet(["a", "b"]), matchSet(["b"])];
  const frames = Array.from({ length: 60 }, (_, at) =>
    Array.from({ length: 40 }, (_unused, n) => ({
      id: `${at}-${n} ${createHash("sha512").update(`${at}/${n}`).digest("hex").repeat(4)}`,
      matchSet: n % 3 === 0 ? b : ab,
    })),
  );
  const { journal, plans } = await journaled(frames);
  const once = await filesOf(journal, plans, { readBytesMax: 100_000_000 });
  const again = await filesOf(journal, plans.toReversed(), { readBytesMax: 10_000 });
  for (const one of plans) {
    const file = once.get(one);
    if (!file) throw new Error("every plan has a file");
    expect(again.get(one)?.bytes).toEqual(file.bytes);
    const { text, bytesAfter } = await unpack(file.bytes);
    expect(bytesAfter).toBe(0);
    const wanted = frames
      .flat()
      .filter((record) =>
        record.matchSet.destinations.some(({ incarnation }) => incarnation === one.incarnation),
      );
    const groups = [b, ab].map((set) => wanted.filter((record) => record.matchSet === set));
    expect(text).toBe(
      `{"Records":[${groups
        .flat()
        .map(({ id }) => recordText(id))
        .join(",")}]}`,
    );
    expect(text.length).toBeGreaterThan(800_000);
  }
});

test("plans that log the same records share one file", async () => {
  const { journal, plans } = await journaled([
    [
      { id: "1", matchSet: matchSet(["a", "b", "c"]) },
      { id: "2", matchSet: matchSet(["b"]) },
    ],
  ]);
  const files = await filesOf(journal, plans);
  const [a, b, c] = ["a", "b", "c"].map((name) =>
    files.get(plans.find(({ incarnation }) => incarnation === name) as Plan),
  );
  expect(a?.bytes).toBe(c?.bytes);
  expect(b?.bytes).not.toEqual(a?.bytes);
});

test("a plan that the journal does not match is refused, not written short", async () => {
  const { journal, plans } = await journaled([[{ id: "1", matchSet: matchSet(["a"]) }]]);
  const [first] = plans;
  if (!first) throw new Error("there is a plan");
  await expect(filesOf(journal, [{ ...first, recordCount: 2 }])).rejects.toThrow("says 2 records");
  await expect(filesOf(journal, [{ ...first, jsonBytes: 20 }])).rejects.toThrow("in 20 bytes");
  await expect(filesOf(journal, [{ ...first, to: 9 }])).rejects.toThrow("ends at frame 2");
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
  const files = await filesOf(journal, plans, { readBytesMax: 1, wantsEvidence });
  const fileOf = (name: string) => files.get(plans.find(({ incarnation }) => incarnation === name) as Plan);
  const ofA = fileOf("a");
  if (!ofA) throw new Error("there is a plan of a");
  expect(ofA.evidence).toEqual({
    sha256: createHash("sha256").update(gunzipSync(ofA.bytes)).digest("hex"),
    oldestEventTime: "2026-01-10T09:18:41Z",
    newestEventTime: "2026-01-10T09:18:42Z",
  });
  expect(ofA.evidence).toEqual(evidenceOfFile(ofA.bytes, 1_000_000));
  expect(fileOf("b")).not.toHaveProperty("evidence");
});
