// The door to the services behind Cairn: hands a request on as it streams. Must not: read bodies, or know services.
import { parseRegion } from "../model/regions.ts";
import type { PassedCaller, PassingHead } from "../recorder/contract.ts";
import type { Recorder } from "../recorder/recorder.ts";
import type { AdmissionParts } from "./authenticate.ts";
import type { Arrival } from "./dispatch.ts";
import { type DoorRequest, headerOf, queryParameter } from "./exchange.ts";
import { createResigner } from "./resign.ts";
import type { RecorderRoute } from "./route.ts";

/** Longer user agents are cut: they end up in every record of a call. */
const userAgentCharactersMax = 1024;

export type RecorderDoorParts = AdmissionParts & { readonly recorder: Recorder };

/** Lets one call pass; resolves when it has, and its record is made. The recorder writes the answer itself. */
export function passOn(arrival: Arrival, route: RecorderRoute, parts: RecorderDoorParts): Promise<void> {
  const { request, lease, exchange } = arrival;
  const { incoming, outgoing } = exchange;
  exchange.takeOver();
  return parts.recorder.pass({
    incoming,
    outgoing,
    expectsContinue: exchange.expectsContinue,
    head: headOf(request, route, parts),
    caller: callerOf(request, route),
    requestId: request.requestId,
    take: (bytes) => lease.take(bytes),
    answer: (answer) => exchange.write({ ...answer, headers: unframed(answer.headers) }),
    isLast: () => exchange.isLast(),
    end: () => exchange.end(),
    signer: () => createResigner(request, route, parts),
  });
}

/** Without what the listener adds to every answer, however it is written. */
function unframed(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(x-amzn-requestid|date)$/i.test(name)),
  );
}

function headOf(request: DoorRequest, route: RecorderRoute, parts: RecorderDoorParts): PassingHead {
  const { method, path, query, headers } = request;
  const region = parseRegion(route.claim?.region ?? "") ?? parts.configuration().defaultRegion;
  const { service, hostBucket } = route;
  return { service, region, method, path, query, headers, ...(hostBucket !== undefined && { hostBucket }) };
}

function callerOf(request: DoorRequest, { claim }: RecorderRoute): PassedCaller {
  const { sourceIp, tls, vpcEndpointId } = request;
  const sessionToken =
    headerOf(request, "x-amz-security-token") ?? queryParameter(request.query, "X-Amz-Security-Token");
  return {
    ...(claim && claim.accessKeyId !== "" && { accessKeyId: claim.accessKeyId }),
    ...(sessionToken !== undefined && { sessionToken }),
    signature: claim?.signature ?? { version: "none", method: "none" },
    sourceIp,
    userAgent: (headerOf(request, "user-agent") ?? "").slice(0, userAgentCharactersMax),
    ...(tls && { tls }),
    ...(vpcEndpointId !== undefined && { vpcEndpointId }),
  };
}
