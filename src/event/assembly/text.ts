// AssemblyScript. Walks JSON text: white space, strings, numbers, words, and values of which only the end matters.
// Every function takes the address of a byte and returns the address behind what it read, or 0 where the text is not
// JSON; `failedAt` then says where. All of it is as strict as JSON.parse.
import { expectedKey, knownLength, learnKey } from "./key-order";
import { bracketsAt } from "./memory-map";

/** Open brackets at the deepest place of a record. */
const depthMax: u32 = 100;

/** The kind of objects in which no key is wanted (keys.ts has the others). */
const anyObject: u32 = 4;

const quote: u32 = 0x22;
const backslash: u32 = 0x5c;
const comma: u32 = 0x2c;
const colon: u32 = 0x3a;
const openBracket: u32 = 0x5b;
const closeBracket: u32 = 0x5d;
const openBrace: u32 = 0x7b;
const closeBrace: u32 = 0x7d;
const lineFeed: u32 = 0x0a;
const carriageReturn: u32 = 0x0d;
const space: u32 = 0x20;
const tab: u32 = 0x09;

export let failedAt: usize = 0;
/** Set when a string had an escape; whoever wants to know clears it before. */
export let sawEscape: bool = false;
/** Set when something was read that only the host can judge; cleared with each record. */
export let isOdd: bool = false;
/** Set when white space had a line break; cleared with each record. */
export let sawLineBreak: bool = false;
/** Set when there was white space between tokens; cleared with each record. */
export let sawSpace: bool = false;
/** Records that stand line by line: a line feed is no white space inside them. */
export let isOneLine: bool = false;

export function forgetEscape(): void {
  sawEscape = false;
}

export function markOdd(): void {
  isOdd = true;
}

export function beginRecord(): void {
  isOdd = false;
  sawLineBreak = false;
  sawSpace = false;
}

export function setOneLine(value: bool): void {
  isOneLine = value;
}

export function fail(at: usize): usize {
  failedAt = at;
  return 0;
}

/** White space never fails. */
// @ts-ignore: decorator
@inline
export function skipSpace(at: usize): usize {
  return load<u8>(at) > space ? at : skipMoreSpace(at);
}

function skipMoreSpace(at: usize): usize {
  while (true) {
    const code: u32 = load<u8>(at);
    if (code == lineFeed) {
      if (isOneLine) return at;
      sawLineBreak = true;
    } else if (code == carriageReturn) {
      sawLineBreak = true;
    } else if (code != space && code != tab) {
      return at;
    }
    sawSpace = true;
    at += 1;
  }
}

/** Takes the address behind the opening quote and returns that of the closing one. */
// @ts-ignore: decorator
@inline
export function closingQuote(at: usize): usize {
  const stops = stopsIn(at);
  if (stops != 0) {
    const stop = at + <usize>ctz(stops);
    if (load<u8>(stop) == quote) return stop;
  }
  return distantQuote(at);
}

function distantQuote(at: usize): usize {
  while (true) {
    const stops = stopsIn(at);
    if (stops == 0) {
      at += 16;
      continue;
    }
    at += <usize>ctz(stops);
    const code: u32 = load<u8>(at);
    if (code == quote) return at;
    if (code != backslash) return fail(at);
    sawEscape = true;
    at = escapeEnd(at);
    if (at == 0) return 0;
  }
}

/** A bit for each of 16 bytes that ends a run of plain text: a quote, a backslash, a control character. */
// @ts-ignore: decorator
@inline
function stopsIn(at: usize): i32 {
  const bytes = v128.load(at);
  const quotes = i8x16.eq(bytes, i8x16.splat(0x22));
  const backslashes = i8x16.eq(bytes, i8x16.splat(0x5c));
  const controls = i8x16.le_u(bytes, i8x16.splat(0x1f));
  return i8x16.bitmask(v128.or(v128.or(quotes, backslashes), controls));
}

function escapeEnd(at: usize): usize {
  switch (load<u8>(at, 1)) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2;
    case 0x75: // u
      return unicodeEscapeEnd(at);
    default:
      return fail(at);
  }
}

/** Halves of a surrogate pair must stand side by side; one alone is the host's to judge. */
function unicodeEscapeEnd(at: usize): usize {
  const unit = hexUnit(at + 2);
  if (unit < 0) return fail(at);
  if ((unit & 0xf800) != 0xd800) return at + 6;
  const isPair = unit < 0xdc00 && load<u16>(at, 6) == 0x755c && (hexUnit(at + 8) & ~0x3ff) == 0xdc00;
  if (isPair) return at + 12;
  isOdd = true;
  return at + 6;
}

/** The value of four hexadecimal digits, or -1. */
function hexUnit(at: usize): i32 {
  let unit: i32 = 0;
  for (let place: usize = 0; place < 4; place++) {
    const code: i32 = load<u8>(at + place);
    const lower = code | 0x20;
    if (<u32>(code - 0x30) < 10) unit = (unit << 4) | (code - 0x30);
    else if (<u32>(lower - 0x61) < 6) unit = (unit << 4) | (lower - 0x57);
    else return -1;
  }
  return unit;
}

/** A number or a word. */
export function scalarEnd(at: usize): usize {
  switch (load<u8>(at)) {
    case 0x74: // true
      return load<u32>(at) == 0x65757274 ? at + 4 : fail(at);
    case 0x66: // false
      return load<u32>(at, 1) == 0x65736c61 ? at + 5 : fail(at);
    case 0x6e: // null
      return load<u32>(at) == 0x6c6c756e ? at + 4 : fail(at);
    default:
      return numberEnd(at);
  }
}

// @ts-ignore: decorator
@inline
function isDigit(at: usize): bool {
  return <u32>load<u8>(at) - 0x30 < 10;
}

function numberEnd(at: usize): usize {
  if (load<u8>(at) == 0x2d) at += 1;
  if (load<u8>(at) == 0x30) at += 1;
  else {
    at = digitsEnd(at);
    if (at == 0) return 0;
  }
  if (load<u8>(at) == 0x2e) {
    at = digitsEnd(at + 1);
    if (at == 0) return 0;
  }
  if ((load<u8>(at) | 0x20) != 0x65) return at;
  const sign: u32 = load<u8>(at, 1);
  return digitsEnd(sign == 0x2b || sign == 0x2d ? at + 2 : at + 1);
}

/** One digit at least. */
function digitsEnd(at: usize): usize {
  if (!isDigit(at)) return fail(at);
  do at += 1;
  while (isDigit(at));
  return at;
}

/** Any value; `open` brackets are open around it. */
// @ts-ignore: decorator
@inline
export function valueEnd(at: usize, open: u32): usize {
  const code: u32 = load<u8>(at);
  if (code == quote) {
    const end = closingQuote(at + 1);
    return end == 0 ? 0 : end + 1;
  }
  return code == openBrace || code == openBracket ? containerEnd(at, open) : scalarEnd(at);
}

/** Behind the colon of a member whose key ends at the quote `at`, and behind the white space there. */
// @ts-ignore: decorator
@inline
export function memberValue(at: usize): usize {
  at = skipSpace(at + 1);
  return load<u8>(at) == colon ? skipSpace(at + 1) : fail(at);
}

/**
 * The value that begins with a bracket at `at`. A loop with one byte per open bracket: what stands in it is its closing
 * bracket, by which an object is told from an array.
 */
function containerEnd(at: usize, outside: u32): usize {
  let open = outside;
  let closer: u32 = 0;
  while (true) {
    let code: u32 = load<u8>(at);
    if (code == openBrace || code == openBracket) {
      store<u8>(bracketsAt + open, <u8>closer);
      open += 1;
      if (open > depthMax) return fail(at);
      closer = code + 2;
      at = skipSpace(at + 1);
      if (load<u8>(at) != closer) {
        if (closer == closeBracket) continue;
        at = keyEnd(at);
        if (at == 0) return 0;
        continue;
      }
      at += 1;
      open -= 1;
      closer = load<u8>(bracketsAt + open);
      if (open == outside) return at;
    } else if (code == quote) {
      at = closingQuote(at + 1);
      if (at == 0) return 0;
      at += 1;
    } else {
      at = scalarEnd(at);
      if (at == 0) return 0;
    }
    // Behind a value.
    while (true) {
      at = skipSpace(at);
      code = load<u8>(at);
      if (code == comma) break;
      if (code != closer) return fail(at);
      at += 1;
      open -= 1;
      closer = load<u8>(bracketsAt + open);
      if (open == outside) return at;
    }
    at = skipSpace(at + 1);
    if (closer == closeBracket) continue;
    at = keyEnd(at);
    if (at == 0) return 0;
  }
}

/** From the opening quote of a key to the closing one. */
export function keyQuote(at: usize): usize {
  return load<u8>(at) == quote ? closingQuote(at + 1) : fail(at);
}

/** From the opening quote of a key to its member's value. */
// @ts-ignore: decorator
@inline
function keyEnd(at: usize): usize {
  const known = expectedKey(at, anyObject);
  return known == 0 ? newKeyEnd(at) : skipSpace(at + knownLength(known));
}

function newKeyEnd(at: usize): usize {
  const hadEscape = sawEscape;
  forgetEscape();
  const end = keyQuote(at);
  if (end == 0) return 0;
  if (!sawEscape && load<u8>(end, 1) == colon) learnKey(at, end + 2, 0);
  sawEscape = hadEscape;
  return memberValue(end);
}
