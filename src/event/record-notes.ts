// What the door's scan saw of a record, in a few numbers: which call it was, and where the members lie by which it is looked
// up. Notes go along with a frame while it is in memory, so that event history need not scan its records again. Numbers,
// because they live as long as the records' bytes: objects would be copied by every garbage collection.
import { type KnownCall, knownCalls } from "./known-calls.ts";
import { categoryOf, isPlaced, type RecordFields } from "./record.ts";

/** By record: so many words. */
export const noteWords = 7;

/** Places count from the record's first byte; of what is not there it is 0. */
export const noteWord = {
  /** 0 when only a scan can tell, `notLookedUp`, or above that the number of its call. */
  what: 0,
  eventTimeAt: 1,
  eventIdAt: 2,
  userIdentityAt: 3,
  requestParametersAt: 4,
  responseElementsAt: 5,
  resourcesAt: 6,
} as const;

/** A valid event of a category that nobody looks up. */
export const notLookedUp = 1;

/** The call that a note's first word says; undefined when it says none, or one that was forgotten. */
export function callOfNote(what: number): KnownCall | undefined {
  return knownCalls.at(what - notLookedUp);
}

/** Writes the note of a valid record, which begins at `start` of what was scanned, to the words from `at` on, which are 0. */
export function writeNote(
  notes: Int32Array,
  at: number,
  { fields, start }: { readonly fields: RecordFields; readonly start: number },
): void {
  const category = categoryOf(fields);
  if (category === "Data" || category === "NetworkActivity") notes[at] = notLookedUp;
  if (category !== "Management" || !isPlaced(fields)) return;
  const { eventSource, eventName, eventTimeAt, eventIdAt } = fields;
  if (eventSource === undefined || eventName === undefined || eventTimeAt === 0 || eventIdAt === 0) return;
  const within = (place: number) => (place === 0 ? 0 : place - start);
  notes[at] = notLookedUp + knownCalls.numberOf(eventSource, eventName, fields.readOnly);
  notes[at + noteWord.eventTimeAt] = eventTimeAt - start;
  notes[at + noteWord.eventIdAt] = eventIdAt - start;
  notes[at + noteWord.userIdentityAt] = within(fields.userIdentityAt);
  notes[at + noteWord.requestParametersAt] = within(fields.requestParametersAt);
  notes[at + noteWord.responseElementsAt] = within(fields.responseElementsAt);
  notes[at + noteWord.resourcesAt] = within(fields.resourcesAt);
}
