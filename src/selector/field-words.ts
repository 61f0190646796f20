// All texts that selectors compare one field with, and what these texts make of a value: its class. Two values of one
// class pass the same tests, so that whatever was decided for one of them holds for the other. Values that no
// selector mentions share one class, whatever they are: callers cannot invent classes. Pure.
import { type FieldSelector, type SelectorOperator, selectorOperators } from "./selectors.ts";
import { TextTrie } from "./text-trie.ts";

/** The operators of one field selector over its values (api.md §5.7). */
export interface TextTest {
  readonly hasWanted: boolean;
  readonly passesMissing: boolean;
  /** The inspections in which a wanted and an unwanted text were last found. */
  wantedAt: number;
  unwantedAt: number;
}

/** How a test compares with a text. */
interface Mention {
  readonly test: TextTest;
  readonly isWanted: boolean;
}

/** The class of a missing value. */
const missingClass = -1;
// A class is the id of the beginning and, this many times, the id of the end: both are whole numbers far below it.
const endFactor = 2 ** 26;
const recentMax = 4096;
/** Callers choose how long values are: longer ones would take too much to keep, and to hash. */
const recentLengthMax = 128;

export class FieldWords {
  #beginnings: TextTrie<Mention> | undefined;
  #ends: TextTrie<Mention> | undefined;
  /** Classes of values seen lately: strings keep their hash, so that these are found fastest. */
  readonly #recent: Map<string, number> | undefined;
  #inspection = 0;
  #isMissing = false;
  #found: TextTest[] = [];

  /** Whether the same few values come again and again, or mostly others each time. */
  constructor(values: "few" | "many") {
    if (values === "few") this.#recent = new Map();
  }

  /**
   * Adds the test that a field selector makes of the field; a missing value passes as its operators say, if nothing else
   * is said. Classes become finer, never other ones.
   */
  addTest(selector: FieldSelector, passesMissing?: boolean): TextTest {
    const { Equals = [], StartsWith = [], EndsWith = [] } = selector;
    const hasWanted = Equals.length + StartsWith.length + EndsWith.length > 0;
    const test = { hasWanted, passesMissing: passesMissing ?? !hasWanted, wantedAt: 0, unwantedAt: 0 };
    const mentions = { wanted: { test, isWanted: true }, unwanted: { test, isWanted: false } };
    for (const operator of selectorOperators) {
      const item = operator.startsWith("Not") ? mentions.unwanted : mentions.wanted;
      const texts = selector[operator] ?? [];
      if (texts.length === 0) continue;
      const trie = this.#trieOf(operator);
      const isWhole = operator.endsWith("Equals");
      for (const text of texts) trie.add({ text, item, isWhole });
    }
    this.#recent?.clear();
    return test;
  }

  /** The class of a value. Any two values of one class have the same outcome in every test added so far. */
  classOf(value: string | undefined): number {
    if (value === undefined) return missingClass;
    if (this.#recent === undefined || value.length > recentLengthMax) return this.#newClass(value);
    return this.#recent.get(value) ?? this.#remembered(value, this.#recent);
  }

  /** The tests that want the value inspected last, each once; unwanted texts may still make them fail. */
  get found(): readonly TextTest[] {
    return this.#found;
  }

  /** Looks at a value: until the next one, `holds` and `found` speak of it. */
  inspect(value: string | undefined): void {
    this.#inspection += 1;
    this.#isMissing = value === undefined;
    this.#found = [];
    if (value === undefined) return;
    for (const trie of [this.#beginnings, this.#ends]) {
      for (const { items } of trie?.all(value) ?? []) items.forEach((mention) => this.#note(mention));
    }
  }

  /** Whether the value inspected last passes a test of this field. */
  holds(test: TextTest): boolean {
    if (this.#isMissing) return test.passesMissing;
    if (test.hasWanted && test.wantedAt !== this.#inspection) return false;
    return test.unwantedAt !== this.#inspection;
  }

  #note({ test, isWanted }: Mention): void {
    if (!isWanted) test.unwantedAt = this.#inspection;
    else if (test.wantedAt !== this.#inspection) {
      test.wantedAt = this.#inspection;
      this.#found.push(test);
    }
  }

  #newClass(value: string): number {
    const beginning = this.#beginnings?.longest(value)?.id ?? 0;
    if (this.#ends === undefined) return beginning;
    return beginning + (this.#ends.longest(value)?.id ?? 0) * endFactor;
  }

  /** Whoever sends values that are new each time makes others be looked up again, no more. */
  #remembered(value: string, recent: Map<string, number>): number {
    const found = this.#newClass(value);
    if (recent.size >= recentMax) recent.clear();
    recent.set(value, found);
    return found;
  }

  #trieOf(operator: SelectorOperator): TextTrie<Mention> {
    if (operator.endsWith("EndsWith")) return (this.#ends ??= new TextTrie("end"));
    return (this.#beginnings ??= new TextTrie("start"));
  }
}
