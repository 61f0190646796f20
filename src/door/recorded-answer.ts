// Has the record made of a call that the bucket door answers: of a small answer before or while it is written, of a
// streamed one when its last piece goes, or when nobody wants more of it. Must not: know S3, or what a record says.
import { ApiError } from "../model/errors.ts";
import type { AnsweredCall, AnsweredOutcome } from "../recorder/answered-calls.ts";
import type { CapturedBody } from "../recorder/contract.ts";
import type { RequestHeaders } from "../model/headers.ts";
import type { DoorAnswer } from "./exchange.ts";

/** What is known of the call before its answer. */
export interface AskedCall extends Pick<AnsweredOutcome, "caller" | "requestId"> {
  readonly body: Uint8Array;
  readonly method: string;
}

type Recorded = (body: CapturedBody, bytesOut: number) => Promise<boolean>;

/** The answer as the client shall get it. Throws an ApiError when its record had to be made and could not be. */
export async function recordedAnswer(
  answer: DoorAnswer,
  asked: AskedCall,
  call: AnsweredCall,
): Promise<DoorAnswer> {
  const { caller, requestId } = asked;
  const { requestBytes, answerBytes, errorBytes } = call.capture;
  const record: Recorded = (body, bytesOut) =>
    call.record({
      ...{ caller, requestId, bytesIn: asked.body.length, bytesOut },
      request: captured(asked.body, requestBytes),
      answer: { status: answer.status, headers: headersOf(answer), body },
    });
  const { body } = answer;
  if (typeof body !== "string" && !(body instanceof Uint8Array)) {
    return { ...answer, body: recordedPieces(body, record, call.isAwaited) };
  }
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body;
  const shown = captured(bytes, answer.status < 400 ? answerBytes : errorBytes);
  const recorded = record(shown, asked.method === "HEAD" ? 0 : bytes.length);
  if (call.isAwaited && !(await recorded)) throw unrecorded();
  return answer;
}

function captured(bytes: Uint8Array, bytesMax: number): CapturedBody {
  const isCut = bytes.length > bytesMax;
  return { kind: isCut ? "cut" : "whole", bytes: isCut ? bytes.subarray(0, bytesMax) : bytes };
}

function headersOf({ headers }: DoorAnswer): RequestHeaders {
  return new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]));
}

function unrecorded(): ApiError {
  return new ApiError("InternalFailure", "The call was made, but the record of this call could not be kept.");
}

/** The pieces of an answer; the last one waits for the record where it must. */
function recordedPieces(
  body: AsyncIterable<Uint8Array>,
  record: Recorded,
  isAwaited: boolean,
): AsyncIterable<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  let bytesOut = 0;
  let held: Uint8Array | undefined;
  let recorded: Promise<boolean> | undefined;
  const over = (): Promise<boolean> => {
    recorded ??= record({ kind: "cut", bytes: new Uint8Array(0) }, bytesOut);
    return recorded;
  };
  const last = async (): Promise<IteratorResult<Uint8Array>> => {
    const isDurable = over();
    if (isAwaited && !(await isDurable)) throw unrecorded();
    const value = held;
    held = undefined;
    return value ? { done: false, value } : { done: true, value: undefined };
  };
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      for (;;) {
        const piece = await pieces.next();
        if (piece.done === true) return last();
        bytesOut += piece.value.length;
        if (!isAwaited) return piece;
        const before = held;
        held = piece.value;
        if (before) return { done: false, value: before };
      }
    },
    async return() {
      void over();
      await pieces.return?.();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
