// How far the history has come in the journal, as stored: everything before is in segments, or nothing for the history.
import { z } from "zod";
import type { StateStore } from "../state/contract.ts";

export interface HistoryPosition {
  /** The next frame to take. */
  readonly seq: number;
  /** The number of the next event. */
  readonly ordinal: number;
}

const key = "history/position";
const form = z.object({ seq: z.number().int().positive(), ordinal: z.number().int().nonnegative() });

export async function readPosition(state: StateStore): Promise<HistoryPosition | undefined> {
  const stored = await state.get(key);
  return stored && form.safeParse(stored.value).data;
}

export async function storePosition(state: StateStore, { seq, ordinal }: HistoryPosition): Promise<void> {
  await state.put(key, { seq, ordinal }, "any");
}
