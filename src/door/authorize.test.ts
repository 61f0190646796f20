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

describe("a call whose action cannot be told", () => {
  const elsewhere = { Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } } };
  const here = { Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } };
  const denyBut = (...actions: readonly string[]) => ({ Effect: "Deny", NotAction: actions, Resource: "*" });

  test.each([
    ["one action of the service is denied somewhere", denyOne],
    ["its name is written in another case", { ...denyOne, Action: "EC2:terminateinstances" }],
    ["everything is denied somewhere", { ...denyOne, Action: "*" }],
    ["a denial's conditions hold", { ...denyOne, ...here }],
    ["all but some of its actions are denied", denyBut("s3:*", "ec2:Stop*")],
    ["all but another service is denied", denyBut("s3:*")],
    ["what is excepted may be less than all", denyBut("ec2:?", "ec2:**x")],
  ])("is denied when %s", (_why, denial) => {
    expect(isDeniedSomewhere(permissions(allow, denial), "ec2:*")).toBe(true);
  });

  test.each([
    ["another service is denied", { ...denyOne, Action: ["ec2messages:*", "s3:*"] }],
    ["the denial is for others", { ...denyOne, ...elsewhere }],
    ["all but this service is denied", denyBut("s3:GetObject", "EC2:*")],
    ["all but everything is denied", denyBut("*")],
  ])("is not denied when %s", (_why, denial) => {
    expect(isDeniedSomewhere(permissions(allow, denial), "ec2:*")).toBe(false);
  });

  test("is told from one whose action is known, in whatever order they are asked", () => {
    const given = permissions(allow, denyOne);
    const ask = () => ["ec2:*", "ec2:StopInstances"].map((action) => isDeniedSomewhere(given, action));
    expect([...ask(), ...ask()]).toEqual([true, false, true, false]);
  });
});
