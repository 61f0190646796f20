// Patterns of the policy language: `*`, `?` and policy variables. Pure.
// Matching never backtracks over a `*`: each piece between two stars is taken at its first place.

/** Context keys (lower case) whose single value may stand for `${key}`. */
export type Variables = ReadonlyMap<string, readonly string[]>;

/** The pieces between the stars; undefined when a variable has no value, which matches nothing. */
export type Pattern = readonly Piece[] | undefined;

interface Piece {
  readonly text: string;
  /** Where any one UTF-16 unit is accepted. */
  readonly holes: readonly number[];
}

interface Token {
  readonly text: string;
  readonly kind: "literal" | "any" | "one";
}

/** Reads a pattern. With `variables`, `${key}`, `${key, 'default'}`, `${*}`, `${?}` and `${$}` are replaced by literals. */
export function compilePattern(pattern: string, variables?: Variables): Pattern {
  const tokens = tokenise(pattern, variables);
  if (!tokens) return undefined;
  const pieces: Piece[] = [];
  let text = "";
  let holes: number[] = [];
  for (const token of tokens) {
    if (token.kind === "any") {
      pieces.push({ text, holes });
      text = "";
      holes = [];
      continue;
    }
    if (token.kind === "one") holes.push(text.length);
    text += token.text;
  }
  return [...pieces, { text, holes }];
}

/** The same pattern for a text that the caller turns to lower case. */
export function foldCase(pattern: Pattern): Pattern {
  return pattern?.map(({ text, holes }) => ({ text: text.toLowerCase(), holes }));
}

/** Whether the whole text fits the pattern. */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  const first = pattern?.[0];
  const last = pattern?.at(-1);
  if (!pattern || !first || !last || !fitsAt(first, text, 0)) return false;
  if (pattern.length === 1) return text.length === first.text.length;
  let position = first.text.length;
  for (let index = 1; index < pattern.length - 1; index++) {
    const piece = pattern[index];
    const found = piece ? find(piece, text, position) : -1;
    if (!piece || found < 0) return false;
    position = found + piece.text.length;
  }
  const lastAt = text.length - last.text.length;
  return lastAt >= position && fitsAt(last, text, lastAt);
}

/** The text with its variables replaced and its wildcards left as they are; undefined when a variable has no value. */
export function expandVariables(text: string, variables?: Variables): string | undefined {
  return tokenise(text, variables)
    ?.map((token) => token.text)
    .join("");
}

/** The text as a pattern that matches it alone, in documents of version 2012-10-17: wildcards are written `${*}`. */
export function policyLiteral(text: string): string {
  return text.replace(/[*?$]/g, (character) => `\${${character}}`);
}

function find(piece: Piece, text: string, from: number): number {
  if (piece.holes.length === 0) return text.indexOf(piece.text, from);
  for (let at = from; at + piece.text.length <= text.length; at++) if (fitsAt(piece, text, at)) return at;
  return -1;
}

function fitsAt(piece: Piece, text: string, at: number): boolean {
  if (piece.holes.length === 0) return text.startsWith(piece.text, at);
  if (at + piece.text.length > text.length) return false;
  let from = 0;
  for (const hole of [...piece.holes, piece.text.length]) {
    if (!text.startsWith(piece.text.slice(from, hole), at + from)) return false;
    from = hole + 1;
  }
  return true;
}

function tokenise(text: string, variables?: Variables): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const end = variables && text.startsWith("${", at) ? text.indexOf("}", at) : -1;
    if (variables && end > 0) {
      const value = variableValue(text.slice(at + 2, end), variables);
      if (value === undefined) return undefined;
      tokens.push({ text: value, kind: "literal" });
      at = end + 1;
      continue;
    }
    const next = nextSpecial(text, at + 1);
    const head = text.charAt(at);
    if (head === "*") tokens.push({ text: head, kind: "any" });
    else if (head === "?") tokens.push({ text: head, kind: "one" });
    else tokens.push({ text: text.slice(at, next), kind: "literal" });
    at = head === "*" || head === "?" ? at + 1 : next;
  }
  return tokens;
}

function nextSpecial(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if ("*?$".includes(text.charAt(at))) return at;
  return text.length;
}

function variableValue(inside: string, variables: Variables): string | undefined {
  if (inside === "*" || inside === "?" || inside === "$") return inside;
  const [, name = inside, fallback] = /^([^,]*?)\s*(?:,\s*'([^']*)')?\s*$/.exec(inside) ?? [];
  const values = variables.get(name.trim().toLowerCase());
  return values?.length === 1 ? values[0] : fallback;
}
