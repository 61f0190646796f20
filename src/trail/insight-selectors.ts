// The rules of Insights selectors on a trail (api.md §6.1) and their wire form. Pure.
import { apiError } from "../model/errors.ts";
import type { Output } from "../model/operations.ts";
import type { AdvancedSelector, TrailSelectors } from "../selector/selectors.ts";
import type { InsightSelector } from "./trail.ts";

type InsightType = InsightSelector["insightType"];
type EventCategory = NonNullable<InsightSelector["eventCategories"]>[number];
type WireSelector = NonNullable<Output<"GetInsightSelectors">["InsightSelectors"]>[number];

/** As sent: the model's enums are checked here, too, for the texts of this operation. */
interface InsightSelectorInput {
  readonly InsightType?: string | undefined;
  readonly EventCategories?: readonly string[] | undefined;
}

const insightTypes: readonly InsightType[] = ["ApiCallRateInsight", "ApiErrorRateInsight"];
const eventCategories: readonly EventCategory[] = ["Management", "Data"];

/** Checks a request's list; throws InvalidInsightSelectorsException. An empty list of categories counts as absent. */
export function readInsightSelectors(list: readonly InsightSelectorInput[]): readonly InsightSelector[] {
  const selectors = list.map((entry) => {
    const insightType = insightTypes.find((type) => type === entry.InsightType);
    if (!insightType) {
      throw apiError("InvalidInsightSelectorsException.type", { value: entry.InsightType ?? "null" });
    }
    const categories = readCategories(entry.EventCategories ?? []);
    return { insightType, ...(categories.length > 0 && { eventCategories: categories }) };
  });
  const repeated = repeatedIn(selectors.map((selector) => selector.insightType));
  if (repeated) throw apiError("InvalidInsightSelectorsException.duplicate", { value: repeated });
  return selectors;
}

/** Throws InvalidInsightSelectorsException when the trail does not log the events that a selector counts. */
export function checkNeededEvents(wanted: readonly InsightSelector[], selectors: TrailSelectors): void {
  for (const { insightType: type, eventCategories: categories = ["Management"] } of wanted) {
    for (const category of categories) {
      if (category === "Data" && !logsData(selectors)) throw needs("data", type);
      if (category === "Data") continue;
      if (type === "ApiCallRateInsight" && !logsManagement(selectors, "writes")) {
        throw needs("write management", type);
      }
      if (type === "ApiErrorRateInsight" && !logsManagement(selectors, "any"))
        throw needs("management", type);
    }
  }
}

/** EventCategories are given back only when they were given. */
export function insightSelectorsToOutput(selectors: readonly InsightSelector[]): WireSelector[] {
  return selectors.map(({ insightType, eventCategories: categories }) => ({
    InsightType: insightType,
    ...(categories && { EventCategories: [...categories] }),
  }));
}

function readCategories(list: readonly string[]): readonly EventCategory[] {
  const categories = list.map((value) => {
    const category = eventCategories.find((known) => known === value);
    if (!category) throw apiError("InvalidInsightSelectorsException.category", { value });
    return category;
  });
  const repeated = repeatedIn(categories);
  if (repeated) throw apiError("InvalidInsightSelectorsException.duplicateCategory", { value: repeated });
  return categories;
}

function repeatedIn(list: readonly string[]): string | undefined {
  return list.find((value, index) => list.indexOf(value) !== index);
}

function logsManagement({ kind, selectors }: TrailSelectors, which: "writes" | "any"): boolean {
  if (kind === "basic") {
    return selectors.some(
      (selector) =>
        selector.includeManagementEvents && (which === "any" || selector.readWriteType !== "ReadOnly"),
    );
  }
  return selectors.some((selector) => {
    const readOnly = valuesOf(selector, "readOnly");
    const isWritten = which === "any" || readOnly.length === 0 || readOnly.includes("false");
    return valuesOf(selector, "eventCategory").includes("Management") && isWritten;
  });
}

function logsData({ kind, selectors }: TrailSelectors): boolean {
  return kind === "basic"
    ? selectors.some((selector) => selector.dataResources.some((resource) => resource.values.length > 0))
    : selectors.some((selector) => valuesOf(selector, "eventCategory").includes("Data"));
}

/** `eventCategory` and `readOnly` know Equals only (api.md §5.4). */
function valuesOf(selector: AdvancedSelector, field: string): readonly string[] {
  return selector.fieldSelectors.find((candidate) => candidate.field === field)?.Equals ?? [];
}

function needs(events: string, type: InsightType): Error {
  return apiError("InvalidInsightSelectorsException.needs", { events, type });
}
