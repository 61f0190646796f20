// Keeps the newest of the rows that it is offered: by time, then by number. Pure.

export interface Row {
  readonly seconds: number;
  readonly ordinal: number;
}

/** Below zero when `a` comes before `b` in an answer: it is newer. */
export function newestFirst(a: Row, b: Row): number {
  return b.seconds - a.seconds || b.ordinal - a.ordinal;
}

/**
 * Sorted at all times: offers come newest first nearly always, and few are kept. A row offered twice is kept once: for a
 * moment a segment that was just sealed stands beside its file.
 */
export class TopRows<Kept extends Row = Row> {
  readonly #limit: number;
  readonly #rows: Kept[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get rows(): readonly Kept[] {
    return this.#rows;
  }

  get isFull(): boolean {
    return this.#rows.length === this.#limit;
  }

  /** Of the oldest row that is kept. */
  get worstSeconds(): number {
    return this.#rows.at(-1)?.seconds ?? 0;
  }

  add(row: Kept): void {
    const rows = this.#rows;
    const worst = rows.at(-1);
    if (worst && this.isFull && newestFirst(row, worst) > 0) return;
    let at = rows.length;
    for (; at > 0; at -= 1) {
      const other = rows[at - 1];
      const order = other ? newestFirst(row, other) : -1;
      if (order === 0) return;
      if (order > 0) break;
    }
    rows.splice(at, 0, row);
    if (rows.length > this.#limit) rows.pop();
  }
}
