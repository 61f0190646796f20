// The canonical request and the Authorization header: their quick ways against the plain ones, over random requests.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parametersOf } from "./authorization-header.ts";
import { canonicalRequest } from "./canonical-request.ts";
import { groupHeaders } from "./exchange.ts";

const piece = fc.constantFrom(
  "a",
  "Z",
  "7",
  " ",
  "  ",
  "\t",
  "\r\n ",
  "\u00a0",
  "\u00e9",
  ",",
  ";",
  "=",
  "/",
);
const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));

/** What SigV4 says, word by word: values trimmed, runs of white space as one space, names in order. */
function plainCanonical(headers: readonly (readonly [string, string])[], signed: readonly string[]): string {
  const valuesOf = (name: string) => headers.filter(([other]) => other.toLowerCase() === name);
  const lines = signed.toSorted().map((name) => {
    const values = valuesOf(name).map(([, value]) => value.replace(/[ \t\r\n]+/g, " ").trim());
    return `${name}:${values.join(",")}`;
  });
  return ["POST", "/", "", ...lines, "", signed.toSorted().join(";"), "hash"].join("\n");
}

test("signed headers stand in order, their values with single spaces", () => {
  const name = fc.constantFrom("host", "X-Amz-Date", "accept", "x-b", "X-a");
  const headers = fc.array(fc.tuple(name, text), { maxLength: 8 });
  const signed = fc.uniqueArray(fc.constantFrom("host", "x-amz-date", "accept", "x-b", "x-a"));
  fc.assert(
    fc.property(headers, signed, (sent, names) => {
      const request = { method: "POST", path: "/", query: "", headers: groupHeaders(sent.flat()) };
      const choices = { path: "normalized", signedHeaders: names, payloadHash: "hash" } as const;
      expect(canonicalRequest(request, choices)).toBe(plainCanonical(sent, names));
    }),
    { seed: 6_225, numRuns: 2000 },
  );
});

/** Part by part, however it is written: of a doubled parameter the last counts. */
function plainParameters(authorization: string): ReadonlyMap<string, string> {
  const parts = authorization.slice(authorization.indexOf(" ") + 1).split(",");
  return new Map(
    parts
      .filter((part) => part.indexOf("=") > 0)
      .map((part) => [part.slice(0, part.indexOf("=")).trim(), part.slice(part.indexOf("=") + 1).trim()]),
  );
}

function expectPlain(authorization: string): void {
  const plain = plainParameters(authorization);
  const credential = plain.get("Credential");
  const parts = credential?.split("/") ?? [];
  const [accessKeyId, date, region, service, terminator] = parts;
  const isScope = parts.length === 5 && accessKeyId !== "";
  expect(parametersOf(authorization)).toEqual({
    credential,
    scope: isScope ? { accessKeyId, date, region, service, terminator } : undefined,
    signedHeaders: plain.get("SignedHeaders"),
    signature: plain.get("Signature"),
  });
}

test("an Authorization header is read the same in its usual form and in any other", () => {
  const word = fc.constantFrom(
    "AKIA1",
    "20260110",
    "us-east-1",
    "cairn",
    "aws4_request",
    "",
    "a/b",
    " x",
    "é",
    "=",
  );
  const scope = fc.array(word, { minLength: 3, maxLength: 6 }).map((words) => words.join("/"));
  const names = fc.constantFrom("host", "host;x-amz-date", "", " host ", "host,Signature=b");
  const header = fc
    .tuple(scope, names, fc.constantFrom(", ", ",", " , ", ",  "), text)
    .chain(([credential, signed, comma, signature]) =>
      fc
        .shuffledSubarray(
          [`Credential=${credential}`, `SignedHeaders=${signed}`, `Signature=${signature}`, "Signature=last"],
          { minLength: 2 },
        )
        .map((parameters) => `AWS4-HMAC-SHA256 ${parameters.join(comma)}`),
    );
  fc.assert(fc.property(header, expectPlain), { seed: 1_123, numRuns: 3000 });
  const usual = "Credential=AKIA1/20260110/us-east-1/cairn/aws4_request, SignedHeaders=a;b, Signature=0a";
  for (const start of ["AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256\t", "Bearer ", ""]) expectPlain(start + usual);
});
