// Which bucket policies let CloudTrail write, and the policy that Cairn proposes.
import { describe, expect, test } from "vitest";
import { type DeliveryPermission, deliveryPolicy, letsCloudTrailWrite } from "./delivery-policy.ts";

const trail: DeliveryPermission = {
  trailArn: "arn:aws:cloudtrail:us-east-1:111122223333:trail/example-trail",
  bucket: "example-audit-logs",
  owner: "111122223333",
};
const organization: DeliveryPermission = { ...trail, organizationId: "o-exampleorgid" };
const bucketArn = "arn:aws:s3:::example-audit-logs";
const service = { Service: "cloudtrail.amazonaws.com" };

function statement(action: string, resource: string, more: object = {}): object {
  return { Effect: "Allow", Principal: service, Action: action, Resource: resource, ...more };
}
const aclCheck = statement("s3:GetBucketAcl", bucketArn);
const write = statement("s3:PutObject", `${bucketArn}/AWSLogs/111122223333/*`);
const condition = (operator: string, key: string, value: string) => ({
  Condition: { [operator]: { [key]: value } },
});
const deny = (more: object) => ({ ...statement("s3:*", "*"), Effect: "Deny", Principal: "*", ...more });

describe("letsCloudTrailWrite", () => {
  const digests = { ...trail, folders: ["CloudTrail", "CloudTrail-Digest"] };
  const cases: readonly [string, readonly object[], DeliveryPermission, boolean][] = [
    ["the two plain statements", [aclCheck, write], trail, true],
    ["no statements", [], trail, false],
    ["no ACL check", [write], trail, false],
    ["no write", [aclCheck], trail, false],
    ["one statement for all", [{ ...statement("s3:*", "*"), Principal: "*" }], trail, true],
    ["no principal", [{ Effect: "Allow", Action: "s3:*", Resource: "*" }], trail, false],
    [
      "another service",
      [statement("s3:*", "*", { Principal: { Service: "config.amazonaws.com" } })],
      trail,
      false,
    ],
    ["another bucket", [aclCheck, statement("s3:PutObject", "arn:aws:s3:::other/*")], trail, false],
    [
      "another account's folder",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/AWSLogs/4*`)],
      trail,
      false,
    ],
    ["the prefix is missing", [aclCheck, write], { ...trail, keyPrefix: "audit" }, false],
    [
      "the prefix is there",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/audit/AWSLogs/*`)],
      { ...trail, keyPrefix: "audit" },
      true,
    ],
    ["digests too", [aclCheck, write], digests, true],
    [
      "digests are not allowed",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/AWSLogs/111122223333/CloudTrail/*`)],
      digests,
      false,
    ],
    ["an organization trail needs its folder", [aclCheck, write], organization, false],
    [
      "an organization trail has its folder",
      [aclCheck, write, statement("s3:PutObject", `${bucketArn}/AWSLogs/o-exampleorgid/*`)],
      organization,
      true,
    ],
    [
      "source account",
      [aclCheck, { ...write, ...condition("StringEquals", "aws:SourceAccount", "111122223333") }],
      trail,
      true,
    ],
    [
      "wrong source account",
      [aclCheck, { ...write, ...condition("StringEquals", "aws:SourceAccount", "444455556666") }],
      trail,
      false,
    ],
    [
      "source ARN by pattern",
      [
        aclCheck,
        { ...write, ...condition("ArnLike", "AWS:SourceArn", "arn:aws:cloudtrail:*:111122223333:trail/*") },
      ],
      trail,
      true,
    ],
    [
      "another ACL is asked for",
      [aclCheck, { ...write, ...condition("StringEquals", "s3:x-amz-acl", "private") }],
      trail,
      false,
    ],
    ["a deny", [aclCheck, write, deny({})], trail, false],
    [
      "a deny of plain HTTP",
      [aclCheck, write, deny(condition("Bool", "aws:SecureTransport", "false"))],
      trail,
      true,
    ],
    [
      "a deny of other encryption",
      [aclCheck, write, deny(condition("StringNotEquals", "s3:x-amz-server-side-encryption", "aws:kms"))],
      trail,
      false,
    ],
    [
      "a deny of everybody but services",
      [aclCheck, write, deny(condition("BoolIfExists", "aws:PrincipalIsAWSService", "false"))],
      trail,
      true,
    ],
  ];
  test.each(cases)("%s", (_name, statements, permission, expected) => {
    expect(
      letsCloudTrailWrite(JSON.stringify({ Version: "2012-10-17", Statement: statements }), permission),
    ).toBe(expected);
  });

  test.each(["", "{}", "nonsense", "[1,2]"])("a text that is no policy lets nobody write: %s", (text) => {
    expect(letsCloudTrailWrite(text, trail)).toBe(false);
  });
});

describe("deliveryPolicy", () => {
  const permissions: readonly [string, DeliveryPermission][] = [
    ["a trail", trail],
    ["a trail with a prefix", { ...trail, keyPrefix: "audit/logs" }],
    ["an organization trail", { ...organization, keyPrefix: "audit" }],
    ["another partition", { ...trail, trailArn: "arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/t" }],
  ];
  test.each(permissions)("lets %s write, and nobody else", (_name, permission) => {
    const text = deliveryPolicy(permission);
    expect(letsCloudTrailWrite(text, { ...permission, folders: ["CloudTrail", "CloudTrail-Digest"] })).toBe(
      true,
    );
    const other = permission.trailArn.replace("trail/", "trail/other-");
    expect(letsCloudTrailWrite(text, { ...permission, trailArn: other })).toBe(false);
  });

  test("has the statements, Sids and conditions of AWS's own", () => {
    const written: unknown = JSON.parse(deliveryPolicy({ ...organization, keyPrefix: "audit" }));
    const conditions = {
      StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail.trailArn },
    };
    const put = { Effect: "Allow", Principal: service, Action: "s3:PutObject", Condition: conditions };
    expect(written).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "AWSCloudTrailAclCheck20150319",
          Effect: "Allow",
          Principal: service,
          Action: "s3:GetBucketAcl",
          Resource: bucketArn,
          Condition: { StringEquals: { "aws:SourceArn": trail.trailArn } },
        },
        { Sid: "AWSCloudTrailWrite20150319", ...put, Resource: `${bucketArn}/audit/AWSLogs/111122223333/*` },
        {
          Sid: "AWSCloudTrailOrganizationWrite20150319",
          ...put,
          Resource: `${bucketArn}/audit/AWSLogs/o-exampleorgid/*`,
        },
      ],
    });
  });
});
