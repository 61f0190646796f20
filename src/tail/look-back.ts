// Where in the journal a tail begins: now, at its oldest frame, where it was, or at a time, which is found by halving.
import type { StoredFrame } from "../journal/contract.ts";
import type { WalkedJournal } from "./journal-walk.ts";
import type { TailPosition } from "./tail-position.ts";

export type TailStart =
  | { readonly kind: "now" }
  | { readonly kind: "start" }
  /** Events that arrived at that time or later. */
  | { readonly kind: "since"; readonly sinceMs: number }
  | { readonly kind: "positions"; readonly positions: readonly TailPosition[] };

export interface FoundStart {
  readonly positions: readonly TailPosition[];
  /** True when the journal may have had earlier frames of the time asked for, which are trimmed. */
  readonly isCut: boolean;
}

/** Positions that are no longer there, or of a partition that is not, are the walk's to skip. */
export async function startOf(journal: WalkedJournal, start: TailStart): Promise<FoundStart> {
  const { partitions } = journal;
  switch (start.kind) {
    case "now":
      return { positions: partitions.map((name) => ({ ...journal.end(name), index: 0 })), isCut: false };
    case "start":
      return { positions: partitions.map((name) => ({ ...journal.start(name), index: 0 })), isCut: false };
    case "positions": {
      const given = new Map(start.positions.map((position) => [position.partition, position]));
      const positions = partitions.map((name) => given.get(name) ?? { ...journal.end(name), index: 0 });
      return { positions, isCut: false };
    }
    case "since": {
      const found = await Promise.all(partitions.map((name) => firstSince(journal, name, start.sinceMs)));
      return { positions: found.map(({ position }) => position), isCut: found.some(({ isCut }) => isCut) };
    }
    default:
      return start satisfies never;
  }
}

/** Times of arrival grow with the frames, but for a clock that was set back. */
async function firstSince(
  journal: WalkedJournal,
  partition: string,
  sinceMs: number,
): Promise<{ readonly position: TailPosition; readonly isCut: boolean }> {
  const oldest = journal.start(partition).seq;
  let low = oldest;
  let high = journal.end(partition).seq;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const frame = await frameAt(journal, { partition, seq: middle });
    // What is trimmed is old.
    if (frame && frame.header.arrivedMs >= sinceMs) high = middle;
    else low = middle + 1;
  }
  const isCut = low === oldest && oldest > 1 && low < journal.end(partition).seq;
  return { position: { partition, seq: low, index: 0 }, isCut };
}

async function frameAt(
  journal: WalkedJournal,
  position: { readonly partition: string; readonly seq: number },
): Promise<StoredFrame | undefined> {
  const isTrimmed = (): boolean => position.seq < journal.start(position.partition).seq;
  if (isTrimmed()) return undefined;
  try {
    return (await journal.read(position, { bytesMax: 1 })).frames[0];
  } catch (error) {
    if (isTrimmed()) return undefined;
    throw error;
  }
}
