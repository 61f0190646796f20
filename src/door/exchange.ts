// A request as the listener read it and an answer as it will write it: what every door takes and gives.
// Must not: know sockets, or what any door does.
import type { TlsDetails } from "../model/call.ts";

/** Lower-case name → values in the order they came. Values are byte strings (one character per byte). */
export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

export interface DoorRequest {
  readonly method: string;
  /** Percent-encoded as sent, without the query. */
  readonly path: string;
  /** As sent, without the question mark; empty when there is none. */
  readonly query: string;
  readonly headers: RequestHeaders;
  /** Lower-case UUID, also in the answer's `x-amzn-RequestId`. */
  readonly requestId: string;
  readonly sourceIp: string;
  readonly tls?: TlsDetails;
}

export interface DoorAnswer {
  readonly status: number;
  /** Names as they shall be written; Date, Content-Length and x-amzn-RequestId are added by the listener. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What came of asking for a request's body. Bytes stay counted in the budget until the answer is out. */
export type BodyOutcome =
  | { readonly kind: "complete"; readonly bytes: Uint8Array }
  | { readonly kind: "tooLarge" }
  /** The budget of bytes in flight is used up. */
  | { readonly kind: "noRoom" }
  /** The client went away; nobody waits for an answer. */
  | { readonly kind: "gone" };

/** Bytes that one request keeps in memory, counted against the budget all requests share. */
export interface ByteLease {
  /** False when the budget has no room for `count` more bytes; then nothing is taken. */
  take(count: number): boolean;
}

/** The value of a header; values of a repeated one are joined, so that a doubled header matches nothing single. */
export function headerOf(request: { readonly headers: RequestHeaders }, name: string): string | undefined {
  const values = request.headers.get(name);
  return values && (values.length === 1 ? values[0] : values.join(", "));
}

/** Groups the name-value pairs of `rawHeaders` by lower-case name. */
export function groupHeaders(rawHeaders: readonly string[]): RequestHeaders {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const values = headers.get(name);
    if (values) values.push(rawHeaders[index + 1] ?? "");
    else headers.set(name, [rawHeaders[index + 1] ?? ""]);
  }
  return headers;
}

/**
 * The first value of a query parameter, percent-decoded; undefined when absent. `+` is no space here.
 * The case of the name does not matter: presigners move headers into the query as they find them written.
 */
export function queryParameter(query: string, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    const key = equals === -1 ? pair : pair.slice(0, equals);
    if (decodeBytes(key).toLowerCase() === wanted)
      return equals === -1 ? "" : decodeBytes(pair.slice(equals + 1));
  }
  return undefined;
}

/** Undoes percent-encoding into a byte string; a `%` that begins no escape stays as it is. */
export function decodeBytes(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
