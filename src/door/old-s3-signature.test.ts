// S3's old presigned URLs: the vendor's published example, and what makes a URL wrong.
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseAccountId } from "../model/arn.ts";
import { isOldPresigned, verifyOldSignature } from "./old-s3-signature.ts";
import type { SigningIdentity } from "./ports.ts";

const accountId = parseAccountId("123456789012");
if (!accountId) throw new Error("12 digits are an account.");
const identity: SigningIdentity = {
  caller: { accountId, kind: "user", arn: "arn:aws:iam::123456789012:user/mary", principalId: "AIDA" },
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  policies: [],
};
const expires = 1_175_139_620;
const example = {
  method: "GET",
  path: "/photos/puppy.jpg",
  query: `AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=${expires}`,
  headers: new Map([["host", ["johnsmith.s3.amazonaws.com"]]]),
};
const context = { nowMs: expires * 1000 - 1, hostBucket: "johnsmith" };
const code = (text: string) => expect.objectContaining({ code: text });

describe("the published example", () => {
  test("verifies", () => {
    expect(isOldPresigned(example)).toBe(true);
    expect(verifyOldSignature(example, identity, context)).toBe(identity);
  });

  test("ends when it says so, and not a moment before", () => {
    expect(() => verifyOldSignature(example, identity, { ...context, nowMs: expires * 1000 + 1 })).toThrow(
      expect.objectContaining({ code: "AccessDeniedException", message: "Request has expired" }),
    );
  });

  const wrong: readonly [string, Partial<typeof example>][] = [
    ["another method", { method: "DELETE" }],
    ["another key", { path: "/photos/kitten.jpg" }],
    ["another end", { query: example.query.replace(String(expires), String(expires + 1)) }],
    ["another signature", { query: example.query.replace("NpgC", "NpgD") }],
    ["a subresource", { query: `${example.query}&acl` }],
    ["an encoded one", { query: `${example.query}&%61cl` }],
    ["an encoded header in the query", { query: `${example.query}&%78-amz-acl=public-read` }],
    ["one that it does not know", { query: `${example.query}&attributes` }],
    ["another answer", { query: `${example.query}&response-content-type=text/html` }],
    ["a header of its own", { headers: new Map([...example.headers, ["x-amz-acl", ["public-read"]]]) }],
    ["such a header in the query", { query: `${example.query}&x-amz-acl=public-read` }],
    ["a content type", { headers: new Map([...example.headers, ["content-type", ["text/html"]]]) }],
  ];
  test.each(wrong)("with %s does not verify", (_name, change) => {
    expect(() => verifyOldSignature({ ...example, ...change }, identity, context)).toThrow(
      code("InvalidSignatureException"),
    );
  });

  test("of another bucket or key does not verify", () => {
    expect(() => verifyOldSignature(example, identity, { ...context, hostBucket: "other" })).toThrow(
      code("InvalidSignatureException"),
    );
    expect(() => verifyOldSignature(example, undefined, context)).toThrow(
      code("UnrecognizedClientException"),
    );
    const other = { ...identity, secretAccessKey: "other" };
    expect(() => verifyOldSignature(example, other, context)).toThrow(code("InvalidSignatureException"));
  });

  test.each(["", "Expires=", "Expires=soon", "Expires=-1"])("without a right end (%s) is refused", (end) => {
    const query = example.query.replace(`Expires=${expires}`, end);
    expect(() => verifyOldSignature({ ...example, query }, identity, context)).toThrow(
      code("AccessDeniedException"),
    );
  });

  test("a session's URL bears its token", () => {
    const session = { ...identity, sessionToken: "the token" };
    expect(() => verifyOldSignature(example, session, context)).toThrow(code("UnrecognizedClientException"));
    const text = `GET\n\n\n${expires}\nx-amz-security-token:the token\n/johnsmith/photos/puppy.jpg`;
    const signature = createHmac("sha1", identity.secretAccessKey).update(text).digest("base64");
    const query = `AWSAccessKeyId=A&Signature=${encodeURIComponent(signature)}&Expires=${expires}&x-amz-security-token=the%20token`;
    expect(verifyOldSignature({ ...example, query }, session, context)).toBe(session);
    expect(() => verifyOldSignature({ ...example, query }, identity, context)).toThrow(
      code("UnrecognizedClientException"),
    );
  });
});
