// When a digest may be tried: a lane per destination and bucket, and bounds over all of them. Pure scheduling: the time
// and the jitter are given. Must not: do I/O, know chains or places.
//
// A failure makes a lane failing: a pause, then one probe, doubling up to the cap. Any success heals it, and so does a
// change of the destination's settings, at once. Only lanes that fail or are busy are kept.
import { backoffMs } from "./limits.ts";

interface Lane {
  inFlight: number;
  failures: number;
  retryAtMs: number;
  /** The destination's settings when it failed last, in one text. */
  settings: string;
}

export interface LaneBounds {
  readonly putsMax: number;
  readonly putsPerLaneMax: number;
  readonly probesMax: number;
  readonly retryFirstMs: number;
  readonly retryMsMax: number;
}

export interface LaneUse {
  /** `{bucket}/{incarnation}` */
  readonly lane: string;
  readonly settings: string;
}

export class DigestLanes {
  readonly #bounds: LaneBounds;
  readonly #lanes = new Map<string, Lane>();
  #inFlight = 0;
  #probes = 0;

  constructor(bounds: LaneBounds) {
    this.#bounds = bounds;
  }

  get isFull(): boolean {
    return this.#inFlight >= this.#bounds.putsMax;
  }

  isFailing(lane: string): boolean {
    return (this.#lanes.get(lane)?.failures ?? 0) > 0;
  }

  /** Whether a try may begin in this lane now. */
  mayTry({ lane, settings }: LaneUse, nowMs: number): boolean {
    if (this.isFull) return false;
    const found = this.#lanes.get(lane);
    if (!found) return true;
    if (found.failures === 0) return found.inFlight < this.#bounds.putsPerLaneMax;
    const isDue = nowMs >= found.retryAtMs || settings !== found.settings;
    return isDue && found.inFlight === 0 && this.#probes < this.#bounds.probesMax;
  }

  /** A try begins; call what it returns when it has ended. */
  begin(
    use: LaneUse,
  ): (ended: "written" | "failed" | "untried", now: { nowMs: number; fraction: number }) => void {
    const lane = this.#lanes.get(use.lane) ?? {
      inFlight: 0,
      failures: 0,
      retryAtMs: 0,
      settings: use.settings,
    };
    this.#lanes.set(use.lane, lane);
    const isProbe = lane.failures > 0;
    lane.inFlight += 1;
    this.#inFlight += 1;
    if (isProbe) this.#probes += 1;
    return (ended, { nowMs, fraction }) => {
      lane.inFlight -= 1;
      this.#inFlight -= 1;
      if (isProbe) this.#probes -= 1;
      if (ended === "written") lane.failures = 0;
      // Tries that were under way when the lane began to fail say nothing new.
      else if (ended === "failed" && (isProbe || lane.failures === 0)) {
        lane.failures += 1;
        lane.settings = use.settings;
        lane.retryAtMs = nowMs + this.pauseMs(lane.failures, fraction);
      }
      if (lane.failures === 0 && lane.inFlight === 0) this.#lanes.delete(use.lane);
    };
  }

  /** The pause after so many failures one after the other. */
  pauseMs(failures: number, fraction: number): number {
    const { retryFirstMs, retryMsMax } = this.#bounds;
    return backoffMs(failures, { firstMs: retryFirstMs, msMax: retryMsMax, fraction });
  }

  /** The destination is no more. */
  forget(incarnation: string): void {
    for (const [name, { inFlight }] of this.#lanes) {
      if (inFlight === 0 && name.endsWith(`/${incarnation}`)) this.#lanes.delete(name);
    }
  }
}
