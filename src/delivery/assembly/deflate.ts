// AssemblyScript. Raw deflate of one text (RFC 1951): blocks of which none is the last, ending on a byte, so that the blocks of
// any texts can stand one behind the other. Made for JSON records: much of it repeats what stands some hundred bytes before.
// The host is ../deflate-encoder.ts; it sees to it that the text is at `inputAt` and not longer than `inputBytesMax`.
import { beginBits } from "./bits";
import { writeBlock, writeSync } from "./block";
import { find, forgetAll, foundDistance, foundLength, leastMatch, note } from "./matches";
import { inputAt, outputAt, sequencesMax } from "./memory-map";
import { addSequence, beginSequences, sequenceCount } from "./sequences";
import { makeSymbols } from "./symbols";

export { inputAt, inputBytesMax, outputAt } from "./memory-map";

/** Literals of a run between two looks, less one, in this many. */
let lazy: u32 = 32;
let near: u32 = 128;
let step: u32 = 2;
let skip: u32 = 5;

makeSymbols();

/** How hard to look: positions per bucket; up to which length of a match the next byte's is tried; which length is good enough; every how-manieth byte of a match is noted. */
export function setEffort(newLazy: u32, newNear: u32, newStep: u32, newSkip: u32): void {
  lazy = newLazy;
  near = newNear;
  step = newStep;
  skip = newSkip;
}

/** Where the literals begin that belong to no sequence yet. */
let runStart: usize = 0;

/** Returns how many bytes lie at `outputAt`. */
export function deflate(bytes: u32): u32 {
  const end = inputAt + <usize>bytes;
  beginBits(outputAt);
  forgetAll();
  beginSequences();
  let blockStart = inputAt;
  let at = inputAt;
  runStart = at;
  while (at < end) {
    at = advance(at, end);
    if (sequenceCount < sequencesMax && at - blockStart < blockBytes) continue;
    blockStart = endBlock(blockStart, min(at, end));
  }
  if (blockStart < end) endBlock(blockStart, end);
  return <u32>(writeSync() - outputAt);
}

const blockBytes: usize = 300_000;

function endBlock(from: usize, to: usize): usize {
  if (runStart < to) addSequence(runStart, to, 0);
  writeBlock(from, to);
  beginSequences();
  runStart = to;
  return to;
}

// @ts-ignore: decorator
@inline
function positionOf(at: usize): u32 {
  return <u32>(at - inputAt);
}

/** Looks for a match at `from` and the bytes behind it; returns where to go on. */
function advance(from: usize, end: usize): usize {
  let at = from;
  find(at, positionOf(at), end, leastMatch - 1, near);
  if (foundLength < leastMatch) return at + 1 + ((at - runStart) >> skip);
  let length = foundLength;
  let distance = foundDistance;
  while (length < lazy) {
    find(at + 1, positionOf(at + 1), end, length, near);
    if (foundLength <= length) break;
    at++;
    length = foundLength;
    distance = foundDistance;
  }
  const next = at + length;
  for (let inside = at + 2; inside < next; inside += step) note(inside, positionOf(inside));
  // Where not every byte was looked at, or noted, the match began before.
  while (at > runStart && length < 258 && at - distance > inputAt && load<u8>(at - 1) === load<u8>(at - 1 - distance)) {
    at--;
    length++;
  }
  addSequence(runStart, at, (length << 16) | (distance - 1));
  runStart = next;
  return next;
}
