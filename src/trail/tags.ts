// The rules of tags (api.md §2.7). Pure.
import { apiError } from "../model/errors.ts";
import type { Tag } from "./trail.ts";

/** A tag as sent; a missing value is stored as the empty text. */
interface TagInput {
  readonly Key: string | undefined;
  readonly Value?: string | undefined;
}

const keyLengthMax = 128;
const valueLengthMax = 256;
const characters = /^[\p{L}\p{N}\p{Z}_.:/=+\-@]*$/u;

/** Checks a request's list for CreateTrail and AddTags; throws InvalidTagParameterException. */
export function readTags(list: readonly TagInput[]): readonly Tag[] {
  const keys = readTagKeys(list);
  return list.map(({ Value: value = "" }, index) => {
    if (lengthOf(value) > valueLengthMax || !characters.test(value)) {
      throw apiError("InvalidTagParameterException.value", { value });
    }
    return { key: keys[index] ?? "", value };
  });
}

/** Checks the keys of a request's list; RemoveTags looks at nothing else. */
export function readTagKeys(list: readonly TagInput[]): readonly string[] {
  const seen = new Set<string>();
  for (const { Key: key = "" } of list) {
    if (key === "" || lengthOf(key) > keyLengthMax || !characters.test(key)) {
      throw apiError("InvalidTagParameterException.key", { key });
    }
    if (key.toLowerCase().startsWith("aws:"))
      throw apiError("InvalidTagParameterException.reserved", { key });
    if (seen.has(key)) throw apiError("InvalidTagParameterException.duplicate", { key });
    seen.add(key);
  }
  return [...seen];
}

/**
 * Adds tags to those a resource has: an existing key keeps its place and gets the new value, new ones follow.
 * Throws TagsLimitExceededException when more than `max` would be there.
 */
export function mergeTags(existing: readonly Tag[], added: readonly Tag[], max: number): readonly Tag[] {
  const merged = new Map([...existing, ...added].map((tag) => [tag.key, tag.value]));
  if (merged.size > max) throw apiError("TagsLimitExceededException", { max });
  return [...merged].map(([key, value]) => ({ key, value }));
}

/** Characters, not UTF-16 units. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
