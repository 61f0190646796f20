// PutAuditEvents of cloudtrail-data: REST JSON (api.md §1.8). Reads the path and query; the handler reads the body.
import { apiError } from "../model/errors.ts";
import { partitionOf } from "../model/regions.ts";
import type { Call } from "../model/call.ts";
import { type AdmissionParts, authenticate, type ReadRequest } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import { type DoorAnswer, queryParameter } from "./exchange.ts";
import type { DoorPorts } from "./ports.ts";

export type AuditEventsParts = AdmissionParts & Pick<DoorPorts, "operations">;

/** Answers one call; throws ApiErrors, which the dispatcher writes in the style of REST JSON. */
export async function answerAuditEvents(request: ReadRequest, parts: AuditEventsParts): Promise<DoorAnswer> {
  const { call, permissions } = authenticate(
    request,
    { services: ["cloudtrail-data"], style: "standard" },
    parts,
  );
  if (request.method !== "POST" || request.path !== "/PutAuditEvents") {
    return {
      status: 404,
      headers: { "Content-Type": "application/json", "x-amzn-ErrorType": "UnknownOperationException" },
      body: "{}",
    };
  }
  const channelArn = queryParameter(request.query, "channelArn");
  if (!channelArn) throw apiError("ValidationException.missing", { field: "channelArn" });
  const deed = { action: "cloudtrail-data:PutAuditEvents", resource: fullArn(channelArn, call) };
  authorize(permissions, call.caller.arn, [deed]);
  const externalId = queryParameter(request.query, "externalId");
  const input = { channelArn, body: request.body, ...(externalId === undefined ? {} : { externalId }) };
  const output = await parts.operations.PutAuditEvents(input, call);
  return { status: 200, headers: { "Content-Type": "application/json" }, body: JSON.stringify(output) };
}

function fullArn(channel: string, call: Call): string {
  if (channel.startsWith("arn:")) return channel;
  const { region, caller } = call;
  return `arn:${partitionOf(region)}:cloudtrail:${region}:${caller.accountId}:channel/${channel}`;
}
