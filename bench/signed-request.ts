// API calls signed with SigV4 ahead of time, so that the load generator's own signing costs nothing. A signature is
// valid for the five minutes of the permitted clock skew.
import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { PreparedRequest } from "./load/load-plan.ts";

export const benchRegion = "us-east-1";
export const benchCredentials = {
  accessKeyId: "AKIABENCHBENCHBENCH1",
  secretAccessKey: "bench-secret-of-forty-characters-00000000",
};

/** `operation` of CloudTrail with this input, for the server at `url`. */
export async function signedRequest(
  url: string,
  operation: string,
  input: unknown,
): Promise<PreparedRequest> {
  const { hostname, port, host } = new URL(url);
  const body = JSON.stringify(input);
  const credentials = benchCredentials;
  const signer = new SignatureV4({ service: "cloudtrail", region: benchRegion, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    ...{ method: "POST", protocol: "http:", hostname, port: Number(port), path: "/", body },
    headers: {
      host,
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `CloudTrail_20131101.${operation}`,
    },
  });
  return { headers: signed.headers, body };
}

/** The signer takes its hash as a class with update and digest. */
class Sha256 {
  readonly #chunks: Uint8Array[] = [];
  readonly #key: Uint8Array | undefined;
  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#key = key === undefined ? undefined : bytesOf(key);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#chunks.push(bytesOf(data));
  }
  digest(): Promise<Uint8Array> {
    const hash = this.#key ? createHmac("sha256", this.#key) : createHash("sha256");
    for (const chunk of this.#chunks) hash.update(chunk);
    return Promise.resolve(hash.digest());
  }
  reset(): void {
    this.#chunks.length = 0;
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
