// Signs a request again for a service that knows other credentials than the caller's: verifies and authorizes as at the
// other doors, then puts a signature of the configured credentials in place of the caller's.
// Must not: read bodies, or decide what an action is called.
import { createHash, hash } from "node:crypto";
import { unreachable } from "../model/assert.ts";
import type { ServiceDeed } from "../recorder/contract.ts";
import type {
  Admitted,
  ResignCredentials,
  Resigner,
  ResignRequest,
  SignedRequest,
} from "../recorder/ports.ts";
import {
  type AdmissionParts,
  authenticate,
  type ReadRequest,
  type UnreadDoorRequest,
} from "./authenticate.ts";
import { authorize, explicitlyDenied, isDeniedSomewhere } from "./authorize.ts";
import { createChunkChain } from "./aws-chunked.ts";
import { canonicalRequest } from "./canonical-request.ts";
import { decodeBytes, type DoorRequest, groupHeaders } from "./exchange.ts";
import { isoBasic } from "./iso-basic.ts";
import type { RecorderRoute } from "./route.ts";
import type { VerifiedSignature } from "./sigv4.ts";

/** For one request, which goes to `route.service`. */
export function createResigner(
  request: DoorRequest,
  route: Pick<RecorderRoute, "service" | "hostBucket">,
  parts: AdmissionParts,
): Resigner {
  return {
    admit: (body) => admit(body ? { ...request, body } : { ...request, body: undefined }, route, parts),
    sign: (toSign, credentials) => sign(toSign, credentials, parts),
  };
}

function admit(
  request: ReadRequest | UnreadDoorRequest,
  { service, hostBucket }: Pick<RecorderRoute, "service" | "hostBucket">,
  parts: AdmissionParts,
): Admitted {
  const style = service === "s3" ? "s3" : "standard";
  const rules = { services: [service], style, hostBucket } as const;
  const { call, permissions, signature } = authenticate(request, rules, parts);
  const chunks = signature && chunkChain(signature);
  return {
    caller: call.caller,
    account: call.caller.accountId,
    authorize(deed) {
      // Any that is denied might be among what it stands for.
      if (standsForSome(deed) && isDeniedSomewhere(permissions, deed.action))
        throw explicitlyDenied(call.caller.arn, deed);
      authorize(permissions, call.caller.arn, [deed]);
    },
    ...(chunks && { chunks }),
  };
}

/** Which actions or resources it is about cannot be told. */
function standsForSome({ action, resource, isUntold }: ServiceDeed): boolean {
  return action.endsWith(":*") || isUntold === true || (resource === "*" && !isListing.test(action));
}

/** Operations that are about no resource in particular. */
const isListing = /:(List|Describe)\w*$/;

const emptyHash = hash("sha256", "", "hex");

function chunkChain(signature: VerifiedSignature): Admitted["chunks"] {
  const chain = createChunkChain(signature);
  return {
    isNext(kind, contentHash, chunkSignature) {
      switch (kind) {
        case "PAYLOAD":
          return chain.isNext(kind, `${emptyHash}\n${contentHash}`, chunkSignature);
        case "TRAILER":
          return chain.isNext(kind, contentHash, chunkSignature);
        default:
          return unreachable(kind);
      }
    },
  };
}

/** The caller's signature, in headers or query, with everything that belongs to it. */
const ofSignature: ReadonlySet<string> = new Set([
  ...["authorization", "x-amz-date", "date", "x-amz-security-token", "x-amz-content-sha256", "host"],
  "x-amz-region-set",
]);
const ofPresigning =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|region-set)$/i;
/** The same of S3's old signature. */
const ofOldPresigning: ReadonlySet<string> = new Set(["AWSAccessKeyId", "Signature", "Expires"]);
/** What hops change, or what proxies before the service may: not signed. */
const signedNames = /^(host|content-type|content-md5|x-amz-.*)$/;

function sign(
  toSign: ResignRequest,
  credentials: ResignCredentials,
  { clock, signingKeys }: AdmissionParts,
): SignedRequest {
  const { method, path, host, service, payloadHash } = toSign;
  const time = isoBasic(clock.nowMs());
  const isOld = /(^|&)AWSAccessKeyId=/.test(toSign.query);
  const isOfCaller = (name: string) => ofPresigning.test(name) || (isOld && ofOldPresigning.has(name));
  const query = toSign.query
    .split("&")
    .filter((pair) => pair !== "" && !isOfCaller(decodeBytes(pair.split("=", 1)[0] ?? "")))
    .join("&");
  const headers = ["Host", host];
  for (let at = 0; at + 1 < toSign.headers.length; at += 2) {
    const [name = "", value = ""] = toSign.headers.slice(at, at + 2);
    if (!ofSignature.has(name.toLowerCase())) headers.push(name, value);
  }
  headers.push("X-Amz-Date", time);
  if (service === "s3") headers.push("X-Amz-Content-Sha256", payloadHash);
  if (credentials.sessionToken !== undefined) headers.push("X-Amz-Security-Token", credentials.sessionToken);

  const grouped = groupHeaders(headers);
  const signedHeaders = [...grouped.keys()].filter((name) => signedNames.test(name)).sort();
  const canonical = canonicalRequest(
    { method, path, query, headers: grouped },
    { path: service === "s3" ? "as-sent" : "normalized", signedHeaders, payloadHash },
  );
  const region = credentials.region ?? toSign.region;
  const { accessKeyId, secretAccessKey } = credentials;
  const scope = { accessKeyId, date: time.slice(0, 8), region, service, terminator: "aws4_request" };
  const scopeText = `${scope.date}/${region}/${service}/aws4_request`;
  const canonicalHash = createHash("sha256").update(canonical, "latin1").digest("hex");
  const signature = signingKeys
    .derive(secretAccessKey, scope)
    .sign(`AWS4-HMAC-SHA256\n${time}\n${scopeText}\n${canonicalHash}`);
  const names = signedHeaders.join(";");
  headers.push(
    "Authorization",
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeText}, SignedHeaders=${names}, Signature=${signature}`,
  );
  return { target: query === "" ? path : `${path}?${query}`, headers };
}
