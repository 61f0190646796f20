// Headers of an HTTP message as the door and the recorder hold them. Pure.

/** Lower-case name → values in the order they came. Values are byte strings (one character per byte). */
export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

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
