// What a request to S3 asks for beside its operation.
import { expect, test } from "vitest";
import { parseRegion } from "../model/regions.ts";
import { extraS3Deeds } from "./s3-extra-deeds.ts";

const region = parseRegion("us-east-1");
if (!region) throw new Error("There is such a Region.");
const base = { service: "s3", region, method: "PUT", path: "/b/k", query: "" };
const object = "arn:aws:s3:::b/k";
const ofPoint = "arn:aws:s3:us-east-1:111122223333:accesspoint/ap/object/k";

test.each([
  [{}, "", []],
  [{ "content-type": "x", "x-amz-meta-acl": "x" }, "versionId=1", []],
  [{ "x-amz-copy-source": "/c/a%20b" }, "", ["s3:GetObject arn:aws:s3:::c/a b"]],
  [{ "x-amz-copy-source": "c/k?versionId=3" }, "", ["s3:GetObjectVersion arn:aws:s3:::c/k"]],
  [{ "x-amz-copy-source": encodeURIComponent(ofPoint) }, "", [`s3:GetObject ${ofPoint}`]],
  [{ "x-amz-copy-source": "c/a/%2E%2E/k" }, "", ["s3:* *"]],
  [{}, "X-Amz-Copy-Source=c%2Fk", ["s3:GetObject arn:aws:s3:::c/k"]],
  [
    { "x-amz-acl": "public-read", "x-amz-tagging": "a=b" },
    "",
    [`s3:PutObjectAcl ${object}`, `s3:PutObjectTagging ${object}`],
  ],
  [{ "x-amz-grant-read": "x" }, "", [`s3:PutObjectAcl ${object}`]],
  [{ "x-amz-object-lock-mode": "GOVERNANCE" }, "", [`s3:PutObjectRetention ${object}`]],
  [{ "x-amz-bypass-governance-retention": "true" }, "", [`s3:BypassGovernanceRetention ${object}`]],
])("%j ?%s", (headers, query, wanted) => {
  const grouped = new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));
  const deeds = extraS3Deeds(
    { ...base, query, headers: grouped },
    { action: "s3:PutObject", resource: object },
  );
  expect(deeds.map(({ action, resource }) => `${action} ${resource}`)).toEqual(wanted);
});

test.each([
  ["s3:CreateBucket", "arn:aws:s3:::b", "s3:PutBucketAcl"],
  ["s3:PutObject", "arn:aws:s3:::b/a:b", "s3:PutObjectAcl"],
])("the access list of %s %s is %s", (action, resource, wanted) => {
  const headers = new Map([["x-amz-acl", ["private"]]]);
  expect(extraS3Deeds({ ...base, headers }, { action, resource })).toEqual([{ action: wanted, resource }]);
});

test("of several objects each is asked for", () => {
  const headers = new Map([["x-amz-bypass-governance-retention", ["true"]]]);
  const all = { resource: "arn:aws:s3:::b/*", among: ["arn:aws:s3:::b/a", "arn:aws:s3:::b/c"] };
  expect(extraS3Deeds({ ...base, headers }, { action: "s3:DeleteObject", ...all })).toEqual([
    { action: "s3:BypassGovernanceRetention", ...all },
  ]);
});
