// Records gathered into frames: what waits goes together, in order, and everybody hears what became of the frame.
import { expect, test } from "vitest";
import type { AppendOutcome, Frame, FrameHeader, FrameRecord } from "../journal/contract.ts";
import { createGatheredFrames } from "./gathered-frames.ts";
import { account, region } from "./intake.test-world.ts";

const matchSet = { account, region, folder: "CloudTrail", destinations: [] } as const;
const record = (text: string): FrameRecord => ({ bytes: Buffer.from(text), matchSet });
const header = (more: Partial<FrameHeader> = {}): FrameHeader => ({
  ...{ door: "own-calls", principal: "mary", arrivedMs: 1, configurationVersion: 1 },
  ...more,
});
const durable: AppendOutcome = { kind: "durable", position: { partition: "0", seq: 1 } };

/** A journal whose appends end when the test says so. */
function slowJournal() {
  const frames: Frame[] = [];
  const ends: ((outcome: AppendOutcome | Error) => void)[] = [];
  return {
    texts: () =>
      frames.map(({ records }) => records.map(({ bytes }) => Buffer.from(bytes).toString()).join(" ")),
    frames,
    append: (frame: Frame) => {
      frames.push(frame);
      return new Promise<AppendOutcome>((resolve, reject) => {
        ends.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      });
    },
    async end(outcome: AppendOutcome | Error = durable) {
      ends.shift()?.(outcome);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("the first goes at once; what comes meanwhile goes together, in order", async () => {
  const journal = slowJournal();
  const gathered = createGatheredFrames(journal);
  const outcomes = ["a", "b", "c"].map((text) => gathered.append(`id-${text}`, header(), record(text)));
  expect(journal.texts()).toEqual(["a"]);
  await journal.end();
  expect(journal.texts()).toEqual(["a", "b c"]);
  outcomes.push(gathered.append("id-d", header(), record("d")));
  await journal.end();
  await journal.end();
  expect(await Promise.all(outcomes)).toEqual([durable, durable, durable, durable]);
  expect(journal.frames.map(({ id }) => id)).toEqual(["id-a", "id-b", "id-d"]);
  void gathered.append("id-e", header(), record("e"));
  expect(journal.texts()).toEqual(["a", "b c", "d", "e"]);
});

test("callers do not wait for each other", async () => {
  const journal = slowJournal();
  const gathered = createGatheredFrames(journal);
  for (const principal of ["mary", "bob"])
    void gathered.append(principal, header({ principal }), record(principal));
  expect(journal.texts()).toEqual(["mary", "bob"]);
});

test("a frame has one version of the configuration and a bounded size; what does not fit follows it", async () => {
  const journal = slowJournal();
  const gathered = createGatheredFrames(journal);
  const add = (text: string, configurationVersion = 1) =>
    void gathered.append(text.slice(0, 8), header({ configurationVersion }), record(text));
  add("first");
  add("old");
  add("new", 2);
  expect(journal.texts()).toEqual(["first", "old"]);
  add("x".repeat(256 * 1024), 2);
  expect(journal.texts().slice(2)).toEqual(["new"]);
  for (let index = 0; index < 300; index++) add(String(index), 2);
  const sizes = () => journal.frames.slice(3).map(({ records }) => records.length);
  expect(sizes()).toEqual([1, 256]);
  while (sizes().length < 3) await journal.end();
  expect(sizes()).toEqual([1, 256, 44]);
});

test("a flush appends what waits, before whatever is appended next", async () => {
  const journal = slowJournal();
  const gathered = createGatheredFrames(journal);
  for (const text of ["a", "b", "c"]) void gathered.append(text, header(), record(text));
  gathered.flush();
  expect(journal.texts()).toEqual(["a", "b c"]);
  gathered.flush();
  void gathered.append("d", header(), record("d"));
  await journal.end();
  expect(journal.texts()).toEqual(["a", "b c", "d"]);
});

test("all records of a frame hear of its failure, and those behind it still go", async () => {
  const journal = slowJournal();
  const gathered = createGatheredFrames(journal);
  const refused: AppendOutcome = { kind: "refused", reason: "full" };
  const outcomes = ["a", "b", "c"].map((text) =>
    gathered.append(text, header(), record(text)).catch((error: unknown) => String(error)),
  );
  await journal.end(new Error("the disk burns"));
  await journal.end(refused);
  expect(await Promise.all(outcomes)).toEqual(["Error: the disk burns", refused, refused]);
  void gathered.append("d", header(), record("d"));
  expect(journal.texts()).toEqual(["a", "b c", "d"]);
});
