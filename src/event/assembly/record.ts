// AssemblyScript. Reads one record: the whole of it is validated, and what the host asked for is kept in its row.
// Whatever makes a record other than nearly all are (a key with an escape, a repeated key, a value of another type, a
// text too long to intern) only marks it odd: the host reads an odd record itself, so that there is one implementation
// of what is said about it. Where the text is not JSON, 0 is returned.
import { intern, repeatedEnd } from "./interned";
import { expectedKey, knownLength, learnKey, wantedEntry } from "./key-order";
import { findKey, lastNumber, setLastNumber } from "./keys";
import { inputAt, resourceWords, resourcesAt, resourcesMax, resourcesOfRecordMax } from "./memory-map";
import { rowWords } from "./memory-map";
import { closingQuote, fail, forgetEscape, keyQuote, markOdd, memberValue, sawEscape } from "./text";
import { scalarEnd, skipSpace, valueEnd } from "./text";
import { isEventId, isEventTime } from "./value-forms";

// Kinds of members, by the numbers the host knows (scanner.ts).
/** A text that becomes the number of an interned one; null is odd. */
const firmText: u32 = 1;
/** The same, but null is as if there were none. */
const looseText: u32 = 2;
/** A text kept as its range; null is as if there were none. */
const range: u32 = 3;
/** A text kept as its range, with the form of eventTime or eventID; null is odd. */
const eventTime: u32 = 4;
const eventId: u32 = 5;
/** 1 for false, 2 for true; null is as if there were none. */
const boolean: u32 = 6;
/** An object of which members are wanted; null is as if there were none, but the member counts as filled. */
const identity: u32 = 7;
const details: u32 = 8;
const resources: u32 = 9;
/** An object of which only its place is kept; any other value is as if there were none. */
const placed: u32 = 11;
// Any other kind (10): only the host can tell what the member makes of the record.

const contextRecord: u32 = 0;
const contextIdentity: u32 = 1;
const contextDetails: u32 = 2;
const contextResource: u32 = 3;

/** In the second word of a range: the text has escapes. */
const escaped: u32 = 0x80000000;

const quote: u32 = 0x22;
const openBrace: u32 = 0x7b;
const closeBrace: u32 = 0x7d;
const openBracket: u32 = 0x5b;
const closeBracket: u32 = 0x5d;
const comma: u32 = 0x2c;
const colon: u32 = 0x3a;

/** A bit for each member that has a value which no consumer could object to. */
export let filled: u32 = 0;
export let resourceCount: u32 = 0;
let resourcesOfRecord: u32 = 0;

export function forgetResources(): void {
  resourceCount = 0;
}

/** Whether there is room for the resources that one record may have. */
export function hasRoomForResources(): bool {
  return resourceCount + <u32>resourcesOfRecordMax <= <u32>resourcesMax;
}

/** Fills so many words with zeros, and up to three behind them: for so little, a call of memory.fill is slow. */
// @ts-ignore: decorator
@inline
function clear(at: usize, words: usize): void {
  for (let word: usize = 0; word < words; word += 4) v128.store(at + word * 4, i64x2.splat(0));
}

/** Reads the record whose brace stands at `at` into the row at `rowAt`. */
export function recordEnd(at: usize, rowAt: usize): usize {
  clear(rowAt, rowWords);
  filled = 0;
  resourcesOfRecord = 0;
  store<u32>(rowAt, resourceCount, 4 * 4);
  const end = objectEnd(at, contextRecord, rowAt);
  store<u32>(rowAt, resourcesOfRecord, 4 * 5);
  return end;
}

/** Reads an object whose members of interest go to the words at `cell`. */
function objectEnd(at: usize, context: u32, cell: usize): usize {
  // Brackets open inside the object, itself included: resources stand in an array of the record.
  const open: u32 = context == contextRecord ? 1 : context == contextResource ? 3 : 2;
  let seen: u32 = 0;
  at = skipSpace(at + 1);
  if (load<u8>(at) == closeBrace) return at + 1;
  while (true) {
    let entry: usize = 0;
    const known = expectedKey(at, context);
    if (known != 0) {
      entry = wantedEntry(known);
      at = skipSpace(at + knownLength(known));
    } else {
      const key = at;
      forgetEscape();
      const keyEnd = keyQuote(at);
      if (keyEnd == 0) return 0;
      at = memberValue(keyEnd);
      if (at == 0) return 0;
      entry = findKey(context, key + 1, keyEnd);
      if (sawEscape) markOdd();
      else if (load<u8>(keyEnd, 1) == colon) learnKey(key, keyEnd + 2, entry);
    }
    if (entry == 0) {
      at = valueEnd(at, open);
    } else {
      const bit = load<u32>(entry, 12);
      if (seen & bit) markOdd();
      seen |= bit;
      at = wantedEnd(at, entry, cell);
    }
    if (at == 0) return 0;
    at = skipSpace(at);
    const code: u32 = load<u8>(at);
    if (code == closeBrace) return at + 1;
    if (code != comma) return fail(at);
    at = skipSpace(at + 1);
  }
}

/** Reads the value of the member that `entry` describes. */
function wantedEnd(at: usize, entry: usize, cell: usize): usize {
  const kind = load<u32>(entry, 4);
  const place = cell + <usize>load<u32>(entry, 8) * 4;
  const bit = load<u32>(entry, 12);
  const code: u32 = load<u8>(at);
  if (kind <= eventId) {
    if (code == quote) return textEnd(at + 1, entry, place);
    if (kind == firmText || kind >= eventTime) return oddEnd(at);
    return nullEnd(at);
  }
  if (kind == boolean) {
    if (code == 0x74) store<u32>(place, 2);
    else if (code == 0x66) store<u32>(place, 1);
    else return nullEnd(at);
    return scalarEnd(at);
  }
  if (kind == placed) {
    if (code == openBrace) store<u32>(place, <u32>(at - inputAt));
    return valueEnd(at, 1);
  }
  if (kind == identity || kind == details) {
    if (kind == identity) filled |= bit;
    if (code != openBrace) return nullEnd(at);
    if (kind == identity) store<u32>(place, <u32>(at - inputAt));
    return objectEnd(at, kind == identity ? contextIdentity : contextDetails, cell);
  }
  if (kind == resources) {
    if (code != openBracket) return nullEnd(at);
    store<u32>(place, <u32>(at - inputAt));
    return resourcesEnd(at);
  }
  return oddEnd(at);
}

function oddEnd(at: usize): usize {
  markOdd();
  return valueEnd(at, 3);
}

/** A value that may be null and else is odd. */
function nullEnd(at: usize): usize {
  if (load<u8>(at) != 0x6e) markOdd();
  return valueEnd(at, 3);
}

/** Takes the address behind the opening quote. */
function textEnd(start: usize, entry: usize, place: usize): usize {
  return load<u32>(entry, 4) <= looseText ? sharedTextEnd(start, entry, place) : rangeEnd(start, entry, place);
}

/** A text that many records share: most often that of the record before. */
function sharedTextEnd(start: usize, entry: usize, place: usize): usize {
  let number = lastNumber(entry);
  let end = repeatedEnd(number, start);
  if (end == 0) {
    forgetEscape();
    end = closingQuote(start);
    if (end == 0) return 0;
    number = sawEscape ? 0 : intern(start, end);
    setLastNumber(entry, number);
    if (number == 0) markOdd();
  }
  if (end > start) filled |= load<u32>(entry, 12);
  store<u32>(place, number);
  return end + 1;
}

function rangeEnd(start: usize, entry: usize, place: usize): usize {
  forgetEscape();
  const end = closingQuote(start);
  if (end == 0) return 0;
  // No text begins at the window's first byte, so that 0 means that there is none.
  store<u32>(place, <u32>(start - inputAt));
  store<u32>(place, <u32>(end - inputAt) | (sawEscape ? escaped : 0), 4);
  const kind = load<u32>(entry, 4);
  if (kind == eventTime ? isEventTime(start, end) : kind == eventId && isEventId(start, end)) {
    filled |= load<u32>(entry, 12);
  }
  return end + 1;
}

function resourcesEnd(at: usize): usize {
  at = skipSpace(at + 1);
  if (load<u8>(at) == closeBracket) return at + 1;
  while (true) {
    at = resourceEnd(at);
    if (at == 0) return 0;
    at = skipSpace(at);
    const code: u32 = load<u8>(at);
    if (code == closeBracket) return at + 1;
    if (code != comma) return fail(at);
    at = skipSpace(at + 1);
  }
}

function resourceEnd(at: usize): usize {
  if (load<u8>(at) != openBrace) return oddEnd(at);
  if (resourcesOfRecord == <u32>resourcesOfRecordMax) return oddEnd(at);
  const cell = resourcesAt + <usize>resourceCount * resourceWords * 4;
  clear(cell, resourceWords);
  resourceCount += 1;
  resourcesOfRecord += 1;
  return objectEnd(at, contextResource, cell);
}
