// Finds the name that a mistyped setting was probably meant to be.

/** The name that `word` was probably meant to be: at most two letters away. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const ranked = names
    .filter((name) => name !== "" && Math.abs(name.length - word.length) <= 2 && word.length <= 64)
    .map((name) => ({ name, distance: distance(name.toLowerCase(), word.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  const [best] = ranked;
  return best && best.distance <= 2 ? best.name : undefined;
}

/** Levenshtein distance. */
function distance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const change = (previous[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
