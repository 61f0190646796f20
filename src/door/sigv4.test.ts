// The signature check against the public test vectors, an independent signer, and every row of api.md §1.6.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sign } from "../../test/door/signing.ts";
import { parseAccountId } from "../model/arn.ts";
import { ApiError } from "../model/errors.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import { groupHeaders } from "./exchange.ts";
import { isoBasic, parseIsoBasic } from "./iso-basic.ts";
import type { SigningIdentity } from "./ports.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { type SignatureRules, type SignedRequest, verifySignature } from "./sigv4.ts";
import {
  type SignatureVector,
  signatureVectors,
  stsToken,
  vectorCredentials,
} from "./sigv4-vectors.test-data.ts";

const vectorTime = "20150830T123600Z";
const nowMs = parseIsoBasic(vectorTime) ?? 0;
const region = parseRegion("us-east-1") as Region;
const account = parseAccountId("123456789012");
if (!account) throw new Error("The account of the test is not well-formed.");

const caller = {
  accountId: account,
  kind: "user",
  arn: `arn:aws:iam::${account}:user/mary`,
  principalId: "AIDAEXAMPLE",
  userName: "mary",
} as const;

function identityWith(more: Partial<SigningIdentity> = {}): SigningIdentity {
  return { caller, secretAccessKey: vectorCredentials.secretAccessKey, policies: [], ...more };
}

const rules: SignatureRules = {
  services: ["service"],
  regions: [region],
  nowMs,
  clockSkewMsMax: 300_000,
  style: "standard",
};

function verify(request: SignedRequest, more: Partial<SignatureRules> = {}, identity = identityWith()) {
  return verifySignature(
    request,
    { ...rules, ...more },
    {
      identity: (id) => (id === vectorCredentials.accessKeyId ? identity : undefined),
      keys: createSigningKeys(),
    },
  );
}

/** The error a request meets, as `Code: text`, or `verified`. */
function outcomeOf(
  request: SignedRequest,
  more: Partial<SignatureRules> = {},
  identity = identityWith(),
): string {
  try {
    verify(request, more, identity);
    return "verified";
  } catch (error) {
    if (error instanceof ApiError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function build(parts: {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
}): SignedRequest {
  const [path = "", ...query] = bytesOf(parts.target).split("?");
  return {
    method: parts.method,
    path,
    query: query.join("?"),
    headers: groupHeaders(parts.headers.flatMap(([name, value]) => [name, value])),
    body: Buffer.from(parts.body ?? "", "utf8"),
  };
}

const scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
const host = ["Host", "example.amazonaws.com"] as const;

function headerSigned(vector: SignatureVector): SignedRequest {
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${vector.signedHeaders}, Signature=${vector.signature}`;
  return build({
    ...vector,
    headers: [host, ["X-Amz-Date", vectorTime], ...(vector.headers ?? []), ["Authorization", authorization]],
  });
}

function querySigned(vector: SignatureVector): SignedRequest {
  const token = vector.headers?.find(([name]) => name === "X-Amz-Security-Token")?.[1];
  const parameters = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(scope)}`,
    `X-Amz-Date=${vectorTime}`,
    "X-Amz-Expires=3600",
    `X-Amz-SignedHeaders=${encodeURIComponent(vector.presigned?.signedHeaders ?? "")}`,
    ...(token === undefined ? [] : [`X-Amz-Security-Token=${encodeURIComponent(token)}`]),
    `X-Amz-Signature=${vector.presigned?.signature}`,
  ].join("&");
  const headers = (vector.headers ?? []).filter(([name]) => !/^x-amz-/i.test(name));
  const join = vector.target.includes("?") ? "&" : "?";
  return build({ ...vector, target: `${vector.target}${join}${parameters}`, headers: [host, ...headers] });
}

function identityOf(vector: SignatureVector): SigningIdentity {
  const token = vector.headers?.find(([name]) => name === "X-Amz-Security-Token")?.[1];
  return identityWith(token === undefined ? {} : { sessionToken: token });
}

describe("the public test vectors", () => {
  test("are there", () => {
    expect(signatureVectors.length).toBe(41);
    expect(signatureVectors.filter((vector) => vector.presigned).length).toBe(37);
  });

  test.each(signatureVectors)("$name is verified", (vector) => {
    const style = vector.path === "as-sent" ? "s3" : "standard";
    const payload = vector.path === "as-sent" ? { style, services: ["service"] } : { style };
    expect(outcomeOf(headerSigned(vector), payload as Partial<SignatureRules>, identityOf(vector))).toBe(
      "verified",
    );
    const other = { ...vector, signature: vector.signature.replace(/^./, (c) => (c === "0" ? "1" : "0")) };
    expect(outcomeOf(headerSigned(other), payload as Partial<SignatureRules>, identityOf(vector))).toContain(
      "does not match the signature you provided",
    );
  });

  // The presigned vectors of paths as sent hash an empty body, where S3 itself leaves the payload unsigned.
  test.each(signatureVectors.filter((vector) => vector.presigned && vector.path === "normalized"))(
    "$name is verified presigned",
    (vector) => {
      expect(outcomeOf(querySigned(vector), {}, identityOf(vector))).toBe("verified");
    },
  );
});

const vanilla = signatureVectors.find((vector) => vector.name === "get-vanilla") as SignatureVector;

/** A signed get-vanilla whose Authorization header is replaced. */
function withAuthorization(
  authorization: string,
  more: readonly (readonly [string, string])[] = [],
): SignedRequest {
  return build({
    ...vanilla,
    headers: [host, ["X-Amz-Date", vectorTime], ["Authorization", authorization], ...more],
  });
}

const complete = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${vanilla.signature}`;

describe("the rows of api.md §1.6", () => {
  const mismatch =
    "InvalidSignatureException: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
  const rows: readonly {
    readonly case: string;
    readonly request: SignedRequest;
    readonly answer: string | RegExp;
    readonly rules?: Partial<SignatureRules>;
    readonly identity?: SigningIdentity;
  }[] = [
    {
      case: "no signature",
      request: build({ ...vanilla, headers: [host] }),
      answer: "MissingAuthenticationTokenException: Missing Authentication Token",
    },
    {
      case: "no Signature parameter",
      request: withAuthorization(`AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host`),
      answer:
        /^IncompleteSignatureException: Authorization header requires 'Signature' parameter\. \(Hashed with SHA-256 and encoded with Base64\) Authorization=[A-Za-z0-9+/]{43}=$/,
    },
    {
      case: "another scheme",
      request: build({ ...vanilla, headers: [host, ["Authorization", "Bearer very-secret"]] }),
      answer:
        /^IncompleteSignatureException: Authorization header requires 'Credential' parameter\. Authorization header requires 'Signature' parameter\. Authorization header requires 'SignedHeaders' parameter\. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header\. \(Hashed/,
    },
    {
      case: "another algorithm",
      request: withAuthorization(complete.replace("HMAC", "ECDSA")),
      answer: /^IncompleteSignatureException: The Authorization header must begin/,
    },
    {
      case: "a credential of four parts",
      request: withAuthorization(complete.replace("/service", "")),
      answer: /^IncompleteSignatureException: Credential must have exactly 5/,
    },
    {
      case: "the header twice",
      request: withAuthorization(complete, [["Authorization", complete]]),
      answer: "IncompleteSignatureException: The Authorization header must be given once.",
    },
    {
      case: "a date twice",
      request: withAuthorization(complete, [["X-Amz-Date", vectorTime]]),
      answer: "IncompleteSignatureException: Date must be in ISO-8601 'basic format'.",
    },
    {
      case: "header and query at once",
      request: build({
        ...vanilla,
        target: "/?X-Amz-Signature=00",
        headers: [host, ["Authorization", complete]],
      }),
      answer: /^IncompleteSignatureException: Only one of/,
    },
    {
      case: "a presigned query without most of its parameters",
      request: build({ ...vanilla, target: "/?X-Amz-Signature=00&X-Amz-Date=x", headers: [host] }),
      answer:
        "IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters.",
    },
    {
      case: "host not signed",
      request: withAuthorization(complete.replace("host;", "")),
      answer: /^IncompleteSignatureException: 'Host' must be/,
    },
    {
      case: "an x-amz header not signed",
      request: withAuthorization(complete, [["X-Amz-Target", "x"]]),
      answer:
        "InvalidSignatureException: The header 'x-amz-target' was present in the request but was not signed.",
    },
    {
      case: "a signed header that is absent",
      request: withAuthorization(complete.replace("host;", "host;range;")),
      answer: mismatch,
    },
    {
      case: "unknown key",
      request: withAuthorization(complete.replace("AKIDEXAMPLE", "AKIDOTHER")),
      answer: "UnrecognizedClientException: The security token included in the request is invalid.",
    },
    { case: "bad signature", request: withAuthorization(complete.replace(/.$/, "g")), answer: mismatch },
    {
      case: "wrong secret",
      request: withAuthorization(complete),
      answer: mismatch,
      identity: identityWith({ secretAccessKey: "x" }),
    },
    {
      case: "too old",
      request: withAuthorization(complete),
      rules: { nowMs: nowMs + 300_001 },
      answer:
        "InvalidSignatureException: Signature expired: 20150830T123600Z is now earlier than 20150830T123600Z (20150830T124100Z - 5 min.)",
    },
    {
      case: "just young enough",
      request: withAuthorization(complete),
      rules: { nowMs: nowMs + 300_000 },
      answer: "verified",
    },
    {
      case: "too new",
      request: withAuthorization(complete),
      rules: { nowMs: nowMs - 301_000 },
      answer:
        "InvalidSignatureException: Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)",
    },
    {
      case: "just old enough",
      request: withAuthorization(complete),
      rules: { nowMs: nowMs - 300_000 },
      answer: "verified",
    },
    {
      case: "presigned and over",
      request: querySigned(vanilla),
      rules: { nowMs: nowMs + 3_601_000 },
      answer:
        "InvalidSignatureException: Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T133601Z - 3600 sec.)",
    },
    {
      case: "presigned and at its end",
      request: querySigned(vanilla),
      rules: { nowMs: nowMs + 3_600_000 },
      answer: "verified",
    },
    {
      case: "presigned for more than a week",
      request: build({
        ...vanilla,
        target: `/?${querySigned(vanilla).query.replace("=3600", "=604801")}`,
        headers: [host],
      }),
      answer: "IncompleteSignatureException: X-Amz-Expires must be a number of seconds from 0 to 604800.",
    },
    {
      case: "wrong Region",
      request: withAuthorization(complete.replace("us-east-1", "us-east-9")),
      answer: "InvalidSignatureException: Credential should be scoped to a valid region.",
    },
    {
      case: "wrong service",
      request: withAuthorization(complete),
      rules: { services: ["cloudtrail"] },
      answer: "InvalidSignatureException: Credential should be scoped to correct service: 'cloudtrail'.",
    },
    {
      case: "wrong terminator",
      request: withAuthorization(complete.replace("aws4_request", "aws5_request")),
      answer:
        "InvalidSignatureException: Credential should be scoped with a valid terminator: 'aws4_request'.",
    },
    {
      case: "wrong date",
      request: withAuthorization(complete.replace("20150830", "20150829")),
      answer:
        "InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'.",
    },
    {
      case: "a session without its token",
      request: withAuthorization(complete),
      identity: identityWith({ sessionToken: stsToken }),
      answer: "UnrecognizedClientException: The security token included in the request is invalid.",
    },
    {
      case: "a session with another token",
      request: withAuthorization(complete, [["X-Amz-Security-Token", "other"]]),
      identity: identityWith({ sessionToken: stsToken }),
      answer: "UnrecognizedClientException: The security token included in the request is invalid.",
    },
    {
      case: "a token on a long-term key",
      request: withAuthorization(complete, [["X-Amz-Security-Token", stsToken]]),
      answer: "UnrecognizedClientException: The security token included in the request is invalid.",
    },
    {
      case: "expired session",
      request: withAuthorization(complete, [["X-Amz-Security-Token", stsToken]]),
      identity: identityWith({ sessionToken: stsToken, expiresMs: nowMs }),
      answer: "ExpiredTokenException: The security token included in the request is expired",
    },
    {
      case: "unsigned payload beyond S3",
      request: withAuthorization(complete.replace("x-amz-date", "x-amz-content-sha256;x-amz-date"), [
        ["X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"],
      ]),
      answer: mismatch,
    },
  ];

  test.each(rows)("$case", ({ request, answer, rules: more, identity }) => {
    const outcome = outcomeOf(request, more, identity);
    if (typeof answer === "string") expect(outcome).toBe(answer);
    else expect(outcome).toMatch(answer);
    expect(outcome).not.toContain("very-secret");
  });
});

describe("an independent signer", () => {
  const word = fc.string({
    unit: fc.constantFrom(..."abcXYZ019-._~ é/+=&%$".split("")),
    minLength: 1,
    maxLength: 12,
  });
  const requests = fc.record({
    method: fc.constantFrom("GET", "POST", "PUT"),
    segments: fc.array(word, { maxLength: 3 }),
    query: fc.dictionary(word, word, { maxKeys: 3 }),
    values: fc.array(word, { maxLength: 3 }),
    body: fc.string({ maxLength: 50 }),
    presigned: fc.boolean(),
    service: fc.constantFrom("service", "s3"),
  });
  type Generated = typeof requests extends fc.Arbitrary<infer Value> ? Value : never;

  const isUnsignedPayload = (generated: Generated) => generated.presigned && generated.service === "s3";

  async function signed(generated: Generated): Promise<SignedRequest> {
    const values = generated.values.map((value, index) => [`my-header${index}`, value.replaceAll("é", "e")]);
    const out = await sign(
      {
        method: generated.method,
        path: `/${generated.segments.map(encodeURIComponent).join("/")}`,
        query: generated.query,
        headers: {
          host: "example.amazonaws.com",
          ...Object.fromEntries(values),
          // What S3's own presigner adds; it moves into the query.
          ...(isUnsignedPayload(generated) ? { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } : {}),
        },
        body: generated.body,
      },
      {
        credentials: vectorCredentials,
        service: generated.service,
        at: new Date(nowMs),
        ...(generated.presigned ? { presignSeconds: 60 } : {}),
      },
    );
    return build({ ...out, headers: Object.entries(out.headers), body: generated.body });
  }

  test("its requests verify, and any change of one byte fails", async () => {
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(requests, fc.nat(), async (generated, where) => {
        const request = await signed(generated);
        const more = {
          services: [generated.service],
          style: generated.service === "s3" ? "s3" : "standard",
        } as const;
        expect(outcomeOf(request, more)).toBe("verified");
        const changed = changeOneByte(request, where);
        // Another spelling of the same request (a%2fb for a%2Fb) is the same request.
        if (changed === undefined) return;
        changes++;
        expect(outcomeOf(changed, more), `${show(request)}\n${show(changed)}`).not.toBe("verified");
      }),
      { seed: 20_150_830, numRuns: 600 },
    );
    expect(changes).toBeGreaterThan(500);
  });
});

/** Changes one byte of what the signature covers: method, path, query, a header's value or the body, wherever `where` falls. */
function changeOneByte(request: SignedRequest, where: number): SignedRequest | undefined {
  const flip = (text: string): string => {
    const at = where % text.length;
    // Letters and digits become others; what else there is becomes a letter.
    const old = text[at] ?? "";
    return `${text.slice(0, at)}${old === "q" ? "w" : "q"}${text.slice(at + 1)}`;
  };
  switch (where % 5) {
    case 0:
      return { ...request, method: flip(request.method) };
    case 1:
      return request.path.length > 1 ? { ...request, path: `/${flip(request.path.slice(1))}` } : undefined;
    case 2:
      return request.query === "" ? undefined : { ...request, query: flip(request.query) };
    case 3: {
      const names = [...request.headers.keys()];
      const name = names[where % names.length] ?? "";
      const value = request.headers.get(name)?.[0] ?? "";
      return { ...request, headers: new Map([...request.headers, [name, [flip(value)]]]) };
    }
    default: {
      if (request.body.length === 0) return undefined;
      if (request.query.includes("UNSIGNED-PAYLOAD")) return undefined;
      return { ...request, body: Buffer.from(flip(Buffer.from(request.body).toString("latin1")), "latin1") };
    }
  }
}

function show(request: SignedRequest): string {
  return JSON.stringify({
    ...request,
    headers: [...request.headers],
    body: Buffer.from(request.body).toString("utf8"),
  });
}

test("times convert there and back, and nonsense is no time", () => {
  expect(isoBasic(parseIsoBasic("20240229T235959Z") ?? 0)).toBe("20240229T235959Z");
  for (const text of [
    "20150230T000000Z",
    "20150830T250000Z",
    "2015-08-30T12:36:00Z",
    "",
    "20150830T123600",
  ]) {
    expect(parseIsoBasic(text)).toBeUndefined();
  }
});

test("a changed secret is not answered from the cache of keys", () => {
  const keys = createSigningKeys();
  const one = { accessKeyId: "A", date: "20150830", region: "r", service: "s", terminator: "aws4_request" };
  expect(keys.derive("a", one)).toBe(keys.derive("a", one));
  expect(keys.derive("b", one).sign("text")).not.toBe(keys.derive("a", one).sign("text"));
});
