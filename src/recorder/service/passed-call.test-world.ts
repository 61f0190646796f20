// Calls for the tests of this folder: requests as the vendor's own clients write them, and what a service answered.
import type { CallDescription, PassedCall, PassingHead, UnderstoodHead } from "../contract.ts";
import { parseAccountId } from "../../model/arn.ts";
import { parseRegion } from "../../model/regions.ts";
import { createServiceBook } from "../service-book.ts";

export const account = parseAccountId("111122223333") ?? never();
const region = parseRegion("us-east-1") ?? never();
const book = createServiceBook();

function never(): never {
  throw new Error("not reached");
}

export interface TestRequest {
  readonly service: string;
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly hostBucket?: string;
}

export interface TestAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export function headOf(request: TestRequest): PassingHead {
  const { service, method = "POST", path = "/", query = "", headers = {}, hostBucket } = request;
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]] as const);
  return {
    service,
    region,
    method,
    path,
    query,
    headers: new Map(lower),
    ...(hostBucket !== undefined && { hostBucket }),
  };
}

export function understood(request: TestRequest): Promise<UnderstoodHead> {
  return book.understand(headOf(request));
}

export async function described(request: TestRequest, answer: TestAnswer = {}): Promise<CallDescription> {
  const call = passed(request, answer);
  return (await book.understand(call.head)).describe(call, account);
}

export function passed(request: TestRequest, answer: TestAnswer = {}): PassedCall {
  const body = bytesOf(request.body);
  const answered = bytesOf(answer.body);
  return {
    head: headOf(request),
    request: { kind: "whole", bytes: body },
    bytesIn: body.length,
    bytesOut: answered.length,
    answer: {
      status: answer.status ?? 200,
      headers: new Map(Object.entries(answer.headers ?? {}).map(([name, value]) => [name, [value]])),
      body: { kind: "whole", bytes: answered },
    },
    caller: {
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      signature: { version: "SigV4", method: "AuthHeader" },
      sourceIp: "127.0.0.1",
      userAgent: "test",
    },
    startedMs: 0,
    finishedMs: 1,
    requestId: "11111111-2222-4333-8444-555555555555",
  };
}

function bytesOf(body: string | Uint8Array | undefined): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : (body ?? new Uint8Array(0));
}
