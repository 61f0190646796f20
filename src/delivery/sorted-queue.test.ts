// The sorted queue against a sorted array, over random steps.
import { expect, test } from "vitest";
import { seededRandom } from "../../test/sim/delivery-world.ts";
import { SortedQueue } from "./sorted-queue.ts";

interface Item {
  readonly rank: number;
  readonly n: number;
}

test.each([1, 2, 3, 4])("is what a stable sort gives, whatever is added and taken (seed %i)", (seed) => {
  const draw = seededRandom(seed);
  const queue = new SortedQueue<Item>((a, b) => a.rank - b.rank);
  let model: Item[] = [];
  let taken = 0;
  for (let n = 0; n < 6_000; n += 1) {
    const step = draw.below(100);
    // Grows first, beyond what it cuts at once, and shrinks then.
    if (step < (n < 4_000 ? 80 : 20)) {
      const item = { rank: draw.below(3) === 0 ? draw.below(n + 1) : n, n };
      queue.add(item);
      model = [...model, item].sort((a, b) => a.rank - b.rank);
    } else if (step < 99) {
      taken += queue.first ? 1 : 0;
      expect(queue.first).toBe(model[0]);
      expect(queue.takeFirst()).toBe(model.shift());
    } else {
      const isThird = (item: Item): boolean => item.n % 97 === 0;
      expect(queue.take(isThird)).toEqual(model.filter(isThird));
      model = model.filter((item) => !isThird(item));
    }
    if (queue.length !== model.length) throw new Error(`${queue.length} instead of ${model.length} at ${n}`);
  }
  expect([...queue]).toEqual(model);
  expect(taken).toBeGreaterThan(1_500);
});
