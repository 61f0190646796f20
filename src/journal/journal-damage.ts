// The error for journal files that are not what was once written. Must not: be used for a torn end, which is normal.

/** Acknowledged events may be gone: nothing is skipped, an operator decides. */
export class JournalDamage extends Error {
  readonly path: string;
  readonly offset: number;

  constructor(where: { readonly path: string; readonly offset: number }, what: string) {
    super(
      `The journal file ${where.path} is damaged at byte ${where.offset}. ${what} Cairn does not skip over events ` +
        "that it has acknowledged. Stop Cairn, keep a copy of the journal's folder, and restore this file from a " +
        "backup or a snapshot of the disk. Without one the events from this place on cannot be delivered: then " +
        "start with a new data directory and post the missing events again from their sources.",
    );
    this.name = "JournalDamage";
    this.path = where.path;
    this.offset = where.offset;
  }
}
