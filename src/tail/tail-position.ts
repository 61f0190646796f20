// Where a tail stands in the journal, and how that is written for its reader, who gives it back to go on: opaque to them.
// Pure. A position grants nothing: what may be read is decided anew.

/** Of one partition: the next record is number `index`, from 0, of frame `seq`. */
export interface TailPosition {
  readonly partition: string;
  readonly seq: number;
  readonly index: number;
}

const partitionsMax = 64;
const form = /^([A-Za-z0-9_-]{1,32})\.(\d{1,15})\.(\d{1,9})$/;

export function tailPositionText(positions: readonly TailPosition[]): string {
  return positions.map(({ partition, seq, index }) => `${partition}.${seq}.${index}`).join("~");
}

/** Undefined for what is no position. */
export function parseTailPosition(text: string): readonly TailPosition[] | undefined {
  const positions: TailPosition[] = [];
  for (const part of text.split("~", partitionsMax + 1)) {
    const [, partition, seq, index] = form.exec(part) ?? [];
    if (partition === undefined) return undefined;
    positions.push({ partition, seq: Number(seq), index: Number(index) });
  }
  return positions.length > partitionsMax ? undefined : positions;
}
