// From the input of PutEventSelectors to the selectors a trail will have, or the error that refuses it
// (api.md §5.1). Pure. Must not: know trails, or how selectors match.
import { apiError } from "../model/errors.ts";
import type { Input } from "../model/operations.ts";
import { defaultSelectors, type TrailSelectors } from "./selectors.ts";
import { readAdvancedSelectors } from "./validate-advanced.ts";
import { readBasicSelectors } from "./validate-basic.ts";

type SelectorsInput = Pick<Input<"PutEventSelectors">, "EventSelectors" | "AdvancedEventSelectors">;

interface SelectorLimits {
  /** Most basic selectors of a trail (5). */
  readonly basicSelectorsPerTrail: number;
  /** Most DataResources values over all basic selectors of a trail (250). */
  readonly dataResourceValuesPerTrail: number;
  /** Most values over all advanced selectors of a trail (500). */
  readonly advancedValuesPerTrail: number;
}

export interface SelectorContext {
  /** What the trail has now: an empty advanced list leaves basic selectors as they are. */
  readonly current: TrailSelectors;
  readonly limits: SelectorLimits;
  /** Resource types that the operator added to the built-in list. */
  readonly extraResourceTypes: readonly string[];
}

/**
 * Takes a type-checked input and returns the selectors in their stored form, defaults filled in.
 * Throws InvalidEventSelectorsException with the text of the first rule that is broken: which list is given comes
 * before its contents.
 */
export function selectorsFromInput(input: SelectorsInput, context: SelectorContext): TrailSelectors {
  const basic = input.EventSelectors;
  const advanced = input.AdvancedEventSelectors;
  const { limits } = context;
  if (basic?.length && advanced?.length) throw apiError("InvalidEventSelectorsException.both");
  if (advanced?.length) return { kind: "advanced", selectors: readAdvancedSelectors(advanced, context) };
  // Terraform sends an empty advanced list, and no basic one, when a user removes the block (api.md §9).
  if (advanced && !basic) return context.current.kind === "advanced" ? defaultSelectors : context.current;
  if (!basic?.length || basic.length > limits.basicSelectorsPerTrail) {
    throw apiError("InvalidEventSelectorsException.count");
  }
  return { kind: "basic", selectors: readBasicSelectors(basic, limits.dataResourceValuesPerTrail) };
}
