// Refuses list entries and members that are null or absent where the model requires a value (api.md §1.5). Pure.
import { apiError } from "../model/errors.ts";

/** Returns `value`, or throws InvalidEventSelectorsException naming `path` (`eventSelectors.1.member`). */
export function requirePresent<Value>(value: Value | null | undefined, path: string): Value {
  if (value === null || value === undefined) {
    throw apiError("InvalidEventSelectorsException.missing", { field: path });
  }
  return value;
}
