// Times as HTTP and SigV4 write them. Pure: converts numbers and texts, never asks for the time.

/** `YYYYMMDDTHHMMSSZ` → milliseconds since the epoch; undefined when it is no such time. */
export function parseIsoBasic(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const epochMs = Date.UTC(year, month - 1, day, hour, minute, second);
  return isoBasic(epochMs) === text ? epochMs : undefined;
}

/** Milliseconds since the epoch → `YYYYMMDDTHHMMSSZ`. */
export function isoBasic(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return `${new Date(epochMs).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}

/** Milliseconds since the epoch → `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function httpDate(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return new Date(epochMs).toUTCString();
}

/** The `Date` header's form → milliseconds since the epoch; undefined when it is not. */
export function parseHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
