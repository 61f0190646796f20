// The world around event history for its tests: random events, a real journal on a disk that forgets, and a second, naive
// history that parses every record and sorts them all.
import { createHistory, type History } from "../../src/history/history.ts";
import { defaultLimits, type HistoryLimits } from "../../src/history/limits.ts";
import { lookupEvents } from "../../src/history/lookup-events.ts";
import { openPageTokens } from "../../src/history/page-token.ts";
import type { HistoryPorts } from "../../src/history/ports.ts";
import { hasAttribute, type LookupAttribute, lookupFieldsOf } from "../../src/event/lookup-fields.ts";
import { noteWords, writeNote } from "../../src/event/record-notes.ts";
import { scanBatch } from "../../src/event/scan.ts";
import type { Disk } from "../../src/disk/contract.ts";
import type { Journal } from "../../src/journal/contract.ts";
import { openSegmentJournal } from "../../src/journal/segment-journal.ts";
import type { Call } from "../../src/model/call.ts";
import type { Input, Output } from "../../src/model/operations.ts";
import type { MatchSet } from "../../src/selector/match-set.ts";
import type { StateStore } from "../../src/state/contract.ts";
import { openMemoryState } from "../../src/state/memory-state.ts";
import { account, CountingMetrics, KeptLog, ManualClock, region, seededRandom } from "./delivery-world.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

export const accounts = ["111122223333", "444455556666"] as const;
export const regions = ["us-east-1", "eu-west-1"] as const;
export const dayMs = 86_400_000;

export const smallLimits: HistoryLimits = {
  ...defaultLimits,
  sealRows: 40,
  blockBytes: 2_000,
  sliceBytes: 3_000,
  mergeCount: 3,
  mergedShareMax: 1,
  pageCacheBytes: 200_000,
  // Pages of many events end early.
  pageBytesMax: 20_000,
};

type Draw = ReturnType<typeof seededRandom>;
type Parsed = Readonly<Record<string, unknown>>;

/** A random record: mostly management events, of few names, so that lookups find several. */
export function randomRecord(draw: Draw, nowMs: number): Parsed {
  const pick = <T>(list: readonly T[]): T => list[draw.below(list.length)] as T;
  const category = pick([
    "Management",
    "Management",
    "Management",
    "Management",
    "Data",
    "NetworkActivity",
    "Insight",
  ]);
  const lateMs = pick([0, 0, 0, 0, 1, 1, 40, 100, -1]) * draw.below(dayMs);
  const time = `${new Date(nowMs - lateMs).toISOString().slice(0, 19)}Z`;
  const place = { awsRegion: pick(regions), recipientAccountId: pick(accounts) };
  const head = { eventVersion: "1.11", eventTime: time, eventID: draw.uuid(), ...place };
  if (category === "Insight") {
    const insightDetails = {
      state: "Start",
      eventSource: pick(sources),
      eventName: pick(names),
      insightType: "ApiCallRateInsight",
    };
    return { ...head, eventType: "AwsCloudTrailInsight", insightDetails, eventCategory: "Insight" };
  }
  const arn = `arn:aws:s3:::${pick(users)}/key`;
  const members = {
    eventSource: pick(sources),
    eventName: pick(names),
    sourceIPAddress: "192.0.2.1",
    requestParameters: pick<unknown>([
      null,
      { bucketName: `b-${draw.below(5)}`, roleArn: "arn:aws:iam::1:role/r", roleSessionName: pick(users) },
      { eventCategory: "Data", nested: [{ eventCategory: "Data" }, '\\"}{'], userName: pick(users) },
      { name: pick(users), instancesSet: { items: [{ instanceId: "i-1" }, { instanceId: "i-2" }, 7] } },
    ]),
    responseElements: pick<unknown>([null, { accessKey: { accessKeyId: "AKIANEW", userName: 'é"x' } }]),
    ...(draw.below(8) > 0 && { readOnly: draw.below(2) === 0 }),
    ...(draw.below(3) === 0 && {
      resources: [{ ARN: arn, type: pick(["AWS::S3::Object", undefined]) }, { ARNPrefix: arn }],
    }),
    eventType: "AwsApiCall",
    managementEvent: category === "Management",
  };
  const tail = pick<Parsed>([{}, { tlsDetails: { tlsVersion: "TLSv1.3" } }, { note: "a } and \\ {" }]);
  const identity = { userIdentity: randomIdentity(draw) };
  const isUsual = draw.below(4) > 0;
  return isUsual
    ? { ...usualHead, ...identity, ...head, ...members, eventCategory: category, ...tail }
    : { eventCategory: category, ...head, ...members, ...identity, ...tail };
}

const usualHead: Parsed = { eventVersion: "1.11" };
const sources = [
  "iam.amazonaws.com",
  "s3.amazonaws.com",
  "sts.amazonaws.com",
  "ec2.amazonaws.com",
  "unknown.amazonaws.com",
];
const names = ["CreateUser", "AssumeRole", "RunInstances", "GetThing", "__proto__"];
const users = ["alice", "bob", "Zoë", "a\nb", "constructor"];

function randomIdentity(draw: Draw): Parsed {
  const user = users[draw.below(users.length)];
  const key = { accessKeyId: `AKIA${draw.below(6)}` };
  const kinds: readonly Parsed[] = [
    { type: "Root", principalId: "1", arn: "arn:aws:iam::1:root", ...key },
    { type: "IAMUser", principalId: "AIDA", arn: `arn:aws:iam::1:user/${user}`, ...key, userName: user },
    {
      type: "AssumedRole",
      principalId: `AROA:${user}`,
      arn: `arn:aws:sts::1:assumed-role/r/${user}`,
      ...key,
    },
    {
      type: "AssumedRole",
      arn: `arn:aws:sts::1:assumed-role/r/${user}`,
      sessionContext: { type: "x", userName: "no" },
    },
    { type: "FederatedUser", principalId: `1:${user}` },
    { type: "AWSService", invokedBy: "x.amazonaws.com", userName: "not this" },
    { type: "WebIdentityUser", userName: user, accessKeyId: "" },
    { invokedBy: "x" },
    { type: "IAMUser", userName: "HIDDEN_DUE_TO_SECURITY_REASONS", principalId: null },
  ];
  return kinds[draw.below(kinds.length)] ?? {};
}

/** An event as the naive history keeps it. */
export interface Kept {
  readonly text: string;
  readonly record: Parsed;
}

export class HistoryWorld {
  readonly draw: Draw;
  readonly clock = new ManualClock();
  readonly state: StateStore = openMemoryState({ clock: this.clock });
  readonly log = new KeptLog();
  readonly metrics = new CountingMetrics();
  /** Durable events in journal order. */
  readonly kept: Kept[] = [];
  journalDisk: SimulatedDisk;
  historyDisk: SimulatedDisk;
  journal: Journal | undefined;
  history: History | undefined;
  retentionMs = 90 * dayMs;
  journalBytesMax = 4_000_000;

  constructor(seed: number) {
    this.draw = seededRandom(seed);
    this.journalDisk = new SimulatedDisk({ seed });
    this.historyDisk = new SimulatedDisk({ seed: seed + 1_000 });
  }

  /** Opens journal and history on the disks as they are. `mortal` may wrap what history is given. */
  async open(
    limits: HistoryLimits = smallLimits,
    mortal: (ports: HistoryPorts) => HistoryPorts = (ports) => ports,
  ): Promise<History> {
    await this.openJournal();
    if (!this.journal) throw new Error("There is no journal.");
    const { journal, state, clock, log, metrics, draw } = this;
    const disk: Disk = this.historyDisk;
    const ports = mortal({ journal, state, disk, clock, random: draw, log, metrics });
    this.history = createHistory(ports, { directory: "/history", retentionMs: this.retentionMs }, limits);
    return this.history;
  }

  async openJournal(): Promise<void> {
    const { clock, metrics } = this;
    this.journal = await openSegmentJournal({
      ...{ disk: this.journalDisk, directory: "/journal", clock, log: new KeptLog(), metrics },
      ...{ bytesMax: this.journalBytesMax, ownCallReserveBytes: 0, segmentBytesMax: 20_000 },
      recentBytesMax: this.draw.below(2) === 0 ? 0 : 30_000,
    });
  }

  async append(count: number): Promise<void> {
    const made = Array.from({ length: count }, () => randomRecord(this.draw, this.clock.nowMs()));
    const texts = made.map((record) => JSON.stringify(record));
    // Some frames come with what the door noted, and some records of them without.
    const notes = this.draw.below(2) === 0 ? notesOf(texts, () => this.draw.below(4) > 0) : undefined;
    const outcome = await this.journal?.append({
      notes,
      id: this.draw.uuid(),
      header: { door: "events", principal: "p", arrivedMs: this.clock.nowMs(), configurationVersion: 1 },
      records: made.map((record, at) => ({
        bytes: Buffer.from(texts[at] ?? ""),
        matchSet: matchSetOf(record),
      })),
    });
    if (outcome?.kind !== "durable") return;
    for (const [at, record] of made.entries()) this.kept.push({ record, text: texts[at] ?? "" });
  }

  /** What LookupEvents should find among the first `count` events, in order. */
  expected(wanted: WantedEvents, count = this.kept.length): string[] {
    const nowMs = this.clock.nowMs();
    const fromMs = Math.max(wanted.startMs ?? 0, nowMs - this.retentionMs);
    const toMs = wanted.endMs ?? nowMs;
    return this.kept
      .slice(0, count)
      .map(({ record, text }, order) => ({
        record,
        text,
        order,
        ms: Date.parse(String(record["eventTime"])),
      }))
      .filter(({ record, ms }) => {
        const { attribute, value = "" } = wanted;
        return (
          record["eventCategory"] === (wanted.isInsight ? "Insight" : "Management") &&
          record["recipientAccountId"] === wanted.account &&
          record["awsRegion"] === wanted.region &&
          ms >= fromMs &&
          ms <= toMs &&
          (!attribute || hasAttribute(lookupFieldsOf(record), attribute, value))
        );
      })
      .sort((a, b) => b.ms - a.ms || b.order - a.order)
      .map(({ text }) => text);
  }

  async lookup(): Promise<(input: Input<"LookupEvents">, place: Place) => Promise<Output<"LookupEvents">>> {
    const { history, clock } = this;
    if (!history) throw new Error("There is no history.");
    const tokens = await openPageTokens(this.state, this.draw);
    const handler = lookupEvents({ history, tokens, clock, lookupsPerSecond: () => 0 });
    return (input, place) => handler(input, callOf(place));
  }
}

export interface Place {
  readonly account: string;
  readonly region: string;
}

export interface WantedEvents extends Place {
  readonly isInsight?: boolean;
  readonly attribute?: LookupAttribute;
  readonly value?: string;
  readonly startMs?: number;
  readonly endMs?: number;
}

/** Any attribute with a value that some event has, any times. */
export function randomWanted({ draw, kept, clock }: HistoryWorld): WantedEvents {
  const isInsight = draw.below(6) === 0;
  const any = kept[draw.below(Math.max(1, kept.length))]?.record ?? {};
  const fields = lookupFieldsOf(any);
  const values: readonly (readonly [LookupAttribute, string | undefined])[] = [
    ["EventId", fields.eventId],
    ["EventName", fields.eventName],
    ["EventSource", fields.eventSource],
    ["ReadOnly", fields.readOnly],
    ["Username", fields.username],
    ["AccessKeyId", fields.accessKeyId],
    ["ResourceName", fields.resources[0]?.name],
    ["ResourceType", fields.resources[0]?.type],
    ["Username", "nobody"],
  ];
  const [attribute, value] = values[draw.below(isInsight ? 3 : values.length)] ?? [];
  const nowMs = Math.floor(clock.nowMs() / 1000) * 1000;
  const edgeMs = () => nowMs - draw.below(3) * draw.below(dayMs);
  const [a, b] = [edgeMs(), edgeMs()];
  return {
    account: accounts.find((one) => one === any["recipientAccountId"]) ?? accounts[0],
    region: regions.find((one) => one === any["awsRegion"]) ?? regions[0],
    ...(isInsight && { isInsight }),
    ...(attribute && value !== undefined && draw.below(6) > 0 && { attribute, value }),
    ...(draw.below(2) === 0 && { startMs: Math.min(a, b) }),
    ...(draw.below(2) === 0 && { endMs: Math.max(a, b) }),
  };
}

export function inputOf(wanted: WantedEvents): Input<"LookupEvents"> {
  const { attribute, value, startMs, endMs, isInsight } = wanted;
  return {
    ...(attribute && { LookupAttributes: [{ AttributeKey: attribute, AttributeValue: value }] }),
    ...(startMs !== undefined && { StartTime: new Date(startMs) }),
    ...(endMs !== undefined && { EndTime: new Date(endMs) }),
    ...(isInsight && { EventCategory: "insight" }),
  };
}

function matchSetOf(record: Parsed): MatchSet {
  const place = `${String(record["recipientAccountId"])}/${String(record["awsRegion"])}`;
  let known = matchSets.get(place);
  if (!known) {
    known = {
      account: account(String(record["recipientAccountId"])),
      region: region(String(record["awsRegion"])),
      folder: "CloudTrail",
      destinations: [],
    };
    matchSets.set(place, known);
  }
  return known;
}

const matchSets = new Map<string, MatchSet>();

function callOf(place: Place): Call {
  return {
    caller: {
      accountId: account(place.account),
      kind: "user",
      arn: `arn:aws:iam::${place.account}:user/x`,
      principalId: "AIDA",
    },
    region: region(place.region),
    requestId: "r",
    sourceIp: "192.0.2.1",
    userAgent: "test",
  };
}

/** As the door makes them. */
function notesOf(texts: readonly string[], isNoted: () => boolean): Int32Array {
  const notes = new Int32Array(texts.length * noteWords);
  const scan = scanBatch(Buffer.from(texts.join("\n")));
  for (const record of scan.kind === "records" ? scan.records : []) {
    if ("problem" in record || !isNoted()) continue;
    writeNote(notes, record.index * noteWords, { fields: record.inPlace, start: record.start });
  }
  return notes;
}
