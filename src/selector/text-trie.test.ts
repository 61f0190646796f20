// The trie against a look at every text.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TextTrie } from "./text-trie.ts";

const anyText = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 }),
  fc.string({
    unit: fc.integer({ min: 97, max: 112 }).map((code) => String.fromCharCode(code)),
    maxLength: 3,
  }),
  fc.constantFrom("😀", "\ud83d", "\ude00", "a😀", "\0"),
);

describe.each(["start", "end"] as const)("a trie of texts read from the %s", (from) => {
  test("finds the longest and all that a text begins with, and the text itself", () => {
    const isPart = (text: string, part: string) =>
      from === "start" ? text.startsWith(part) : text.endsWith(part);
    fc.assert(
      fc.property(
        fc.array(anyText, { maxLength: 30 }),
        fc.array(anyText, { maxLength: 30 }),
        fc.array(anyText, { maxLength: 20 }),
        (beginnings, wholes, texts) => {
          const trie = new TextTrie<string>(from);
          const entries = [
            ...beginnings.map((text) => ({ text, item: text, isWhole: false })),
            ...wholes.map((text) => ({ text, item: `=${text}`, isWhole: true })),
          ];
          // What is asked in between unfolds parts of the trie before the rest is added.
          for (const [number, entry] of entries.entries()) {
            trie.add(entry);
            trie.longest(texts[number] ?? "");
          }
          const ids = new Map<number, string>();
          for (const text of [...texts, ...beginnings, ...wholes]) {
            const found = [...new Set(beginnings)]
              .filter((part) => isPart(text, part))
              .sort((a, b) => a.length - b.length)
              .map((part) => beginnings.filter((other) => other === part));
            const alone = wholes.filter((other) => other === text).map((other) => `=${other}`);
            const all = alone.length > 0 ? [...found, alone] : found;
            expect(trie.all(text).map(({ items }) => items)).toEqual(all);
            expect(trie.longest(text)).toBe(trie.all(text).at(-1));
            for (const { id, items } of trie.all(text)) {
              expect(id).toBeGreaterThan(0);
              expect(ids.get(id) ?? items[0]).toBe(items[0]);
              ids.set(id, items[0] ?? "");
            }
          }
        },
      ),
      { seed: 20_261_121, numRuns: 400 },
    );
  }, 60_000);
});
