// AssemblyScript. Raw deflate of one text (RFC 1951): blocks of which none is the last, ending on a byte, so that the blocks of
// any texts can stand one behind the other. Made for JSON records: much of it repeats what stands some hundred bytes before.
// The host is ../deflate-thread.ts; it sees to it that the text is at `inputAt` and not longer than `inputBytesMax`.
import { beginBits } from "./bits";
import { writeBlock, writeSync } from "./block";
import { find, forgetAll, foundDistance, foundLength, leastMatch, note } from "./matches";
import { inputAt, outputAt, sequencesMax } from "./memory-map";
import { addSequence, beginSequences, sequenceCount } from "./sequences";
import { makeSymbols } from "./symbols";

export { inputAt, inputBytesMax, outputAt } from "./memory-map";

/** A block ends behind so much text: what comes later may be of other symbols. */
const blockBytes: usize = 300_000;
const greatestMatch: u32 = 258;
/** However long a run of literals is, the records behind it must not be passed over. */
const skippedMax: usize = 31;

let lazy: u32 = 64;
let near: u32 = 258;
let step: u32 = 2;
let skip: u32 = 6;

makeSymbols();

/**
 * How hard to look. `lazy`: a match shorter than this gives way to a longer one at the next byte. `near`: one as long as this is
 * good enough, no other place is tried. `step`: every so manieth byte of a match is noted. `skip`: behind 2^skip literals in a
 * row every second byte is looked at only, behind twice as many every third …
 */
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
  if (foundLength < leastMatch) return at + 1 + min((at - runStart) >> skip, skippedMax);
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
  while (at > runStart && length < greatestMatch && at - distance > inputAt && load<u8>(at - 1) === load<u8>(at - 1 - distance)) {
    at--;
    length++;
  }
  addSequence(runStart, at, (length << 16) | (distance - 1));
  runStart = next;
  return next;
}
