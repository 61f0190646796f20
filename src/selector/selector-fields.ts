// What an advanced selector of a trail may say about each field, by category (api.md §5.4). Pure facts.
// Event data stores allow more; their table comes with them.
import { isNetworkActivitySource } from "../model/network-sources.ts";
import { isResourceType } from "../model/resource-types.ts";
import { excludableManagementSources, type SelectorOperator, selectorOperators } from "./selectors.ts";

export type SelectedCategory = "Management" | "Data" | "NetworkActivity";

/** What decides whether values are allowed, beside the values themselves. */
export interface ValueContext {
  readonly extraResourceTypes: readonly string[];
}

export interface FieldRule {
  readonly operators: readonly SelectorOperator[];
  readonly isRequired?: true;
  /** Takes every value of the field selector (at least one). Absent: any text is allowed. */
  readonly accepts?: (values: readonly string[], context: ValueContext) => boolean;
}

const equalsOnly = ["Equals"] as const;
const isBoolean = (value: string) => value === "true" || value === "false";

const anyText: FieldRule = { operators: selectorOperators };
const eventCategory: FieldRule = { operators: equalsOnly, isRequired: true };
const readOnly: FieldRule = {
  operators: equalsOnly,
  accepts: (values) => values.length === 1 && values.every(isBoolean),
};

const managementFields: Readonly<Record<string, FieldRule>> = {
  eventCategory,
  readOnly,
  eventSource: {
    operators: ["NotEquals"],
    accepts: (values) => values.every((value) => excludableManagementSources.has(value)),
  },
};

const dataFields: Readonly<Record<string, FieldRule>> = {
  eventCategory,
  readOnly,
  eventSource: anyText,
  eventName: anyText,
  eventType: anyText,
  "resources.type": {
    operators: equalsOnly,
    isRequired: true,
    accepts: ([type = "", ...more], { extraResourceTypes }) =>
      more.length === 0 && isResourceType(type, extraResourceTypes),
  },
  "resources.ARN": anyText,
  "userIdentity.arn": anyText,
  sessionCredentialFromConsole: {
    operators: ["Equals", "NotEquals"],
    accepts: (values) => values.every(isBoolean),
  },
};

const networkActivityFields: Readonly<Record<string, FieldRule>> = {
  eventCategory,
  eventSource: {
    operators: equalsOnly,
    isRequired: true,
    accepts: (values) => values.length === 1 && values.every(isNetworkActivitySource),
  },
  eventName: anyText,
  errorCode: {
    operators: equalsOnly,
    accepts: (values) => values.every((value) => value === "VpceAccessDenied"),
  },
  vpcEndpointId: anyText,
};

const fieldsByCategory: Readonly<Record<SelectedCategory, Readonly<Record<string, FieldRule>>>> = {
  Management: managementFields,
  Data: dataFields,
  NetworkActivity: networkActivityFields,
};

/** The category of that name, if a trail's selectors may choose it. */
export function parseSelectedCategory(text: string | undefined): SelectedCategory | undefined {
  return text === "Management" || text === "Data" || text === "NetworkActivity" ? text : undefined;
}

/** The rule of a field, or undefined when the category does not allow the field (or nobody knows it). */
export function fieldRule(category: SelectedCategory, field: string): FieldRule | undefined {
  const rules = fieldsByCategory[category];
  return Object.hasOwn(rules, field) ? rules[field] : undefined;
}

/** The fields that every selector of the category must have. */
export function requiredFields(category: SelectedCategory): string[] {
  return Object.entries(fieldsByCategory[category]).flatMap(([field, rule]) =>
    rule.isRequired ? [field] : [],
  );
}
