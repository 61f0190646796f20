// Walks JSON text byte by byte to find where values end, without building them. Pure.
// It finds extents, it does not validate: an extent that JSON.parse then accepts is valid JSON, and valid JSON always
// has the extent found here. Must not: know records.

/** Half-open range of bytes. */
export interface Span {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Where a value ends (exclusive), and how many brackets are open at its deepest place. */
export interface Extent {
  readonly end: number;
  readonly depth: number;
}

export const byte = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** JSON's four white space characters. */
export function isSpace(code: number | undefined): boolean {
  return code === byte.space || code === byte.lineFeed || code === byte.carriageReturn || code === byte.tab;
}

/** The first place in the span, from `start` on, that is not white space; `end` when there is none. */
export function skipSpace({ bytes, start, end }: Span): number {
  let at = start;
  while (at < end && isSpace(bytes[at])) at += 1;
  return at;
}

/** The end of the span without the white space before it. */
export function trimEnd({ bytes, start, end }: Span): number {
  let at = end;
  while (at > start && isSpace(bytes[at - 1])) at -= 1;
  return at;
}

/** The extent of the value that begins at `start`, or undefined when the span ends inside it. */
export function valueExtent(span: Span): Extent | undefined {
  const first = span.bytes[span.start];
  if (span.start >= span.end) return undefined;
  if (first === byte.quote) {
    const end = stringEnd(span);
    return end === undefined ? undefined : { end, depth: 0 };
  }
  if (first === byte.openBrace || first === byte.openBracket) return containerExtent(span);
  return { end: scalarEnd(span), depth: 0 };
}

/** Where the string that begins at `start` ends, behind its closing quote. Raw control characters end the search. */
export function stringEnd({ bytes, start, end }: Span): number | undefined {
  for (let at = start + 1; at < end; at += 1) {
    const code = bytes[at] ?? 0;
    if (code === byte.quote) return at + 1;
    if (code === byte.backslash) at += 1;
    else if (code < byte.space) return undefined;
  }
  return undefined;
}

/** Brackets of both kinds are counted together: a pair that does not fit is left to JSON.parse. */
function containerExtent(span: Span): Extent | undefined {
  const { bytes, end } = span;
  let open = 0;
  let depth = 0;
  for (let at = span.start; at < end; at += 1) {
    const code = bytes[at];
    if (code === byte.quote) {
      const closed = stringEnd({ bytes, start: at, end });
      if (closed === undefined) return undefined;
      at = closed - 1;
    } else if (code === byte.openBrace || code === byte.openBracket) {
      open += 1;
      if (open > depth) depth = open;
    } else if (code === byte.closeBrace || code === byte.closeBracket) {
      open -= 1;
      if (open === 0) return { end: at + 1, depth };
    }
  }
  return undefined;
}

/** A number or a word ends before white space and punctuation. */
function scalarEnd({ bytes, start, end }: Span): number {
  let at = start;
  while (at < end && !isSpace(bytes[at]) && !isPunctuation(bytes[at])) at += 1;
  return at;
}

function isPunctuation(code: number | undefined): boolean {
  return code === byte.comma || code === byte.colon || code === byte.closeBrace || code === byte.closeBracket;
}
