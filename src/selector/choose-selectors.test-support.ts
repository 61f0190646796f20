// Selectors as a client puts them, for the tests of PutEventSelectors' rules: what comes of them, or the text of the refusal.
import { expect } from "vitest";
import { ApiError } from "../model/errors.ts";
import { selectorsFromInput } from "./choose-selectors.ts";
import { defaultSelectors, type TrailSelectors } from "./selectors.ts";

// Inputs are written as the client sends them: wrong enum values and nulls among them, which the types do not have.
export type Wire = Readonly<Record<string, unknown>>;
export const copies = (number: number, selector: Wire) =>
  Array.from({ length: number }, () => ({ ...selector }));
export const limits = {
  basicSelectorsPerTrail: 5,
  dataResourceValuesPerTrail: 250,
  advancedValuesPerTrail: 500,
};

export function put(input: Wire, current: TrailSelectors = defaultSelectors): TrailSelectors {
  const context = { current, limits, extraResourceTypes: ["Vendor::Service::Thing"] };
  return selectorsFromInput(input, context);
}

export function refusal(input: Wire): string {
  try {
    return `accepted: ${JSON.stringify(put(input))}`;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    expect(error.code).toBe("InvalidEventSelectorsException");
    return error.message;
  }
}

export const data = { Field: "eventCategory", Equals: ["Data"] };
export const management = { Field: "eventCategory", Equals: ["Management"] };
export const network = { Field: "eventCategory", Equals: ["NetworkActivity"] };
export const objects = { Field: "resources.type", Equals: ["AWS::S3::Object"] };
export const ofKms = { Field: "eventSource", Equals: ["kms.amazonaws.com"] };

export const both =
  "You can select events by using either EventSelectors or AdvancedEventSelectors, but not both.";
export const count = "Specify a valid number of selectors (1 to 5) for your trail";
export const noData =
  "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, DataResources must not be empty";
export const noExclude =
  "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, ExcludeManagementEventSources must be empty";
export const tooManyValues =
  "Specify a valid number of DataResources.Values (0 to 250) for all your selectors";
export const required = "The following fields are required: [eventCategory].";
export const duplicate =
  "A duplicate event selector was found for at least one field. Only one selector is allowed per field.";
export const tooManyFilters =
  "There are too many filters applied. The maximum allowed number of filters is 500.";
export const broken = "1 validation error detected: ";

export const advancedList = [{ FieldSelectors: [management] }];
export const stored: TrailSelectors = {
  kind: "advanced",
  selectors: [{ fieldSelectors: [{ field: "eventCategory", Equals: ["Management"] }] }],
};
export const otherBasic = put({ EventSelectors: [{ ReadWriteType: "ReadOnly" }] });

export const one = (selector: Wire): Wire => ({ EventSelectors: [selector] });
export const resource = (Type: unknown, ...Values: unknown[]): Wire => ({
  DataResources: [{ Type, Values }],
});
export const badValue = (value: string) => `Value ${value} for DataResources.Values is invalid.`;
export const values = (number: number) =>
  Array.from({ length: number }, (_, index) => `arn:aws:s3:::bucket/${index}`);

export const advanced = (...FieldSelectors: unknown[]): Wire => ({
  AdvancedEventSelectors: [{ FieldSelectors }],
});
export const notValid = (field: string) => `The ${field} field value is not valid.`;
export const only = (field: string, operators: string) =>
  `Only the following operators are valid with the ${field} field: [${operators}].`;
export const notAllowed = (category: string, field: string) =>
  `The following field is not allowed when the eventCategory field value equals ${category}: ${field}.`;
export const needs = (category: string, field: string) =>
  `The following selectors are required when the eventCategory field value equals ${category}: [${field}].`;
export const constraint = (value: string, path: string, rule: string) =>
  `${broken}Value '${value}' at 'advancedEventSelectors.1.member.${path}' failed to satisfy constraint: ${rule}`;
export const missing = (path: string) =>
  `${broken}Value null at 'advancedEventSelectors.1.member${path}' failed to satisfy constraint: Member must not be null`;
export const long = (length: number) => "x".repeat(length);
export const named = (Name: string) => ({ AdvancedEventSelectors: [{ Name, FieldSelectors: [management] }] });
export const filters = (number: number) => ({
  Field: "eventName",
  Equals: Array.from({ length: number }, (_, index) => `Event${index}`),
});
