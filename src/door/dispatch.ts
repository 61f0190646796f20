// From a request's head to its answer: names, route, body, door. The one place of the door that catches.
import { unreachable } from "../model/assert.ts";
import { ApiError, apiError } from "../model/errors.ts";
import { errorAnswer, plainError, styleOf } from "./answers.ts";
import { answerAuditEvents } from "./audit-events-door.ts";
import type { ReadRequest } from "./authenticate.ts";
import { answerBucket } from "./bucket-entrance.ts";
import { answerCloudTrail } from "./cloudtrail-door.ts";
import { answerEvents, eventsNoRoom, eventsTooLarge } from "./events-door.ts";
import type { BodyOutcome, ByteLease, DoorAnswer, DoorRequest } from "./exchange.ts";
import { failureText } from "./failure-text.ts";
import { type NamedRequest, refuseForeignNames } from "./foreign-names.ts";
import { answerAlive, answerFront, answerMetrics, answerReady } from "./health.ts";
import { answerCallerIdentity, answerOrganizations } from "./identity-calls.ts";
import { answerOtherService } from "./other-services.ts";
import type { DoorLimits, DoorPorts } from "./ports.ts";
import { type BodyRoute, type PageRoute, type Route, routeOf } from "./route.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { answerStatus } from "./status-page.ts";

export type DoorParts = DoorPorts & { readonly signingKeys: SigningKeys };

/** A request whose head has arrived. */
export interface Arrival {
  readonly request: DoorRequest & NamedRequest;
  readonly readBody: (bytesMax: number) => Promise<BodyOutcome>;
  readonly lease: ByteLease;
  /** Takes a body back into which nobody looks any more. */
  readonly giveBack: (body: Uint8Array) => void;
}

/** The answer to a request, or undefined when its client has gone away. Never rejects. */
export async function dispatch(arrival: Arrival, parts: DoorParts): Promise<DoorAnswer | undefined> {
  const { request } = arrival;
  const route = routeOf(request);
  try {
    const refusal = refuseForeignNames(request, parts.configuration());
    if (refusal) {
      parts.metrics.count("requests_refused_total", { reason: "foreign name" });
      return refusal;
    }
    if (isPage(route)) return await answerPage(route, request, parts);
    const bytesMax = bodyBytesMax(route, parts.configuration().limits);
    const body = await arrival.readBody(bytesMax);
    if (body.kind === "gone") return undefined;
    if (body.kind !== "complete") {
      parts.metrics.count("requests_refused_total", { reason: body.kind });
      return refuseBody(body.kind, { route, request, bytesMax });
    }
    const answer = await enter(route, withBody(request, body.bytes), { parts, lease: arrival.lease });
    // What was posted is in the journal now, or refused. Not so when it failed: then frames may still wait.
    if (route.kind === "events") arrival.giveBack(body.bytes);
    return answer;
  } catch (error) {
    if (error instanceof ApiError) return errorAnswer(error, styleOf(route), request);
    const { requestId } = request;
    parts.log.error(
      { requestId, route: route.kind, failure: failureText(error) },
      "A request failed unexpectedly.",
    );
    return errorAnswer(apiError("InternalFailure"), styleOf(route), request);
  }
}

const bodyKinds: ReadonlySet<Route["kind"]> = new Set<BodyRoute["kind"]>([
  "cloudtrail",
  "auditEvents",
  "bucket",
  "events",
  "callerIdentity",
  "organizations",
]);

function isPage(route: Route): route is PageRoute {
  return !bodyKinds.has(route.kind);
}

async function answerPage(route: PageRoute, request: DoorRequest, parts: DoorParts): Promise<DoorAnswer> {
  switch (route.kind) {
    case "healthz":
      return answerAlive(request);
    case "readyz":
      return answerReady(request, parts);
    case "metrics":
      return answerMetrics(request, parts);
    case "statusz":
      return answerStatus(request, parts);
    case "front":
      return answerFront();
    case "rpcV2":
      return { ...errorAnswer(apiError("UnknownOperationException"), "json", request), status: 404 };
    case "otherService":
      return answerOtherService(request, route.service);
    case "nothing": {
      const text =
        "There is nothing at this path. Calls to AWS services must be signed, so that Cairn knows which service is meant.";
      return plainError(404, { code: "NotFound", text });
    }
    default:
      return unreachable(route);
  }
}

/** Member by member: copying an object of unknown shape costs more than checking the signature's scope. */
function withBody(request: DoorRequest, body: Uint8Array): ReadRequest {
  const { method, path, query, headers, requestId, sourceIp, tls } = request;
  return { method, path, query, headers, requestId, sourceIp, body, ...(tls && { tls }) };
}

/** The door itself, with the whole body read. */
function enter(
  route: BodyRoute,
  request: ReadRequest,
  { parts, lease }: { readonly parts: DoorParts; readonly lease: ByteLease },
): DoorAnswer | Promise<DoorAnswer> {
  switch (route.kind) {
    case "cloudtrail":
      return answerCloudTrail(request, parts);
    case "auditEvents":
      return answerAuditEvents(request, parts);
    case "events":
      return answerEvents(request, parts, lease);
    case "bucket":
      return answerBucket(request, parts);
    case "callerIdentity":
      return answerCallerIdentity(request, parts);
    case "organizations":
      return answerOrganizations(request, parts);
    default:
      return unreachable(route.kind);
  }
}

function bodyBytesMax(route: BodyRoute, limits: DoorLimits): number {
  const isBulk = route.kind === "events" || route.kind === "bucket";
  return isBulk ? limits.eventsBodyBytesMax : limits.callBodyBytesMax;
}

function refuseBody(
  reason: "tooLarge" | "noRoom",
  context: { readonly route: BodyRoute; readonly request: DoorRequest; readonly bytesMax: number },
): DoorAnswer {
  const { route, request, bytesMax } = context;
  switch (reason) {
    case "tooLarge": {
      if (route.kind === "events") return eventsTooLarge(bytesMax);
      const text = `The request body is larger than the limit of ${bytesMax} bytes.`;
      return errorAnswer(apiError("RequestEntityTooLargeException", { text }), styleOf(route), request);
    }
    case "noRoom": {
      if (route.kind === "events") return eventsNoRoom();
      const text = "Too many bytes are being received at this moment. Try again.";
      return errorAnswer(apiError("ServiceUnavailable", { text }), styleOf(route), request);
    }
    default:
      return unreachable(reason);
  }
}
