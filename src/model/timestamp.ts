// Timestamps as CloudTrail writes them. Pure: converts a number, never asks for the time.

/** `YYYY-MM-DDTHH:MM:SSZ`, whole seconds, UTC (formats.md §1.1). */
export const isoSeconds: (epochMs: number) => string = oncePerSecond(
  (epochMs) => `${isoText(epochMs).slice(0, 19)}Z`,
);

/** The same conversion, for one that shows whole seconds: thousands of calls in one second share its text. */
export function oncePerSecond(write: (epochMs: number) => string): (epochMs: number) => string {
  let second = Number.NaN;
  let text = "";
  return (epochMs) => {
    const wanted = Math.floor(epochMs / 1000);
    if (wanted !== second) {
      text = write(epochMs);
      second = wanted;
    }
    return text;
  };
}

/** `YYYYMMDDTHHMM` in UTC, the label in log file names. */
export function compactMinutes(epochMs: number): string {
  return isoText(epochMs).slice(0, 16).replace(/[-:]/g, "");
}

/** `YYYYMMDDTHHMMSSZ` in UTC, the time stamp in digest file names. */
export function compactSeconds(epochMs: number): string {
  return `${isoText(epochMs).slice(0, 19).replace(/[-:]/g, "")}Z`;
}

/** `YYYY/MM/DD` in UTC, the date folders of object keys. */
export function dateFolders(epochMs: number): string {
  return isoText(epochMs).slice(0, 10).replaceAll("-", "/");
}

function isoText(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return new Date(epochMs).toISOString();
}
