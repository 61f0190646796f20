// The log group sink against a log group in memory that refuses what the Logs API refuses: batches to the byte, what is
// sent again after a failure and what is not, missing streams, oversized records.
import { describe, expect, test } from "vitest";
import type { LogEvent, LogGroup, LogGroups, ServiceOutcome } from "../aws/contract.ts";
import { LogGroupSink } from "./log-group-sink.ts";
import { fileOf, noSignal, planFor, sinkWorld } from "./sink.test-world.ts";

const arn = "arn:aws:logs:us-east-1:123456789012:log-group:trail:*";
const roleArn = "arn:aws:iam::123456789012:role/logs";
const target = { kind: "log-group", arn, roleArn, stream: "123456789012_CloudTrail_eu-west-1" } as const;
const plan = planFor(target);

/** How the service meets one PutLogEvents. `lose`: it stores, and the answer is lost. */
type Fate = "store" | "lose" | "hang" | "throw" | { readonly refuse: string };
const refusal = (code: string): ServiceOutcome => ({ kind: "refused", code, message: "no" });

/** Streams in memory. Refuses batches that the Logs API would refuse. */
class TestLogGroups implements LogGroups {
  readonly streams = new Map<string, LogEvent[][]>();
  readonly made: string[] = [];
  /** Of the next puts, in order; then everything is stored. */
  fates: Fate[] = [];
  makes: ServiceOutcome = { kind: "done" };
  puts = 0;
  readonly signals: (AbortSignal | undefined)[] = [];

  async createStream(group: LogGroup, stream: string): Promise<ServiceOutcome> {
    if (this.makes.kind !== "done") return this.makes;
    this.made.push(`${group.arn} ${group.roleArn} ${stream}`);
    this.streams.set(`${group.arn} ${stream}`, []);
    return { kind: "done" };
  }

  async putEvents(
    request: { readonly group: LogGroup; readonly stream: string; readonly events: readonly LogEvent[] },
    signal?: AbortSignal,
  ): Promise<ServiceOutcome> {
    this.puts += 1;
    this.signals.push(signal);
    const stored = this.streams.get(`${request.group.arn} ${request.stream}`);
    if (!stored) return refusal("ResourceNotFoundException");
    const { events } = request;
    const sizes = events.map(({ message }) => Buffer.byteLength(message) + 26);
    const isOrdered = events.every(
      ({ timestampMs }, at) =>
        timestampMs >= (events[at - 1]?.timestampMs ?? 0) && Number.isInteger(timestampMs),
    );
    const isWithin =
      events.length >= 1 &&
      events.length <= 10_000 &&
      sizes.reduce((sum, size) => sum + size, 0) <= 1_048_576 &&
      sizes.every((size) => size <= 262_144);
    if (!isOrdered || !isWithin) return refusal("InvalidParameterException");
    const fate = this.fates.shift() ?? "store";
    if (typeof fate === "object") return refusal(fate.refuse);
    if (fate === "throw") throw new Error("the client broke");
    if (fate === "hang") return new Promise<never>(() => undefined);
    stored.push([...events]);
    return fate === "lose" ? { kind: "unknown", message: "lost" } : { kind: "done" };
  }

  get messages(): string[] {
    return [...this.streams.values()].flat(2).map(({ message }) => message);
  }

  get batchLengths(): number[] {
    return [...this.streams.values()].flat().map((batch) => batch.length);
  }
}

function makeWorld({ hasStream = true } = {}) {
  const world = sinkWorld();
  const groups = new TestLogGroups();
  if (hasStream) groups.streams.set(`${arn} ${target.stream}`, []);
  return { ...world, groups, sink: new LogGroupSink({ ...world, logGroups: groups }) };
}

const text = (id: number, padding = 0) => JSON.stringify({ id, pad: "x".repeat(padding) });
const many = (count: number, padding = 0) => Array.from({ length: count }, (_, id) => text(id, padding));
/** A record of exactly so many bytes, the umlaut counted as two. */
const sized = (bytes: number) => JSON.stringify({ pad: `ü${"x".repeat(bytes - 12)}` });

describe("the log group sink", () => {
  test("sends every record as it stands in the file, at the time of delivery", async () => {
    const { sink, groups, clock, metrics } = makeWorld();
    const records = ['{"a":1.0,"b":"\\u00e9é"}', '{"c":12345678901234567890}'];
    expect(await sink.send(plan, fileOf(records), noSignal)).toEqual({ kind: "stored" });
    expect(groups.messages).toEqual(records);
    const [batch] = [...groups.streams.values()].flat();
    expect(batch?.map(({ timestampMs }) => timestampMs)).toEqual([clock.nowMs(), clock.nowMs()]);
    expect(metrics.totals.get("log_group_records_sent_total")).toBe(2);
  });

  test.each([
    ["10,000 events", many(10_000), [10_000]],
    ["10,001 events", many(10_001), [10_000, 1]],
    // Four events of 262,144 bytes, overhead included, are a batch to the byte.
    ["1,048,576 bytes", Array.from({ length: 4 }, () => sized(262_118)), [4]],
    [
      "1,048,577 bytes",
      [...Array.from({ length: 3 }, () => sized(262_118)), sized(200_000), sized(62_093)],
      [4, 1],
    ],
  ])("puts %s into batches of the right length", async (_what, records, lengths) => {
    const { sink, groups } = makeWorld();
    expect(await sink.send(plan, fileOf(records), noSignal)).toEqual({ kind: "stored" });
    expect(groups.batchLengths).toEqual(lengths);
    expect(groups.messages).toEqual(records);
  });

  test("leaves out records above 256 KB, counts them and tells it once for a plan", async () => {
    const { sink, groups, metrics, log } = makeWorld();
    groups.fates = [{ refuse: "ThrottlingException" }];
    const records = [sized(262_118), sized(262_119), text(1), sized(900_000)];
    expect(await sink.send(plan, fileOf(records), noSignal)).toMatchObject({ code: "ThrottlingException" });
    expect(await sink.send(plan, fileOf(records), noSignal)).toEqual({ kind: "stored" });
    expect(await sink.send(plan, fileOf(records), noSignal)).toEqual({ kind: "stored" });
    expect(groups.messages).toEqual([records[0], records[2]]);
    expect(metrics.totals.get("log_group_records_skipped_total")).toBe(2);
    expect(log.of("warn").map(({ fields }) => fields["records"])).toEqual([2]);
  });

  test("a plan of oversized records alone is through without a call", async () => {
    const { sink, groups } = makeWorld();
    expect(await sink.send(plan, fileOf([sized(300_000)]), noSignal)).toEqual({ kind: "stored" });
    expect(groups.puts).toBe(0);
  });

  const fiveBatches = many(5 * 4, 250_000);

  test("goes on behind the last confirmed batch", async () => {
    const { sink, groups } = makeWorld();
    groups.fates = ["store", "store", { refuse: "ServiceUnavailableException" }];
    expect(await sink.send(plan, fileOf(fiveBatches), noSignal)).toEqual({
      ...{ kind: "refused", code: "ServiceUnavailableException", message: "no" },
    });
    expect(await sink.send(plan, fileOf(fiveBatches), noSignal)).toEqual({ kind: "stored" });
    expect(groups.messages).toEqual(fiveBatches);
    expect(groups.puts).toBe(6);
  });

  test("sends a batch again whose answer was lost, and none besides", async () => {
    const { sink, groups } = makeWorld();
    groups.fates = ["store", "lose"];
    expect(await sink.send(plan, fileOf(fiveBatches), noSignal)).toMatchObject({ kind: "unknown" });
    expect(await sink.send(plan, fileOf(fiveBatches), noSignal)).toEqual({ kind: "stored" });
    expect(groups.messages).toEqual([...fiveBatches.slice(0, 8), ...fiveBatches.slice(4)]);
  });

  test("what the service says it already has is sent", async () => {
    const { sink, groups } = makeWorld();
    groups.fates = [{ refuse: "DataAlreadyAcceptedException" }];
    expect(await sink.send(plan, fileOf(fiveBatches), noSignal)).toEqual({ kind: "stored" });
    expect(groups.messages).toEqual(fiveBatches.slice(4));
  });

  test("begins anew at another log group, and when it forgot the plan", async () => {
    const { sink, groups } = makeWorld();
    groups.fates = ["store", { refuse: "AccessDeniedException" }];
    await sink.send(plan, fileOf(fiveBatches), noSignal);
    const elsewhere = { ...target, arn: arn.replace("trail", "other") };
    groups.streams.set(`${elsewhere.arn} ${target.stream}`, []);
    expect(await sink.send(planFor(elsewhere), fileOf(fiveBatches), noSignal)).toEqual({ kind: "stored" });
    expect(groups.messages.slice(4)).toEqual(fiveBatches);
    sink.forget(plan.id);
    await sink.send(planFor(elsewhere), fileOf(fiveBatches), noSignal);
    expect(groups.messages.slice(24)).toEqual(fiveBatches);
  });

  test("plans do not share their progress", async () => {
    const { sink, groups } = makeWorld();
    groups.fates = ["store", { refuse: "ThrottlingException" }];
    await sink.send(plan, fileOf(fiveBatches), noSignal);
    const other = many(3, 10);
    expect(await sink.send(planFor(target, "0-7-4"), fileOf(other), noSignal)).toEqual({ kind: "stored" });
    expect(groups.messages.slice(4)).toEqual(other);
  });

  test("makes a stream that is missing, once", async () => {
    const { sink, groups } = makeWorld({ hasStream: false });
    expect(await sink.send(plan, fileOf(fiveBatches), noSignal)).toEqual({ kind: "stored" });
    expect(groups.made).toEqual([`${arn} ${roleArn} ${target.stream}`]);
    expect(groups.messages).toEqual(fiveBatches);
  });

  test.each([
    ["the group is missing", refusal("ResourceNotFoundException")],
    ["the role may not make it", refusal("AccessDeniedException")],
    ["nobody answers", { kind: "unknown", message: "lost" } as const],
  ])("says so when the stream cannot be made: %s", async (_why, makes) => {
    const { sink, groups } = makeWorld({ hasStream: false });
    groups.makes = makes;
    expect(await sink.send(plan, fileOf(fiveBatches), noSignal)).toEqual(makes);
    expect(groups.puts).toBe(1);
  });

  test("a call that hangs ends with its time; a plan longer than that does not", async () => {
    const { sink, groups, clock, callMsMax } = makeWorld();
    groups.fates = ["store", "hang"];
    const sending = sink.send(plan, fileOf(fiveBatches), noSignal);
    await clock.until("the second batch hangs", () => groups.puts === 2);
    await clock.advance(callMsMax);
    expect(await sending).toEqual({ kind: "unknown", message: `No answer within ${callMsMax} ms.` });
    expect(groups.signals[1]?.aborted).toBe(true);
    expect(await sink.send(plan, fileOf(fiveBatches), noSignal)).toEqual({ kind: "stored" });
    expect(groups.messages).toEqual(fiveBatches);
  });

  test("is given up from outside at once", async () => {
    const { sink, groups, clock } = makeWorld();
    groups.fates = ["hang"];
    const closing = new AbortController();
    const sending = sink.send(plan, fileOf(fiveBatches), closing.signal);
    await clock.until("the batch hangs", () => groups.puts === 1);
    closing.abort();
    expect(await sending).toMatchObject({ kind: "unknown" });
    expect(await sink.send(plan, fileOf(fiveBatches), closing.signal)).toMatchObject({ kind: "unknown" });
    expect(groups.puts).toBe(1);
  });

  test("a client that throws gave no answer", async () => {
    const { sink, groups } = makeWorld();
    groups.fates = ["throw"];
    expect(await sink.send(plan, fileOf(["{}"]), noSignal)).toEqual({
      ...{ kind: "unknown", message: "the client broke" },
    });
  });

  test.each([
    ["are no gzip", Buffer.from("{}")],
    ["are cut off", fileOf(many(100)).subarray(0, 60)],
    ["are longer than the plan says", fileOf([sized(2_000_000)])],
  ])("bytes that %s are no outcome that could be taken for delivery", async (_what, body) => {
    const { sink } = makeWorld();
    const short = { ...plan, jsonBytes: 1_000_000 };
    expect(await sink.send(short, body, noSignal)).toMatchObject({ kind: "unknown" });
  });

  test("without an endpoint every plan is refused", async () => {
    const sink = new LogGroupSink({ ...sinkWorld(), logGroups: undefined });
    expect(await sink.send(plan, fileOf(["{}"]), noSignal)).toMatchObject({ code: "NotConfigured" });
  });
});
