// Every bound inside delivery that is no setting: numbers and why. Pure. Settings stand in ports.ts (DeliveryOptions).
import { assert } from "../model/assert.ts";

export interface DeliveryLimits {
  /** Puts under way at once for one lane (one destination at one bucket). */
  readonly putsPerLaneMax: number;
  /** Failing lanes that probe at once: a probe of a hanging bucket holds its file until it times out. */
  readonly probesMax: number;
  /** Composed bytes one lane may hold in memory; beyond it they go to the outbox. One file always fits. */
  readonly laneBytesMax: number;
  /** The same over all lanes; and as much again for what all lanes read from the outbox at once. */
  readonly heldBytesMax: number;
  /** Uncompressed record bytes held while the files of one pass are composed. */
  readonly passBytesMax: number;
  /** What is gathered of one cut while it grows, at most. */
  readonly liveBytesMax: number;
  /** What is gathered and waits to be composed; beyond it no more is gathered, but what is then comes to it. */
  readonly liveWaitingBytesMax: number;
  /** Record bytes asked of the journal in one read. */
  readonly readBytesMax: number;
  /** Files in the outbox: every one costs about half a kilobyte of memory. */
  readonly outboxFilesMax: number;
  /** Plans whose records still lie in the journal only; beyond it nothing is cut until some are written. */
  readonly plansWaitingMax: number;
  /** Slots (destination, account, Region, folder) in one cut; beyond it the cut is closed early. */
  readonly slotsPerCutMax: number;
  /** Record bytes in frames that are cut for some corners and not for all, about, and never more than a quarter of the journal: it keeps them, and a start counts them again. */
  readonly cutBytesMax: number;
  /** State documents written at once. */
  readonly writesAtOnceMax: number;
  /** Pause between two looks at a journal that grows all the time. */
  readonly scanPauseMs: number;
  /** First and longest pause after a failure; the first is shortened to the delivery interval. */
  readonly retryFirstMs: number;
  readonly retryMsMax: number;
  /** How often undelivered files are checked for age and deleted trails for left-overs, at most. */
  readonly sweepMs: number;
  /** How long `stop` waits for what is under way. */
  readonly stopMsMax: number;
  /** A record decided just before its trail was deleted is in the journal after this time. */
  readonly appendMsMax: number;
}

const mebibyte = 1024 * 1024;

export const defaultLimits: DeliveryLimits = {
  putsPerLaneMax: 4,
  probesMax: 16,
  // Three seconds of what one destination gets at full load: what goes to the outbox costs twice as much, and a disk that is
  // late would be later still.
  laneBytesMax: 32 * mebibyte,
  heldBytesMax: 64 * mebibyte,
  passBytesMax: 128 * mebibyte,
  liveBytesMax: 64 * mebibyte,
  liveWaitingBytesMax: 128 * mebibyte,
  readBytesMax: 4 * mebibyte,
  outboxFilesMax: 500_000,
  plansWaitingMax: 20_000,
  slotsPerCutMax: 10_000,
  cutBytesMax: 512 * mebibyte,
  writesAtOnceMax: 64,
  scanPauseMs: 50,
  retryFirstMs: 5_000,
  retryMsMax: 300_000,
  sweepMs: 5_000,
  stopMsMax: 3_000,
  appendMsMax: 60_000,
};

assert(defaultLimits.laneBytesMax <= defaultLimits.heldBytesMax, "one lane fits the memory of all lanes");
assert(defaultLimits.slotsPerCutMax <= defaultLimits.plansWaitingMax, "one cut fits the plans that may wait");

/** The pause before try number `failures + 1`: doubles up to the cap, then jitter takes up to half of it away. */
export function backoffMs(
  failures: number,
  pause: { firstMs: number; msMax: number; fraction: number },
): number {
  assert(failures >= 1, "there is a pause only after a failure");
  const fullMs = Math.min(pause.msMax, pause.firstMs * 2 ** Math.min(failures - 1, 30));
  return fullMs * (1 - pause.fraction / 2);
}
