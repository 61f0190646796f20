// Which door a request is for, from what the request itself says (design: one endpoint). Pure.
// Must not: check a signature or read a body.
import { type ClaimedScope, claimedScope } from "./claimed-scope.ts";
import { type DoorRequest, headerOf, queryParameter } from "./exchange.ts";
import { isPresigned } from "./presigned.ts";
import { s3HostOf } from "./s3-host.ts";

/** Answered without looking at a body. */
export type PageRoute =
  | { readonly kind: "healthz" | "readyz" | "metrics" | "statusz" | "tail" | "front" | "nothing" | "rpcV2" }
  | { readonly kind: "otherService"; readonly service: string };

/** Answered once the whole body is read. */
export interface BodyRoute {
  readonly kind:
    | "cloudtrail"
    | "auditEvents"
    | "bucket"
    | "events"
    | "callerIdentity"
    | "organizations"
    | "explain"
    | "minioAudit";
}

/** Goes on to a service behind Cairn while its body still comes. */
export interface RecorderRoute {
  readonly kind: "recorder";
  /** SigV4's name of the service. */
  readonly service: string;
  /** Absent for unsigned requests. */
  readonly claim?: ClaimedScope;
  /** The bucket that the host name says. */
  readonly hostBucket?: string;
}

export type Route = PageRoute | BodyRoute | RecorderRoute;

/** What lies behind Cairn. */
export interface RoutingRules {
  readonly isForwarded: (service: string) => boolean;
  /** Domains whose subdomains are buckets. */
  readonly s3Domains: readonly string[];
}

const nothingBehind: RoutingRules = { isForwarded: () => false, s3Domains: [] };

type RoutedRequest = Pick<DoorRequest, "method" | "path" | "query" | "headers">;

/** Both in use (api.md §1.1): the first by botocore and older SDKs, the second by Smithy's. */
const targetPrefixes = ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "CloudTrail_20131101."];

const ownPaths: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/PutAuditEvents", { kind: "auditEvents" }],
  ["/events", { kind: "events" }],
  ["/audit/minio", { kind: "minioAudit" }],
  ["/healthz", { kind: "healthz" }],
  ["/readyz", { kind: "readyz" }],
  ["/metrics", { kind: "metrics" }],
  ["/statusz", { kind: "statusz" }],
  ["/tail", { kind: "tail" }],
  ["/explain", { kind: "explain" }],
]);

const serviceRoutes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["cloudtrail", { kind: "cloudtrail" }],
  ["cloudtrail-data", { kind: "auditEvents" }],
  ["sts", { kind: "callerIdentity" }],
  ["organizations", { kind: "organizations" }],
]);

/**
 * Decides the door. The order matters: a bucket may be called `events` or `service`, so the scope comes before paths;
 * what is signed for a service behind Cairn goes there whatever its path.
 */
export function routeOf(request: RoutedRequest, rules: RoutingRules = nothingBehind): Route {
  if (operationTextOf(request) !== undefined) return { kind: "cloudtrail" };
  const claim = claimedScope(request);
  if (claim && isLogShipper(request, claim)) return ownPaths.get(request.path) ?? { kind: "nothing" };
  if (claim && rules.isForwarded(claim.service)) return passingRoute(request, { claim, rules });
  if (claim?.service === "s3") return { kind: "bucket" };
  if (request.path.startsWith("/service/CloudTrail_20131101/operation/")) return { kind: "rpcV2" };
  if (!claim && isPublicS3(request, rules)) return passingRoute(request, { rules });
  const own = ownPaths.get(request.path);
  if (own) return own;
  if (claim) return serviceRoutes.get(claim.service) ?? { kind: "otherService", service: claim.service };
  return unsignedRoute(request, rules);
}

/** Log shippers let their users choose among AWS's own services, so some sign for this one (events-door.ts). */
function isLogShipper({ path, method }: RoutedRequest, claim: ClaimedScope): boolean {
  return claim.service === "execute-api" && path === "/events" && method === "POST";
}

/** An unsigned request whose host is one of S3's configured names. */
function isPublicS3(request: RoutedRequest, { isForwarded, s3Domains }: RoutingRules): boolean {
  return isForwarded("s3") && s3HostOf(request, s3Domains)?.isConfigured === true;
}

function passingRoute(
  request: RoutedRequest,
  { claim, rules }: { readonly claim?: ClaimedScope; readonly rules: RoutingRules },
): RecorderRoute {
  const service = claim?.service ?? "s3";
  const bucket = service === "s3" ? s3HostOf(request, rules.s3Domains)?.bucket : undefined;
  return {
    kind: "recorder",
    service,
    ...(claim && { claim }),
    ...(bucket !== undefined && { hostBucket: bucket }),
  };
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

/** Services with operations that nobody signs: what an app asks before it has credentials. */
const unsignedTargets: ReadonlyMap<string, string> = new Map([
  ["AWSCognitoIdentityService", "cognito-identity"],
  ["AWSCognitoIdentityProviderService", "cognito-idp"],
]);

/** Without a scope the form tells: a page for readers, a query call, or a CloudTrail call that someone forgot to sign. */
function unsignedRoute(request: RoutedRequest, rules: RoutingRules): Route {
  const target = targetOf(request);
  const service = unsignedTargets.get(target?.split(".", 1)[0] ?? "");
  if (service !== undefined && rules.isForwarded(service)) return { kind: "recorder", service };
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (request.path === "/" && isRead) return { kind: "front" };
  if (rules.isForwarded("s3") && s3HostOf(request, [])?.bucket !== undefined)
    return passingRoute(request, { rules });
  // A form of a browser, with a signed policy in its body.
  if (
    request.method === "POST" &&
    mediaTypeOf(request) === "multipart/form-data" &&
    rules.isForwarded("s3")
  ) {
    return passingRoute(request, { rules });
  }
  // A browser that asks whether its page may use a bucket; such a question is never signed.
  const isPreflight = request.method === "OPTIONS" && request.headers.has("access-control-request-method");
  if (isPreflight && request.path !== "/" && rules.isForwarded("s3")) return passingRoute(request, { rules });
  if (request.path !== "/") return { kind: "nothing" };
  if (target?.startsWith("AWSOrganizationsV20161128.")) return { kind: "organizations" };
  if (mediaTypeOf(request) === "application/x-www-form-urlencoded") {
    // AssumeRoleWithWebIdentity and AssumeRoleWithSAML.
    return rules.isForwarded("sts") ? { kind: "recorder", service: "sts" } : { kind: "callerIdentity" };
  }
  return { kind: "cloudtrail" };
}
