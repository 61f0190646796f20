// What an index remembers of its decisions: how they end, and how much memory remembering may take. Callers choose the
// names, ARNs and accounts in their events, so nothing here may grow with them without limit. Pure.
import type { Demand, DemandedCategory } from "./demands.ts";

/** The end of a decision; one object for equal ones. */
export interface Verdict {
  readonly category: DemandedCategory;
  /** The demands that the event meets, in the order of their ids. */
  readonly met: readonly Demand[];
}

/** What the parts of a memo take, in bytes: rough, on the high side. */
export const bytesOf = { edge: 48, tested: 200, entry: 200, node: 400, reference: 8 } as const;

export class DecisionMemo {
  readonly #verdicts = new Map<string, Verdict>();
  #bytes = 0;

  /** Estimated bytes of all that was noted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Tells of something that is kept until the whole memo is dropped. */
  note(bytes: number): void {
    this.#bytes += bytes;
  }

  /** The verdict with these demands met, in the order of their ids. */
  verdict(category: DemandedCategory, met: readonly Demand[]): Verdict {
    const key = `${category} ${idsOf(met)}`;
    const known = this.#verdicts.get(key);
    if (known) return known;
    const verdict = { category, met };
    this.#verdicts.set(key, verdict);
    this.note(bytesOf.entry + 2 * bytesOf.reference * met.length);
    return verdict;
  }
}

/** A key for a list of things that are told apart by their ids. */
export function idsOf(things: readonly { readonly id: number }[]): string {
  let key = "";
  for (const { id } of things) key += `${id},`;
  return key;
}

export function sortedById<Thing extends { readonly id: number }>(things: Iterable<Thing>): Thing[] {
  return [...things].sort((a, b) => a.id - b.id);
}
