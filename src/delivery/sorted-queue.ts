// A queue that stays sorted and may be long: taking the first of half a million costs no more than of ten. Pure.
import { firstIndex } from "../model/first-index.ts";

/** Beyond so many taken items at its front, and when they are half of it, the array is cut. */
const takenMax = 1_024;

/** Where in a sorted array, from `from` on, an item belongs: after its equals. */
export function placeIn<Item>(
  items: readonly Item[],
  item: Item,
  { from = 0, compare }: { readonly from?: number; readonly compare: (a: Item, b: Item) => number },
): number {
  const isBeyond = (index: number): boolean => {
    const other = items[index];
    return other !== undefined && compare(other, item) > 0;
  };
  // Most come in order.
  const last = items.length - 1;
  return last < from || !isBeyond(last) ? items.length : firstIndex({ from, to: last }, isBeyond);
}

export class SortedQueue<Item> {
  readonly #compare: (a: Item, b: Item) => number;
  #items: Item[] = [];
  /** Where the queue begins: what stands before was taken. */
  #start = 0;

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  get length(): number {
    return this.#items.length - this.#start;
  }

  get first(): Item | undefined {
    return this.#items[this.#start];
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items.slice(this.#start).values();
  }

  takeFirst(): Item | undefined {
    const item = this.first;
    if (item !== undefined) this.#start += 1;
    if (this.#start > takenMax && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
    return item;
  }

  /** Equal items keep their order. */
  add(item: Item): void {
    this.#items.splice(placeIn(this.#items, item, { from: this.#start, compare: this.#compare }), 0, item);
  }

  /** Takes out all of which `leaves` is true, in order. */
  take(leaves: (item: Item) => boolean): Item[] {
    const taken: Item[] = [];
    const kept: Item[] = [];
    for (const item of this) (leaves(item) ? taken : kept).push(item);
    this.#items = kept;
    this.#start = 0;
    return taken;
  }
}
