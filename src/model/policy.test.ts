// Reading and evaluating policies: tables of statements and requests, and the wildcard matcher against a naive one.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, matchesPattern } from "./policy-pattern.ts";
import {
  evaluate,
  type PolicyDecision,
  type PolicyRequest,
  parsePolicy,
  parsePolicyValue,
} from "./policy.ts";

const account = "111122223333";
const user = { accountId: account, arn: `arn:aws:iam::${account}:user/mary` };
const trail = { service: "cloudtrail.amazonaws.com" };

function decide(
  statements: unknown,
  request: Partial<PolicyRequest>,
  version = "2012-10-17",
): PolicyDecision {
  const policy = parsePolicyValue({ Version: version, Statement: statements });
  if ("problem" in policy) throw new Error(policy.problem);
  return evaluate([policy], { action: "s3:GetObject", resource: "arn:aws:s3:::b/k", ...request });
}

const allow = { Effect: "Allow", Action: "*", Resource: "*" };

describe("actions, resources and effects", () => {
  const cases: readonly [string, unknown, Partial<PolicyRequest>, PolicyDecision][] = [
    ["nothing matches", { ...allow, Action: "s3:PutObject" }, {}, "implicitDeny"],
    ["star", allow, {}, "allowed"],
    ["case of the action", { ...allow, Action: "S3:getobject" }, {}, "allowed"],
    ["wildcard in the action", { ...allow, Action: "s3:Get*" }, {}, "allowed"],
    ["one character", { ...allow, Action: "s3:?etObject" }, {}, "allowed"],
    ["one character is not none", { ...allow, Action: "s3:GetObject?" }, {}, "implicitDeny"],
    ["a list", { ...allow, Action: ["s3:Put*", "s3:Get*"] }, {}, "allowed"],
    ["another service", { ...allow, Action: "sqs:*" }, {}, "implicitDeny"],
    ["NotAction", { Effect: "Allow", NotAction: "s3:Put*", Resource: "*" }, {}, "allowed"],
    ["NotAction names it", { Effect: "Allow", NotAction: "s3:Get*", Resource: "*" }, {}, "implicitDeny"],
    ["resource over segments", { ...allow, Resource: "arn:aws:s3:*k" }, {}, "allowed"],
    ["case of the resource", { ...allow, Resource: "arn:aws:s3:::b/K" }, {}, "implicitDeny"],
    ["NotResource", { Effect: "Allow", Action: "*", NotResource: "arn:aws:s3:::c/*" }, {}, "allowed"],
    [
      "NotResource names it",
      { Effect: "Allow", Action: "*", NotResource: "arn:aws:s3:::b/*" },
      {},
      "implicitDeny",
    ],
    ["deny wins over allow", [allow, { ...allow, Effect: "Deny" }], {}, "explicitDeny"],
    ["deny wins, whatever the order", [{ ...allow, Effect: "Deny" }, allow], {}, "explicitDeny"],
    ["deny of something else", [{ ...allow, Effect: "Deny", Action: "s3:Put*" }, allow], {}, "allowed"],
    ["no statements", [], {}, "implicitDeny"],
  ];
  test.each(cases)("%s", (_name, statements, request, expected) => {
    expect(decide(statements, request)).toBe(expected);
  });

  test("several policies decide together", () => {
    const read = (statement: unknown) => {
      const policy = parsePolicyValue({ Statement: statement });
      if ("problem" in policy) throw new Error(policy.problem);
      return policy;
    };
    const request = { action: "s3:GetObject", resource: "arn:aws:s3:::b/k" };
    expect(evaluate([read({ ...allow, Action: "sqs:*" }), read(allow)], request)).toBe("allowed");
    expect(evaluate([read(allow), read({ ...allow, Effect: "Deny" })], request)).toBe("explicitDeny");
    expect(evaluate([], request)).toBe("implicitDeny");
  });
});

describe("principals", () => {
  const cases: readonly [string, unknown, PolicyRequest["principal"], PolicyDecision][] = [
    ["everybody", { Principal: "*" }, user, "allowed"],
    ["everybody includes services", { Principal: { AWS: "*" } }, trail, "allowed"],
    ["the service", { Principal: { Service: "cloudtrail.amazonaws.com" } }, trail, "allowed"],
    ["another service", { Principal: { Service: "config.amazonaws.com" } }, trail, "implicitDeny"],
    [
      "the service is not a user",
      { Principal: { Service: "cloudtrail.amazonaws.com" } },
      user,
      "implicitDeny",
    ],
    ["account number", { Principal: { AWS: account } }, user, "allowed"],
    ["account root", { Principal: { AWS: `arn:aws:iam::${account}:root` } }, user, "allowed"],
    ["another account", { Principal: { AWS: "444455556666" } }, user, "implicitDeny"],
    ["the user", { Principal: { AWS: ["444455556666", user.arn] } }, user, "allowed"],
    [
      "no wildcard inside an ARN",
      { Principal: { AWS: `arn:aws:iam::${account}:user/*` } },
      user,
      "implicitDeny",
    ],
    ["federated names nobody here", { Principal: { Federated: "x" } }, user, "implicitDeny"],
    ["NotPrincipal", { NotPrincipal: { AWS: "444455556666" } }, user, "allowed"],
    ["NotPrincipal names him", { NotPrincipal: { AWS: account } }, user, "implicitDeny"],
    ["a statement with Principal, no principal asking", { Principal: "*" }, undefined, "implicitDeny"],
    ["identity statement, somebody asking", {}, user, "allowed"],
  ];
  test.each(cases)("%s", (_name, member, principal, expected) => {
    expect(decide({ ...allow, ...Object(member) }, principal ? { principal } : {})).toBe(expected);
  });
});

type Context = NonNullable<PolicyRequest["context"]>;

describe("conditions", () => {
  const t = (date: string): Context => ({ "aws:CurrentTime": [date] });
  const cases: readonly [string, unknown, Context, boolean][] = [
    ["equal", { StringEquals: { "aws:SourceArn": "a" } }, { "AWS:sourceARN": ["a"] }, true],
    ["one of several", { StringEquals: { k: ["a", "b"] } }, { k: ["b"] }, true],
    ["not equal", { StringEquals: { k: "a" } }, { k: ["A"] }, false],
    ["no wildcards in equals", { StringEquals: { k: "*" } }, { k: ["a"] }, false],
    ["absent", { StringEquals: { k: "a" } }, {}, false],
    ["empty list is absent", { StringEquals: { k: "a" } }, { k: [] }, false],
    ["absent, IfExists", { StringEqualsIfExists: { k: "a" } }, {}, true],
    ["present, IfExists", { StringEqualsIfExists: { k: "a" } }, { k: ["b"] }, false],
    ["negated", { StringNotEquals: { k: ["a", "b"] } }, { k: ["c"] }, true],
    ["negated, one of them", { StringNotEquals: { k: ["a", "b"] } }, { k: ["b"] }, false],
    ["negated, absent", { StringNotEquals: { k: "a" } }, {}, true],
    ["ignore case", { StringEqualsIgnoreCase: { k: "aB" } }, { k: ["Ab"] }, true],
    ["not, ignore case", { StringNotEqualsIgnoreCase: { k: "aB" } }, { k: ["Ab"] }, false],
    ["like", { StringLike: { k: "a*c?" } }, { k: ["abbcd"] }, true],
    ["like is case-sensitive", { StringLike: { k: "a*" } }, { k: ["Ab"] }, false],
    ["not like", { StringNotLike: { k: "a*" } }, { k: ["b"] }, true],
    ["all operators", { StringLike: { k: "a*" }, Bool: { s: "true" } }, { k: ["a"], s: ["false"] }, false],
    ["all keys", { StringEquals: { k: "a", l: "b" } }, { k: ["a"] }, false],
    ["arn equals", { ArnEquals: { k: "arn:aws:sns:*:1:t" } }, { k: ["arn:aws:sns:eu:1:t"] }, true],
    [
      "arn star stays in its part",
      { ArnLike: { k: "arn:aws:sns:*:t" } },
      { k: ["arn:aws:sns:eu:1:t"] },
      false,
    ],
    [
      "arn star in the last part",
      { ArnLike: { k: "arn:aws:sns:eu:1:*" } },
      { k: ["arn:aws:sns:eu:1:t:u"] },
      true,
    ],
    ["arn, not an arn", { ArnLike: { k: "arn:*:*:*:*:*" } }, { k: ["a:b:c:d:e"] }, false],
    ["arn not like", { ArnNotLike: { k: "arn:aws:s3:::b" } }, { k: ["arn:aws:s3:::c"] }, true],
    ["bool", { Bool: { "aws:SecureTransport": true } }, { "aws:securetransport": ["TRUE"] }, true],
    ["bool, absent", { Bool: { "aws:SecureTransport": "false" } }, {}, false],
    ["null true", { Null: { k: "true" } }, {}, true],
    ["null true, present", { Null: { k: true } }, { k: ["a"] }, false],
    ["null false", { Null: { k: "false" } }, { k: ["a"] }, true],
    ["numeric", { NumericLessThanEquals: { k: 10 } }, { k: ["10"] }, true],
    ["numeric greater", { NumericGreaterThan: { k: "10" } }, { k: ["9.5"] }, false],
    ["numeric not equals", { NumericNotEquals: { k: "10" } }, { k: ["9"] }, true],
    ["numeric nonsense", { NumericEquals: { k: "x" } }, { k: ["x"] }, false],
    [
      "date",
      { DateGreaterThan: { "aws:CurrentTime": "2026-01-10T09:00:00Z" } },
      t("2026-01-10T09:00:01Z"),
      true,
    ],
    [
      "date with zone",
      { DateEquals: { "aws:CurrentTime": "2026-01-10T10:00:00+01:00" } },
      t("2026-01-10T09:00:00Z"),
      true,
    ],
    ["date as epoch", { DateEquals: { "aws:CurrentTime": "1768035600" } }, t("2026-01-10T09:00:00Z"), true],
    ["date only", { DateLessThan: { "aws:CurrentTime": "2024-03-01" } }, t("2024-02-29T23:59:59Z"), true],
    [
      "impossible date",
      { DateLessThan: { "aws:CurrentTime": "2024-13-01" } },
      t("2024-02-29T00:00:00Z"),
      false,
    ],
    [
      "ip in range",
      { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
      { "aws:sourceip": ["203.0.113.7"] },
      true,
    ],
    [
      "ip outside",
      { IpAddress: { "aws:SourceIp": "203.0.113.0/25" } },
      { "aws:sourceip": ["203.0.113.200"] },
      false,
    ],
    ["ip exact", { IpAddress: { i: "203.0.113.7" } }, { i: ["203.0.113.7"] }, true],
    ["not ip", { NotIpAddress: { i: ["10.0.0.0/8", "192.168.0.0/16"] } }, { i: ["8.8.8.8"] }, true],
    ["ip6", { IpAddress: { i: "2001:db8::/32" } }, { i: ["2001:db8:1::5"] }, true],
    ["ip6 outside", { IpAddress: { i: "2001:db8::/32" } }, { i: ["2001:db9::"] }, false],
    ["ip4 in ip6", { IpAddress: { i: "127.0.0.0/8" } }, { i: ["::ffff:127.0.0.1"] }, true],
    ["ip nonsense", { IpAddress: { i: "0.0.0.0/0" } }, { i: ["localhost"] }, false],
    ["for any value", { "ForAnyValue:StringEquals": { k: ["a"] } }, { k: ["b", "a"] }, true],
    ["for any value, none", { "ForAnyValue:StringEquals": { k: ["a"] } }, { k: ["b"] }, false],
    ["for any value, absent", { "ForAnyValue:StringNotEquals": { k: ["a"] } }, {}, false],
    ["for all values", { "ForAllValues:StringLike": { k: ["a*", "b*"] } }, { k: ["ax", "bx"] }, true],
    ["for all values, one is not", { "ForAllValues:StringLike": { k: ["a*"] } }, { k: ["ax", "bx"] }, false],
    ["for all values, absent", { "ForAllValues:StringEquals": { k: ["a"] } }, {}, true],
    ["for all values, negated", { "ForAllValues:StringNotEquals": { k: ["a"] } }, { k: ["b", "a"] }, false],
    ["binary", { BinaryEquals: { k: "QQ==" } }, { k: ["QQ=="] }, true],
    ["variable", { StringEquals: { k: "${aws:username}" } }, { k: ["mary"], "aws:username": ["mary"] }, true],
    ["variable without value", { StringEquals: { k: "${aws:username}" } }, { k: ["mary"] }, false],
    ["variable with a default", { StringEquals: { k: "${aws:username, 'x'}" } }, { k: ["x"] }, true],
    ["literal star", { StringLike: { k: "a${*}" } }, { k: ["ab"] }, false],
    ["unknown operator does not allow", { StringSounds: { k: "a" } }, { k: ["a"] }, false],
    ["prototype names are unknown operators", { constructor: { k: "a" } }, { k: ["a"] }, false],
  ];
  test.each(cases)("%s", (_name, condition, context, holds) => {
    expect(decide({ ...allow, Condition: condition }, { context })).toBe(holds ? "allowed" : "implicitDeny");
  });

  test("an unknown operator does not lift a Deny", () => {
    const deny = { ...allow, Effect: "Deny", Condition: { StringSounds: { k: "a" } } };
    expect(decide([allow, deny], {})).toBe("explicitDeny");
  });

  test("variables in a resource are literals, and only in version 2012-10-17", () => {
    const statement = { ...allow, Resource: "arn:aws:s3:::b/${aws:username}/*" };
    const ask = (name: string, key: string) => ({
      resource: `arn:aws:s3:::b/${key}`,
      context: { "aws:username": [name] },
    });
    expect(decide(statement, ask("mary", "mary/x"))).toBe("allowed");
    expect(decide(statement, ask("*", "john/x"))).toBe("implicitDeny");
    expect(decide(statement, ask("mary", "mary/x"), "2008-10-17")).toBe("implicitDeny");
    expect(decide(statement, ask("mary", "${aws:username}/x"), "2008-10-17")).toBe("allowed");
  });
});

describe("reading", () => {
  const statement = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`;
  const bad: readonly [string, string][] = [
    ["", "not valid JSON"],
    ["[]", "The policy must be an object"],
    ["null", "The policy must be an object"],
    ["{}", "has no Statement"],
    [`{"Statement":1}`, "Statement 1 must be an object"],
    [`{"Version":"2020-01-01","Statement":[]}`, "Version must be"],
    [`{"Id":1,"Statement":[]}`, "Id must be a string"],
    [`{"Statement":[],"X":1}`, `unknown member "X"`],
    [`{"Statement":[${statement.replace("Allow", "allow")}]}`, "Effect must be"],
    [`{"Statement":[{"Effect":"Allow","Resource":"*"}]}`, "exactly one of Action and NotAction"],
    [`{"Statement":[{"Effect":"Allow","Action":"*"}]}`, "exactly one of Resource and NotResource"],
    [`{"Statement":${statement.replace(`"s3:*"`, `"s3"`)}}`, `invalid action "s3"`],
    [`{"Statement":${statement.replace(`"s3:*"`, `[]`)}}`, "must not be empty"],
    [`{"Statement":${statement.replace(`"s3:*"`, `[{}]`)}}`, "a string or a list of strings"],
    [`{"Statement":${statement.replace(`"*"`, `"bucket"`)}}`, `invalid resource "bucket"`],
    [`{"Statement":${statement.replace("{", `{"Principal":"mary",`)}}`, "Principal must be an object"],
    [`{"Statement":${statement.replace("{", `{"Principal":{"GCP":"x"},`)}}`, `unknown member "GCP"`],
    [`{"Statement":${statement.replace("{", `{"Principal":"*","NotPrincipal":"*",`)}}`, "both Principal and"],
    [`{"Statement":${statement.replace("{", `{"Condition":{"StringEquals":"x"},`)}}`, "must be an object"],
    [`{"Statement":${statement.replace("{", `{"Condition":{"Bool":{"K":"1","k":"2"}},`)}}`, "twice"],
    [`{"Statement":[${"[".repeat(5000)}${"]".repeat(5000)}]}`, "Statement 1 must be an object"],
    [" ".repeat(20_481), "longer than 20480 bytes"],
  ];
  test.each(bad)("refuses %#: %s", (text, problem) => {
    const read = parsePolicy(text);
    expect("problem" in read && read.problem).toContain(problem);
  });

  test("normalises single values to lists and keeps the rest", () => {
    const text = JSON.stringify({
      Version: "2012-10-17",
      Id: "i",
      Statement: {
        Sid: "s",
        Effect: "Deny",
        NotPrincipal: { AWS: account },
        NotAction: "s3:*",
        NotResource: ["arn:aws:s3:::b"],
        Condition: { Bool: { "aws:SecureTransport": false } },
      },
    });
    expect(parsePolicy(text)).toEqual({
      version: "2012-10-17",
      statements: [
        {
          sid: "s",
          effect: "Deny",
          notPrincipals: { AWS: [account] },
          notActions: ["s3:*"],
          notResources: ["arn:aws:s3:::b"],
          conditions: { Bool: { "aws:securetransport": ["false"] } },
        },
      ],
    });
  });

  test("never throws on garbage, as text or as a value", () => {
    const value = fc.anything({
      maxDepth: 4,
      key: fc.constantFrom("Statement", "Effect", "Action", "__proto__"),
    });
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), value, (text, any) => {
        expect(parsePolicy(text)).toBeTypeOf("object");
        expect(parsePolicyValue(any)).toBeTypeOf("object");
      }),
      { seed: 20_260_110, numRuns: 300 },
    );
  });
});

describe("wildcards", () => {
  test("match as the naive matcher does", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 12 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 14 });
    fc.assert(
      fc.property(letters, text, (pattern, subject) => {
        expect(matchesPattern(compilePattern(pattern), subject)).toBe(naive(pattern, subject));
      }),
      { seed: 20_260_110, numRuns: 5000 },
    );
  });

  test("a hostile pattern takes no time", () => {
    const pattern = compilePattern(`${"*a".repeat(5000)}b`);
    expect(matchesPattern(pattern, "a".repeat(20_000))).toBe(false);
    expect(matchesPattern(compilePattern(`${"*a?".repeat(3000)}b`), "a".repeat(20_000))).toBe(false);
  });
});

function naive(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern.startsWith("*")) {
    return naive(pattern.slice(1), text) || (text !== "" && naive(pattern, text.slice(1)));
  }
  return (
    text !== "" && (pattern[0] === "?" || pattern[0] === text[0]) && naive(pattern.slice(1), text.slice(1))
  );
}

describe("a policy is read once and asked often", () => {
  const read = (...statements: readonly unknown[]) => {
    const policy = parsePolicyValue({ Version: "2012-10-17", Statement: statements });
    if ("problem" in policy) throw new Error(policy.problem);
    return policy;
  };
  const get = { action: "s3:GetObject", resource: "arn:aws:s3:::b/mary/k" };

  test("variables are those of each request", () => {
    const policies = [read({ ...allow, Resource: "arn:aws:s3:::b/${aws:username}/*" })];
    for (const [name, expected] of [
      ["mary", "allowed"],
      ["bob", "implicitDeny"],
      ["mary", "allowed"],
    ] as const) {
      expect(evaluate(policies, { ...get, context: { "aws:username": [name] } })).toBe(expected);
    }
    expect(evaluate(policies, get)).toBe("implicitDeny");
  });

  test("a context that is a function is asked once at most, and only when a statement looks at it", () => {
    let asked = 0;
    const context = () => {
      asked++;
      return { "AWS:UserName": ["mary"], "aws:userid": [] };
    };
    expect(evaluate([read(allow)], { ...get, context })).toBe("allowed");
    expect(asked).toBe(0);
    const conditional = { ...allow, Condition: { StringEquals: { "aws:username": "mary" } } };
    const variable = { ...allow, Effect: "Deny", Resource: "arn:aws:s3:::b/${aws:userid}/*" };
    expect(evaluate([read(conditional, variable), read(conditional)], { ...get, context })).toBe("allowed");
    expect(asked).toBe(1);
  });

  test("a policy that replaces another decides at once", () => {
    const identity = { policies: [read(allow)] };
    expect(evaluate(identity.policies, get)).toBe("allowed");
    identity.policies = [read(allow, { ...allow, Effect: "Deny" })];
    expect(evaluate(identity.policies, get)).toBe("explicitDeny");
  });
});
