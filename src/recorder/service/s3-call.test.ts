// Which S3 operation a request is, what records call it, and what policies must allow for it.
import { describe, expect, test } from "vitest";
import { account, described, passed, type TestRequest, understood } from "./passed-call.test-world.ts";

const copy = { "x-amz-copy-source": "from/x" };

/** Method and path with query, headers; event name; action; resource. */
const requests: readonly (readonly [string, Readonly<Record<string, string>>, string, string, string])[] = [
  ["GET /", {}, "ListBuckets", "s3:ListAllMyBuckets", "*"],
  ["PUT /b", {}, "CreateBucket", "s3:CreateBucket", "arn:aws:s3:::b"],
  ["DELETE /b/", {}, "DeleteBucket", "s3:DeleteBucket", "arn:aws:s3:::b"],
  ["HEAD /b", {}, "HeadBucket", "s3:ListBucket", "arn:aws:s3:::b"],
  ["GET /b", {}, "ListObjects", "s3:ListBucket", "arn:aws:s3:::b"],
  ["GET /b?list-type=2", {}, "ListObjects", "s3:ListBucket", "arn:aws:s3:::b"],
  ["GET /b?versions", {}, "ListObjectVersions", "s3:ListBucketVersions", "arn:aws:s3:::b"],
  ["GET /b?uploads", {}, "ListMultipartUploads", "s3:ListBucketMultipartUploads", "arn:aws:s3:::b"],
  ["GET /b?lifecycle", {}, "GetBucketLifecycle", "s3:GetLifecycleConfiguration", "arn:aws:s3:::b"],
  ["PUT /b?notification", {}, "PutBucketNotification", "s3:PutBucketNotification", "arn:aws:s3:::b"],
  [
    "PUT /b?publicAccessBlock",
    {},
    "PutBucketPublicAccessBlock",
    "s3:PutBucketPublicAccessBlock",
    "arn:aws:s3:::b",
  ],
  [
    "GET /b?object-lock",
    {},
    "GetBucketObjectLockConfiguration",
    "s3:GetBucketObjectLockConfiguration",
    "arn:aws:s3:::b",
  ],
  ["DELETE /b?encryption", {}, "DeleteBucketEncryption", "s3:PutEncryptionConfiguration", "arn:aws:s3:::b"],
  [
    "GET /b?inventory",
    {},
    "ListBucketInventoryConfigurations",
    "s3:GetInventoryConfiguration",
    "arn:aws:s3:::b",
  ],
  [
    "GET /b?inventory&id=i",
    {},
    "GetBucketInventoryConfiguration",
    "s3:GetInventoryConfiguration",
    "arn:aws:s3:::b",
  ],
  ["PUT /b?policy", {}, "PutBucketPolicy", "s3:PutBucketPolicy", "arn:aws:s3:::b"],
  ["GET /b/k", {}, "GetObject", "s3:GetObject", "arn:aws:s3:::b/k"],
  ["GET /b/k?versionId=v", {}, "GetObject", "s3:GetObjectVersion", "arn:aws:s3:::b/k"],
  ["HEAD /b/k", {}, "HeadObject", "s3:GetObject", "arn:aws:s3:::b/k"],
  ["PUT /b/dir/", {}, "PutObject", "s3:PutObject", "arn:aws:s3:::b/dir/"],
  ["PUT /b/k", copy, "CopyObject", "s3:PutObject", "arn:aws:s3:::b/k"],
  ["PUT /b/k?partNumber=1&uploadId=u", {}, "UploadPart", "s3:PutObject", "arn:aws:s3:::b/k"],
  ["PUT /b/k?partNumber=1&uploadId=u", copy, "UploadPartCopy", "s3:PutObject", "arn:aws:s3:::b/k"],
  ["POST /b/k?uploads", {}, "CreateMultipartUpload", "s3:PutObject", "arn:aws:s3:::b/k"],
  ["POST /b/k?uploadId=u", {}, "CompleteMultipartUpload", "s3:PutObject", "arn:aws:s3:::b/k"],
  ["DELETE /b/k?uploadId=u", {}, "AbortMultipartUpload", "s3:AbortMultipartUpload", "arn:aws:s3:::b/k"],
  ["GET /b/k?uploadId=u", {}, "ListParts", "s3:ListMultipartUploadParts", "arn:aws:s3:::b/k"],
  ["DELETE /b/k", {}, "DeleteObject", "s3:DeleteObject", "arn:aws:s3:::b/k"],
  ["DELETE /b/k?versionId=v", {}, "DeleteObject", "s3:DeleteObjectVersion", "arn:aws:s3:::b/k"],
  ["PUT /b/k?tagging", {}, "PutObjectTagging", "s3:PutObjectTagging", "arn:aws:s3:::b/k"],
  ["GET /b/k?acl", {}, "GetObjectAcl", "s3:GetObjectAcl", "arn:aws:s3:::b/k"],
  ["POST /b/k?select&select-type=2", {}, "SelectObjectContent", "s3:GetObject", "arn:aws:s3:::b/k"],
  ["GET /b/../other/k", {}, "GetObject", "s3:*", "*"],
  ["GET /b/%2e%2E/other/k", {}, "GetObject", "s3:*", "*"],
  ["POST /b", {}, "PostObject", "s3:PutObject", "arn:aws:s3:::b/*"],
];

function requestOf(line: string, headers: Readonly<Record<string, string>>): TestRequest {
  const [method = "", target = ""] = line.split(" ");
  const [path = "", query = ""] = target.split("?");
  return { service: "s3", method, path, query, headers };
}

describe("S3", () => {
  test.each(requests)("%s %o is %s", async (line, headers, eventName, action, resource) => {
    const request = requestOf(line, headers);
    const head = await understood(request);
    expect((await described(request)).eventName).toBe(eventName);
    const isUntold = eventName === "PostObject";
    expect(head.deedOf(passed(request).request, account)).toEqual({
      ...{ action, resource },
      ...(isUntold && { isUntold }),
    });
    if (!/^(Put(?!Object$)|CreateBucket)/.test(eventName)) expect(head.capture.requestBytes).toBe(0);
  });

  test("DeleteObjects needs each of its keys", async () => {
    const deed = async (body: string) => {
      const request = { service: "s3", method: "POST", path: "/b", query: "delete", body };
      return (await understood(request)).deedOf(passed(request).request, account);
    };
    expect(
      await deed("<Delete><Object><Key>a</Key></Object><Object><Key>b &amp; c</Key></Object></Delete>"),
    ).toEqual({
      action: "s3:DeleteObject",
      resource: "arn:aws:s3:::b/*",
      among: ["arn:aws:s3:::b/a", "arn:aws:s3:::b/b & c"],
    });
    const versions =
      "<Delete><Object><Key>a</Key><VersionId>v</VersionId></Object><Object><Key>b</Key></Object></Delete>";
    expect(await deed(versions)).toMatchObject({ action: "s3:*" });
    const untold = { action: "s3:DeleteObject", resource: "arn:aws:s3:::b/*", isUntold: true };
    expect(await deed("<Delete>")).toEqual(untold);
    for (const object of ["<Object/>", "<Object><Key>a</Key><Key>b</Key></Object>"])
      expect(await deed(`<Delete><Object><Key>a</Key></Object>${object}</Delete>`)).toEqual(untold);
    const entity = '<!DOCTYPE d [<!ENTITY k "b">]><Delete><Object><Key>&k;</Key></Object></Delete>';
    expect(await deed(entity)).toEqual(untold);
    const dots = "<Delete><Object><Key>mine/../../other/k</Key></Object></Delete>";
    expect(await deed(dots)).toEqual({ action: "s3:*", resource: "*" });
  });

  test("what is in a body is asked for by an access point as it is by a bucket: its objects are below /object", async () => {
    const point = "arn:aws:s3:us-east-1:444455556666:accesspoint/ap";
    const deed = async (query: string, body: string) => {
      const path = `/${encodeURIComponent(point)}`;
      const request = { service: "s3", method: "POST", path, query, body };
      return (await understood(request)).deedOf(passed(request).request, account);
    };
    expect(await deed("delete", "<Delete><Object><Key>a</Key></Object></Delete>")).toEqual({
      action: "s3:DeleteObject",
      resource: `${point}/object/*`,
      among: [`${point}/object/a`],
    });
    expect(await deed("", "")).toEqual({
      action: "s3:PutObject",
      resource: `${point}/object/*`,
      isUntold: true,
    });
  });

  describe("what a DeleteObjects did to each object", () => {
    const request = {
      ...{ service: "s3", method: "POST", path: "/b", query: "delete" },
      body: "<Delete><Object><Key>a</Key></Object><Object><Key>b &amp; c</Key></Object></Delete>",
    };
    const failed =
      "<DeleteResult><Error><Key>b &amp; c</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>";
    const ofBucket = { accountId: account, type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::b" };

    test("is a part for each", async () => {
      const { parts } = await described(request, { body: failed });
      expect(parts).toEqual([
        {
          eventName: "DeleteObject",
          resources: [{ type: "AWS::S3::Object", ARN: "arn:aws:s3:::b/a" }, ofBucket],
        },
        {
          eventName: "DeleteObject",
          resources: [{ type: "AWS::S3::Object", ARN: "arn:aws:s3:::b/b & c" }, ofBucket],
          ...{ errorCode: "AccessDenied", errorMessage: "No." },
        },
      ]);
    });

    test("is told of what policies were asked about: the body is read once", async () => {
      const head = await understood(request);
      const call = passed(request, { body: failed });
      head.deedOf(call.request, account);
      const cut = { ...call, request: { kind: "cut", bytes: call.request.bytes.subarray(0, 20) } } as const;
      expect(head.describe(cut, account).parts).toEqual((await described(request, { body: failed })).parts);
    });

    const tooMany = `<Delete>${"<Object><Key>a</Key></Object>".repeat(1001)}</Delete>`;
    test.each([
      ["the request is refused", request, { status: 403, body: "<Error><Code>AccessDenied</Code></Error>" }],
      ["the answer is none", request, { body: "<html/>" }],
      ["the request is not in order", { ...request, body: "<Delete><Object>" }, { body: "<DeleteResult/>" }],
      ["there are more than S3 takes", { ...request, body: tooMany }, { body: "<DeleteResult/>" }],
      ["it is about one object", { service: "s3", method: "DELETE", path: "/b/k" }, { status: 204 }],
    ])("is not told when %s", async (_why, asked, answer) => {
      expect((await described(asked, answer)).parts).toBeUndefined();
    });
  });

  test("a redirect is a refusal, what is not modified is not", async () => {
    const request = { service: "s3", method: "GET", path: "/b/k" };
    expect((await described(request, { status: 301 })).errorCode).toBe("PermanentRedirect");
    expect((await described(request, { status: 304 })).errorCode).toBeUndefined();
  });

  test("buckets by host name, access points and directory buckets", async () => {
    const byHost = {
      service: "s3",
      method: "GET",
      path: "/a/b",
      hostBucket: "bkt",
      headers: { host: "bkt.s3.example.com" },
    };
    expect(await described(byHost)).toMatchObject({ requestParameters: { bucketName: "bkt", key: "a/b" } });
    const point = "arn:aws:s3:us-east-1:444455556666:accesspoint/ap";
    const byPoint = { service: "s3", method: "GET", path: `/${encodeURIComponent(point)}/k` };
    expect((await described(byPoint)).resources).toEqual([
      { type: "AWS::S3::Object", ARN: `${point}/object/k` },
      { accountId: "444455556666", type: "AWS::S3::AccessPoint", ARN: point },
    ]);
    const outpost = "arn:aws:s3-outposts:us-east-1:111122223333:outpost/op-1/accesspoint/ap";
    const byOutpost = { service: "s3-outposts", method: "GET", path: `/${encodeURIComponent(outpost)}/k` };
    expect(await described(byOutpost)).toMatchObject({
      eventSource: "s3-outposts.amazonaws.com",
      eventName: "GetObject",
      resources: [{ type: "AWS::S3Outposts::Object", ARN: `${outpost}/object/k` }, {}],
    });
    const express = { service: "s3express", method: "PUT", path: "/b--use1-az4--x-s3/k" };
    expect(await described(express)).toMatchObject({
      eventSource: "s3express.amazonaws.com",
      eventCategory: "Data",
      resources: [
        {
          type: "AWS::S3Express::Object",
          ARN: "arn:aws:s3express:us-east-1:111122223333:bucket/b--use1-az4--x-s3/k",
        },
        { type: "AWS::S3Express::DirectoryBucket" },
      ],
    });
  });
});
