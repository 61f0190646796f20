// What a trail's selectors look like once they are valid: the stored form, defaults filled in. Types only.

export interface DataResource {
  readonly type: string;
  readonly values: readonly string[];
}

/** A basic event selector with all four members (api.md §5.6). */
export interface BasicSelector {
  readonly readWriteType: "All" | "ReadOnly" | "WriteOnly";
  readonly includeManagementEvents: boolean;
  readonly dataResources: readonly DataResource[];
  readonly excludeManagementEventSources: readonly string[];
}

export const selectorOperators = [
  "Equals",
  "StartsWith",
  "EndsWith",
  "NotEquals",
  "NotStartsWith",
  "NotEndsWith",
] as const;
export type SelectorOperator = (typeof selectorOperators)[number];

/** One field of an advanced selector; only operators that were given are present, each with at least one value. */
export type FieldSelector = { readonly field: string } & {
  readonly [Operator in SelectorOperator]?: readonly string[];
};

export interface AdvancedSelector {
  readonly name?: string;
  readonly fieldSelectors: readonly FieldSelector[];
}

export type TrailSelectors =
  | { readonly kind: "basic"; readonly selectors: readonly BasicSelector[] }
  | { readonly kind: "advanced"; readonly selectors: readonly AdvancedSelector[] };

/** What a trail logs before PutEventSelectors was ever called (api.md §5.6). */
export const defaultSelectors: TrailSelectors = {
  kind: "basic",
  selectors: [
    {
      readWriteType: "All",
      includeManagementEvents: true,
      dataResources: [],
      excludeManagementEventSources: [],
    },
  ],
};

/** The only sources whose management events selectors may leave out (api.md §5.2, §5.4). */
export const excludableManagementSources: ReadonlySet<string> = new Set([
  "kms.amazonaws.com",
  "rdsdata.amazonaws.com",
]);
