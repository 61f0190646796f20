// POST /events over HTTP: who sends, inflating, and how the outcome of the intake becomes an answer.
// Must not: read records; that is the intake's.
//
// With authentication on the request is signed for the service `cairn`, or for `execute-api` or `cloudtrail`:
// log shippers let their user choose among AWS's own names only.
import type { AccountId } from "../model/arn.ts";
import { unreachable } from "../model/assert.ts";
import { partitionOf } from "../model/regions.ts";
import { methodNotAllowed, plainError } from "./answers.ts";
import {
  type Admission,
  type AdmissionParts,
  type AdmissionRules,
  authenticate,
  type ReadRequest,
} from "./authenticate.ts";
import { decide } from "./authorize.ts";
import { type ByteLease, type DoorAnswer, headerOf } from "./exchange.ts";
import { gunzip, isGzip } from "./gunzip.ts";
import type { IntakeAnswer } from "../intake/event-intake.ts";
import type { DoorPorts } from "./ports.ts";

export type EventsParts = AdmissionParts & Pick<DoorPorts, "events">;

const rules: AdmissionRules = { services: ["cairn", "execute-api", "cloudtrail"], style: "standard" };
const encodings: ReadonlySet<string> = new Set(["identity", "gzip", "x-gzip", ""]);

/** Answers one batch; throws ApiErrors of authentication. */
export async function answerEvents(
  request: ReadRequest,
  parts: EventsParts,
  lease: ByteLease,
): Promise<DoorAnswer> {
  if (request.method !== "POST") return methodNotAllowed("POST");
  const admission = authenticate(request, rules, parts);
  const plain = await plainBytes(request, lease, parts.configuration().limits.eventsBodyBytesMax);
  if (plain.kind === "answer") return plain.answer;
  const outcome = await parts.events.accept({
    bytes: plain.bytes,
    caller: admission.call.caller,
    mayPut: putCheck(admission),
  });
  return answerOf(outcome);
}

/** The answer when a body is larger than the limit, plain or inflated. */
export function eventsTooLarge(bytesMax: number): DoorAnswer {
  const text = `The body is larger than ${bytesMax} bytes, plain or inflated. Send smaller batches.`;
  return plainError(413, { code: "RequestEntityTooLargeException", text });
}

/** The answer while all room for bodies is taken. */
export function eventsNoRoom(): DoorAnswer {
  const text = "Too many bytes are being received at this moment. Send the batch again.";
  return plainError(503, { code: "ThrottlingException", text, retryAfterSeconds: 1 });
}

type PlainBytes =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "answer"; readonly answer: DoorAnswer };

/** Undoes gzip, whether the header says it or the first bytes do (a file sent as it lies there). */
async function plainBytes(request: ReadRequest, lease: ByteLease, bytesMax: number): Promise<PlainBytes> {
  const encoding = (headerOf(request, "content-encoding") ?? "identity").trim().toLowerCase();
  if (!encodings.has(encoding)) {
    const text = "Content-Encoding may be gzip or identity.";
    return {
      kind: "answer",
      answer: plainError(415, { code: "UnsupportedMediaType", text }, { "Accept-Encoding": "gzip" }),
    };
  }
  const isSaidGzip = encoding.endsWith("gzip");
  if (!isSaidGzip && !isGzip(request.body)) return { kind: "bytes", bytes: request.body };
  const outcome = await gunzip(request.body, { inflatedBytesMax: bytesMax, lease });
  switch (outcome.kind) {
    case "inflated":
      return { kind: "bytes", bytes: outcome.bytes };
    case "malformed":
      return { kind: "answer", answer: malformed("The body is not well-formed gzip.") };
    case "tooLarge":
      return { kind: "answer", answer: eventsTooLarge(bytesMax) };
    case "noRoom":
      return { kind: "answer", answer: eventsNoRoom() };
    default:
      return unreachable(outcome);
  }
}

/**
 * May the caller put records of an account: `cairn:PutEvents` on `arn:{partition}:cairn:{region}:{account}:events`,
 * where the Region is the one the request was signed for and the account the record's own (recipientAccountId).
 * `arn:aws:cairn:*:111122223333:events` therefore lets somebody put records of that account from anywhere.
 */
function putCheck({ call, permissions }: Admission): (account: AccountId) => boolean {
  // A batch has few accounts and many records: each account is asked for once.
  const known = new Map<AccountId, boolean>();
  const ask = (account: AccountId): boolean => {
    const resource = `arn:${partitionOf(call.region)}:cairn:${call.region}:${account}:events`;
    return decide(permissions, { action: "cairn:PutEvents", resource }) === "allowed";
  };
  return (account) => {
    const may = known.get(account) ?? ask(account);
    known.set(account, may);
    return may;
  };
}

function answerOf(outcome: IntakeAnswer): DoorAnswer {
  switch (outcome.kind) {
    case "answered": {
      const { accepted, rejected } = outcome;
      const status = accepted > 0 || rejected.length === 0 ? 200 : 400;
      return {
        status,
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ accepted, rejected }),
      };
    }
    case "malformed":
      return malformed(outcome.message);
    case "busy": {
      const { message: text, retryAfterSeconds } = outcome;
      return plainError(503, { code: "ThrottlingException", text, retryAfterSeconds });
    }
    default:
      return unreachable(outcome);
  }
}

function malformed(text: string): DoorAnswer {
  return plainError(400, { code: "SerializationException", text });
}
