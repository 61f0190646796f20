// Names of log files (formats.md §2.1), and times in names and digests. Pure.
import { isoSeconds } from "../../model/timestamp.ts";

export const logFolders: readonly string[] = [
  ...["CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity", "CloudTrail-Aggregated"],
];

const nameForm =
  /^\d{12}_CloudTrail(?:-Insight|-NetworkActivity|-Aggregated)?_[a-z0-9-]+_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_\w+\.json\.gz$/;

/** The minute in a log file's name, which is near its delivery; undefined when it is no log file's name. */
export function deliveryLabelMs(key: string): number | undefined {
  const match = nameForm.exec(key.slice(key.lastIndexOf("/") + 1));
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number);
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return Date.UTC(year, month - 1, day, hour, minute);
}

/** `YYYY-MM-DDTHH:MM:SSZ` → milliseconds; undefined for anything else and for days that are none. */
export function parseIsoMs(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return undefined;
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const ms = Date.parse(text);
  return Number.isNaN(ms) || isoSeconds(ms) !== text ? undefined : ms;
}
