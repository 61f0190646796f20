// AssemblyScript, compiled to WebAssembly by tools/setup.mjs. The scanner's entries; the host is ../scanner.ts.
//
// The host copies a window of a body to `inputAt`, `padding` zero bytes behind it, and calls `scanElements` or
// `scanLines`. Each writes a row per record and leaves a report of why it stopped; the host takes the rows, does what the
// scanner left to it, and calls again. A row that is not odd says what ../scan-record.ts would, if its bytes are UTF-8.
//
// The report: why and where it stopped, where it last failed, number of resources, number of interned texts, whether any
// byte of the records is beyond ASCII.
// A row: start, end, flags, filled, place of the first resource, number of resources, then what the keys' words name.
import { beginKeys } from "./key-order";
import { addKey as addKeyEntry, forgetNumbers } from "./keys";
import { clearInterned, headOf, internedCount } from "./interned";
import { inputAt, reportAt, rowWords, rowsAt, rowsMax } from "./memory-map";
import { beginRecord, fail, failedAt, isOdd, sawLineBreak, sawSpace, setOneLine, skipSpace } from "./text";
import { filled, forgetResources, hasRoomForResources, recordEnd, resourceCount } from "./record";

export {
  inputAt,
  inputBytesMax,
  internedAt,
  internedBytes,
  internedMax,
  padding,
  reportAt,
  resourcesAt,
  resourcesMax,
  resourceWords,
  rowsAt,
  rowWords,
} from "./memory-map";

/** The rows or the resources are full: go on from where it stopped. */
const full: u32 = 0;
/** All of the window was read, or the array's bracket stands before that place. */
const ended: u32 = 1;
/** What stands there is no record by itself, or goes on behind the window if it failed near its end. */
const stuck: u32 = 2;
/** Neither a comma nor the closing bracket stands there. */
const torn: u32 = 3;

const recordBytesMax: usize = 1024 * 1024;

const oddFlag: u32 = 1;
const lineBreakFlag: u32 = 2;
const spaceFlag: u32 = 4;

const comma: u32 = 0x2c;
const openBrace: u32 = 0x7b;
const closeBracket: u32 = 0x5d;
const lineFeed: u32 = 0x0a;

/** Forgets the interned texts: their numbers are given anew. */
export function clearTexts(): void {
  clearInterned();
  forgetNumbers();
}

/** Names a key; its text of `length` bytes stands at `inputAt` + 16. */
export function addKey(context: u32, length: u32): usize {
  return addKeyEntry(context, inputAt + 16, length);
}

/** Leaves the report. */
function stop(why: u32, at: usize): void {
  store<u32>(reportAt, why);
  store<u32>(reportAt, <u32>at, 4);
  store<u32>(reportAt, <u32>failedAt, 8);
  store<u32>(reportAt, resourceCount, 12);
  store<u32>(reportAt, internedCount(), 16);
  store<u32>(reportAt, v128.any_true(i8x16.lt_s(ored, i8x16.splat(0))) ? 1 : 0, 20);
}

/** All bytes of the records, ored: a highest bit tells that not all of them are ASCII. */
let ored: v128 = i8x16.splat(0);

function orBytes(at: usize, end: usize): void {
  let bytes = ored;
  while (at + 64 <= end) {
    const first = v128.or(v128.load(at), v128.load(at, 16));
    bytes = v128.or(bytes, v128.or(first, v128.or(v128.load(at, 32), v128.load(at, 48))));
    at += 64;
  }
  while (at + 16 <= end) {
    bytes = v128.or(bytes, v128.load(at));
    at += 16;
  }
  ored = v128.or(bytes, headOf(at, end - at));
}

/** Reads the record at `at` as row `count`; its end, or 0. */
function readRow(at: usize, count: u32): usize {
  if (load<u8>(at) != openBrace) return fail(at);
  beginRecord();
  const row = rowsAt + <usize>count * rowWords * 4;
  const end = recordEnd(at, row);
  if (end == 0) return 0;
  store<u32>(row, <u32>(at - inputAt));
  store<u32>(row, <u32>(end - inputAt), 4);
  const isTooLong = end - at > recordBytesMax;
  const breaks = sawLineBreak ? lineBreakFlag : 0;
  store<u32>(row, (isOdd || isTooLong ? oddFlag : 0) | breaks | (sawSpace ? spaceFlag : 0), 8);
  store<u32>(row, filled, 12);
  orBytes(at, end);
  return end;
}

/** Elements of an array from `at` on, where one begins, or where one just ended if `isBehindOne`. Returns the rows. */
export function scanElements(at: usize, isBehindOne: bool): u32 {
  setOneLine(false);
  forgetResources();
  ored = i8x16.splat(0);
  beginKeys();
  let count: u32 = 0;
  while (true) {
    if (isBehindOne) {
      at = skipSpace(at);
      const code: u32 = load<u8>(at);
      if (code == closeBracket) {
        stop(ended, at + 1);
        return count;
      }
      if (code != comma) {
        stop(torn, at);
        return count;
      }
      at += 1;
    }
    at = skipSpace(at);
    if (count == <u32>rowsMax || !hasRoomForResources()) {
      stop(full, at);
      return count;
    }
    const end = readRow(at, count);
    if (end == 0) {
      stop(stuck, at);
      return count;
    }
    count += 1;
    at = end;
    isBehindOne = true;
  }
}

/** Records line by line from `at` to `end`. `isLast`: the text ends at `end`, it is not only cut there. Returns the rows. */
export function scanLines(at: usize, end: usize, isLast: bool): u32 {
  forgetResources();
  ored = i8x16.splat(0);
  beginKeys();
  let count: u32 = 0;
  while (true) {
    setOneLine(false);
    at = skipSpace(at);
    if (at >= end) {
      stop(ended, end);
      return count;
    }
    if (count == <u32>rowsMax || !hasRoomForResources()) {
      stop(full, at);
      return count;
    }
    setOneLine(true);
    const lineEnd = restOfLine(readRow(at, count), isLast ? end : 0);
    if (lineEnd == 0) {
      stop(stuck, at);
      return count;
    }
    count += 1;
    at = lineEnd;
  }
}

/** From a record's end (0 if there was none) to that of its line, where nothing but white space may stand. */
function restOfLine(recordEnd: usize, textEnd: usize): usize {
  if (recordEnd == 0) return 0;
  const at = skipSpace(recordEnd);
  return load<u8>(at) == lineFeed || at == textEnd ? at : fail(at);
}
