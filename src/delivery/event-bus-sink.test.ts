// The event bus sink against a bus in memory that refuses what PutEvents refuses: batches to the byte, entries that fail
// alone, what is sent again and what is left out.
import { describe, expect, test } from "vitest";
import type { BusEvent, EventBuses } from "../aws/contract.ts";
import type { Region } from "../model/regions.ts";
import { EventBusSink } from "./event-bus-sink.ts";
import { fileOf, noSignal, planFor, sinkWorld } from "./sink.test-world.ts";

const plan = planFor({ kind: "event-bus" });

type Answer = Awaited<ReturnType<EventBuses["putEvents"]>>;
/** How the bus meets one PutEvents. `lose`: it takes them, and the answer is lost. */
type Fate = "take" | "lose" | "hang" | "throw" | "short" | { readonly refuse: string };

/** What PutEvents counts for an entry with a time and without resources. */
function sizeOf({ source, detailType, detail, resources }: BusEvent): number {
  const bytes = [source, detailType, detail, ...resources].map((text) => Buffer.byteLength(text));
  return bytes.reduce((sum, own) => sum + own, 14);
}

/** A bus in memory. Refuses requests that PutEvents would refuse. */
class TestBus implements EventBuses {
  readonly taken: BusEvent[] = [];
  readonly requests: number[] = [];
  readonly regions = new Set<string>();
  /** Of the next requests, in order; then everything is taken. */
  fates: Fate[] = [];
  /** Code and message for an entry, asked for each that is sent. */
  faultOf: (id: number) => readonly [code: string, message: string] | undefined = () => undefined;

  async putEvents(region: Region, events: readonly BusEvent[]): Promise<Answer> {
    this.regions.add(region);
    this.requests.push(events.length);
    const isWithin = events.reduce((sum, event) => sum + sizeOf(event), 0) <= 262_144;
    if (events.length < 1 || events.length > 10 || !isWithin) return refused("ValidationException");
    const fate = this.fates.shift() ?? "take";
    if (typeof fate === "object") return refused(fate.refuse);
    if (fate === "throw") throw new Error("the client broke");
    if (fate === "hang") return new Promise<never>(() => undefined);
    const entries = events.map((event) => {
      const fault = this.faultOf(idOf(event));
      if (!fault) this.taken.push(event);
      const [code, message] = fault ?? [];
      return code === undefined
        ? ({ isTaken: true } as const)
        : ({ isTaken: false, code, message: message ?? "" } as const);
    });
    if (fate === "lose") return { kind: "unknown", message: "lost" };
    return { kind: "done", entries: fate === "short" ? entries.slice(1) : entries };
  }

  get ids(): number[] {
    return this.taken.map(idOf);
  }
}

const refused = (code: string): Answer => ({ kind: "refused", code, message: "no" });
const idOf = ({ detail }: BusEvent): number => (JSON.parse(detail) as { id: number }).id;

function makeWorld() {
  const world = sinkWorld();
  const bus = new TestBus();
  return { ...world, bus, sink: new EventBusSink({ ...world, buses: bus }) };
}

function recordOf(id: number, changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    ...{ id, eventVersion: "1.11", eventTime: "2026-01-10T09:18:41Z", eventSource: "iam.amazonaws.com" },
    ...{ eventName: "CreateUser", awsRegion: "eu-west-1", eventType: "AwsApiCall", userIdentity: null },
    ...changes,
  });
}
/** A record whose entry is exactly so large. */
function sized(id: number, bytes: number): string {
  const around = 14 + "aws.iam".length + "AWS API Call via CloudTrail".length;
  const empty = recordOf(id, { pad: "" });
  return recordOf(id, { pad: "x".repeat(bytes - around - empty.length) });
}
const many = (count: number) => Array.from({ length: count }, (_, id) => recordOf(id));
const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);

describe("the event bus sink", () => {
  test("sends every record in the Region of its plan, ten at a time", async () => {
    const { sink, bus, metrics } = makeWorld();
    expect(await sink.send(plan, fileOf(many(25)), noSignal)).toEqual({ kind: "stored" });
    expect(bus.ids).toEqual(upTo(25));
    expect(bus.requests).toEqual([10, 10, 5]);
    expect([...bus.regions]).toEqual(["eu-west-1"]);
    expect(bus.taken[0]).toEqual({
      ...{ source: "aws.iam", detailType: "AWS API Call via CloudTrail", resources: [] },
      ...{ detail: recordOf(0), timeMs: Date.UTC(2026, 0, 10, 9, 18, 41) },
    });
    expect(metrics.totals.get("event_bus_records_sent_total")).toBe(25);
  });

  test.each([
    ["262,144 bytes", [sized(0, 131_072), sized(1, 131_072)], [2]],
    ["262,145 bytes", [sized(0, 131_072), sized(1, 131_073)], [1, 1]],
    ["one entry of 262,144 bytes", [sized(0, 262_144), sized(1, 1_000)], [1, 1]],
  ])("puts %s into requests of the right length", async (_what, records, lengths) => {
    const { sink, bus } = makeWorld();
    expect(await sink.send(plan, fileOf(records), noSignal)).toEqual({ kind: "stored" });
    expect(bus.requests).toEqual(lengths);
    expect(bus.ids).toEqual(upTo(2));
  });

  test("leaves out what the bus does not carry, counts it by reason and tells it once", async () => {
    const { sink, bus, metrics, log } = makeWorld();
    const records = [
      sized(0, 262_145),
      recordOf(1),
      recordOf(2, { eventType: "AwsAggregatedEvent" }),
      recordOf(3, { eventType: "AwsAggregatedEvent" }),
    ];
    bus.fates = ["lose"];
    await sink.send(plan, fileOf(records), noSignal);
    expect(await sink.send(plan, fileOf(records), noSignal)).toEqual({ kind: "stored" });
    expect(await sink.send(plan, fileOf(records), noSignal)).toEqual({ kind: "stored" });
    expect(bus.ids).toEqual([1, 1]);
    expect(metrics.totals.get("event_bus_records_skipped_total too-large")).toBe(1);
    expect(metrics.totals.get("event_bus_records_skipped_total event-type")).toBe(2);
    expect(log.of("warn").map(({ fields }) => fields["records"])).toEqual([
      { "too-large": 1, "event-type": 2 },
    ]);
  });

  test.each(["ThrottlingException", "InternalFailure", "SomethingNew"])(
    "sends entries that failed with %s again, alone",
    async (code) => {
      const { sink, bus } = makeWorld();
      bus.faultOf = (id) => ([12, 17].includes(id) ? [code, "later"] : undefined);
      expect(await sink.send(plan, fileOf(many(25)), noSignal)).toEqual({
        kind: "refused",
        code,
        message: "later",
      });
      expect(bus.requests).toEqual([10, 10]);
      bus.faultOf = (id) => (id === 17 ? [code, "later"] : undefined);
      expect(await sink.send(plan, fileOf(many(25)), noSignal)).toMatchObject({ kind: "refused" });
      bus.faultOf = () => undefined;
      expect(await sink.send(plan, fileOf(many(25)), noSignal)).toEqual({ kind: "stored" });
      expect(bus.requests).toEqual([10, 10, 2, 1, 5]);
      expect(bus.ids.toSorted((a, b) => a - b)).toEqual(upTo(25));
    },
  );

  test.each(["MalformedDetail", "InvalidArgument"])(
    "leaves out entries that failed with %s",
    async (code) => {
      const { sink, bus, metrics } = makeWorld();
      bus.faultOf = (id) => {
        if (id === 3) return [code, "Detail is malformed."];
        return id === 4 && bus.requests.length === 1 ? ["ThrottlingException", "later"] : undefined;
      };
      expect(await sink.send(plan, fileOf(many(12)), noSignal)).toMatchObject({
        code: "ThrottlingException",
      });
      expect(await sink.send(plan, fileOf(many(12)), noSignal)).toEqual({ kind: "stored" });
      expect(bus.requests).toEqual([10, 1, 2]);
      expect(bus.ids.toSorted((a, b) => a - b)).toEqual(upTo(12).filter((id) => id !== 3));
      expect(metrics.totals.get("event_bus_records_skipped_total refused")).toBe(1);
    },
  );

  test.each([
    ["NotAuthorizedForSourceException", "Not authorized for the source."],
    ["AccessDeniedException", "no"],
    ["InvalidArgument", "Parameter EventBusName is not valid."],
  ])("keeps a plan whose entries are refused with %s", async (code, message) => {
    const { sink, bus } = makeWorld();
    bus.faultOf = () => [code, message];
    expect(await sink.send(plan, fileOf(many(25)), noSignal)).toEqual({ kind: "refused", code, message });
    expect(bus.requests).toEqual([10]);
    bus.faultOf = () => undefined;
    expect(await sink.send(plan, fileOf(many(25)), noSignal)).toEqual({ kind: "stored" });
    expect(bus.ids).toEqual(upTo(25));
  });

  test("goes on behind the last settled batch after a refused request", async () => {
    const { sink, bus } = makeWorld();
    bus.fates = ["take", { refuse: "ThrottlingException" }];
    expect(await sink.send(plan, fileOf(many(25)), noSignal)).toEqual(refused("ThrottlingException"));
    expect(await sink.send(plan, fileOf(many(25)), noSignal)).toEqual({ kind: "stored" });
    expect(bus.ids).toEqual(upTo(25));
    expect(bus.requests).toEqual([10, 10, 10, 5]);
  });

  test.each(["lose", "short"] as const)(
    "sends a batch again whose answer did not help (%s)",
    async (fate) => {
      const { sink, bus } = makeWorld();
      bus.fates = ["take", fate];
      expect(await sink.send(plan, fileOf(many(25)), noSignal)).toMatchObject({ kind: "unknown" });
      expect(await sink.send(plan, fileOf(many(25)), noSignal)).toEqual({ kind: "stored" });
      expect(bus.ids).toEqual([...upTo(20), ...upTo(25).slice(10)]);
    },
  );

  test("begins anew when it forgot the plan; plans do not share their progress", async () => {
    const { sink, bus } = makeWorld();
    bus.fates = ["take", { refuse: "ThrottlingException" }];
    await sink.send(plan, fileOf(many(12)), noSignal);
    expect(await sink.send(planFor({ kind: "event-bus" }, "0-7-4"), fileOf(many(2)), noSignal)).toEqual({
      kind: "stored",
    });
    expect(bus.ids).toEqual([...upTo(10), 0, 1]);
    sink.forget(plan.id);
    await sink.send(plan, fileOf(many(12)), noSignal);
    expect(bus.ids.slice(12)).toEqual(upTo(12));
  });

  test("a call that hangs ends with its time, one that throws gave no answer", async () => {
    const { sink, bus, clock, callMsMax } = makeWorld();
    bus.fates = ["hang", "throw"];
    const sending = sink.send(plan, fileOf(many(2)), noSignal);
    await clock.until("the batch hangs", () => bus.requests.length === 1);
    await clock.advance(callMsMax);
    expect(await sending).toEqual({ kind: "unknown", message: `No answer within ${callMsMax} ms.` });
    expect(await sink.send(plan, fileOf(many(2)), noSignal)).toEqual({
      ...{ kind: "unknown", message: "the client broke" },
    });
  });

  test("bytes that are no log file are no outcome that could be taken for delivery", async () => {
    const { sink } = makeWorld();
    expect(await sink.send(plan, Buffer.from("{}"), noSignal)).toMatchObject({ kind: "unknown" });
  });

  test("without an endpoint every plan is refused", async () => {
    const sink = new EventBusSink({ ...sinkWorld(), buses: undefined });
    expect(await sink.send(plan, fileOf(many(1)), noSignal)).toMatchObject({ code: "NotConfigured" });
  });
});
