// A call to any service but S3: which operation, its members, its answer, as a record says them. Never throws. Pure.
import type { AccountId } from "../../model/arn.ts";
import { isObject, type JsonObject } from "../../model/json.ts";
import type {
  CallDescription,
  CapturedBody,
  DescribedResource,
  PassedCall,
  PassingHead,
  ServiceDeed,
  ServiceError,
  ServiceErrorAnswer,
  UnderstoodHead,
  WantedBytes,
} from "../contract.ts";
import { askedByBody, askedByHead, type AskedOperation, isAmbiguous } from "./asked-operation.ts";
import { parseCbor } from "./cbor.ts";
import { isDataEvent } from "./data-events.ts";
import { actionOf, apiGatewayDeed, hasDotSegments, resourcesOfDeed } from "./deeds.ts";
import { dynamoDbAction, dynamoDbParameters, tablesOfStatements } from "./dynamodb-items.ts";
import { ec2Parameters, ec2ResponseElements } from "./ec2-form.ts";
import { type AnswerForm, errorAnswer } from "./error-answer.ts";
import { apiVersionOf, eventNameOf, eventSourceOf, sourceOf } from "./event-names.ts";
import { issuedBy } from "./issued-credentials.ts";
import { structureFromJson, unknownMember } from "./json-members.ts";
import type { KnownService } from "./known-services.ts";
import { structureFromParameters } from "./query-parameters.ts";
import { headerOf, type ReadBody, readBody } from "./read-body.ts";
import { isReadOnly } from "./read-only.ts";
import { type Members, put, Reading } from "./record-values.ts";
import { jsonOf, structureFromRest } from "./rest-members.ts";
import { additionalData, bodyMemberOf, controlParameters, recordedResponse } from "./record-exceptions.ts";
import { answeredKeys, resourcesMax, resourcesOf } from "./resources.ts";
import { cleanMessage, errorOf, recordedCode } from "./service-error.ts";
import type { Structure } from "./service-table.ts";
import { structureFromXml } from "./xml-members.ts";
import { parseXml } from "./xml-tree.ts";

/** Larger requests and answers are described without their members. */
const bodyBytesMax = 1024 * 1024;
const errorBytesMax = 64 * 1024;

export class ServiceCall implements UnderstoodHead {
  readonly capture: WantedBytes;
  readonly #head: PassingHead;
  readonly #services: readonly KnownService[];
  readonly #asked: AskedOperation | undefined;

  constructor(head: PassingHead, services: readonly KnownService[]) {
    this.#head = head;
    this.#services = services;
    this.#asked = askedByHead(head, services);
    this.capture = capturedOf(this.#asked, this.#asked && this.#namesOf(this.#asked));
  }

  describe(call: PassedCall, account: AccountId): CallDescription {
    const reading = new Reading();
    const body = readBody(call.request, call.head.headers);
    const asked = this.#asked ?? askedByBody(this.#head, this.#services, body);
    const names = this.#namesOf(asked);
    const parameters = this.#parameters(asked, body, reading);
    const answer = readBody(call.answer.body, call.answer.headers);
    const error = call.failure ?? errorOf(call.answer.status, call.answer.headers, answer);
    const answered = { call, body: answer, reading };
    const response = error || !readsResponse(names) ? undefined : this.#response(asked, answered);
    const where = { source: names.source, operation: names.operation, region: this.#head.region, account };
    const named = {
      ...parameters,
      ...tablesIn(names.source, parameters),
      ...answeredKeys(names.source, response),
    };
    const found = resourcesOf(named, where, !names.isData);
    const resources = found.length === 0 && names.isData ? withoutName(names.source, account) : found;
    const issued = error
      ? undefined
      : issuedBy({ ...names, parameters: parameters ?? {}, answer: () => answer.text() });
    const requestID = requestIdOf(call, answer);
    const additional = additionalData(call, { source: names.source, operation: names.operation, resources });
    const apiVersion = asked.service && apiVersionOf(asked.service.table.row);
    return {
      eventSource: eventSourceOf(names.source),
      eventName: names.eventName,
      ...(apiVersion !== undefined && { apiVersion }),
      readOnly: names.readOnly,
      eventCategory: names.isData ? "Data" : "Management",
      resources,
      requestParameters:
        body.isCut && this.capture.requestBytes > 0
          ? tooLarge("requestParameters", call.bytesIn)
          : shownMembers(parameters && controlParameters(this.#head, parameters)),
      responseElements: keepsResponse(names) ? this.#responseElements(asked, response, answered) : null,
      ...(additional && { additionalEventData: additional }),
      ...(error && { errorCode: recordedCode(names.source, error.code) }),
      ...(error?.message !== undefined && { errorMessage: cleanMessage(error.message, reading) }),
      ...(requestID !== undefined && { requestID }),
      ...(issued && { issued }),
    };
  }

  #responseElements(
    { service, name }: AskedOperation,
    response: Members | undefined,
    { call, body }: Answered,
  ): JsonObject | null {
    if (!response || !service) return null;
    if (body.isCut && this.capture.answerBytes > 0) return tooLarge("responseElements", call.bytesOut);
    return shownMembers(recordedResponse({ service: service.table.row.name, operation: name }, response));
  }

  deedOf(request: CapturedBody, account: AccountId): ServiceDeed {
    const body = readBody(request, this.#head.headers);
    const asked = this.#asked ?? askedByBody(this.#head, this.#services, body);
    const { source, operation } = this.#namesOf(asked);
    if (isAmbiguous(this.#head, body) || hasDotSegments(this.#head.path))
      return { action: actionOf(source, "*"), resource: "*" };
    if (source === "apigateway") return apiGatewayDeed(this.#head);
    const parameters = this.#parameters(asked, body, new Reading()) ?? {};
    const named = { ...parameters, ...tablesIn(source, parameters) };
    const resources = resourcesOf(named, { source, operation, region: this.#head.region, account });
    // What was cut off, or not looked at, may name more.
    const isCut = body.isCut && this.capture.requestBytes > 0;
    if (isCut || resources.length >= resourcesMax) return { action: actionOf(source, "*"), resource: "*" };
    const action = source === "dynamodb" ? dynamoDbAction(operation, parameters) : undefined;
    return { action: action ?? actionOf(source, operation), ...resourcesOfDeed(resources) };
  }

  errorAnswer(error: ServiceError): ServiceErrorAnswer {
    const row = (this.#asked?.service ?? this.#services[0])?.table.row;
    return errorAnswer(error, {
      form: this.#formOfErrors(),
      method: this.#head.method,
      ...(row?.jsonVersion !== undefined && { jsonVersion: row.jsonVersion }),
      ...(row?.namespace !== undefined && { namespace: row.namespace }),
    });
  }

  #formOfErrors(): AnswerForm {
    if (!this.#asked) return this.#services[0]?.table.row.protocol === "ec2" ? "ec2" : "query";
    return this.#asked.protocol === "unknown" ? "rest-json" : this.#asked.protocol;
  }

  #namesOf({ service, operation, name }: AskedOperation): Names {
    const source = service ? sourceOf(service.table.row) : plainSource(this.#head.service);
    const eventName = service && operation ? eventNameOf(service.table.row, operation) : name;
    return {
      source,
      operation: name,
      eventName,
      readOnly: isReadOnly(source, name),
      isData: isDataEvent(source, name),
    };
  }

  /** Undefined when they cannot be read. */
  #parameters(asked: AskedOperation, body: ReadBody, reading: Reading): Members | undefined {
    const input = asked.operation?.input;
    if (asked.operation && (!input || input.isSensitive)) return undefined;
    switch (asked.protocol) {
      case "query":
        return structureFromParameters(input, asked.parameters ?? {}, reading);
      case "ec2":
        return ec2Parameters(asked.name, { input, root: asked.parameters ?? {} }, reading);
      case "rest-json":
      case "rest-xml":
        return input
          ? this.#restParameters(asked, { input, body }, reading)
          : unknownMembers(jsonOf(body), reading);
      case "cbor":
        return jsonParameters(asked, body.isCut ? undefined : parseCbor(body.bytes), reading);
      case "json":
      case "unknown":
      default:
        return jsonParameters(asked, jsonOf(body), reading);
    }
  }

  #restParameters(
    asked: AskedOperation,
    { input, body }: { input: Structure; body: ReadBody },
    reading: Reading,
  ): Members {
    const { query, headers } = this.#head;
    const bodyForm = asked.protocol === "rest-xml" ? "xml" : "json";
    const service = asked.service?.table.row.name ?? "";
    const bodyMember = bodyMemberOf({ service, operation: asked.name });
    const message = {
      labels: asked.labels,
      query: new URLSearchParams(query),
      headers,
      body,
      bodyForm,
      ...(bodyMember !== undefined && { bodyMember }),
    } as const;
    return structureFromRest(input, message, reading);
  }

  #response(asked: AskedOperation, { call, body, reading }: Answered): Members | undefined {
    const output = asked.operation?.output;
    if (body.bytes.length === 0 && asked.protocol !== "rest-json" && asked.protocol !== "rest-xml")
      return undefined;
    if (asked.protocol === "ec2")
      return ec2ResponseElements(asked.name, { output, answer: parseXml(body.text()) }, reading);
    if (!output || output.isSensitive) return undefined;
    switch (asked.protocol) {
      case "query":
        return answerOfQuery(output, body, reading);
      case "rest-json":
      case "rest-xml": {
        const bodyForm = asked.protocol === "rest-xml" ? "xml" : "json";
        const { headers } = call.answer;
        const message = {
          labels: new Map<string, string>(),
          query: new URLSearchParams(),
          headers,
          body,
          bodyForm,
        } as const;
        return structureFromRest(output, message, reading);
      }
      case "cbor":
        return body.isCut ? undefined : structureFromJson(output, parseCbor(body.bytes), reading);
      case "json":
      case "unknown":
      default:
        return structureFromJson(output, jsonOf(body), reading);
    }
  }
}

interface Answered {
  readonly call: PassedCall;
  readonly body: ReadBody;
  readonly reading: Reading;
}

interface Names {
  readonly source: string;
  readonly operation: string;
  readonly eventName: string;
  readonly readOnly: boolean;
  readonly isData: boolean;
}

function capturedOf(asked: AskedOperation | undefined, names: Names | undefined): WantedBytes {
  const { input, output } = asked?.operation ?? {};
  return {
    requestBytes: isStream(input) ? 0 : bodyBytesMax,
    answerBytes: isStream(output) || (names && !readsResponse(names)) ? 0 : bodyBytesMax,
    errorBytes: errorBytesMax,
  };
}

/** Metrics have no ARN; selectors of data events go by the type (formats.md §1.13). */
function withoutName(source: string, accountId: AccountId): readonly DescribedResource[] {
  return source === "monitoring" ? [{ accountId, type: "AWS::CloudWatch::Metric" }] : [];
}

/** Whether the body is bytes or a stream of events. */
function isStream(shape: Structure | undefined): boolean {
  const { payload } = shape ?? {};
  if (payload && (payload.isStreaming || payload.shape.kind === "blob")) return true;
  return shape?.members.some(({ isStreaming }) => isStreaming) ?? false;
}

function tablesIn(source: string, parameters: Members | undefined): Members {
  return source === "dynamodb" && parameters ? { statementTables: tablesOfStatements(parameters) } : {};
}

function jsonParameters(
  { service, operation }: AskedOperation,
  value: unknown,
  reading: Reading,
): Members | undefined {
  if (!operation?.input) return operation ? undefined : unknownMembers(value, reading);
  if (service?.table.row.name === "dynamodb") return dynamoDbParameters(operation, value, reading);
  return structureFromJson(operation.input, value, reading);
}

/** Of an operation that no table has: what is shallow and not secret by its name. */
function unknownMembers(value: unknown, reading: Reading): Members | undefined {
  if (!isObject(value)) return undefined;
  const members: Members = {};
  for (const [name, part] of Object.entries(value)) {
    put(members, name.charAt(0).toLowerCase() + name.slice(1), unknownMember(name, part, reading));
  }
  return members;
}

/** `<XResponse><XResult>…</XResult><ResponseMetadata/></XResponse>`; JSON when the service spoke Query before. */
function answerOfQuery(output: Structure, body: ReadBody, reading: Reading): Members | undefined {
  const text = body.isCut ? "" : body.text();
  if (!text.includes("<")) return undefined;
  const root = parseXml(text);
  const result = root?.children.find(({ name }) => name === output.wrapper || name.endsWith("Result"));
  return result && structureFromXml(output, result, reading);
}

function shownMembers(members: JsonObject | undefined): JsonObject | null {
  return members === undefined || Object.keys(members).length === 0 ? null : members;
}

function tooLarge(member: string, originalSize: number): JsonObject {
  return { reason: `${member} too large`, omitted: true, originalSize };
}

/** Reads keep no answer, with the exceptions of formats.md §1.5; nor do calls whose answer is items or what a function said. */
function keepsResponse({ source, operation, readOnly, isData }: Names): boolean {
  if (isData && (source === "dynamodb" || source === "lambda")) return false;
  return !readOnly || (source === "sts" && operation.startsWith("AssumeRole"));
}

/** KMS tells which key it used. */
function readsResponse(names: Names): boolean {
  return keepsResponse(names) || names.source === "kms";
}

function requestIdOf({ answer }: PassedCall, body: ReadBody): string | undefined {
  const { headers } = answer;
  return (
    headerOf(headers, "x-amzn-requestid") ??
    headerOf(headers, "x-amz-request-id") ??
    headerOf(headers, "x-amzn-request-id") ??
    requestIdInBody(body)
  );
}

function requestIdInBody(body: ReadBody): string | undefined {
  const match =
    body.bytes.length > 0 && body.bytes[0] === 0x3c
      ? /<[Rr]equestI[dD]>([^<]{1,256})</.exec(body.text())
      : null;
  return match?.[1];
}

/** A host name's label of what a client claims as the service. */
function plainSource(service: string): string {
  const name = service
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, "")
    .slice(0, 64);
  return name === "" ? "unknown" : name;
}
