// A request as the listener read it and an answer as it will write it: what every door takes and gives.
// Must not: know sockets, or what any door does.
import type { TlsDetails } from "../model/call.ts";
import { groupHeaders, type RequestHeaders } from "../model/headers.ts";

export { groupHeaders, type RequestHeaders };

export interface DoorRequest {
  readonly method: string;
  /** Percent-encoded as sent, without the query. */
  readonly path: string;
  /** As sent, without the question mark; empty when there is none. */
  readonly query: string;
  readonly headers: RequestHeaders;
  /** Lower-case UUID, also in the answer's `x-amzn-RequestId`. */
  readonly requestId: string;
  /** Behind trusted proxies the address that they report, else the socket's. */
  readonly sourceIp: string;
  readonly tls?: TlsDetails;
  /** The VPC endpoint whose port it came in by. */
  readonly vpcEndpointId?: string;
}

export interface DoorAnswer {
  readonly status: number;
  /** Names as they shall be written; Date, Content-Length and x-amzn-RequestId are added by the listener. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Pieces are asked for at the pace of the client, after the headers; then Content-Length is added only when `headers`
   * has it. Its iterator is always ended: read to the end, or `return()` when the client goes, even while a piece is
   * awaited (a generator hears of that after its next piece) and even before the first one was asked for.
   */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** A streamed body without an end of its own: ended politely as soon as the server closes. Others may finish. */
  readonly endsAtClosing?: true;
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
