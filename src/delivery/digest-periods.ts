// When validation periods are really over: a period that ended still has files to come, until everything that was
// decided in it is delivered. Must not: know chains or digests.
//
// State key: delivery/validated/{incarnation} {sinceMs}: the period that began then, and all before it, are drained. It
// outlives restarts, so that a trail whose validation was turned off long ago begins no chain in a Region that is new.
import { z } from "zod";
import type { DeliveryPlace } from "../bucket/place.ts";
import type { DigestPorts, JournalEnds } from "./digest-ports.ts";

const keyPrefix = "delivery/validated/";
const drainedSchema = z.object({ sinceMs: z.number() });

export interface PeriodWaits {
  /** After the end was seen, nothing of the period is appended to the journal any more. */
  readonly appendMs: number;
  /** A new period waits so long, at most, for the files of the one before. */
  readonly previousMs: number;
}

/** How a chain's period stands. */
export interface PeriodEnd {
  readonly untilMs: number;
  readonly isDrained: boolean;
}

/** The last end of one destination that is known; times are monotonic. */
interface Watch {
  readonly untilMs: number;
  readonly seenMs: number;
  ends?: JournalEnds;
  isDrained: boolean;
  /** When a period was first seen that began after this end. */
  nextSeenMs?: number;
}

export class DigestPeriods {
  readonly #ports: Pick<DigestPorts, "state" | "places" | "ledger" | "clock">;
  readonly #waits: PeriodWaits;
  /** One entry per destination whose validation ended once, and per drained period. */
  readonly #watches = new Map<string, Watch>();
  readonly #drained = new Map<string, number>();

  constructor(ports: Pick<DigestPorts, "state" | "places" | "ledger" | "clock">, waits: PeriodWaits) {
    this.#ports = ports;
    this.#waits = waits;
  }

  async open(): Promise<void> {
    for (const { key, value } of await this.#ports.state.list(keyPrefix)) {
      this.#drained.set(key.slice(keyPrefix.length), drainedSchema.parse(value).sinceMs);
    }
  }

  /** Looks at every period. Throws when the store fails; the rest is done at the next look. */
  async sweep(): Promise<void> {
    for (const place of this.#ports.places.validated()) this.#look(place);
    for (const [incarnation, watch] of this.#watches) {
      const validation = this.#ports.places.place(incarnation)?.validation;
      if (!watch.isDrained || validation?.untilMs !== watch.untilMs) continue;
      if (this.#isDrained(incarnation, validation.sinceMs)) continue;
      await this.#ports.state.put(keyPrefix + incarnation, { sinceMs: validation.sinceMs }, "any");
      this.#drained.set(incarnation, validation.sinceMs);
    }
  }

  /** Whether a file that is delivered now may begin a chain. */
  isAccepting(place: DeliveryPlace | undefined): boolean {
    const validation = place?.validation;
    if (!place || !validation) return false;
    return isLasting(validation) || !this.#isDrained(place.incarnation, validation.sinceMs);
  }

  /** The end of the period that began at `sinceMs`; undefined while it lasts, or when the trail's place is unknown. */
  endOf(place: DeliveryPlace | undefined, sinceMs: number): PeriodEnd | undefined {
    const validation = place?.validation;
    if (!place || !validation) return undefined;
    const { incarnation } = place;
    const watch = this.#watches.get(incarnation);
    if (validation.sinceMs === sinceMs) {
      if (validation.untilMs === undefined) return undefined;
      return { untilMs: validation.untilMs, isDrained: this.#isDrained(incarnation, sinceMs) };
    }
    const untilMs = validation.previousUntilMs ?? validation.sinceMs;
    const { clock } = this.#ports;
    const isLate =
      clock.nowMs() >= validation.sinceMs + this.#waits.previousMs ||
      clock.monotonicMs() >= (watch?.nextSeenMs ?? Infinity) + this.#waits.previousMs;
    // A later end that is drained leaves nothing of this one.
    const isDrained = watch !== undefined && watch.isDrained && watch.untilMs >= untilMs;
    return { untilMs, isDrained: isDrained || isLate };
  }

  /** The destination is no more. Throws when the store fails. */
  async forget(incarnation: string): Promise<void> {
    await this.#ports.state.delete(keyPrefix + incarnation, "any");
    this.#watches.delete(incarnation);
    this.#drained.delete(incarnation);
  }

  #look({ incarnation, validation }: DeliveryPlace): void {
    const untilMs = validation?.untilMs ?? validation?.previousUntilMs;
    if (!validation || untilMs === undefined) return;
    const { clock, ledger } = this.#ports;
    const nowMs = clock.monotonicMs();
    const known = this.#watches.get(incarnation);
    const watch: Watch = known?.untilMs === untilMs ? known : { untilMs, seenMs: nowMs, isDrained: false };
    this.#watches.set(incarnation, watch);
    if (isLasting(validation)) watch.nextSeenMs ??= nowMs;
    if (watch.isDrained || nowMs < watch.seenMs + this.#waits.appendMs) return;
    watch.ends ??= ledger.journalEnds();
    watch.isDrained = ledger.isDrained(incarnation, watch.ends);
  }

  #isDrained(incarnation: string, sinceMs: number): boolean {
    return (this.#drained.get(incarnation) ?? -Infinity) >= sinceMs;
  }
}

function isLasting(validation: NonNullable<DeliveryPlace["validation"]>): boolean {
  return validation.untilMs === undefined;
}
