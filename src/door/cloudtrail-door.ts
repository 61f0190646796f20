// One CloudTrail call from request to answer: the pipeline stands in `answerCloudTrail` and `perform`, top to bottom.
// Must not: know what an operation does, or sockets.
import { type CallAttempt, isReadOnlyOperation } from "../event/call-record.ts";
import type { CallReservation } from "../intake/call-recorder.ts";
import { decodeInput } from "../model/decode.ts";
import { encodeOutput, inputAsJson } from "../model/encode.ts";
import { ApiError, apiError } from "../model/errors.ts";
import { operationShapes } from "../model/generated/shapes.ts";
import type { Input, OperationName, Operations, Output } from "../model/operations.ts";
import { errorAnswer, jsonAnswer, unknownOperationXml } from "./answers.ts";
import {
  type Admission,
  type AdmissionParts,
  type AdmissionRules,
  authenticate,
  type ReadRequest,
} from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import { deedsOf } from "./call-deeds.ts";
import type { DoorAnswer } from "./exchange.ts";
import { failureText } from "./failure-text.ts";
import type { DoorPorts } from "./ports.ts";
import { mediaTypeOf, operationTextOf } from "./route.ts";

const rules: AdmissionRules = { services: ["cloudtrail"], style: "standard" };

export type CloudTrailParts = AdmissionParts & Pick<DoorPorts, "operations" | "calls" | "log" | "metrics">;

/** Answers one call. Never rejects: what goes wrong is an answer (api.md §1.4-1.6). */
export async function answerCloudTrail(request: ReadRequest, parts: CloudTrailParts): Promise<DoorAnswer> {
  if (!isJsonCall(request)) return unknownOperationXml();
  const operation = operationOf(request);
  if (operation === undefined) return errorAnswer(apiError("UnknownOperationException"), "json", request);

  const startedMs = parts.clock.monotonicMs();
  let code = "OK";
  try {
    return jsonAnswer(200, await perform(operation, request, parts));
  } catch (error) {
    const apiFailure = error instanceof ApiError ? error : unexpected(error, { operation, request, parts });
    code = apiFailure.code;
    return errorAnswer(apiFailure, "json", request);
  } finally {
    parts.metrics.count("calls_total", { operation, code });
    parts.metrics.observe("call_seconds", (parts.clock.monotonicMs() - startedMs) / 1000, { operation });
  }
}

/** The call itself. A caller who is not known leaves no record; every other call is journaled before its answer. */
async function perform(
  operation: OperationName,
  request: ReadRequest,
  parts: CloudTrailParts,
): Promise<object> {
  const admission = authenticate(request, rules, parts);
  const outcome = await run(operation, { request, admission, parts });
  const isDurable = await recordCall(operation, admission, { outcome, parts });
  if (outcome.error) {
    // A refusal for want of room stays that refusal: its record had no room either.
    if (isDurable || outcome.error.code === "ThrottlingException") throw outcome.error;
    throw apiError("ServiceUnavailable", { text: "The record of this call could not be kept. Try again." });
  }
  if (!isDurable) throw unrecorded(operation);
  return outcome.output ?? {};
}

interface CallContext {
  readonly request: ReadRequest;
  readonly admission: Admission;
  readonly parts: CloudTrailParts;
}

/** Filled in as far as the call comes. Input and output are JSON. */
interface CallOutcome {
  input?: object;
  output?: object;
  error?: ApiError;
  reservation?: CallReservation;
}

/** Decodes, authorizes, keeps room for the record if something will change, runs, encodes. Never rejects. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- ties input, handler and output to one operation
async function run<Name extends OperationName>(operation: Name, context: CallContext): Promise<CallOutcome> {
  const { request, admission, parts } = context;
  const outcome: CallOutcome = {};
  try {
    const input: Input<Name> = decodeInput(operation, request.body);
    outcome.input = inputAsJson(operation, input);
    authorize(admission.permissions, admission.call.caller.arn, deedsOf(operation, input, admission.call));
    if (!isReadOnlyOperation(operation)) {
      const reservation = parts.calls.reserve();
      if (!reservation) throw apiError("ThrottlingException");
      outcome.reservation = reservation;
    }
    const operations: Operations = parts.operations;
    const output: Output<Name> = await operations[operation](input, admission.call);
    outcome.output = encodeOutput(operation, output);
  } catch (error) {
    outcome.error = error instanceof ApiError ? error : unexpected(error, { operation, request, parts });
  }
  return outcome;
}

/** True when the record of the call is on disk. */
async function recordCall(
  operation: OperationName,
  admission: Admission,
  { outcome, parts }: { readonly outcome: CallOutcome; readonly parts: CloudTrailParts },
): Promise<boolean> {
  const { input, output, error, reservation } = outcome;
  const attempt: CallAttempt = { call: admission.call, operation, input, output, error };
  try {
    return await parts.calls.record(attempt, reservation);
  } catch (failure) {
    const { requestId } = admission.call;
    parts.log.error(
      { requestId, operation, failure: failureText(failure) },
      "The record of a call could not be kept.",
    );
    return false;
  } finally {
    reservation?.release();
  }
}

/**
 * A read may simply be asked again: 503. A change is there although its record is not; an answer that says
 * `unavailable, nothing happened` would be a lie, so this is a 500 that says what is.
 */
function unrecorded(operation: OperationName): ApiError {
  if (isReadOnlyOperation(operation)) {
    return apiError("ServiceUnavailable", { text: "The record of this call could not be kept. Try again." });
  }
  return new ApiError(
    "InternalFailure",
    "The change was made, but the record of this call could not be kept.",
  );
}

/** A bug or a broken part: logged whole, told to the client without any detail. */
function unexpected(
  error: unknown,
  context: { readonly operation: string } & Pick<CallContext, "request" | "parts">,
): ApiError {
  const { operation, request, parts } = context;
  parts.log.error(
    { requestId: request.requestId, operation, failure: failureText(error) },
    "A call failed unexpectedly.",
  );
  return apiError("InternalFailure");
}

function isJsonCall(request: ReadRequest): boolean {
  return (
    request.method === "POST" && request.path === "/" && mediaTypeOf(request) === "application/x-amz-json-1.1"
  );
}

function operationOf(request: ReadRequest): OperationName | undefined {
  const text = operationTextOf(request);
  return text !== undefined && isOperation(text) ? text : undefined;
}

function isOperation(text: string): text is OperationName {
  return Object.hasOwn(operationShapes, text);
}
