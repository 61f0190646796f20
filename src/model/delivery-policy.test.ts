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
const denyPut = (more: object) => deny({ Action: "s3:PutObject", ...more });
const kmsKeyArn = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000";
const notPrincipal = (NotPrincipal: object) => ({
  Effect: "Allow",
  NotPrincipal,
  Action: "s3:*",
  Resource: "*",
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
  const hardCases: typeof cases = [
    [
      "a deny of everybody but the service",
      [aclCheck, write, { ...notPrincipal(service), Effect: "Deny" }],
      trail,
      true,
    ],
    [
      "a deny of everybody but an administrator",
      [aclCheck, write, { ...notPrincipal({ AWS: "arn:aws:iam::111122223333:root" }), Effect: "Deny" }],
      trail,
      false,
    ],
    ["everybody but another service", [notPrincipal({ Service: "config.amazonaws.com" })], trail, true],
    ["everybody but the service", [notPrincipal(service)], trail, false],
    [
      "the account is not the service",
      [statement("s3:*", "*", { Principal: { AWS: "111122223333" } })],
      trail,
      false,
    ],
    ["everybody, written as AWS", [statement("s3:*", "*", { Principal: { AWS: "*" } })], trail, true],
    [
      "one of several services",
      [statement("s3:*", "*", { Principal: { Service: ["a.amazonaws.com", service.Service] } })],
      trail,
      true,
    ],
    ["a deny of other actions", [aclCheck, write, deny({ Action: "s3:Delete*" })], trail, true],
    ["a deny of other folders", [aclCheck, write, deny({ Resource: `${bucketArn}/other/*` })], trail, true],
    [
      "a deny of all but the log folder",
      [
        aclCheck,
        write,
        deny({ Action: "s3:PutObject", Resource: undefined, NotResource: `${bucketArn}/AWSLogs/*` }),
      ],
      trail,
      true,
    ],
    ["a deny of the ACL check alone", [aclCheck, write, deny({ Action: "s3:GetBucketAcl" })], trail, false],
    [
      "a deny of digests, without validation",
      [aclCheck, write, deny({ Resource: `${bucketArn}/*/CloudTrail-Digest/*` })],
      trail,
      true,
    ],
    [
      "a deny of digests, with validation",
      [aclCheck, write, deny({ Resource: `${bucketArn}/*/CloudTrail-Digest/*` })],
      digests,
      false,
    ],
    [
      "a deny of other trails",
      [
        aclCheck,
        write,
        deny(condition("ArnNotLike", "aws:SourceArn", "arn:aws:cloudtrail:*:111122223333:trail/*")),
      ],
      trail,
      true,
    ],
    [
      "a deny of what is not this trail",
      [aclCheck, write, deny(condition("ArnNotEquals", "aws:SourceArn", `${trail.trailArn}-2`))],
      trail,
      false,
    ],
    [
      "a deny of other accounts",
      [aclCheck, write, deny(condition("StringNotEquals", "aws:SourceAccount", "111122223333"))],
      trail,
      true,
    ],
    [
      "a deny outside a private network, services excepted",
      [
        aclCheck,
        write,
        deny({
          Condition: {
            StringNotEquals: { "aws:SourceVpce": "vpce-1" },
            Bool: { "aws:PrincipalIsAWSService": "false" },
          },
        }),
      ],
      trail,
      true,
    ],
    [
      "a deny outside a private network",
      [aclCheck, write, deny(condition("StringNotEquals", "aws:SourceVpce", "vpce-1"))],
      trail,
      false,
    ],
    [
      "a deny of old TLS",
      [aclCheck, write, deny(condition("NumericLessThan", "s3:TlsVersion", "1.2"))],
      trail,
      true,
    ],
    [
      "a deny of old signatures",
      [aclCheck, write, deny(condition("StringNotEquals", "s3:signatureversion", "AWS4-HMAC-SHA256"))],
      trail,
      true,
    ],
    [
      "a deny unless the owner has full control",
      [
        aclCheck,
        write,
        deny({
          Action: "s3:PutObject",
          ...condition("StringNotEquals", "s3:x-amz-acl", "bucket-owner-full-control"),
        }),
      ],
      trail,
      true,
    ],
    [
      "a deny with an operator nobody knows",
      [aclCheck, write, deny(condition("StringSounds", "aws:SourceArn", "x"))],
      trail,
      false,
    ],
    [
      "an allow with an operator nobody knows",
      [aclCheck, { ...write, ...condition("StringSounds", "aws:SourceArn", "x") }],
      trail,
      false,
    ],
    [
      "the wrong source ARN: another trail",
      [aclCheck, { ...write, ...condition("StringEquals", "aws:SourceArn", `${trail.trailArn}2`) }],
      trail,
      false,
    ],
    [
      "the wrong source ARN: another Region",
      [
        aclCheck,
        {
          ...write,
          ...condition("StringEquals", "aws:SourceArn", trail.trailArn.replace("us-east-1", "us-east-2")),
        },
      ],
      trail,
      false,
    ],
    [
      "the wrong source ARN: on the ACL check alone",
      [{ ...aclCheck, ...condition("StringEquals", "aws:SourceArn", "x") }, write],
      trail,
      false,
    ],
    [
      "source ARN: equal is not like",
      [
        aclCheck,
        {
          ...write,
          ...condition("StringEquals", "aws:SourceArn", "arn:aws:cloudtrail:*:111122223333:trail/*"),
        },
      ],
      trail,
      false,
    ],
    [
      "source ARN: StringLike",
      [
        aclCheck,
        { ...write, ...condition("StringLike", "aws:SourceArn", "arn:aws:cloudtrail:*:trail/example-*") },
      ],
      trail,
      true,
    ],
    [
      "source ARN: ArnLike of another account",
      [
        aclCheck,
        { ...write, ...condition("ArnLike", "aws:SourceArn", "arn:aws:cloudtrail:*:444455556666:trail/*") },
      ],
      trail,
      false,
    ],
    [
      "over TLS only",
      [aclCheck, { ...write, ...condition("Bool", "aws:SecureTransport", "true") }],
      trail,
      true,
    ],
    [
      "source organization of an account trail",
      [aclCheck, { ...write, ...condition("StringEquals", "aws:SourceOrgID", "o-exampleorgid") }],
      trail,
      false,
    ],
    [
      "several accounts in one statement",
      [
        aclCheck,
        statement("s3:PutObject", bucketArn, {
          Resource: [`${bucketArn}/AWSLogs/444455556666/*`, `${bucketArn}/AWSLogs/111122223333/*`],
        }),
      ],
      trail,
      true,
    ],
    [
      "several accounts in several statements",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/AWSLogs/444455556666/*`), write],
      trail,
      true,
    ],
    [
      "a prefix with a typo",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/adit/AWSLogs/111122223333/*`)],
      { ...trail, keyPrefix: "audit" },
      false,
    ],
    [
      "a prefix where the trail has none",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/audit/AWSLogs/111122223333/*`)],
      trail,
      false,
    ],
    [
      "a prefix with a slash too many",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/audit//AWSLogs/111122223333/*`)],
      { ...trail, keyPrefix: "audit" },
      false,
    ],
    [
      "a prefix that ends in a slash, as given",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/audit//AWSLogs/111122223333/*`)],
      { ...trail, keyPrefix: "audit/" },
      true,
    ],
    [
      "the case of AWSLogs",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/awslogs/111122223333/*`)],
      trail,
      false,
    ],
    ["the bucket without its objects", [aclCheck, statement("s3:PutObject", bucketArn)], trail, false],
    ["the objects without the bucket", [statement("s3:*", `${bucketArn}/*`)], trail, false],
    ["the ACL check of the objects", [statement("s3:GetBucketAcl", `${bucketArn}/*`), write], trail, false],
    [
      "another partition",
      [aclCheck, statement("s3:PutObject", "arn:aws-cn:s3:::example-audit-logs/*")],
      trail,
      false,
    ],
    [
      "one object's name",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/AWSLogs/111122223333/CloudTrail/us-east-1/*`)],
      trail,
      false,
    ],
    [
      "an organization trail without the account's own folder",
      [aclCheck, statement("s3:PutObject", `${bucketArn}/AWSLogs/o-exampleorgid/*`)],
      organization,
      false,
    ],
    [
      "another organization's folder",
      [aclCheck, write, statement("s3:PutObject", `${bucketArn}/AWSLogs/o-otherorgid99/*`)],
      organization,
      false,
    ],
    [
      "an organization trail by its organization",
      [{ ...statement("s3:*", "*"), ...condition("StringEquals", "aws:SourceOrgID", "o-exampleorgid") }],
      organization,
      true,
    ],
    [
      "an encrypted trail where KMS is demanded",
      [aclCheck, write, denyPut(condition("StringNotEquals", "s3:x-amz-server-side-encryption", "aws:kms"))],
      { ...trail, kmsKeyArn },
      true,
    ],
    [
      "an encrypted trail where another key is demanded",
      [
        aclCheck,
        write,
        denyPut(
          condition("StringNotEquals", "s3:x-amz-server-side-encryption-aws-kms-key-id", `${kmsKeyArn}2`),
        ),
      ],
      { ...trail, kmsKeyArn },
      false,
    ],
    [
      "a plain trail where encryption is demanded",
      [aclCheck, write, denyPut(condition("Null", "s3:x-amz-server-side-encryption", "true"))],
      trail,
      true,
    ],
  ];
  test.each([...cases, ...hardCases])("%s", (_name, statements, permission, expected) => {
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
    ["a trail whose prefix has wildcards", { ...trail, keyPrefix: "a*b/${c}?" }],
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

  test("a prefix with wildcards stands for itself alone", () => {
    const text = deliveryPolicy({ ...trail, keyPrefix: "a*b?" });
    expect(letsCloudTrailWrite(text, { ...trail, keyPrefix: "a*b?" })).toBe(true);
    for (const keyPrefix of ["aXb?", "a*bX", "a/x/b?"]) {
      expect(letsCloudTrailWrite(text, { ...trail, keyPrefix })).toBe(false);
    }
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
