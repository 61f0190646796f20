// Seeded randomness for the benches: two runs draw the same. Not for anything that must be unpredictable.

export interface Draw {
  /** In [0, 1). */
  fraction(): number;
  /** A whole number in [0, limit). */
  below(limit: number): number;
  chance(share: number): boolean;
  /** One of the list, each as likely. */
  pick<Item>(list: readonly Item[]): Item;
  /** One of the list; the first ones far more often, as users, roles and buckets are in real traffic. */
  pickSkewed<Item>(list: readonly Item[]): Item;
  hex(length: number): string;
  uuid(): string;
  /** Upper-case letters and digits, as in key ids and S3's request ids. */
  upper(length: number): string;
  base64(bytes: number): string;
  alphanumeric(length: number): string;
}

const upperDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const [hexPairs, upperPairs, letterPairs, base64Pairs] = [
  ...["0123456789abcdef", upperDigits, letters, `${letters}+/`].map(pairsOf),
] as [string[], string[], string[], string[]];

export function seededDraw(seed: number): Draw {
  const fraction = mulberry32(seed);
  const below = (limit: number) => Math.floor(fraction() * limit);
  const text = (pairs: readonly string[], length: number) => {
    let drawn = "";
    while (drawn.length < length) drawn += pairs[below(pairs.length)];
    return drawn.slice(0, length);
  };
  const hex = (length: number) => text(hexPairs, length);
  const itemAt = <Item>(list: readonly Item[], index: number): Item => {
    const item = list[index];
    if (item === undefined) throw new Error("There is nothing to pick from.");
    return item;
  };
  return {
    ...{ fraction, below, hex },
    chance: (share) => fraction() < share,
    pick: (list) => itemAt(list, below(list.length)),
    pickSkewed: (list) => itemAt(list, Math.floor(fraction() ** 5 * list.length)),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${"89ab"[below(4)]}${hex(3)}-${hex(12)}`,
    upper: (length) => text(upperPairs, length),
    alphanumeric: (length) => text(letterPairs, length),
    base64: (bytes) => {
      const digits = Math.ceil((bytes * 4) / 3);
      return text(base64Pairs, digits).padEnd(Math.ceil(bytes / 3) * 4, "=");
    },
  };
}

/** Every pair of two digits: drawing pairs halves the time. */
function pairsOf(digits: string): string[] {
  const all = digits.split("");
  return all.flatMap((first) => all.map((second) => first + second));
}

/** Takes a table of things and their shares and gives one of them by share. */
export function sharedOut<Item extends { readonly share: number }>(
  items: readonly Item[],
): (draw: Draw) => Item {
  const sums: number[] = [];
  let sum = 0;
  for (const { share } of items) sums.push((sum += share));
  return (draw) => {
    const at = draw.fraction() * sum;
    const item = items[sums.findIndex((limit) => at < limit)];
    if (item === undefined) throw new Error("There is nothing to pick from.");
    return item;
  };
}

/** The generator Mulberry32: 32 bits of state are enough for some million records. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
