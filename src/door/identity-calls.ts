// The two calls that clients of CloudTrail make to other services on their way, answered minimally:
// STS GetCallerIdentity (query protocol) and Organizations DescribeOrganization (JSON 1.1).
import { ApiError } from "../model/errors.ts";
import { escapeXml, jsonAnswer } from "./answers.ts";
import { type AdmissionParts, authenticate, type ReadRequest } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import type { DoorAnswer } from "./exchange.ts";
import { targetOf } from "./route.ts";

/** Says who calls. Needs no permission, as in AWS. Throws ApiErrors. */
export function answerCallerIdentity(request: ReadRequest, parts: AdmissionParts): DoorAnswer {
  const { caller, requestId } = authenticate(request, { services: ["sts"], style: "standard" }, parts).call;
  const form = new URLSearchParams(
    request.method === "POST" ? Buffer.from(request.body).toString("utf8") : request.query,
  );
  const action = form.get("Action") ?? "";
  if (action !== "GetCallerIdentity") {
    throw new ApiError(
      "InvalidAction",
      `The action ${action.slice(0, 64)} is not answered here: of STS only GetCallerIdentity is, and no endpoint for sts is configured.`,
    );
  }
  const body =
    `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
    `<Arn>${escapeXml(caller.arn)}</Arn><UserId>${escapeXml(caller.principalId)}</UserId><Account>${caller.accountId}</Account>` +
    `</GetCallerIdentityResult><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;
  return { status: 200, headers: { "Content-Type": "text/xml" }, body };
}

/** Describes the configured organization. Throws ApiErrors. */
export function answerOrganizations(request: ReadRequest, parts: AdmissionParts): DoorAnswer {
  const { call, permissions } = authenticate(
    request,
    { services: ["organizations"], style: "standard" },
    parts,
  );
  if (targetOf(request) !== "AWSOrganizationsV20161128.DescribeOrganization") {
    throw new ApiError(
      "UnknownOperationException",
      "Of AWS Organizations only DescribeOrganization is answered here, and no endpoint for organizations is configured.",
    );
  }
  authorize(permissions, call.caller.arn, [{ action: "organizations:DescribeOrganization", resource: "*" }]);
  const { organization } = parts.configuration();
  if (!organization?.members.includes(call.caller.accountId)) {
    throw new ApiError(
      "AWSOrganizationsNotInUseException",
      "Your account is not a member of an organization.",
    );
  }
  const { id, managementAccount } = organization;
  return jsonAnswer(200, {
    Organization: {
      Id: id,
      Arn: `arn:aws:organizations::${managementAccount}:organization/${id}`,
      FeatureSet: "ALL",
      MasterAccountArn: `arn:aws:organizations::${managementAccount}:account/${id}/${managementAccount}`,
      MasterAccountId: managementAccount,
      AvailablePolicyTypes: [],
    },
  });
}
