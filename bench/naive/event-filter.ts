// What anybody would write to decide which trail logs a parsed event: one closure per condition, trail by trail.
import type { FieldSelector, TrailSelectors } from "../../src/selector/selectors.ts";

export interface ParsedEvent {
  readonly eventCategory?: string;
  readonly managementEvent?: boolean;
  readonly readOnly?: boolean;
  readonly userIdentity?: { readonly arn?: string };
  readonly resources?: readonly { readonly type?: string; readonly ARN?: string }[];
  readonly [field: string]: unknown;
}

type Test = (event: ParsedEvent) => boolean;

/** Whether at least one of the selectors matches. */
export function eventFilter(selectors: TrailSelectors): Test {
  if (selectors.kind !== "advanced") throw new Error("The naive pipeline knows advanced selectors only.");
  const alternatives = selectors.selectors.map(({ fieldSelectors }) => fieldSelectors.map(condition));
  return (event) => alternatives.some((tests) => tests.every((test) => test(event)));
}

function condition(selector: FieldSelector): Test {
  const { Equals, NotEquals, StartsWith, NotStartsWith } = selector;
  const read = reader(selector.field);
  if (Equals) return (event) => read(event).some((value) => Equals.includes(value));
  if (NotEquals) return (event) => read(event).every((value) => !NotEquals.includes(value));
  if (StartsWith)
    return (event) => read(event).some((value) => StartsWith.some((text) => value.startsWith(text)));
  if (NotStartsWith) {
    return (event) => read(event).every((value) => !NotStartsWith.some((text) => value.startsWith(text)));
  }
  throw new Error("The naive pipeline does not know this operator.");
}

function reader(field: string): (event: ParsedEvent) => string[] {
  switch (field) {
    case "eventCategory":
      return (event) => [event.eventCategory ?? (event.managementEvent === false ? "Data" : "Management")];
    case "resources.type":
      return ({ resources = [] }) => resources.map(({ type = "" }) => type);
    case "resources.ARN":
      return ({ resources = [] }) => resources.map(({ ARN = "" }) => ARN);
    case "userIdentity.arn":
      return ({ userIdentity }) => [userIdentity?.arn ?? ""];
    case "readOnly":
      // A record that does not say is a write.
      return (event) => [String(event.readOnly ?? false)];
    default:
      return (event) => {
        const value = event[field];
        return [typeof value === "string" ? value : ""];
      };
  }
}
