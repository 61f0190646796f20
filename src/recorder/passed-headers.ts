// Headers as they pass: names, values, order and case stay; what belongs to one connection alone does not go on.
// Pure. Must not: read bodies.

/** RFC 9110 §7.6.1. `Transfer-Encoding`, `TE` and `Trailer` stay: the next hop frames the body the same way. */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "upgrade",
  "http2-settings",
]);
/** What `Connection` may not take away: a record must tell what the service was told. */
const kept = /^(x-amz|authorization$|host$|content-|expect$|transfer-encoding$|te$|trailer$|date$)/;
/** Methods of which node:http expects no body unless the headers announce one. */
const withoutBody: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"]);

export interface RequestToPass {
  readonly method: string;
  /** Name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
  /** For a client that speaks HTTP/1.0 and names no host. */
  readonly host: string;
  /** Added as the last hop. */
  readonly via: string;
}

/** The headers for the service. */
export function headersToService({ method, rawHeaders, host, via }: RequestToPass): string[] {
  const { headers, names } = endToEnd(rawHeaders);
  if (!names.has("host")) headers.unshift("Host", host);
  // node:http would frame a body that was never announced.
  if (!names.has("content-length") && !names.has("transfer-encoding") && !withoutBody.has(method)) {
    headers.push("Content-Length", "0");
  }
  headers.push("Via", via);
  return headers;
}

export interface AnswerToPass {
  readonly rawHeaders: readonly string[];
  /** Of the client. */
  readonly httpVersion: string;
  /** The connection must not serve another request. */
  readonly isLast: boolean;
}

/** The headers for the client. */
export function headersToClient({ rawHeaders, httpVersion, isLast }: AnswerToPass): string[] {
  const { headers, names } = endToEnd(rawHeaders);
  const isChunked = names.has("transfer-encoding");
  // HTTP/1.0 knows no chunks, and without chunks there are no trailers.
  if (isChunked && httpVersion === "1.0") drop(headers, ["transfer-encoding", "trailer"]);
  else if (!isChunked && names.has("trailer")) drop(headers, ["trailer"]);
  if (isLast) headers.push("Connection", "close");
  return headers;
}

/** `name, value, …` as pairs, for trailers. */
export function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return pairs;
}

function endToEnd(raw: readonly string[]): { headers: string[]; names: ReadonlySet<string> } {
  const headers: string[] = [];
  const names = new Set<string>();
  let listed: string | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const value = raw[at + 1] ?? "";
    const lower = name.toLowerCase();
    if (ofConnection.has(lower)) {
      if (lower === "connection" && !/^(keep-alive|close)$/i.test(value)) listed = `${listed ?? ""},${value}`;
      continue;
    }
    headers.push(name, value);
    names.add(lower);
  }
  if (listed !== undefined) {
    const words = listed.split(",").map((name) => name.trim().toLowerCase());
    drop(
      headers,
      words.filter((name) => name !== "" && !kept.test(name)),
    );
  }
  return { headers, names };
}

function drop(headers: string[], names: readonly string[]): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (names.includes((headers[at] ?? "").toLowerCase())) headers.splice(at, 2);
  }
}
