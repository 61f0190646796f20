// A denial must bite also where it cannot be told what a call is about.
import { describe, expect, test } from "vitest";
import { parsePolicyValue } from "../model/policy.ts";
import { isDeniedSomewhere, type Permissions } from "./authorize.ts";

function permissions(...statements: readonly object[]): Permissions {
  const parsed = parsePolicyValue({ Version: "2012-10-17", Statement: statements });
  if ("problem" in parsed) throw new Error(parsed.problem);
  return { kind: "policies", policies: [parsed], context: { "aws:SourceIp": ["10.0.0.1"] } };
}

const allow = { Effect: "Allow", Action: "*", Resource: "*" };
const denyOne = { Effect: "Deny", Action: "ec2:Terminate*", Resource: "arn:aws:ec2:*:*:instance/i-1" };

describe("a call whose resource cannot be told", () => {
  test("is denied when the action is denied on any resource", () => {
    expect(isDeniedSomewhere(permissions(allow, denyOne), "ec2:TerminateInstances")).toBe(true);
  });

  test.each([
    ["another action is denied", permissions(allow, denyOne), "ec2:StopInstances"],
    ["nothing is denied", permissions(allow), "ec2:TerminateInstances"],
    [
      "the denial is for others",
      permissions(allow, { ...denyOne, Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } } }),
      "ec2:TerminateInstances",
    ],
    ["everything is allowed", { kind: "everything" } as const, "ec2:TerminateInstances"],
  ])("is not denied when %s", (_why, given, action) => {
    expect(isDeniedSomewhere(given, action)).toBe(false);
  });

  test("NotResource is about some resource too", () => {
    const denial = { Effect: "Deny", Action: "ec2:*", NotResource: "arn:aws:ec2:*:*:instance/i-1" };
    expect(isDeniedSomewhere(permissions(allow, denial), "ec2:TerminateInstances")).toBe(true);
  });
});
