// The canonical form of a request, which SigV4 hashes. Pure. Texts are byte strings (one character per byte),
// because that is how node:http hands out what a client sent.
import { decodeBytes, type RequestHeaders } from "./exchange.ts";

export interface SignableRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: RequestHeaders;
}

export interface CanonicalChoices {
  /** `normalized`: dots and doubled slashes resolved, then encoded once more. `as-sent`: S3, encoded once. */
  readonly path: "normalized" | "as-sent";
  /** Lower case. */
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
}

/** Builds the canonical request. A signed header that is absent counts as empty; callers refuse that before. */
export function canonicalRequest(request: SignableRequest, choices: CanonicalChoices): string {
  const names = sorted(choices.signedHeaders);
  const path = choices.path === "normalized" ? normalizedPath(request.path) : sentPath(request.path);
  let text = `${request.method}\n${path}\n${canonicalQuery(request.query)}\n`;
  for (const name of names) text += `${name}:${canonicalValues(request.headers.get(name) ?? [])}\n`;
  return `${text}\n${names.join(";")}\n${choices.payloadHash}`;
}

/** Signers list the names in order, as they sign them. */
function sorted(names: readonly string[]): readonly string[] {
  const isInOrder = names.every((name, index) => index === 0 || (names[index - 1] ?? "") <= name);
  return isInOrder ? names : names.toSorted();
}

/** Parameters encoded, sorted by name and then value; the signature itself is left out. */
function canonicalQuery(query: string): string {
  if (query === "") return "";
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals === -1 ? pair : pair.slice(0, equals);
      const value = equals === -1 ? "" : pair.slice(equals + 1);
      return [encodeBytes(decodeBytes(name)), encodeBytes(decodeBytes(value))] as const;
    })
    .filter(([name]) => name !== "X-Amz-Signature")
    .sort((a, b) => byText(a[0], b[0]) || byText(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** Values in the order sent. */
function canonicalValues(values: readonly string[]): string {
  const [first = ""] = values;
  return values.length === 1 ? canonicalValue(first) : values.map(canonicalValue).join(",");
}

/** Trimmed, inner white space (a folded line too) as one space. */
function canonicalValue(value: string): string {
  const hasWideSpace = /[\t\r\n]|  /.test(value);
  return (hasWideSpace ? value.replace(/[ \t\r\n]+/g, " ") : value).trim();
}

function normalizedPath(path: string): string {
  if (path === "/") return path;
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const end = kept.length > 0 && path.endsWith("/") ? "/" : "";
  return encodePath(`/${kept.join("/")}${end}`);
}

/** Segment by segment: an encoded slash inside a key stays one. */
function sentPath(path: string): string {
  return path
    .split("/")
    .map((segment) => encodeBytes(decodeBytes(segment)))
    .join("/");
}

function encodePath(path: string): string {
  return path.split("/").map(encodeBytes).join("/");
}

function encodeBytes(text: string): string {
  return text.replace(
    /[^A-Za-z0-9\-._~]/g,
    (character) => `%${(character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
