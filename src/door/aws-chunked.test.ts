// Streamed S3 bodies, against the vendor's published example and against every cut and every change of it.
import { describe, expect, test } from "vitest";
import { parseAccountId } from "../model/arn.ts";
import { ApiError } from "../model/errors.ts";
import { parseRegion } from "../model/regions.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";
import { groupHeaders } from "./exchange.ts";
import { parseIsoBasic } from "./iso-basic.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { type VerifiedSignature, verifySignature } from "./sigv4.ts";

const account = parseAccountId("123456789012");
const region = parseRegion("us-east-1");
if (!account || !region) throw new Error("The facts of the test are not well-formed.");
const signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/** The example of the S3 documentation: 65 KiB of the letter a in two chunks. */
const chunks = [
  ["a".repeat(65_536), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"],
  ["a".repeat(1024), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"],
  ["", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"],
] as const;

function bodyOf(parts: readonly (readonly [data: string, signature: string])[]): Buffer {
  return Buffer.from(
    parts
      .map(([data, signature]) => `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}\r\n`)
      .join(""),
  );
}

function verifiedExample(): VerifiedSignature {
  const headers = {
    Host: "s3.amazonaws.com",
    "x-amz-date": "20130524T000000Z",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "x-amz-content-sha256": signed,
    "Content-Encoding": "aws-chunked",
    "x-amz-decoded-content-length": "66560",
    "Content-Length": "66824",
    Authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  };
  return verifySignature(
    {
      method: "PUT",
      path: "/examplebucket/chunkObject.txt",
      query: "",
      headers: groupHeaders(Object.entries(headers).flat()),
      body: new Uint8Array(0),
    },
    {
      services: ["s3"],
      regions: [region as NonNullable<typeof region>],
      nowMs: parseIsoBasic("20130524T000000Z") ?? 0,
      clockSkewMsMax: 300_000,
      style: "s3",
    },
    {
      identity: () => ({
        caller: {
          accountId: account as NonNullable<typeof account>,
          kind: "user",
          arn: "arn:aws:iam::123456789012:user/mary",
          principalId: "AIDAEXAMPLE",
        },
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        policies: [],
      }),
      keys: createSigningKeys(),
    },
  );
}

function codeOf(body: Buffer, kind = signed, signature?: VerifiedSignature): string {
  try {
    decodeAwsChunked(body, { kind, ...(signature ? { signature } : {}) });
    return "decoded";
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
}

describe("signed chunks", () => {
  const signature = verifiedExample();

  test("the published example verifies and is put together", () => {
    const { bytes } = decodeAwsChunked(bodyOf(chunks), { kind: signed, signature });
    expect(Buffer.from(bytes).toString()).toBe("a".repeat(66_560));
  });

  test("a changed byte, a changed signature, a swapped or a missing chunk do not", () => {
    const changed = bodyOf(chunks);
    changed[1000] = 98;
    expect(codeOf(changed, signed, signature)).toBe("InvalidSignatureException");
    const [first, second, last] = chunks;
    expect(codeOf(bodyOf([first, [second[0], last[1]], last]), signed, signature)).toBe(
      "InvalidSignatureException",
    );
    expect(codeOf(bodyOf([second, first, last]), signed, signature)).toBe("InvalidSignatureException");
    expect(codeOf(bodyOf([first, last]), signed, signature)).toBe("InvalidSignatureException");
    const unsigned = Buffer.from("1\r\na\r\n0\r\n\r\n");
    expect(codeOf(unsigned, signed, signature)).toBe("InvalidSignatureException");
  });

  test("without checked signatures only the framing counts", () => {
    expect(codeOf(Buffer.from("1;chunk-signature=".padEnd(82, "0") + "\r\na\r\n0\r\n\r\n"))).toBe("decoded");
  });
});

describe("framing", () => {
  const whole = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n";
  const kind = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

  test("trailers come out as headers", () => {
    const { bytes, trailers } = decodeAwsChunked(Buffer.from(whole), { kind });
    expect(Buffer.from(bytes).toString()).toBe("hello");
    expect([...trailers]).toEqual([["x-amz-checksum-crc32", "AAAAAA=="]]);
  });

  test("every cut before the last chunk is refused", () => {
    const last = whole.indexOf("0\r\nx");
    for (let length = 0; length < last + 3; length++) {
      expect(codeOf(Buffer.from(whole.slice(0, length)), kind), String(length)).toBe("IncompleteBody");
    }
  });

  test.each([
    ["a size beyond the body", "ffffffff\r\nhello\r\n0\r\n\r\n", "IncompleteBody"],
    ["no size", "\r\nhello\r\n0\r\n\r\n", "IncompleteBody"],
    ["a negative size", "-5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"],
    ["a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n", "IncompleteBody"],
    ["a trailer without a name", "0\r\n:x\r\n\r\n", "IncompleteBody"],
  ])("%s", (_name, body, code) => {
    expect(codeOf(Buffer.from(body), kind)).toBe(code);
  });

  test("a kind nobody knows is refused", () => {
    expect(codeOf(Buffer.from(whole), "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")).toBe("InvalidRequest");
  });
});
