// The text of a passed call's records (formats.md §1): member by member in the order of real records. What all copies of
// one call share is written once. Pure.
import {
  additionalDataBytesMax,
  bytesOf,
  cappedObject,
  cutText,
  objectBytesMax,
  omission,
  recordBytesMax,
} from "../event/record-limits.ts";
import type { AccountId } from "../model/arn.ts";
import type { JsonObject } from "../model/json.ts";
import type { Region } from "../model/regions.ts";
import { isoSeconds } from "../model/timestamp.ts";
import type { CallDescription, DescribedPart, DescribedResource, PassedCall } from "./contract.ts";

export interface DescribedCall {
  readonly call: PassedCall;
  readonly description: CallDescription;
  /** As the record names it: us-east-1 for global services. */
  readonly region: Region;
  /** Why nobody vouches for the identity; absent when somebody does. */
  readonly unverified?: string;
  /** The account that owns the endpoint by which the call came in. */
  readonly vpcEndpointAccount?: AccountId;
}

/** One of the records of a call: for whom it is, and how it names the caller. */
export interface RecordCopy {
  readonly recipient: AccountId;
  readonly userIdentity: JsonObject;
  /** UUID of the record. */
  readonly eventId: string;
  /** The same in all records of the action, when there are several. */
  readonly sharedEventId?: string;
}

export interface CallTexts {
  apiCall(copy: RecordCopy): string;
  /** What the call did to one of many things: asked by the same caller, told by the service. */
  serviceEvent(copy: RecordCopy, part: DescribedPart): string;
  /** The record of the way by a VPC endpoint (formats.md §1.15): without what was asked and answered. */
  networkActivity(copy: RecordCopy): string;
}

export function textsOf(described: DescribedCall): CallTexts {
  const { call, description } = described;
  const where = whereText(described);
  const userAgent = `,"userAgent":${quoted(userAgentOf(call, description))}`;
  const failure = failureText(call, description);
  const requestId = `,"requestID":${quoted(cutText(description.requestID ?? call.requestId))}`;
  const ownWords = `,"userAgent"`.length + userAgent.length + failure.length;
  const written = contentText(described, ownWords);
  const endpoint = endpointText(described);
  return {
    apiCall: (copy) =>
      wellFormed(
        headText(copy) +
          where +
          userAgent +
          failure +
          written.parameters +
          requestId +
          `,"eventID":${quoted(copy.eventId)},"readOnly":${description.readOnly}` +
          written.resources +
          `,"eventType":"AwsApiCall"` +
          (description.apiVersion === undefined ? "" : `,"apiVersion":${quoted(description.apiVersion)}`) +
          `,"managementEvent":${description.eventCategory === "Management"}` +
          recipientText(copy) +
          endpoint +
          `,"eventCategory":"${description.eventCategory}"` +
          (call.caller.tls ? `,"tlsDetails":${JSON.stringify(call.caller.tls)}` : "") +
          "}",
      ),
    serviceEvent: (copy, part) =>
      wellFormed(
        headText(copy) +
          whereText({ ...described, description: { ...description, eventName: part.eventName } }) +
          userAgent +
          failureText({}, part) +
          `,"requestParameters":null,"responseElements":null` +
          additionalText({ unverified: described.unverified }) +
          requestId +
          `,"eventID":${quoted(copy.eventId)},"readOnly":${description.readOnly}` +
          resourcesText(part.resources) +
          `,"eventType":"AwsServiceEvent","managementEvent":${description.eventCategory === "Management"}` +
          recipientText(copy) +
          endpoint +
          `,"eventCategory":"${description.eventCategory}"}`,
      ),
    networkActivity: (copy) =>
      wellFormed(
        headText(copy) +
          where +
          failure +
          requestId +
          `,"eventID":${quoted(copy.eventId)},"eventType":"AwsVpceEvent"` +
          recipientText(copy) +
          endpoint +
          `,"eventCategory":"NetworkActivity"}`,
      ),
  };
}

/** Half a surrogate pair stands in no UTF-8 text; JSON lets clients send one, and no record may fail by it. */
function wellFormed(json: string): string {
  if (!json.includes("\\ud")) return json;
  return json.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (whole, half: string | undefined) =>
    half === undefined ? whole : "\\ufffd",
  );
}

function headText({ userIdentity }: RecordCopy): string {
  return `{"eventVersion":"1.11","userIdentity":${JSON.stringify(userIdentity)}`;
}

function whereText({ call, description, region }: DescribedCall): string {
  return (
    `,"eventTime":"${isoSeconds(call.finishedMs)}","eventSource":${quoted(description.eventSource)}` +
    `,"eventName":${quoted(description.eventName)},"awsRegion":${quoted(region)}` +
    `,"sourceIPAddress":${quoted(call.caller.sourceIp)}`
  );
}

/** S3 puts it in square brackets. */
function userAgentOf({ caller }: PassedCall, { eventSource }: CallDescription): string {
  return eventSource === "s3.amazonaws.com"
    ? `[${cutText(`${caller.userAgent}]`).replace(/\]$/, "")}]`
    : cutText(caller.userAgent);
}

function failureText(
  { failure }: Pick<PassedCall, "failure">,
  description: Pick<CallDescription, "errorCode" | "errorMessage">,
): string {
  const code = description.errorCode ?? failure?.code;
  const message = description.errorMessage ?? failure?.message;
  return (
    (code === undefined ? "" : `,"errorCode":${quoted(cutText(code))}`) +
    (message === undefined ? "" : `,"errorMessage":${quoted(cutText(message))}`)
  );
}

function recipientText({ recipient, sharedEventId }: RecordCopy): string {
  return (
    `,"recipientAccountId":"${recipient}"` +
    (sharedEventId === undefined ? "" : `,"sharedEventID":"${sharedEventId}"`)
  );
}

function endpointText({ call, vpcEndpointAccount }: DescribedCall): string {
  const { vpcEndpointId } = call.caller;
  if (vpcEndpointId === undefined) return "";
  return (
    `,"vpcEndpointId":${quoted(vpcEndpointId)}` +
    (vpcEndpointAccount === undefined ? "" : `,"vpcEndpointAccountId":"${vpcEndpointAccount}"`)
  );
}

interface ContentText {
  /** requestParameters, responseElements and additionalEventData. */
  readonly parameters: string;
  readonly resources: string;
}

// Ids, times and names: userIdentity is a few hundred bytes, a user agent or an error message 1 KB.
const aroundContentBytesMax = 12 * 1024;

/**
 * The members that may be large. Each has its own cap; where they are too much together, the answer goes first, then
 * what was asked, then the list of resources.
 */
function contentText(described: DescribedCall, ownWords: number): ContentText {
  const { description } = described;
  let request = objectText("requestParameters", description.requestParameters);
  let response = objectText("responseElements", description.responseElements);
  let resources = resourcesText(description.resources);
  const additional = additionalText({ ...description, unverified: described.unverified });
  const bytesMax = recordBytesMax - aroundContentBytesMax - ownWords;
  const isTooLarge = () => bytesOf(request + response + additional + resources, bytesMax) > bytesMax;
  if (isTooLarge()) response = omission("responseElements", bytesOf(response, 0));
  if (isTooLarge()) request = omission("requestParameters", bytesOf(request, 0));
  if (isTooLarge()) resources = "";
  return {
    parameters: `,"requestParameters":${request},"responseElements":${response}${additional}`,
    resources,
  };
}

function objectText(member: string, value: JsonObject | null): string {
  return value === null ? "null" : cappedObject(member, JSON.stringify(value), objectBytesMax);
}

function additionalText({
  additionalEventData,
  unverified,
}: Pick<CallDescription, "additionalEventData"> & { readonly unverified: string | undefined }): string {
  if (additionalEventData === undefined && unverified === undefined) return "";
  const data = {
    ...additionalEventData,
    ...(unverified === undefined ? {} : { identityVerified: false, reason: unverified }),
  };
  const text = cappedObject("additionalEventData", JSON.stringify(data), additionalDataBytesMax);
  return `,"additionalEventData":${text}`;
}

function resourcesText(resources: readonly DescribedResource[]): string {
  if (resources.length === 0) return "";
  const entries = resources.map(({ ARN, ARNPrefix, accountId, type }) => ({
    ...(ARN === undefined ? { ARNPrefix } : { ARN }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(type === undefined ? {} : { type }),
  }));
  return `,"resources":${JSON.stringify(entries)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
