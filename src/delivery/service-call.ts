// One call to another service within a time of its own: whoever hangs or throws gave no answer. Must not: know services.
import type { Clock } from "../model/environment.ts";

export interface CallBounds {
  readonly clock: Clock;
  /** How long one call may take, milliseconds. */
  readonly callMsMax: number;
  /** Gives the call up from outside. */
  readonly signal: AbortSignal;
}

/** The call may have worked or not. */
export interface NoAnswer {
  readonly kind: "unknown";
  readonly message: string;
}

/** Never rejects. `call` gets a signal that aborts when nobody waits for its answer any more. */
export async function answerWithin<Answer>(
  bounds: CallBounds,
  call: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | NoAnswer> {
  const { clock, callMsMax, signal } = bounds;
  if (signal.aborted) return { kind: "unknown", message: "The call was given up before it began." };
  // It ends the alarm as well: one controller for each call, for there is one for each object that is put.
  const abandoned = new AbortController();
  // With a reason: without one each abort would make an error with its stack.
  const giveUp = () => abandoned.abort("Nobody waits for the answer any more.");
  signal.addEventListener("abort", giveUp, { once: true });
  const alarm = clock.sleep(callMsMax, abandoned.signal);
  try {
    return await Promise.race([
      answered(call, abandoned.signal),
      alarm.then((): NoAnswer => noAnswer(bounds)),
    ]);
  } finally {
    signal.removeEventListener("abort", giveUp);
    giveUp();
  }
}

function noAnswer({ signal, callMsMax }: CallBounds): NoAnswer {
  const message = signal.aborted ? "The call was given up." : `No answer within ${callMsMax} ms.`;
  return { kind: "unknown", message };
}

async function answered<Answer>(
  call: (signal: AbortSignal) => Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer | NoAnswer> {
  try {
    return await call(signal);
  } catch (error) {
    return { kind: "unknown", message: error instanceof Error ? error.message : String(error) };
  }
}
