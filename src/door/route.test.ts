// Where requests go, by what they say about themselves.
import { expect, test } from "vitest";
import { groupHeaders } from "./exchange.ts";
import { routeOf } from "./route.ts";

const target = "X-Amz-Target: CloudTrail_20131101.GetTrail";
const signedFor = (service: string) =>
  `Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
const presignedFor = (service: string) =>
  `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20260101%2Fus-east-1%2F${service}%2Faws4_request`;
const form = "Content-Type: application/x-www-form-urlencoded";

test.each([
  ["POST /", [target], "cloudtrail"],
  ["POST /", ["X-Amz-Target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrail"], "cloudtrail"],
  ["POST /", [signedFor("cloudtrail")], "cloudtrail"],
  ["POST /", [target, signedFor("s3")], "cloudtrail"],
  ["POST /", ["X-Amz-Target: DynamoDB_20120810.ListTables", signedFor("cloudtrail")], "cloudtrail"],
  ["POST /", ["X-Amz-Target: cloudtrail_20131101.GetTrail"], "cloudtrail"],
  ["POST /", [], "cloudtrail"],
  [`POST /?${presignedFor("cloudtrail")}`, [], "cloudtrail"],
  [`POST /events?${presignedFor("s3")}&x-amz-target=CloudTrail_20131101.GetTrail`, [], "cloudtrail"],
  ["POST /?X-Amz-Target=CloudTrail_20131101.GetTrail", [], "cloudtrail"],
  ["POST /service/CloudTrail_20131101/operation/GetTrail", [], "rpcV2"],
  ["POST /PutAuditEvents?channelArn=x", [], "auditEvents"],
  ["POST /PutAuditEvents", [signedFor("cloudtrail-data")], "auditEvents"],
  ["GET /anything", [signedFor("cloudtrail-data")], "auditEvents"],
  ["GET /", [signedFor("s3")], "bucket"],
  ["PUT /events", [signedFor("s3")], "bucket"],
  ["GET /healthz", [signedFor("s3")], "bucket"],
  [`GET /bucket/key?${presignedFor("s3")}`, [], "bucket"],
  ["POST /events", [], "events"],
  ["POST /events", [signedFor("cairn")], "events"],
  ["POST /events", [signedFor("cloudtrail")], "events"],
  ["DELETE /events", [], "events"],
  ["POST /events/", [], "nothing"],
  ["POST /EVENTS", [], "nothing"],
  ["GET /healthz", [], "healthz"],
  ["GET /readyz", [], "readyz"],
  ["GET /metrics", ["Authorization: Bearer x"], "metrics"],
  ["GET /statusz?trail=x", ["Authorization: Bearer x"], "statusz"],
  ["GET /", [], "front"],
  ["GET /", ["Authorization: Basic x"], "front"],
  ["POST /", [signedFor("sts"), form], "callerIdentity"],
  ["POST /", [form], "callerIdentity"],
  ["POST /", [signedFor("organizations")], "organizations"],
  ["POST /", ["X-Amz-Target: AWSOrganizationsV20161128.DescribeOrganization"], "organizations"],
  ["POST /", [signedFor("dynamodb")], "otherService"],
  ["GET /2015-03-31/functions", [signedFor("lambda")], "otherService"],
  ["POST /", [signedFor("")], "otherService"],
  ["GET /bucket/key", [], "nothing"],
] as const)("%s %j → %s", (line, headers, kind) => {
  const [method = "", url = ""] = line.split(" ");
  const [path = "", query = ""] = url.split("?");
  const raw = headers.flatMap((header) => [
    header.slice(0, header.indexOf(":")),
    header.slice(header.indexOf(":") + 2),
  ]);
  expect(routeOf({ method, path, query, headers: groupHeaders(raw) }).kind).toBe(kind);
});

const behind = {
  isForwarded: (service: string) => !["cloudtrail", "cairn", "organizations"].includes(service),
  s3Domains: ["s3.example.com"],
};
const host = (name: string) => `Host: ${name}`;

test.each([
  ["POST /", [signedFor("dynamodb")], "recorder dynamodb"],
  ["PUT /events", [signedFor("s3")], "recorder s3"],
  ["POST /service/CloudTrail_20131101/operation/GetTrail", [signedFor("monitoring")], "recorder monitoring"],
  ["POST /service/CloudTrail_20131101/operation/GetTrail", [signedFor("cloudtrail")], "rpcV2"],
  ["POST /", [target, signedFor("logs")], "cloudtrail"],
  ["POST /", [signedFor("cloudtrail")], "cloudtrail"],
  ["POST /events", [signedFor("cairn")], "events"],
  // Log shippers.
  ["POST /events", [signedFor("execute-api")], "events"],
  ["GET /events", [signedFor("execute-api")], "recorder execute-api"],
  ["POST /", [signedFor("sts"), form], "recorder sts"],
  ["POST /", [form], "recorder sts"],
  ["POST /", ["X-Amz-Target: AWSCognitoIdentityService.GetId"], "recorder cognito-identity"],
  ["POST /", ["X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth"], "recorder cognito-idp"],
  ["POST /", ["X-Amz-Target: AWSOrganizationsV20161128.DescribeOrganization"], "organizations"],
  [`GET /bucket/key?${presignedFor("s3")}`, [], "recorder s3"],
  ["GET /healthz", [], "healthz"],
  ["GET /healthz", [host("photos.localhost:4577")], "healthz"],
  ["GET /", [host("photos.localhost:4577")], "front"],
  ["GET /cat.jpg", [host("photos.localhost:4577")], "recorder s3 photos"],
  ["GET /cat.jpg", [host("localhost:4577")], "nothing"],
  ["GET /healthz", [host("photos.s3.example.com")], "recorder s3 photos"],
  ["GET /", [host("S3.Example.com")], "recorder s3"],
  ["PUT /k", [signedFor("s3"), host("my.photos.s3.example.com:80")], "recorder s3 my.photos"],
  ["PUT /k", [signedFor("sqs"), host("photos.s3.example.com")], "recorder sqs"],
  ["POST /bucket", ["Content-Type: multipart/form-data; boundary=x"], "recorder s3"],
  ["OPTIONS /bucket/key", ["Access-Control-Request-Method: PUT"], "recorder s3"],
  ["OPTIONS /bucket/key", [], "nothing"],
] as const)("with services behind: %s %j → %s", (line, headers, kind) => {
  const [method = "", url = ""] = line.split(" ");
  const [path = "", query = ""] = url.split("?");
  const raw = headers.flatMap((header) => [
    header.slice(0, header.indexOf(":")),
    header.slice(header.indexOf(":") + 2),
  ]);
  const route = routeOf({ method, path, query, headers: groupHeaders(raw) }, behind);
  const more = route.kind === "recorder" ? [route.service, route.hostBucket] : [];
  expect([route.kind, ...more].filter((part) => part !== undefined).join(" ")).toBe(kind);
});
