// Asks the bucket door over a directory as a client would, without HTTP, and reads its answers.
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { DirectoryStore } from "../../src/bucket/object-contract.ts";
import { createBucketDoor } from "../../src/bucket/s3-door.ts";
import type { BucketDoorRequest, BucketDoorResponse } from "../../src/bucket/s3-door-types.ts";
import type { Log } from "../../src/model/environment.ts";
import { testCaller } from "../conformance/serve-bucket-door.ts";

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly may?: BucketDoorRequest["may"];
  /** Default: a new one, from which an upload's id is made. */
  readonly requestId?: string;
}

export type Answer = BucketDoorResponse & { readonly body: string | Uint8Array };

/** Asks `PUT /bucket/key?query`, and reads a streamed body to its end. A failure of ours fails the test. */
export async function askDoor(store: DirectoryStore, line: string, asked: Asked = {}): Promise<Answer> {
  const [, method = "", path = "", search = ""] = /^(\S+) ([^?]*)\??(.*)$/s.exec(line) ?? [];
  const failures: string[] = [];
  const error: Log["error"] = (fields, message) => {
    failures.push(`${message} ${String(fields["error"])}`);
  };
  const door = createBucketDoor(store, { log: { debug() {}, info() {}, warn() {}, error } });
  const { headers = {}, body = "", may = () => true, requestId = randomUUID() } = asked;
  const query = new URLSearchParams(search);
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const answer = await door({
    ...{ method, path, query, headers, body: bytes, caller: testCaller, requestId, may },
  });
  expect(failures).toEqual([]);
  if (typeof answer.body === "string" || answer.body instanceof Uint8Array) {
    return { ...answer, body: answer.body };
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return { ...answer, body: Buffer.concat(pieces) };
}

export const textOf = (answer: Answer) => Buffer.from(answer.body).toString();
export const codeOf = (answer: Answer) => /<Code>(.*)<\/Code>/.exec(textOf(answer))?.[1];

/** The texts of all elements of this name, as they stand there. */
export const every = (xml: string, name: string) =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map((match) => match[1]);
