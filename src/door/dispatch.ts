// From a request's head to its answer: names, route, body, door. The one place of the door that catches.
import { unreachable } from "../model/assert.ts";
import { ApiError, apiError } from "../model/errors.ts";
import type { Recorder } from "../recorder/recorder.ts";
import { errorAnswer, plainError, styleOf } from "./answers.ts";
import { answerAuditEvents } from "./audit-events-door.ts";
import { answerMinioAudit } from "./audit-minio-door.ts";
import type { ReadRequest } from "./authenticate.ts";
import { answerBucket } from "./bucket-entrance.ts";
import { answerCloudTrail } from "./cloudtrail-door.ts";
import { answerEvents, eventsNoRoom, eventsTooLarge } from "./events-door.ts";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyOutcome, ByteLease, DoorAnswer, DoorRequest } from "./exchange.ts";
import { answerExplain } from "./explain-door.ts";
import { failureText } from "./failure-text.ts";
import { type NamedRequest, refuseForeignNames } from "./foreign-names.ts";
import { answerAlive, answerFront, answerMetrics, answerReady } from "./health.ts";
import { answerCallerIdentity, answerOrganizations } from "./identity-calls.ts";
import { answerOtherService } from "./other-services.ts";
import type { DoorLimits, DoorPorts } from "./ports.ts";
import {
  type BodyRoute,
  type PageRoute,
  type RecorderRoute,
  type Route,
  routeOf,
  type RoutingRules,
} from "./route.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { passOn } from "./recorder-door.ts";
import { answerStatus } from "./status-page.ts";
import { answerTail } from "./tail-door.ts";

export type DoorParts = DoorPorts & { readonly signingKeys: SigningKeys };

/** A request whose head has arrived. */
export interface Arrival {
  readonly request: DoorRequest & NamedRequest;
  readonly readBody: (bytesMax: number) => Promise<BodyOutcome>;
  readonly lease: ByteLease;
  readonly exchange: RawExchange;
  /** Takes a body back into which nobody looks any more. */
  readonly giveBack: (body: Uint8Array) => void;
}

/** The exchange itself, for a door through which bodies stream. */
export interface RawExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The client waits for `100 Continue`. */
  readonly expectsContinue: boolean;
  /** From now on its taker sees to it that the request does not stand still; it may take as long as it moves. */
  takeOver(): void;
  /** Writes an answer with the headers of all answers. */
  write(answer: DoorAnswer): void;
  /** The connection shall serve no further request. */
  isLast(): boolean;
  /** Ends an answer that its taker wrote; a body that still comes is received for a moment first. */
  end(): void;
}

/** The answer to a request; undefined when its client has gone away, or when it was answered as it streamed. Never rejects. */
export async function dispatch(arrival: Arrival, parts: DoorParts): Promise<DoorAnswer | undefined> {
  const { request } = arrival;
  const { recorder } = parts;
  const route = routeOf(request, recorder && rulesOf(recorder, parts));
  try {
    const refusal = refuseForeignNames(request, parts.configuration());
    if (refusal) {
      parts.metrics.count("requests_refused_total", { reason: "foreign name" });
      return refusal;
    }
    if (route.kind === "recorder") {
      // No request is routed there unless there is one.
      if (recorder) await passOn(arrival, route, { ...parts, recorder });
      return undefined;
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
  "explain",
  "minioAudit",
]);

function rulesOf(recorder: Recorder, parts: DoorParts): RoutingRules {
  return {
    isForwarded: (service) => recorder.isForwarded(service),
    s3Domains: parts.configuration().s3Domains ?? [],
  };
}

function isPage(route: Exclude<Route, RecorderRoute>): route is PageRoute {
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
    case "tail":
      return answerTail(request, parts);
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
  const { method, path, query, headers, requestId, sourceIp, tls, vpcEndpointId } = request;
  const whole = { method, path, query, headers, requestId, sourceIp, body, ...(tls && { tls }) };
  return vpcEndpointId === undefined ? whole : { ...whole, vpcEndpointId };
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
      return answerBucket(request, parts, lease);
    case "callerIdentity":
      return answerCallerIdentity(request, parts);
    case "organizations":
      return answerOrganizations(request, parts);
    case "explain":
      return answerExplain(request, parts);
    case "minioAudit":
      return answerMinioAudit(request, parts);
    default:
      return unreachable(route.kind);
  }
}

/** Doors that take more than one call's worth. */
const bulkKinds: ReadonlySet<BodyRoute["kind"]> = new Set(["events", "bucket", "explain", "minioAudit"]);

function bodyBytesMax(route: BodyRoute, limits: DoorLimits): number {
  return bulkKinds.has(route.kind) ? limits.eventsBodyBytesMax : limits.callBodyBytesMax;
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
