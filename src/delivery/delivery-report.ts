// What `cairn status` tells of one destination: what was delivered, what waits, why and since when. Must not: change
// anything.
import type { DeliveryPlace } from "../bucket/place.ts";
import type { Clock } from "../model/environment.ts";
import type { Region } from "../model/regions.ts";
import type { ChainReport } from "./digests.ts";
import type { GivenUp, GivenUpCount } from "./given-up.ts";
import type { LaneFailure } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import type { NotificationReport } from "./notices.ts";
import type { TargetKind } from "./plan.ts";
import type { Channel, ChannelStatus, StatusBook } from "./status-book.ts";
import type { Writer } from "./writer.ts";

export interface WaitingReport {
  readonly files: number;
  readonly records: number;
  /** As composed where that is known, else 0. */
  readonly bytes: number;
  readonly oldestMs?: number;
}

export interface FailureReport extends Omit<LaneFailure, "code"> {
  /** The code of the other side, or `Unknown` when there was no usable answer. */
  readonly code: string;
  readonly nextTryMs?: number;
}

/** One way out of a destination. Times in milliseconds since the epoch. */
export interface ChannelReport {
  readonly kind: Channel;
  /** `s3://bucket/prefix`, or the ARN of the topic or log group. */
  readonly target: string;
  readonly delivered?: { readonly latestMs: number };
  readonly failing?: FailureReport;
  readonly waiting: WaitingReport;
  readonly givenUp: GivenUpCount;
  readonly note?: string;
  readonly regions?: readonly {
    readonly region: Region;
    readonly latestMs?: number;
    readonly latestError?: string;
  }[];
}

export const nothingWaits: WaitingReport = { files: 0, records: 0, bytes: 0 };
export const nothingGivenUp: GivenUpCount = { files: 0, records: 0 };

interface ReportParts {
  readonly ledger: Ledger;
  readonly writer: Writer;
  readonly statuses: StatusBook;
  readonly givenUp: GivenUp;
}

/** What the plans of one kind of target say. */
export function planReport(
  parts: ReportParts,
  incarnation: string,
  of: { readonly kind: TargetKind; readonly target: string; readonly note?: string },
): ChannelReport {
  const failure = parts.writer.failure(incarnation, of.kind);
  return {
    ...of,
    ...successOf(parts.statuses, incarnation, of.kind),
    ...(failure && { failing: failureReport(failure) }),
    waiting: waitingOf(parts.ledger, incarnation, of.kind),
    givenUp: parts.givenUp.of(incarnation, of.kind),
  };
}

/** What the notifier says of a trail's topic. */
export function noticeReport(
  { waiting, givenUp, ...report }: NotificationReport,
  of: { readonly statuses: StatusBook; readonly incarnation: string; readonly target: string },
): ChannelReport {
  return {
    ...{ kind: "notification", target: of.target },
    ...report,
    ...successOf(of.statuses, of.incarnation, "notification"),
    waiting: { ...nothingWaits, ...waiting },
    givenUp: { ...nothingGivenUp, ...givenUp },
  };
}

/** What a trail's digest chains say: each that waits counts as one file. */
export function digestReport(
  chains: readonly ChainReport[],
  of: { readonly statuses: StatusBook; readonly incarnation: string; readonly target: string },
): ChannelReport {
  const waiting = chains.filter(({ phase }) => phase === "waiting");
  const sinceMs = Math.min(...waiting.map(({ waitingSinceMs = Infinity }) => waitingSinceMs));
  const failing = chains.find(({ failure }) => failure !== undefined)?.failure;
  return {
    ...{ kind: "digest", target: of.target },
    ...successOf(of.statuses, of.incarnation, "digest"),
    ...(failing && { failing }),
    waiting: {
      ...{ ...nothingWaits, files: waiting.length },
      ...(sinceMs !== Infinity && { oldestMs: sinceMs }),
    },
    givenUp: nothingGivenUp,
  };
}

/** The last success of a channel, and what it says per Region when there is more than one. */
export function successOf(
  statuses: StatusBook,
  incarnation: string,
  channel: Channel,
): Pick<ChannelReport, "delivered" | "regions"> {
  const latestMs = statuses.latestMs(incarnation, channel);
  const regions = statuses.regions(incarnation, channel);
  return {
    ...(latestMs !== undefined && { delivered: { latestMs } }),
    ...(regions.length > 1 && { regions: regions.map(([region, status]) => regionReport(region, status)) }),
  };
}

/** A failure with a code, whoever gave none. */
export function failureReport(failure: LaneFailure & { readonly nextTryMs?: number }): FailureReport {
  return { ...failure, code: failure.code ?? "Unknown" };
}

/** The wall-clock time of a coming monotonic one; one that is over is now. */
export function comingMs(monotonicMs: number, clock: Clock): number {
  return clock.nowMs() + Math.max(0, monotonicMs - clock.monotonicMs());
}

/** `s3://bucket[/prefix]`. */
export function bucketText({ bucket, keyPrefix }: DeliveryPlace): string {
  return keyPrefix === undefined || keyPrefix === "" ? `s3://${bucket}` : `s3://${bucket}/${keyPrefix}`;
}

function regionReport(region: Region, { latestMs, latestError }: ChannelStatus) {
  return {
    region,
    ...(latestMs !== undefined && { latestMs }),
    ...(latestError !== undefined && { latestError }),
  };
}

function waitingOf(ledger: Ledger, incarnation: string, kind: TargetKind): WaitingReport {
  let [files, records, bytes] = [0, 0, 0];
  let oldestMs = Infinity;
  for (const { plan } of ledger.entriesOf(incarnation)) {
    if (plan.target.kind !== kind) continue;
    files += 1;
    records += plan.recordCount;
    if (plan.backing.kind === "outbox") bytes += plan.backing.sizeBytes;
    oldestMs = Math.min(oldestMs, plan.createdMs);
  }
  return { files, records, bytes, ...(oldestMs !== Infinity && { oldestMs }) };
}
