// The events that a user gives in a file or on standard input: in any form that the server takes, or as `aws cloudtrail
// lookup-events` prints them, where each record is a text within JSON.
import { printable } from "./printable.ts";
import { parsed } from "./server-request.ts";
import type { Terminal } from "./terminal.ts";

/** The text to send. `path` may be `-`. */
export async function eventText(
  path: string,
  terminal: Pick<Terminal, "readFile" | "readInput">,
): Promise<string | { readonly problem: string }> {
  try {
    const text = path === "-" ? await terminal.readInput() : terminal.readFile(path).text;
    // The first byte of a gzip file; the second is none of UTF-8.
    if (text.startsWith("\u001f\ufffd")) {
      return { problem: `--event: what is given is gzipped; write: zcat FILE | cairn explain --event - …` };
    }
    return unwrapped(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `--event: ${printable(path)} cannot be read: ${printable(reason)}.` };
  }
}

function unwrapped(text: string): string {
  if (!text.includes('"CloudTrailEvent"')) return text;
  const value = parsed(text);
  const records = [value].flat().flatMap(recordsIn);
  return records.length > 0 ? records.join("\n") : text;
}

/** Of LookupEvents' whole answer, or of one of its Events. */
function recordsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  if ("Events" in value && Array.isArray(value.Events)) return value.Events.flatMap(recordsIn);
  return "CloudTrailEvent" in value && typeof value.CloudTrailEvent === "string"
    ? [value.CloudTrailEvent.replaceAll(/[\r\n]+/g, " ")]
    : [];
}
