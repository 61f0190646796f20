// Things that depend on tests of one field, found by what a value passes: a look at the few tests that want the value
// instead of a look at all things. Pure.
import type { FieldWords, TextTest } from "./field-words.ts";

/** Passes when all its tests hold; one without tests always does. */
interface Tested<Thing> {
  readonly thing: Thing;
  readonly tests: readonly TextTest[];
}

export class TestedThings<Thing> {
  readonly #words: FieldWords;
  /** Those that want some text of the value, by one of the tests that do. */
  readonly #wanting = new Map<TextTest, Tested<Thing>[]>();
  /** Those that want none. */
  readonly #others: Tested<Thing>[] = [];
  /** Those that have no tests. */
  readonly #untested: Thing[] = [];

  /** `words` are those of the field of all tests. */
  constructor(words: FieldWords, things: readonly Tested<Thing>[]) {
    this.#words = words;
    for (const one of things) {
      const wanting = one.tests.find(({ hasWanted, passesMissing }) => hasWanted && !passesMissing);
      if (wanting === undefined) {
        if (one.tests.length > 0) this.#others.push(one);
        else this.#untested.push(one.thing);
        continue;
      }
      const known = this.#wanting.get(wanting);
      if (known) known.push(one);
      else this.#wanting.set(wanting, [one]);
    }
  }

  /** Those that pass with the value that the words inspected last. */
  passing(): Thing[] {
    const words = this.#words;
    const passing = [...this.#untested];
    const take = ({ thing, tests }: Tested<Thing>) => {
      if (tests.every((test) => words.holds(test))) passing.push(thing);
    };
    this.#others.forEach(take);
    for (const test of words.found) this.#wanting.get(test)?.forEach(take);
    return passing;
  }
}
