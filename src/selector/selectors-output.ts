// The selectors of a trail as the API shows them (api.md §5.6), and whether they count as custom (§5.8). Pure.
import type { Output } from "../model/operations.ts";
import {
  type AdvancedSelector,
  type BasicSelector,
  type FieldSelector,
  selectorOperators,
  type TrailSelectors,
} from "./selectors.ts";

type GetOutput = Output<"GetEventSelectors">;
type WireBasic = NonNullable<GetOutput["EventSelectors"]>[number];
type WireAdvanced = NonNullable<GetOutput["AdvancedEventSelectors"]>[number];
type WireField = NonNullable<WireAdvanced["FieldSelectors"]>[number];

/** The one of the two lists that the trail has, in wire form: Put and Get answer the same. */
export function selectorsToOutput(
  selectors: TrailSelectors,
): { EventSelectors: WireBasic[] } | { AdvancedEventSelectors: WireAdvanced[] } {
  return selectors.kind === "basic"
    ? { EventSelectors: selectors.selectors.map(basicToWire) }
    : { AdvancedEventSelectors: selectors.selectors.map(advancedToWire) };
}

/** False while the trail's selectors are the plain default one, set or never set. */
export function hasCustomEventSelectors({ kind, selectors }: TrailSelectors): boolean {
  if (kind === "advanced" || selectors.length !== 1) return true;
  return !selectors.every(isDefault);
}

function isDefault(selector: BasicSelector): boolean {
  return (
    selector.readWriteType === "All" &&
    selector.includeManagementEvents &&
    selector.dataResources.length === 0 &&
    selector.excludeManagementEventSources.length === 0
  );
}

function basicToWire(selector: BasicSelector): WireBasic {
  return {
    ReadWriteType: selector.readWriteType,
    IncludeManagementEvents: selector.includeManagementEvents,
    DataResources: selector.dataResources.map(({ type, values }) => ({ Type: type, Values: [...values] })),
    ExcludeManagementEventSources: [...selector.excludeManagementEventSources],
  };
}

function advancedToWire({ name, fieldSelectors }: AdvancedSelector): WireAdvanced {
  return { ...(name !== undefined && { Name: name }), FieldSelectors: fieldSelectors.map(fieldToWire) };
}

function fieldToWire(selector: FieldSelector): WireField {
  const wire: WireField = { Field: selector.field };
  for (const operator of selectorOperators) {
    const values = selector[operator];
    if (values) wire[operator] = [...values];
  }
  return wire;
}
