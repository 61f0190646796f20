// The pages for operators: alive, ready, metrics, and the plain page at `/`.
import { methodNotAllowed, plainError } from "./answers.ts";
import { type DoorAnswer, type DoorRequest, headerOf } from "./exchange.ts";
import type { DoorPorts } from "./ports.ts";
import { isSameText } from "./sigv4.ts";

export type HealthParts = Pick<DoorPorts, "configuration" | "health" | "metricsText">;

const textType = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" };

/** 200 while the process answers at all. */
export function answerAlive(request: DoorRequest): DoorAnswer {
  return isRead(request)
    ? { status: 200, headers: textType, body: "alive\n" }
    : methodNotAllowed("GET, HEAD");
}

/** 200 when every part works, else 503; the body has a line per part either way. */
export function answerReady(request: DoorRequest, parts: HealthParts): DoorAnswer {
  if (!isRead(request)) return methodNotAllowed("GET, HEAD");
  const health = parts.health();
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  return { status: health.ready ? 200 : 503, headers, body: JSON.stringify(health) };
}

/** Prometheus text, for operators. */
export async function answerMetrics(request: DoorRequest, parts: HealthParts): Promise<DoorAnswer> {
  const refusal = refuseStranger(request, parts, "The metrics");
  if (refusal) return refusal;
  const headers = { "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store" };
  return { status: 200, headers, body: await parts.metricsText() };
}

/**
 * Pages about the inside are for whoever bears the token or, while none is configured, for clients on this machine.
 * Undefined when the request may read `page` ("The metrics").
 */
export function refuseStranger(
  request: DoorRequest,
  parts: Pick<DoorPorts, "configuration">,
  page: string,
): DoorAnswer | undefined {
  if (!isRead(request)) return methodNotAllowed("GET, HEAD");
  const { metricsToken } = parts.configuration();
  if (metricsToken === undefined) {
    if (isLoopback(request.sourceIp)) return undefined;
    const text = `${page} can be read by clients on this machine only, unless the setting metricsToken gives a token.`;
    return plainError(403, { code: "AccessDeniedException", text });
  }
  if (isSameText(headerOf(request, "authorization") ?? "", `Bearer ${metricsToken}`)) return undefined;
  const text = `${page} can be read with the header Authorization: Bearer and the token of the setting metricsToken.`;
  return plainError(401, { code: "AccessDeniedException", text }, { "WWW-Authenticate": "Bearer" });
}

/** What this is and where to go on. */
export function answerFront(): DoorAnswer {
  const body = [
    "This is Cairn, an open CloudTrail.",
    "",
    "Point any AWS client here:   aws cloudtrail describe-trails --endpoint-url <this address>",
    "Send event records:          POST /events",
    "Is it alive, is it ready:    GET /healthz, GET /readyz",
    "Measurements:                GET /metrics",
    "What is delivered and waits: GET /statusz, or the command cairn status",
    "Events as they come:         GET /tail, or the command cairn tail",
    "",
  ].join("\n");
  return { status: 200, headers: textType, body };
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(ip: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(ip) || ip === "::1";
}

function isRead(request: DoorRequest): boolean {
  return request.method === "GET" || request.method === "HEAD";
}
