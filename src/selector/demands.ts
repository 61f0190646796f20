// What each trail demands of the events it logs, in the form in which the index decides: per category alternatives,
// each a list of tests on the event's fields and, last, tests on its resources. The same meaning as conditions.ts, which
// says it plainly (api.md §5.7). Equal demands are one object; the words of all demands are kept together, by field.
// Demands outlive an index: the next one compiles only what is new. Pure.
import type { RecordFields } from "../event/record.ts";
import { unreachable } from "../model/assert.ts";
import { canonicalResourceType } from "../model/resource-types.ts";
import { isWholeService, valueTest } from "./conditions.ts";
import { FieldWords, type TextTest } from "./field-words.ts";
import type { TrailScope } from "./match-set.ts";
import {
  type AdvancedSelector,
  type BasicSelector,
  type DataResource,
  type FieldSelector,
  selectorOperators,
  type TrailSelectors,
} from "./selectors.ts";

/** The categories in which trails may log events at all. */
export const demandedCategories = ["Management", "Data", "NetworkActivity", "Insight"] as const;
export type DemandedCategory = (typeof demandedCategories)[number];

/**
 * The fields in the order in which they are asked: those with few values first, for each answer makes what follows
 * simpler. Resources come after all of them.
 */
const fieldNames = [
  ...["readOnly", "eventSource", "errorCode", "sessionCredentialFromConsole", "eventType"],
  ...["insightType", "vpcEndpointId", "eventName", "userIdentity.arn"],
] as const;
export type FieldName = (typeof fieldNames)[number];

/** A field of the event and what is compared with it. */
export interface AskedField {
  readonly name: FieldName;
  /** Its place in the order of asking. */
  readonly rank: number;
  readonly words: FieldWords;
}

export interface FieldTest {
  readonly field: AskedField;
  readonly test: TextTest;
}

/** Tests that one and the same resource must pass. */
export interface ResourceTest {
  readonly typeTests: readonly TextTest[];
  readonly arnTests: readonly TextTest[];
}

/** One way of being logged: all field tests hold and, where there are resource tests, one of them. */
export interface Alternative {
  readonly id: number;
  readonly demand: Demand;
  /** In the order of asking. */
  readonly fieldTests: readonly FieldTest[];
  readonly resourceTests: readonly ResourceTest[] | undefined;
}

export interface Demand {
  readonly id: number;
  readonly alternatives: Readonly<Record<DemandedCategory, readonly Alternative[]>>;
  /** How many values its selectors compare with. */
  readonly weight: number;
}

// Below this it is not worth while to compile everything again.
const spareWeight = 10_000;

/** What a trail selects by: its selectors, and its Insights. */
export type Selecting = Pick<TrailScope, "selectors" | "insightTypes">;

/** The demands of all trails so far. */
export class DemandCatalog {
  readonly #fields: readonly AskedField[] = fieldNames.map((name, rank) => ({
    name,
    rank,
    words: new FieldWords(name === "userIdentity.arn" ? "many" : "few"),
  }));
  readonly typeWords = new FieldWords("few");
  readonly arnWords = new FieldWords("many");
  readonly #known = new Map<string, Demand>();
  /** Most trails stay as they are: their selectors need not be written out to be known again. */
  readonly #contentIds = new WeakMap<TrailSelectors, number>();
  readonly #idsByContent = new Map<string, number>();
  #alternatives = 0;
  #weight = 0;

  /** Whether much of it is demanded still: false when most is of trails that are gone or changed. */
  isWorthKeeping(live: Iterable<Demand>): boolean {
    let liveWeight = 0;
    for (const { weight } of new Set(live)) liveWeight += weight;
    return this.#weight <= 2 * liveWeight + spareWeight;
  }

  /** The demand of a trail: the same object for all that select by the same. */
  demandOf({ selectors, insightTypes }: Selecting): Demand {
    const drafts = () => [...selectorDrafts(selectors), ...insightDrafts(insightTypes)];
    return this.#demand(`${this.#contentId(selectors)} ${JSON.stringify(insightTypes)}`, drafts);
  }

  /** What the event bus demands of management events where a trail is in scope (formats.md §5.2). */
  busDemand(eventBus: "write" | "all"): Demand {
    const fields = eventBus === "write" ? [{ field: "readOnly", Equals: ["false"] }] : [];
    return this.#demand(`bus ${eventBus}`, () => [{ category: "Management", fields }]);
  }

  #contentId(selectors: TrailSelectors): number {
    const known = this.#contentIds.get(selectors);
    if (known !== undefined) return known;
    const content = JSON.stringify(selectors);
    const id = this.#idsByContent.get(content) ?? this.#idsByContent.size;
    this.#idsByContent.set(content, id);
    this.#contentIds.set(selectors, id);
    return id;
  }

  #demand(key: string, draftsOf: () => readonly Draft[]): Demand {
    const known = this.#known.get(key);
    if (known) return known;
    const drafts = draftsOf();
    const alternatives: Record<DemandedCategory, Alternative[]> = {
      Management: [],
      Data: [],
      NetworkActivity: [],
      Insight: [],
    };
    const weight = drafts.reduce((sum, draft) => sum + weightOf(draft), 0);
    const demand: Demand = { id: this.#known.size, alternatives, weight };
    for (const draft of drafts) {
      const alternative = this.#alternative(demand, draft);
      if (alternative) alternatives[draft.category].push(alternative);
    }
    this.#known.set(key, demand);
    this.#weight += weight;
    return demand;
  }

  /** Undefined when no event can pass it. */
  #alternative(demand: Demand, draft: Draft): Alternative | undefined {
    const { category, fields, resources, passesMissing } = draft;
    const asked = fields.map((selector) => ({
      selector,
      field: this.#fields.find(({ name }) => name === selector.field && isAskedOf(category, name)),
    }));
    // No record has a field that nobody knows.
    if (asked.some(({ selector, field }) => field === undefined && !valueTest(selector)(undefined))) {
      return undefined;
    }
    const fieldTests = asked.flatMap(({ selector, field }) =>
      field ? [{ field, test: field.words.addTest(selector, passesMissing) }] : [],
    );
    fieldTests.sort((a, b) => a.field.rank - b.field.rank);
    this.#alternatives += 1;
    const resourceTests = resources?.map((selectors) => this.#resourceTest(selectors));
    return { id: this.#alternatives, demand, fieldTests, resourceTests };
  }

  #resourceTest(selectors: readonly FieldSelector[]): ResourceTest {
    const isOfType = ({ field }: FieldSelector) => field === "resources.type";
    return {
      typeTests: selectors.filter(isOfType).map((one) => this.typeWords.addTest(canonicalTypes(one))),
      arnTests: selectors.filter((one) => !isOfType(one)).map((one) => this.arnWords.addTest(one)),
    };
  }
}

/** Selectors know the fields of events; the type of an Insight is asked of Insights records alone. */
function isAskedOf(category: DemandedCategory, name: FieldName): boolean {
  return (category === "Insight") === (name === "insightType");
}

/** An alternative before its words are in the catalog. */
interface Draft {
  readonly category: DemandedCategory;
  readonly fields: readonly FieldSelector[];
  /** One resource must pass all field selectors of one of these lists. */
  readonly resources?: readonly (readonly FieldSelector[])[];
  /** Absent: as the operators say. */
  readonly passesMissing?: true;
}

function weightOf({ fields, resources = [] }: Draft): number {
  let weight = 0;
  for (const selector of [...fields, ...resources.flat()]) {
    for (const operator of selectorOperators) weight += selector[operator]?.length ?? 0;
  }
  return weight;
}

function selectorDrafts(selectors: TrailSelectors): Draft[] {
  return selectors.kind === "basic"
    ? selectors.selectors.flatMap(basicDrafts)
    : selectors.selectors.flatMap(advancedDrafts);
}

function basicDrafts(selector: BasicSelector): Draft[] {
  const { readWriteType, includeManagementEvents, excludeManagementEventSources } = selector;
  const drafts: Draft[] = [];
  const readOnly =
    readWriteType === "All" ? [] : [{ field: "readOnly", Equals: [String(readWriteType === "ReadOnly")] }];
  if (includeManagementEvents) {
    const isExcluding = excludeManagementEventSources.length > 0;
    const source = isExcluding ? [{ field: "eventSource", NotEquals: excludeManagementEventSources }] : [];
    drafts.push({ category: "Management", fields: [...readOnly, ...source] });
  }
  const resources = selector.dataResources
    .filter(({ values }) => values.length > 0)
    .map(dataResourceSelectors);
  if (resources.length > 0) drafts.push({ category: "Data", fields: readOnly, resources });
  return drafts;
}

/** The three types of basic selectors have one spelling each. */
function dataResourceSelectors({ type, values }: DataResource): FieldSelector[] {
  const ofType = { field: "resources.type", Equals: [type] };
  if (values.some(isWholeService)) return [ofType];
  const operator = type === "AWS::S3::Object" ? "StartsWith" : "Equals";
  return [ofType, { field: "resources.ARN", [operator]: values }];
}

function advancedDrafts({ fieldSelectors }: AdvancedSelector): Draft[] {
  const ofCategory = fieldSelectors.filter(({ field }) => field === "eventCategory");
  const ofResources = fieldSelectors.filter(({ field }) => field.startsWith("resources."));
  const fields = fieldSelectors.filter(
    (selector) => !ofCategory.includes(selector) && !ofResources.includes(selector),
  );
  return demandedCategories
    .filter((category) => category !== "Insight")
    .filter((category) => ofCategory.every((selector) => valueTest(selector)(category)))
    .map((category) => ({ category, fields, ...(ofResources.length > 0 && { resources: [ofResources] }) }));
}

/** Insights records follow what PutInsightSelectors enabled; one that does not name its type goes with any. */
function insightDrafts(insightTypes: readonly string[]): Draft[] {
  if (insightTypes.length === 0) return [];
  const ofType = { field: "insightType", Equals: insightTypes };
  return [{ category: "Insight", fields: [ofType], passesMissing: true }];
}

function canonicalTypes(selector: FieldSelector): FieldSelector {
  const lists = selectorOperators.flatMap((operator) => {
    const types = selector[operator];
    return types ? [[operator, types.map(canonicalResourceType)] as const] : [];
  });
  return { field: selector.field, ...Object.fromEntries(lists) };
}

/** The value that selectors compare (api.md §5.7); undefined when the record lacks it. */
export function readField(event: RecordFields, name: FieldName): string | undefined {
  switch (name) {
    case "readOnly":
      // A record that does not say counts as a write: losing writes would be the worse error in an audit log.
      return event.readOnly === true ? "true" : "false";
    case "userIdentity.arn":
      return event.userIdentityArn;
    case "eventSource":
      return event.eventSource;
    case "eventName":
      return event.eventName;
    case "eventType":
      return event.eventType;
    case "errorCode":
      return event.errorCode;
    case "vpcEndpointId":
      return event.vpcEndpointId;
    case "sessionCredentialFromConsole":
      return event.sessionCredentialFromConsole;
    case "insightType":
      return event.insightType;
    default:
      return unreachable(name);
  }
}
