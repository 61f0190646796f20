// The way to the embedded bucket door: authenticates an S3 request, hands it on, and has the call recorded.
// Must not: know S3's operations.
import { ApiError, apiError } from "../model/errors.ts";
import type { PassedCaller, PassingHead } from "../recorder/contract.ts";
import { errorAnswer } from "./answers.ts";
import { type Admission, type AdmissionParts, authenticate, type ReadRequest } from "./authenticate.ts";
import { permissionCheck } from "./authorize.ts";
import { payloadOf, plainQuery, hoistedHeaders, type Payload } from "./bucket-payload.ts";
import { claimedScope } from "./claimed-scope.ts";
import { type ByteLease, type DoorAnswer, headerOf } from "./exchange.ts";
import { isOldPresigned, oldExpiryMs } from "./old-s3-signature.ts";
import type { DoorPorts } from "./ports.ts";
import { isPresigned, presignedEndMs } from "./presigned.ts";
import { recordedAnswer } from "./recorded-answer.ts";
import { s3HostOf } from "./s3-host.ts";

export type BucketEntranceParts = AdmissionParts & Pick<DoorPorts, "bucketDoor" | "bucketCalls">;

/** Answers one request; throws ApiErrors, which the dispatcher writes in the style of S3. */
export async function answerBucket(
  request: ReadRequest,
  parts: BucketEntranceParts,
  lease: ByteLease,
): Promise<DoorAnswer> {
  if (!parts.bucketDoor) {
    throw new ApiError(
      "UnsupportedOperation",
      "Buckets lie behind the S3 endpoint of the setting endpoints.s3; send S3 requests there.",
    );
  }
  const { auth, s3Domains = [] } = parts.configuration();
  const hostBucket = s3HostOf(request, s3Domains)?.bucket;
  // Whoever is not known leaves no record, as at the other doors.
  const admission = admit(request, hostBucket, parts);
  if (auth === "off") refuseExpired(request, parts.clock.nowMs());
  const call = await parts.bucketCalls?.begin(headOf(request, admission, hostBucket));
  if (parts.bucketCalls && !call) {
    throw new ApiError(
      "ServiceUnavailable",
      "The record of this call could not be kept, so the call was not made. Try again later.",
    );
  }
  try {
    const entering = { ...admission, hostBucket, lease };
    const { answer, body } = await answered(request, entering, parts.bucketDoor);
    if (!call) return answer;
    const { requestId, method } = request;
    return await recordedAnswer(
      answer,
      { body, requestId, method, caller: callerOf(request, admission) },
      call,
    );
  } catch (error) {
    call?.release();
    throw error;
  }
}

/** As authenticate does it; what is wrong with a presigned URL has a name of its own in S3. */
function admit(request: ReadRequest, hostBucket: string | undefined, parts: BucketEntranceParts): Admission {
  try {
    return authenticate(request, { services: ["s3"], style: "s3", hostBucket }, parts);
  } catch (error) {
    const isIncomplete = error instanceof ApiError && error.code === "IncompleteSignatureException";
    if (!isIncomplete || !isPresigned(request.query)) throw error;
    throw new ApiError("AuthorizationQueryParametersError", error.message);
  }
}

type Entering = Admission & { readonly hostBucket: string | undefined; readonly lease: ByteLease };

interface Answered {
  readonly answer: DoorAnswer;
  /** The object itself, without any framing. */
  readonly body: Uint8Array;
}

/** The bucket door's answer, or that to a body that is not what its headers say. */
async function answered(
  request: ReadRequest,
  { call, permissions, signature, hostBucket, lease }: Entering,
  bucketDoor: NonNullable<DoorPorts["bucketDoor"]>,
): Promise<Answered> {
  let payload: Payload;
  try {
    payload = payloadOf(request, signature);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { answer: errorAnswer(error, "s3", request), body: new Uint8Array(0) };
  }
  const { method, path, requestId } = request;
  const answer = await bucketDoor({
    ...{ method, requestId, body: payload.body },
    path: hostBucket === undefined ? path : `/${hostBucket}${path}`,
    url: `${request.tls ? "https" : "http"}://${headerOf(request, "host") ?? "localhost"}${path}`,
    query: plainQuery(request.query),
    headers: { ...hoistedHeaders(request.query), ...payload.headers },
    caller: call.caller,
    may: permissionCheck(permissions),
  });
  return { answer: await withRoom(answer, request, lease), body: payload.body };
}

/** A streamed answer keeps so much in memory while it is written: a piece that is read, and one that waits. */
const streamedBytes = 256 * 1024;

async function withRoom(answer: DoorAnswer, request: ReadRequest, lease: ByteLease): Promise<DoorAnswer> {
  const { body } = answer;
  if (typeof body === "string" || body instanceof Uint8Array || lease.take(streamedBytes)) return answer;
  await body[Symbol.asyncIterator]().return?.();
  const text = "Too many objects are being read at this moment. Try again.";
  return errorAnswer(apiError("ServiceUnavailable", { text }), "s3", request);
}

/** Where signatures are not checked, a presigned URL still ends when it says so. */
function refuseExpired(request: ReadRequest, nowMs: number): void {
  const endMs = isOldPresigned(request) ? oldExpiryMs(request.query) : presignedEndMs(request.query);
  if (endMs !== undefined && nowMs > endMs) {
    throw new ApiError("AccessDeniedException", "Request has expired");
  }
}

function headOf(request: ReadRequest, { call }: Admission, hostBucket: string | undefined): PassingHead {
  const { method, path, query, headers } = request;
  const { region } = call;
  return {
    service: "s3",
    region,
    method,
    path,
    query,
    headers,
    ...(hostBucket !== undefined && { hostBucket }),
  };
}

function callerOf(request: ReadRequest, { call }: Admission): PassedCaller {
  const claim = claimedScope(request);
  const { caller, sourceIp, userAgent, tls } = call;
  const { vpcEndpointId } = request;
  return {
    verified: caller,
    ...(caller.accessKeyId !== undefined && { accessKeyId: caller.accessKeyId }),
    signature: claim?.signature ?? { version: "none", method: "none" },
    ...{ sourceIp, userAgent },
    ...(tls && { tls }),
    ...(vpcEndpointId !== undefined && { vpcEndpointId }),
  };
}
