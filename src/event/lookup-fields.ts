// What a record is looked up by (lake.md §1.3, §1.4): the attributes of LookupEvents, two of them derived. Pure.
// `cairn tail` filters by the same ones. Must not: decide which records may be looked up.
import { isObject } from "../model/json.ts";
import { type CallPaths, pathsOf, type ResourcePath } from "./resource-paths.ts";

export interface LookupResource {
  readonly type?: string;
  readonly name: string;
}

/** As LookupEvents gives them back; what is absent or undefined was not derived. */
export interface LookupFields {
  readonly eventId?: string | undefined;
  readonly eventName?: string | undefined;
  readonly eventSource?: string | undefined;
  readonly readOnly?: "true" | "false" | undefined;
  readonly username?: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly resources: readonly LookupResource[];
}

/** In the order of the model. */
export const lookupAttributes = [
  ...(["EventId", "EventName", "ReadOnly", "Username"] as const),
  ...(["ResourceType", "ResourceName", "EventSource", "AccessKeyId"] as const),
];
export type LookupAttribute = (typeof lookupAttributes)[number];

/** A record may name thousands of instances; the first of them are looked up. */
const resourcesMax = 100;

type Members = Readonly<Record<string, unknown>>;

/** Takes a parsed record of any category. */
export function lookupFieldsOf(record: Members): LookupFields {
  if (isObject(record["insightDetails"])) return insightFields(record, record["insightDetails"]);
  const identity = isObject(record["userIdentity"]) ? record["userIdentity"] : {};
  const readOnly = record["readOnly"];
  return {
    ...given("eventId", record["eventID"]),
    ...given("eventName", record["eventName"]),
    ...given("eventSource", record["eventSource"]),
    ...(typeof readOnly === "boolean" && { readOnly: readOnly ? "true" : "false" }),
    ...given("username", usernameOf(identity)),
    ...given("accessKeyId", identity["accessKeyId"]),
    resources: lookupResourcesOf(record),
  };
}

/** Whether the record has this value of the attribute: exact, case-sensitive. */
export function hasAttribute(fields: LookupFields, attribute: LookupAttribute, value: string): boolean {
  return valuesOf(fields, attribute).includes(value);
}

function valuesOf(fields: LookupFields, attribute: LookupAttribute): readonly (string | undefined)[] {
  switch (attribute) {
    case "EventId":
      return [fields.eventId];
    case "EventName":
      return [fields.eventName];
    case "EventSource":
      return [fields.eventSource];
    case "ReadOnly":
      return [fields.readOnly];
    case "Username":
      return [fields.username];
    case "AccessKeyId":
      return [fields.accessKeyId];
    case "ResourceName":
      return fields.resources.map(({ name }) => name);
    case "ResourceType":
      return fields.resources.map(({ type }) => type);
    default:
      return [];
  }
}

/** Insights records name their source and event inside. */
function insightFields(record: Members, details: Members): LookupFields {
  return {
    ...given("eventId", record["eventID"]),
    ...given("eventName", details["eventName"]),
    ...given("eventSource", details["eventSource"]),
    resources: [],
  };
}

/** What of a userIdentity decides the Username. */
export interface NamingIdentity {
  readonly type?: unknown;
  readonly userName?: unknown;
  readonly principalId?: unknown;
  readonly arn?: unknown;
}

/** Of a role's session its name, not the role's; of services nothing. */
export function usernameOf({ type, userName, principalId, arn }: NamingIdentity): string | undefined {
  switch (type) {
    case "Root":
      return "root";
    case "AssumedRole":
      return lastOf(principalId, ":") ?? lastOf(arn, "/");
    case "FederatedUser":
      return lastOf(principalId, ":");
    case "AWSService":
    case "AWSAccount":
      return undefined;
    default:
      return typeof userName === "string" && userName !== "" ? userName : undefined;
  }
}

/** Behind the first separator of a principal id, the last one of an ARN; undefined without one. */
function lastOf(value: unknown, separator: ":" | "/"): string | undefined {
  if (typeof value !== "string") return undefined;
  const at = separator === ":" ? value.indexOf(separator) : value.lastIndexOf(separator);
  return at === -1 || at === value.length - 1 ? undefined : value.slice(at + 1);
}

/** Needs no more of the record than its source, name, readOnly, requestParameters, responseElements and resources. */
export function lookupResourcesOf(record: Members): readonly LookupResource[] {
  const { eventSource, eventName } = record;
  const paths =
    typeof eventSource === "string" && typeof eventName === "string"
      ? pathsOf(eventSource, eventName, record["readOnly"] === true)
      : undefined;
  const named = paths ? namedResourcesOf(record, paths) : [];
  return named.length > 0 ? named : listedIn(record["resources"]);
}

/** What these paths lead to in requestParameters and responseElements. */
export function namedResourcesOf(record: Members, paths: CallPaths): readonly LookupResource[] {
  const found = new FoundResources();
  for (const path of paths.all) {
    found.addAt(path, record[path.isResponse ? "responseElements" : "requestParameters"], 0);
  }
  return found.all;
}

/** Names each resource once, up to a bound. */
export class FoundResources {
  readonly all: LookupResource[] = [];

  add(type: string | undefined, name: unknown): void {
    if (typeof name !== "string" || name === "" || this.all.length === resourcesMax) return;
    for (const other of this.all) if (other.name === name && other.type === type) return;
    this.all.push(type === undefined ? { name } : { type, name });
  }

  /** What a path leads to from a value, its steps before `at` taken; a list of the step before is walked through first. */
  addAt(path: ResourcePath, value: unknown, at: number): void {
    if (path.steps[at - 1]?.isList) {
      if (Array.isArray(value)) for (const entry of value) this.#addStep(path, entry, at);
    } else this.#addStep(path, value, at);
  }

  #addStep(path: ResourcePath, value: unknown, at: number): void {
    const step = path.steps[at];
    if (!step) this.add(path.type, value);
    else if (isObject(value)) this.addAt(path, value[step.name], at + 1);
  }
}

/** What the member `resources` lists. An ARN is found whole and by its last part. */
export function listedIn(listed: unknown): readonly LookupResource[] {
  const found = new FoundResources();
  for (const entry of Array.isArray(listed) ? listed : []) {
    if (!isObject(entry)) continue;
    const type = typeof entry["type"] === "string" ? entry["type"] : undefined;
    addArn(found, type, entry["ARN"] ?? entry["ARNPrefix"]);
  }
  return found.all;
}

function addArn(found: FoundResources, type: string | undefined, arn: unknown): void {
  if (typeof arn !== "string") return;
  found.add(type, arn);
  found.add(type, arn.slice(Math.max(arn.lastIndexOf(":"), arn.lastIndexOf("/")) + 1));
}

function given<Name extends "eventId" | "eventName" | "eventSource" | "username" | "accessKeyId">(
  name: Name,
  value: unknown,
): { readonly [Key in Name]?: string } {
  if (typeof value !== "string" || value === "") return {};
  const one: { [Key in Name]?: string } = {};
  one[name] = value;
  return one;
}
