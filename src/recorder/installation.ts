// This installation's id: made once, kept in the state, the same over restarts.
import type { Random } from "../model/environment.ts";
import type { StateStore } from "../state/contract.ts";

const key = "installation";

/** Reads the id, or makes it when the data directory is new. */
export async function openInstallation(state: StateStore, random: Random): Promise<string> {
  const made = random.alphanumeric(20);
  await state.put(key, { id: made }, "absent");
  const stored = (await state.get(key))?.value;
  const id = typeof stored === "object" && stored !== null && "id" in stored ? stored["id"] : undefined;
  return typeof id === "string" && /^[A-Za-z0-9]{8,64}$/.test(id) ? id : made;
}
