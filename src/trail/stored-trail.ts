// How trails are kept in the state store, apart from how they look inside: `trail/{account}/{region}/{name}` is one
// trail with everything it has, `deleted-trail/{incarnation}` is where the rest of a deleted trail's files go.
// What is read back is parsed with care: a damaged document stops the start and is named.
import { z } from "zod";
import { parseAccountId, parseTrailArn, trailArn, type TrailIdentity } from "../model/arn.ts";
import type { DeliveryPlace } from "../bucket/place.ts";
import { parseRegion } from "../model/regions.ts";
import type { TrailSelectors } from "../selector/selectors.ts";
import type { Json, StoredValue } from "../state/contract.ts";
import type { Trail } from "./trail.ts";

export const trailKeyPrefix = "trail/";
export const deletedTrailKeyPrefix = "deleted-trail/";

export function trailKey(trail: TrailIdentity): string {
  return `${trailKeyPrefix}${trail.account}/${trail.homeRegion}/${trail.name}`;
}

export function deletedTrailKey(incarnation: string): string {
  return `${deletedTrailKeyPrefix}${incarnation}`;
}

/** A deleted trail's place: it always says when. */
export type DeletedPlace = DeliveryPlace & { readonly deletedMs: number };

/** The document of a trail. */
export function encodeTrail(trail: Trail): Json {
  return {
    format: 1,
    incarnation: trail.incarnation,
    name: trail.name,
    owner: trail.owner,
    homeRegion: trail.homeRegion,
    organizationId: trail.organizationId,
    createdMs: trail.createdMs,
    settings: { ...trail.settings },
    selectors: encodeSelectors(trail.selectors),
    insightSelectors: trail.insightSelectors.map((selector) => ({ ...selector })),
    tags: trail.tags.map((tag) => ({ ...tag })),
    logging: { ...trail.logging },
    validation: trail.validation && { ...trail.validation },
  };
}

/** The trail of a document; throws an Error that names the key when the document is damaged. */
export function decodeTrail(stored: StoredValue): Trail {
  const document = parse(trailDocument, stored);
  const { format: _format, ...rest } = document;
  const identity = { account: rest.owner, homeRegion: rest.homeRegion, name: rest.name };
  if (trailKey(identity) !== stored.key) throw damaged(stored.key, "it belongs to another trail");
  return { ...rest, arn: trailArn(identity) };
}

export function encodeDeletedPlace(place: DeletedPlace): Json {
  return { format: 1, ...place };
}

/** The place of a deleted trail; throws an Error that names the key when the document is damaged. */
export function decodeDeletedPlace(stored: StoredValue): DeletedPlace {
  const { format: _format, ...place } = parse(deletedPlaceDocument, stored);
  if (deletedTrailKey(place.incarnation) !== stored.key)
    throw damaged(stored.key, "it belongs to another trail");
  return place;
}

function encodeSelectors(selectors: TrailSelectors): Json {
  if (selectors.kind === "basic") {
    const list = selectors.selectors.map((selector) => ({
      ...selector,
      dataResources: selector.dataResources.map((resource) => ({ ...resource })),
    }));
    return { kind: "basic", selectors: list };
  }
  const list = selectors.selectors.map((selector) => ({
    ...selector,
    fieldSelectors: selector.fieldSelectors.map((field) => ({ ...field })),
  }));
  return { kind: "advanced", selectors: list };
}

const account = z.string().transform((text, context) => {
  const id = parseAccountId(text);
  if (id !== undefined) return id;
  context.addIssue("expected a 12-digit account id");
  return z.NEVER;
});
const region = z.string().transform((text, context) => {
  const parsed = parseRegion(text);
  if (parsed !== undefined) return parsed;
  context.addIssue("expected a Region");
  return z.NEVER;
});
const arn = z.string().transform((text, context) => {
  const identity = parseTrailArn(text);
  if (identity) return trailArn(identity);
  context.addIssue("expected a trail ARN");
  return z.NEVER;
});
const text = z.string();
const optionalText = z.string().exactOptional();
const epochMs = z.number().int();
const values = z.array(z.string()).min(1).exactOptional();

const settings = z.strictObject({
  bucket: text,
  keyPrefix: optionalText,
  snsTopicName: optionalText,
  kmsKeyArn: optionalText,
  logGroupArn: optionalText,
  roleArn: optionalText,
  includeGlobalServiceEvents: z.boolean(),
  isMultiRegion: z.boolean(),
  logFileValidation: z.boolean(),
  isOrganization: z.boolean(),
});

const basicSelector = z.strictObject({
  readWriteType: z.enum(["All", "ReadOnly", "WriteOnly"]),
  includeManagementEvents: z.boolean(),
  dataResources: z.array(z.strictObject({ type: text, values: z.array(text) })),
  excludeManagementEventSources: z.array(text),
});

const fieldSelector = z.strictObject({
  field: text,
  Equals: values,
  StartsWith: values,
  EndsWith: values,
  NotEquals: values,
  NotStartsWith: values,
  NotEndsWith: values,
});

const selectors = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("basic"), selectors: z.array(basicSelector).min(1) }),
  z.strictObject({
    kind: z.literal("advanced"),
    selectors: z
      .array(z.strictObject({ name: optionalText, fieldSelectors: z.array(fieldSelector).min(1) }))
      .min(1),
  }),
]);

const insightSelector = z.strictObject({
  insightType: z.enum(["ApiCallRateInsight", "ApiErrorRateInsight"]),
  eventCategories: z.array(z.enum(["Management", "Data"])).exactOptional(),
});

// Absent in documents of the time before digests.
const validation = z
  .strictObject({
    sinceMs: epochMs,
    untilMs: epochMs.exactOptional(),
    previousUntilMs: epochMs.exactOptional(),
  })
  .exactOptional();

const trailDocument = z.strictObject({
  format: z.literal(1),
  incarnation: text.min(1),
  name: text.min(1),
  owner: account,
  homeRegion: region,
  organizationId: optionalText,
  createdMs: epochMs,
  settings,
  selectors,
  insightSelectors: z.array(insightSelector),
  tags: z.array(z.strictObject({ key: text, value: text })),
  logging: z.strictObject({
    isLogging: z.boolean(),
    startedMs: epochMs.exactOptional(),
    stoppedMs: epochMs.exactOptional(),
  }),
  validation,
});

const deletedPlaceDocument = z.strictObject({
  format: z.literal(1),
  incarnation: text.min(1),
  trailArn: arn,
  owner: account,
  bucket: text,
  keyPrefix: optionalText,
  organizationId: optionalText,
  kmsKeyArn: optionalText,
  topicArn: optionalText,
  logGroupArn: optionalText,
  roleArn: optionalText,
  validation,
  deletedMs: epochMs,
});

function parse<Schema extends z.ZodType>(schema: Schema, stored: StoredValue): z.output<Schema> {
  const result = schema.safeParse(stored.value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw damaged(stored.key, `${issue?.path.join(".") || "document"}: ${issue?.message ?? "not readable"}`);
}

function damaged(key: string, what: string): Error {
  return new Error(`The stored document ${key} is damaged: ${what}.`);
}
