// Which key signs a digest, and when a new one is due (formats.md §3.4, §3.5). Pure: decides by the digest's end time
// alone, never by the clock, so that a digest that is late is signed as it would have been in time.

/** From `sinceMs` up to, but not including, `untilMs`. Milliseconds since the epoch. */
export interface KeyValidity {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** What the choice needs to know of a key. */
export interface ChoosableKey extends KeyValidity {
  /** When it was made: of two keys that begin together the later made one signs. */
  readonly madeMs: number;
  /** Absent once the private part was deleted. */
  readonly privateKey?: unknown;
}

export interface KeyPeriods {
  /** How long a key signs before the next one does. */
  readonly rotationMs: number;
  /** How long a key is valid; longer than `rotationMs`. */
  readonly validityMs: number;
}

/** The newest key that can sign and is valid at `endMs`; undefined when there is none or it is due for rotation. */
export function chooseKey<Key extends ChoosableKey>(
  keys: readonly Key[],
  endMs: number,
  { rotationMs }: KeyPeriods,
): Key | undefined {
  const newest = keys
    .filter((key) => key.privateKey !== undefined && key.sinceMs <= endMs && endMs < key.untilMs)
    .reduce<Key | undefined>((best, key) => (best && !isNewer(key, best) ? best : key), undefined);
  return newest && endMs < newest.sinceMs + rotationMs ? newest : undefined;
}

function isNewer(one: ChoosableKey, other: ChoosableKey): boolean {
  return one.sinceMs > other.sinceMs || (one.sinceMs === other.sinceMs && one.madeMs >= other.madeMs);
}

const firstKeyAlignmentMs = 86_400_000;

/**
 * The validity of a new key for `endMs`: whole rotations away from the keys there are, so that it does not depend on
 * which of several chains asks first, and keys of neighbouring rotations overlap. It always holds `endMs`, also one
 * long past. The first key of all begins with the UTC day, so that chains that end a little earlier need no other.
 */
export function newValidity(
  keys: readonly KeyValidity[],
  endMs: number,
  { rotationMs, validityMs }: KeyPeriods,
): KeyValidity {
  const starts = keys.map((key) => key.sinceMs);
  const before = starts.filter((sinceMs) => sinceMs <= endMs);
  const alignmentMs = Math.min(firstKeyAlignmentMs, rotationMs);
  let anchorMs = Math.floor(endMs / alignmentMs) * alignmentMs;
  if (before.length > 0) anchorMs = greatest(before);
  else if (starts.length > 0) anchorMs = least(starts);
  const rotations = Math.floor((endMs - anchorMs) / rotationMs);
  const sinceMs = anchorMs + rotations * rotationMs;
  return { sinceMs, untilMs: sinceMs + validityMs };
}

// Not Math.max(...list): keys are kept for ever, and an argument list has an end.
function greatest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b));
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b));
}
