// The policies of topic, key and role are the ones of CloudTrail's own documentation.
import { expect, test } from "vitest";
import { keyPolicyStatements, logRolePolicy, logRoleTrust, topicPolicy } from "./destination-policies.ts";

const trailArn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/example-trail";
const owner = "111122223333";
const Principal = { Service: "cloudtrail.amazonaws.com" };
const StringEquals = { "aws:SourceArn": trailArn };
const context = "kms:EncryptionContext:aws:cloudtrail:arn";
const parsed = (text: string): unknown => JSON.parse(text);

test("the topic's", () => {
  const topicArn = "arn:aws:sns:us-east-1:111122223333:example-trail-topic";
  expect(parsed(topicPolicy({ trailArn, topicArn }))).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AWSCloudTrailSNSPolicy20131101",
        Effect: "Allow",
        Principal,
        Action: "SNS:Publish",
        Resource: topicArn,
        Condition: { StringEquals },
      },
    ],
  });
});

test("the key's statements", () => {
  const allow = { Effect: "Allow", Resource: "*" };
  expect(parsed(keyPolicyStatements({ trailArn, owner }))).toEqual([
    {
      ...allow,
      Sid: "CloudTrailEncrypts",
      Principal,
      Action: "kms:GenerateDataKey*",
      Condition: { StringEquals, StringLike: { [context]: "arn:aws:cloudtrail:*:111122223333:trail/*" } },
    },
    {
      ...allow,
      Sid: "CloudTrailDescribesKey",
      Principal,
      Action: "kms:DescribeKey",
      Condition: { StringEquals },
    },
    {
      ...allow,
      Sid: "ReadersDecrypt",
      Principal: { AWS: "arn:aws:iam::111122223333:root" },
      Action: "kms:Decrypt",
      Condition: { Null: { [context]: "false" } },
    },
  ]);
  const china = keyPolicyStatements({ trailArn: trailArn.replace("aws:", "aws-cn:"), owner });
  expect(china).toContain('"arn:aws-cn:iam::111122223333:root"');
  expect(china).toContain('"arn:aws-cn:cloudtrail:*:111122223333:trail/*"');
});

test.each([
  ["one Region", {}, ["111122223333_CloudTrail_us-east-1*"]],
  ["all Regions", { isMultiRegion: true }, ["111122223333_CloudTrail_*"]],
  ["an organization", { isOrganization: true }, ["111122223333_CloudTrail_us-east-1*", "org_*"]],
])("the role's, %s", (_name, changes, streams) => {
  const group = "arn:aws:logs:us-east-1:111122223333:log-group:CloudTrail/example-trail";
  const Resource = streams.map((stream) => `${group}:log-stream:${stream}`);
  const writer = { owner, homeRegion: "us-east-1", isMultiRegion: false, isOrganization: false, ...changes };
  const expected = {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AWSCloudTrailCreateLogStream20141101",
        Effect: "Allow",
        Action: ["logs:CreateLogStream"],
        Resource,
      },
      { Sid: "AWSCloudTrailPutLogEvents20141101", Effect: "Allow", Action: ["logs:PutLogEvents"], Resource },
    ],
  };
  for (const logGroupArn of [group, `${group}:*`]) {
    expect(parsed(logRolePolicy({ ...writer, logGroupArn }))).toEqual(expected);
  }
});

test("who may assume the role", () => {
  expect(parsed(logRoleTrust())).toEqual({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }],
  });
});
