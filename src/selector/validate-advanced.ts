// The rules of advanced event selectors on trails, in the order in which they are checked (api.md §5.3). Pure.
import { apiError } from "../model/errors.ts";
import type { Input } from "../model/operations.ts";
import { requirePresent } from "./present.ts";
import {
  type FieldRule,
  fieldRule,
  parseSelectedCategory,
  requiredFields,
  type SelectedCategory,
  type ValueContext,
} from "./selector-fields.ts";
import { type AdvancedSelector, type FieldSelector, selectorOperators } from "./selectors.ts";

type GivenSelector = NonNullable<Input<"PutEventSelectors">["AdvancedEventSelectors"]>[number];
type GivenField = NonNullable<GivenSelector["FieldSelectors"]>[number];

export interface AdvancedContext extends ValueContext {
  readonly limits: { readonly advancedValuesPerTrail: number };
}

/**
 * Takes at least one selector and returns them with only the operators that were given. The constraints of the
 * vendor's model come first (api.md §1.5), then each selector's rules in turn, then the number of values.
 */
export function readAdvancedSelectors(
  given: readonly GivenSelector[],
  context: AdvancedContext,
): AdvancedSelector[] {
  const selectors = given.map((selector, index) =>
    readShape(selector, `advancedEventSelectors.${index + 1}.member`),
  );
  for (const selector of selectors) checkSelector(selector, context);
  const max = context.limits.advancedValuesPerTrail;
  const values = selectors.flatMap(({ fieldSelectors }) => fieldSelectors.flatMap(valuesOf));
  if (values.length > max) throw apiError("InvalidEventSelectorsException.tooMany", { max });
  return selectors;
}

function readShape(given: GivenSelector, path: string): AdvancedSelector {
  const { Name: name, FieldSelectors } = requirePresent(given, path);
  if (name) checkLength(name, `${path}.name`, { min: 0, max: 1000 });
  const fields = requirePresent(FieldSelectors, `${path}.fieldSelectors`);
  if (fields.length === 0) {
    throw constraintError(
      "[]",
      `${path}.fieldSelectors`,
      "Member must have length greater than or equal to 1",
    );
  }
  const fieldSelectors = fields.map((field, index) =>
    readField(field, `${path}.fieldSelectors.${index + 1}.member`),
  );
  return name ? { name, fieldSelectors } : { fieldSelectors };
}

/** An empty operator list counts as absent (api.md §5.3). */
function readField(given: GivenField, path: string): FieldSelector {
  const field = requirePresent(requirePresent(given, path).Field, `${path}.field`);
  checkLength(field, `${path}.field`, { min: 1, max: 1000 });
  const lists = selectorOperators.flatMap((operator) => {
    const values = given[operator] ?? [];
    for (const [index, value] of values.entries()) {
      const valuePath = `${path}.${lowerFirst(operator)}.${index + 1}.member`;
      checkLength(requirePresent(value, valuePath), valuePath, { min: 1, max: 2048 });
    }
    return values.length > 0 ? [[operator, [...values]] as const] : [];
  });
  return { field, ...Object.fromEntries(lists) };
}

function checkLength(
  text: string,
  path: string,
  range: { readonly min: number; readonly max: number },
): void {
  // The model counts characters, not UTF-16 units; only a text near the limit needs the slow count.
  const length = text.length > range.max ? Array.from(text).length : text.length;
  if (length < range.min) {
    throw constraintError(text, path, `Member must have length greater than or equal to ${range.min}`);
  }
  if (length > range.max) {
    throw constraintError(text, path, `Member must have length less than or equal to ${range.max}`);
  }
}

function constraintError(value: string, field: string, constraint: string): Error {
  return apiError("InvalidEventSelectorsException.constraint", { value, field, constraint });
}

/** Rules 1 to 9, each over the whole selector before the next one. */
function checkSelector({ fieldSelectors }: AdvancedSelector, context: ValueContext): void {
  const category = checkCategory(fieldSelectors);
  const ruled = fieldSelectors.map((selector) => ({ selector, rule: allowedRule(category, selector.field) }));
  checkRequired(category, fieldSelectors);
  for (const { selector, rule } of ruled) checkOperators(selector, rule);
  for (const { selector, rule } of ruled) checkValues(selector, { rule, context });
  for (const { field, ...operators } of fieldSelectors) {
    if (Object.keys(operators).length === 0) {
      throw apiError("InvalidEventSelectorsException.noOperator", { field });
    }
  }
}

function checkCategory(fieldSelectors: readonly FieldSelector[]): SelectedCategory {
  const selector = fieldSelectors.find(({ field }) => field === "eventCategory");
  if (!selector) throw apiError("InvalidEventSelectorsException.required");
  if (new Set(fieldSelectors.map(({ field }) => field)).size < fieldSelectors.length) {
    throw apiError("InvalidEventSelectorsException.duplicate");
  }
  checkOperators(selector, { operators: ["Equals"] });
  const category = selector.Equals?.length === 1 ? parseSelectedCategory(selector.Equals[0]) : undefined;
  if (!category) throw apiError("InvalidEventSelectorsException.value", { field: "eventCategory" });
  return category;
}

function allowedRule(category: SelectedCategory, field: string): FieldRule {
  const rule = fieldRule(category, field);
  if (!rule) throw apiError("InvalidEventSelectorsException.notAllowed", { category, field });
  return rule;
}

function checkRequired(category: SelectedCategory, fieldSelectors: readonly FieldSelector[]): void {
  const missing = requiredFields(category).find(
    (name) => !fieldSelectors.some(({ field }) => field === name),
  );
  if (missing !== undefined) {
    throw apiError("InvalidEventSelectorsException.requiredFor", { category, field: missing });
  }
}

function checkOperators(selector: FieldSelector, rule: FieldRule): void {
  const { field } = selector;
  if (selectorOperators.some((operator) => selector[operator] && !rule.operators.includes(operator))) {
    const operators = rule.operators.join(", ");
    throw apiError("InvalidEventSelectorsException.operators", { field, operators });
  }
}

/** A field selector without any value is left to rule 9. */
function checkValues(
  selector: FieldSelector,
  by: { readonly rule: FieldRule; readonly context: ValueContext },
): void {
  const values = valuesOf(selector);
  if (values.length === 0 || !by.rule.accepts || by.rule.accepts(values, by.context)) return;
  throw apiError("InvalidEventSelectorsException.value", { field: selector.field });
}

function valuesOf(selector: FieldSelector): string[] {
  return selectorOperators.flatMap((operator) => selector[operator] ?? []);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
