// Which door a request is for, from what the request itself says (design: one endpoint). Pure.
// Must not: check a signature or read a body.
import { type DoorRequest, headerOf, queryParameter } from "./exchange.ts";
import { isPresigned } from "./presigned.ts";
import { looseScope } from "./read-claim.ts";

/** Answered without looking at a body. */
export type PageRoute =
  | { readonly kind: "healthz" | "readyz" | "metrics" | "statusz" | "front" | "nothing" | "rpcV2" }
  | { readonly kind: "otherService"; readonly service: string };

/** Answered once the whole body is read. */
export interface BodyRoute {
  readonly kind: "cloudtrail" | "auditEvents" | "bucket" | "events" | "callerIdentity" | "organizations";
}

export type Route = PageRoute | BodyRoute;

type RoutedRequest = Pick<DoorRequest, "method" | "path" | "query" | "headers">;

/** Both in use (api.md §1.1): the first by botocore and older SDKs, the second by Smithy's. */
const targetPrefixes = ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "CloudTrail_20131101."];

const ownPaths: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/PutAuditEvents", { kind: "auditEvents" }],
  ["/events", { kind: "events" }],
  ["/healthz", { kind: "healthz" }],
  ["/readyz", { kind: "readyz" }],
  ["/metrics", { kind: "metrics" }],
  ["/statusz", { kind: "statusz" }],
]);

const serviceRoutes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["cloudtrail", { kind: "cloudtrail" }],
  ["cloudtrail-data", { kind: "auditEvents" }],
  ["sts", { kind: "callerIdentity" }],
  ["organizations", { kind: "organizations" }],
]);

/** Decides the door. The order matters: a bucket may be called `events`, so the scope `s3` comes before paths. */
export function routeOf(request: RoutedRequest): Route {
  if (request.path.startsWith("/service/CloudTrail_20131101/operation/")) return { kind: "rpcV2" };
  if (operationTextOf(request) !== undefined) return { kind: "cloudtrail" };
  const service = looseScope(request)?.service;
  if (service === "s3") return { kind: "bucket" };
  const own = ownPaths.get(request.path);
  if (own) return own;
  if (service !== undefined) return serviceRoutes.get(service) ?? { kind: "otherService", service };
  return unsignedRoute(request);
}

/** What follows one of CloudTrail's two target prefixes; undefined when the target is not CloudTrail's. */
export function operationTextOf(request: RoutedRequest): string | undefined {
  const target = targetOf(request);
  const prefix = targetPrefixes.find((known) => target?.startsWith(known));
  return prefix && target?.slice(prefix.length);
}

/** The X-Amz-Target header. Presigners move x-amz-* headers into the query, so there it counts too. */
export function targetOf(request: RoutedRequest): string | undefined {
  const header = headerOf(request, "x-amz-target");
  if (header !== undefined || !isPresigned(request.query)) return header;
  return queryParameter(request.query, "X-Amz-Target");
}

/** The media type without its parameters, lower case; undefined when the header is missing. */
export function mediaTypeOf(request: Pick<DoorRequest, "headers">): string | undefined {
  const contentType = headerOf(request, "content-type");
  if (contentType === undefined || /^[a-z0-9./+-]+$/.test(contentType)) return contentType;
  return contentType.split(";")[0]?.trim().toLowerCase();
}

/** Without a scope the form tells: a page for readers, a query call, or a CloudTrail call that someone forgot to sign. */
function unsignedRoute(request: RoutedRequest): Route {
  if (request.path !== "/") return { kind: "nothing" };
  if (request.method === "GET" || request.method === "HEAD") return { kind: "front" };
  if (targetOf(request)?.startsWith("AWSOrganizationsV20161128.")) return { kind: "organizations" };
  if (mediaTypeOf(request) === "application/x-www-form-urlencoded") return { kind: "callerIdentity" };
  return { kind: "cloudtrail" };
}
