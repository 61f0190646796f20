// Times as HTTP and SigV4 write them. Pure: converts numbers and texts, never asks for the time.
import { oncePerSecond } from "../model/timestamp.ts";

/** `YYYYMMDDTHHMMSSZ` → milliseconds since the epoch; undefined when it is no such time. */
export function parseIsoBasic(text: string): number | undefined {
  if (!/^\d{8}T\d{6}Z$/.test(text)) return undefined;
  const number = (from: number, to: number) => Number(text.slice(from, to));
  const [year, month, day] = [number(0, 4), number(4, 6), number(6, 8)];
  const [hour, minute, second] = [number(9, 11), number(11, 13), number(13, 15)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // A 30th of February becomes the 1st or 2nd of March, and a year below 100 one of the 20th century.
  const isReal =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.getTime() : undefined;
}

/** Milliseconds since the epoch → `YYYYMMDDTHHMMSSZ`. */
export function isoBasic(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return `${new Date(epochMs).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}

/** Milliseconds since the epoch → `Sun, 06 Nov 1994 08:49:37 GMT`. */
export const httpDate: (epochMs: number) => string = oncePerSecond((epochMs) =>
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  new Date(epochMs).toUTCString(),
);

/** The `Date` header's form → milliseconds since the epoch; undefined when it is not. */
export function parseHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
