// Finds its way in JSON that is known to be valid: the ends of values, members and their keys. Pure. Nothing is checked
// again: for records that were accepted.
import { byte, isSpace } from "./scan-bytes.ts";

export function afterSpace(body: Buffer, start: number): number {
  let at = start;
  while (isSpace(body[at])) at += 1;
  return at;
}

/** Behind the value at `start`. */
export function valueEnd(body: Buffer, start: number): number {
  const first = body[start];
  if (first === byte.quote) return textEnd(body, start);
  if (first !== byte.openBrace && first !== byte.openBracket) return wordEnd(body, start);
  let open = 0;
  for (let at = start; at < body.length; at += 1) {
    const code = body[at];
    if (code === byte.quote) at = textEnd(body, at) - 1;
    else if (code === byte.openBrace || code === byte.openBracket) open += 1;
    else if (code === byte.closeBrace || code === byte.closeBracket) {
      open -= 1;
      if (open === 0) return at + 1;
    }
  }
  return body.length;
}

/** Most texts end within so many bytes; longer ones are searched by Node, whose search costs as much to begin. */
const shortBytes = 48;

/** Behind the text that begins with the quote at `start`. */
export function textEnd(body: Buffer, start: number): number {
  const near = Math.min(start + shortBytes, body.length);
  for (let at = start + 1; at < near; at += 1) {
    const code = body[at];
    if (code === byte.quote) return at + 1;
    if (code === byte.backslash) at += 1;
  }
  return near === body.length ? near : longTextEnd(body, near);
}

/** The first quote from `start` on that is not escaped: an even number of backslashes stands before it. */
function longTextEnd(body: Buffer, start: number): number {
  for (
    let quote = body.indexOf(byte.quote, start);
    quote !== -1;
    quote = body.indexOf(byte.quote, quote + 1)
  ) {
    let before = quote;
    while (body[before - 1] === byte.backslash) before -= 1;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  return body.length;
}

/** Behind a number or a word. */
function wordEnd(body: Buffer, start: number): number {
  let at = start;
  for (; at < body.length; at += 1) {
    const code = body[at];
    if (code === byte.comma || code === byte.closeBrace || code === byte.closeBracket || isSpace(code)) break;
  }
  return at;
}

/** The text between the quotes at `start` and before `end`. */
export function textBetween(body: Buffer, start: number, end: number): string {
  const text = body.toString("utf8", start + 1, end - 1);
  return text.includes("\\") ? String(JSON.parse(`"${text}"`)) : text;
}

/** Undefined when the value at `start` is no text. */
export function textOf(body: Buffer, start: number): string | undefined {
  return body[start] === byte.quote ? textBetween(body, start, textEnd(body, start)) : undefined;
}

/** Where the value of the key that ends before `keyEnd` begins. */
export function valueStart(body: Buffer, keyEnd: number): number {
  return afterSpace(body, afterSpace(body, keyEnd) + 1);
}

/** Where the next member or entry begins, or the closing bracket stands, when a value ends before `end`. */
export function afterComma(body: Buffer, end: number): number {
  const at = afterSpace(body, end);
  return body[at] === byte.comma ? afterSpace(body, at + 1) : at;
}

/** Whether the key behind the quote at `at`, of the length of this name, is it; keys with escapes are none that are looked for. */
export function isKey(body: Buffer, at: number, name: string): boolean {
  for (let place = 0; place < name.length; place += 1) {
    if (body[at + 1 + place] !== name.charCodeAt(place)) return false;
  }
  return true;
}
