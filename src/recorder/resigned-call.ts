// A call to an endpoint with `resign`: its caller is verified here and must be allowed the service's own action, then the
// request is signed again. S3's bodies stream on; other bodies are read whole, because their hash is signed.
import { createHash } from "node:crypto";
import { ApiError } from "../model/errors.ts";
import type { CapturedBody, UnderstoodHead } from "./contract.ts";
import type { PlannedBody, Reframe } from "./crossing.ts";
import { headersToService } from "./passed-headers.ts";
import type { Admitted, Passing, ResignCredentials } from "./ports.ts";
import { type Refusal, refusalOf, refusalOfError, refusals } from "./refusals.ts";
import { extraS3Deeds } from "./s3-extra-deeds.ts";
import { plainChunks, unsignedChunks, unsignedChunksLength } from "./signed-chunks.ts";

export interface ResignedCall {
  readonly caller: Admitted["caller"];
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: PlannedBody;
}

type Prepared =
  | { readonly kind: "ready"; readonly call: ResignedCall }
  | {
      readonly kind: "refused";
      /** Absent when nobody waits for an answer. */
      readonly refusal?: Refusal;
      /** Present when it is known who calls. */
      readonly caller?: Admitted["caller"];
      readonly request: CapturedBody;
    };

interface Resigning {
  readonly understood: UnderstoodHead;
  readonly to: {
    readonly credentials: ResignCredentials;
    readonly host: string;
    readonly basePath: string;
    readonly via: string;
  };
  readonly bodyBytesMax: number;
}

const nothing: CapturedBody = { kind: "whole", bytes: new Uint8Array(0) };

export async function prepareResigned(passing: Passing, resigning: Resigning): Promise<Prepared> {
  const said = passing.head.headers.get("x-amz-content-sha256")?.[0];
  const isPresigned = passing.caller.signature.method === "QueryString";
  // Only S3 takes the caller's word for the body's hash; the service checks it.
  const streams = isStreamed(passing) && (said !== undefined || isPresigned);
  // What is read to be looked at must not be framed.
  if (!streams && said?.startsWith("STREAMING-"))
    return { kind: "refused", request: nothing, refusal: refusalOf("badBody") };
  const read = streams ? undefined : await readWhole(passing, resigning.bodyBytesMax);
  if (typeof read === "string") {
    return { kind: "refused", request: nothing, ...(read !== "gone" && { refusal: refusals[read] }) };
  }
  const request: CapturedBody = read ? { kind: "whole", bytes: read } : nothing;
  let caller: Admitted["caller"] | undefined;
  try {
    const admitted = passing.signer().admit(read);
    caller = admitted.caller;
    authorizeDeeds(admitted, { passing, request, understood: resigning.understood });
    const sent = read
      ? { payloadHash: sha256(read), body: wholeBody(read) }
      : streamed(passing, said, admitted);
    if ("refusal" in sent) return { kind: "refused", refusal: sent.refusal, caller, request };
    return { kind: "ready", call: { caller, ...signed(passing, sent, resigning) } };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const refusal = refusalOfError(error, protocolOf(passing));
    return { kind: "refused", refusal, request, ...(caller && { caller }) };
  }
}

/** S3, but for deletions: which objects they are about stands in their body. */
function isStreamed({ head }: Passing): boolean {
  return head.service === "s3" && !(head.method === "POST" && /(^|&)delete(=|&|$)/.test(head.query));
}

function authorizeDeeds(
  admitted: Admitted,
  { passing, request, understood }: { passing: Passing; request: CapturedBody; understood: UnderstoodHead },
): void {
  const deed = understood.deedOf(request, admitted.account);
  const extra = passing.head.service === "s3" ? extraS3Deeds(passing.head, deed) : [];
  for (const { action, among, ...one } of [deed, ...extra]) {
    if (among) for (const resource of among) admitted.authorize({ action, resource });
    else admitted.authorize({ action, ...one });
  }
}

interface SentBody {
  readonly payloadHash: string;
  readonly body: PlannedBody;
  /** Headers that say how the body is framed, in place of the caller's. */
  readonly framing?: ReadonlyMap<string, string | undefined>;
}

function wholeBody(bytes: Uint8Array): PlannedBody {
  return bytes.length === 0 ? { kind: "none" } : { kind: "whole", bytes };
}

/** S3: the body as it comes, but without signatures of chunks that only the caller's key could make. */
function streamed(
  { incoming, head }: Passing,
  said: string | undefined,
  admitted: Admitted,
): SentBody | { readonly refusal: Refusal } {
  const isEmpty =
    incoming.headers["transfer-encoding"] === undefined &&
    Number(incoming.headers["content-length"] ?? 0) === 0;
  if (!said?.startsWith("STREAMING-") || said === "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    return { payloadHash: said ?? "UNSIGNED-PAYLOAD", body: isEmpty ? { kind: "none" } : { kind: "stream" } };
  }
  const length = Number(head.headers.get("x-amz-decoded-content-length")?.[0]);
  const trailer = head.headers.get("x-amz-trailer")?.[0]?.toLowerCase();
  if (!Number.isSafeInteger(length) || length < 0 || !admitted.chunks)
    return { refusal: refusalOf("badBody") };
  const encoding = (head.headers.get("content-encoding") ?? []).join(",").split(",");
  const plain = encoding.map((part) => part.trim()).filter((part) => part !== "" && part !== "aws-chunked");
  if (!said.endsWith("-TRAILER")) {
    return {
      payloadHash: "UNSIGNED-PAYLOAD",
      body: framed(plainChunks(admitted.chunks)),
      framing: new Map([
        ["content-length", String(length)],
        ["content-encoding", plain.length > 0 ? plain.join(",") : undefined],
        ["x-amz-decoded-content-length", undefined],
        ["transfer-encoding", undefined],
        ["x-amz-trailer", undefined],
        ["trailer", undefined],
      ]),
    };
  }
  const framedLength = trailer === undefined ? undefined : unsignedChunksLength(length, trailer);
  if (framedLength === undefined) return { refusal: refusalOf("badBody") };
  return {
    payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    body: framed(unsignedChunks(admitted.chunks)),
    framing: new Map([
      ["content-length", String(framedLength)],
      ["transfer-encoding", undefined],
      ["trailer", undefined],
    ]),
  };
}

function framed(reframe: Reframe): PlannedBody {
  return { kind: "stream", reframe };
}

function signed(
  passing: Passing,
  sent: SentBody,
  { to }: Resigning,
): Pick<ResignedCall, "target" | "headers" | "body"> {
  const { head, incoming } = passing;
  const { credentials, host, basePath, via } = to;
  const received = headersToService({ method: head.method, rawHeaders: incoming.rawHeaders, host, via });
  const unframed = sent.body.kind === "whole" ? ["transfer-encoding", "trailer"] : [];
  const changes = new Map<string, string | undefined>(unframed.map((name) => [name, undefined]));
  const headers = replaced(received, new Map([...changes, ...(sent.framing ?? [])]));
  if (sent.body.kind === "whole") setHeader(headers, "Content-Length", String(sent.body.bytes.length));
  // Path style: the endpoint's own name is the host from here on.
  const bucket = head.hostBucket === undefined ? "" : `/${head.hostBucket}`;
  const signedRequest = passing.signer().sign(
    {
      ...{ method: head.method, path: basePath + bucket + head.path, query: head.query, headers, host },
      ...{ service: head.service, region: head.region, payloadHash: sent.payloadHash },
    },
    credentials,
  );
  const target = signedRequest.target.slice(basePath.length);
  // A body that was read was asked for already.
  const unasked =
    sent.body.kind === "stream" ? signedRequest.headers : without(signedRequest.headers, "expect");
  return { target, headers: unasked, body: sent.body };
}

/** The headers with some in another value, or (undefined) left out. A value for what was not there is added. */
function replaced(headers: readonly string[], changes: ReadonlyMap<string, string | undefined>): string[] {
  const result: string[] = [];
  const open = new Map(changes);
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = "", value = ""] = headers.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (!changes.has(lower)) result.push(name, value);
    else if (changes.get(lower) !== undefined && open.has(lower)) result.push(name, changes.get(lower) ?? "");
    open.delete(lower);
  }
  for (const [name, value] of open) if (value !== undefined) result.push(name, value);
  return result;
}

function setHeader(headers: string[], name: string, value: string): void {
  const lower = name.toLowerCase();
  const changed = replaced(headers, new Map([[lower, value]]));
  headers.splice(0, headers.length, ...changed);
}

function without(headers: readonly string[], name: string): readonly string[] {
  return replaced(headers, new Map([[name, undefined]]));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The form of this client's errors, as far as it changes their codes and statuses. */
function protocolOf({ head }: Passing): "s3" | "query" | "json" | "rest" {
  if (head.service === "s3") return "s3";
  const type = head.headers.get("content-type")?.[0] ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) return "query";
  return head.headers.has("x-amz-target") || head.headers.has("smithy-protocol") ? "json" : "rest";
}

/** Reads the body whole, within its limit and what memory allows. */
function readWhole(
  passing: Passing,
  bytesMax: number,
): Promise<Uint8Array | "bodyTooLarge" | "noMemory" | "gone"> {
  const { incoming, outgoing, expectsContinue } = passing;
  if (Number(incoming.headers["content-length"] ?? 0) > bytesMax) return Promise.resolve("bodyTooLarge");
  if (expectsContinue) outgoing.writeContinue();
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const stop = (why: "bodyTooLarge" | "noMemory") => {
      incoming.off("data", onData);
      incoming.pause();
      resolve(why);
    };
    const onData = (piece: Buffer) => {
      size += piece.length;
      if (size > bytesMax) stop("bodyTooLarge");
      else if (!passing.take(piece.length)) stop("noMemory");
      else pieces.push(piece);
    };
    incoming.on("data", onData);
    incoming.on("end", () => resolve(Buffer.concat(pieces, size)));
    incoming.on("close", () => resolve("gone"));
  });
}
