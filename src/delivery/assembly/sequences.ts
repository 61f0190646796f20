// AssemblyScript. The block under way, as sequences: so many literals, which stand in the input, then a match.
// Two words each: how many literals; the match's length from bit 16 and its distance less one below, or 0 for none.
import { distanceCountsAt, distancesMax, literalCountsAt, literalsMax, sequencesAt } from "./memory-map";
import { distanceSymbol, lengthSymbol } from "./symbols";

export let sequenceCount: u32 = 0;

export function beginSequences(): void {
  sequenceCount = 0;
  memory.fill(literalCountsAt, 0, 4 * (literalsMax + distancesMax));
}

// @ts-ignore: decorator
@inline
function count(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

/** The literals from `from` to `to`, then a match; `length` 0 is none. */
// @ts-ignore: decorator
@inline
export function addSequence(from: usize, to: usize, match: u32): void {
  const at = sequencesAt + 8 * <usize>sequenceCount;
  sequenceCount++;
  store<u32>(at, <u32>(to - from));
  store<u32>(at, match, 4);
  for (let literal = from; literal < to; literal++) count(literalCountsAt + 4 * <usize>load<u8>(literal));
  if (match === 0) return;
  count(literalCountsAt + 4 * <usize>(lengthSymbol(match >> 16) & 0xffff));
  count(distanceCountsAt + 4 * <usize>distanceSymbol(match & 0xffff));
}
