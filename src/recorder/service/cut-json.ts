// What can still be read of JSON that was cut: everything that was complete before the end. Pure.

/** The value as far as it goes; undefined when not even its beginning is JSON. */
export function parseCutJson(text: string): unknown {
  const whole = closed(text);
  if (whole === undefined) return undefined;
  try {
    return JSON.parse(whole);
  } catch {
    return undefined;
  }
}

const depthMax = 64;

/** The text up to the last comma outside a string, and the brackets that were open there. */
function closed(text: string): string | undefined {
  const open: string[] = [];
  let end = 0;
  let closers: readonly string[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      if (at === -1) break;
    } else if (character === "{" || character === "[") {
      open.push(character === "{" ? "}" : "]");
      if (open.length > depthMax) return undefined;
    } else if (character === "}" || character === "]") open.pop();
    else if (character === ",") {
      end = at;
      closers = [...open];
    }
  }
  return end === 0 ? undefined : text.slice(0, end) + closers.toReversed().join("");
}

/** The place of the quote that ends a string; -1 when it does not end. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return -1;
}
