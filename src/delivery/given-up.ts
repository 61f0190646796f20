// What was given up per destination and kind of target since the process began, for `cairn status`. Memory only: the
// lasting account is the error log and the metrics.
import type { TargetKind } from "./plan.ts";

export interface GivenUpCount {
  readonly files: number;
  readonly records: number;
  /** When the last of them was, by the wall clock. */
  readonly latestMs?: number;
}

export class GivenUp {
  readonly #counts = new Map<string, GivenUpCount>();

  note(
    incarnation: string,
    kind: TargetKind,
    lost: { readonly records: number; readonly nowMs: number },
  ): void {
    const before = this.of(incarnation, kind);
    const records = before.records + lost.records;
    this.#counts.set(`${kind}/${incarnation}`, { files: before.files + 1, records, latestMs: lost.nowMs });
  }

  of(incarnation: string, kind: TargetKind): GivenUpCount {
    return this.#counts.get(`${kind}/${incarnation}`) ?? { files: 0, records: 0 };
  }

  /** The destination is no more. */
  forget(incarnation: string): void {
    for (const kind of ["bucket", "log-group", "event-bus"]) this.#counts.delete(`${kind}/${incarnation}`);
  }
}
