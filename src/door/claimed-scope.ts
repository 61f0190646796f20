// Which service and Region a request says it is signed for, in every form a signature may have: SigV4, SigV4A (a set of
// Regions), and the old S3 signature, which names neither. Pure. Must not: check anything.
import type { PassedCaller } from "../recorder/contract.ts";
import { parametersOf } from "./authorization-header.ts";
import { type DoorRequest, headerOf, queryParameter } from "./exchange.ts";
import { isPresigned } from "./presigned.ts";
import { looseScope } from "./read-claim.ts";

export interface ClaimedScope {
  readonly service: string;
  /** Absent when the signature names none. */
  readonly region?: string;
  readonly accessKeyId: string;
  readonly signature: PassedCaller["signature"];
}

type ClaimSource = Pick<DoorRequest, "headers" | "query">;

export function claimedScope(request: ClaimSource): ClaimedScope | undefined {
  const scope = looseScope(request);
  if (scope) {
    const { service, region, accessKeyId } = scope;
    const method = request.headers.has("authorization") ? "AuthHeader" : "QueryString";
    return { service, region, accessKeyId, signature: { version: "SigV4", method } };
  }
  return setScope(request) ?? oldS3Scope(request);
}

/** SigV4A: `Credential=keyid/date/service/aws4_request`, and the Regions in a header or parameter of their own. */
function setScope(request: ClaimSource): ClaimedScope | undefined {
  const header = headerOf(request, "authorization");
  const isHeader = header?.startsWith("AWS4-ECDSA-P256-SHA256") === true;
  if (!isHeader && !isPresigned(request.query)) return undefined;
  const credential = isHeader
    ? parametersOf(header).credential
    : queryParameter(request.query, "X-Amz-Credential");
  const parts = credential?.split("/") ?? [];
  const [accessKeyId = "", , service = "", terminator] = parts;
  if (parts.length !== 4 || terminator !== "aws4_request" || accessKeyId === "") return undefined;
  const set = headerOf(request, "x-amz-region-set") ?? queryParameter(request.query, "X-Amz-Region-Set");
  const [region = ""] = set?.split(",") ?? [];
  const signature = { version: "SigV4A", method: isHeader ? "AuthHeader" : "QueryString" } as const;
  return { service, accessKeyId, signature, ...(/^[a-z0-9-]+$/.test(region) && { region }) };
}

/** `Authorization: AWS keyid:signature`, or its presigned form: nobody but S3 takes it any more. */
function oldS3Scope(request: ClaimSource): ClaimedScope | undefined {
  const accessKeyId = /^AWS ([^:\s]{1,128}):/.exec(headerOf(request, "authorization") ?? "")?.[1];
  if (accessKeyId !== undefined) {
    return { service: "s3", accessKeyId, signature: { version: "SigV2", method: "AuthHeader" } };
  }
  if (!/(^|&)AWSAccessKeyId=/.test(request.query) || !/(^|&)Signature=/.test(request.query)) return undefined;
  const key = queryParameter(request.query, "AWSAccessKeyId") ?? "";
  return { service: "s3", accessKeyId: key, signature: { version: "SigV2", method: "QueryString" } };
}
