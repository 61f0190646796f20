// Whose key it is that an answer of STS or IAM hands out (contract.ts, IssuedCredentials). No secrets. Pure.
import type { IssuedCredentials } from "../contract.ts";
import { timeOf } from "./record-values.ts";
import type { Members } from "./record-values.ts";
import { child, descendant, parseXml, type XmlElement } from "./xml-tree.ts";
import { named } from "./named.ts";

type Kind = IssuedCredentials["kind"];

const kinds: Readonly<Record<string, Kind>> = named({
  AssumeRole: "assumedRole",
  AssumeRoleWithSAML: "samlUser",
  AssumeRoleWithWebIdentity: "webIdentityUser",
  AssumeRoot: "session",
  GetFederationToken: "federatedUser",
  GetSessionToken: "session",
});

export interface Issue {
  readonly source: string;
  readonly operation: string;
  readonly parameters: Members;
  /** Read only when there is something to look for. */
  readonly answer: () => string;
}

/** Undefined for an answer that hands out nothing. */
export function issuedBy(issue: Issue): IssuedCredentials | undefined {
  const { source, operation, answer } = issue;
  if (source === "iam" && operation === "CreateAccessKey") return userKey(parseXml(answer()));
  if (source === "sts" && operation === "GetCallerIdentity") return self(parseXml(answer()));
  const kind = source === "sts" ? kinds[operation] : undefined;
  return kind && sessionKey(kind, issue, parseXml(answer()));
}

function userKey(answer: XmlElement | undefined): IssuedCredentials | undefined {
  const key = descendant(answer, "AccessKey");
  const accessKeyId = textOf(key, "AccessKeyId");
  const userName = textOf(key, "UserName");
  if (accessKeyId === undefined) return undefined;
  return { accessKeyId, kind: "userKey", ...(userName !== undefined && { userName }) };
}

/** Whose the key is that signed; which one that is, the caller knows. */
function self(answer: XmlElement | undefined): IssuedCredentials | undefined {
  const arn = deepText(answer, "Arn");
  const principalId = deepText(answer, "UserId");
  if (arn === undefined || principalId === undefined) return undefined;
  return { accessKeyId: "", kind: "self", arn, principalId };
}

function sessionKey(
  kind: Kind,
  { operation, parameters }: Issue,
  answer: XmlElement | undefined,
): IssuedCredentials | undefined {
  const credentials = descendant(answer, "Credentials");
  const accessKeyId = textOf(credentials, "AccessKeyId");
  if (accessKeyId === undefined) return undefined;
  const role = descendant(answer, "AssumedRoleUser");
  const federated = descendant(answer, "FederatedUser");
  const told: Told = {
    arn: textOf(role, "Arn") ?? textOf(federated, "Arn"),
    principalId: textOf(role, "AssumedRoleId") ?? textOf(federated, "FederatedUserId"),
    userName: textIn(parameters, "name") ?? textOf(answer, "Subject") ?? subjectOf(answer),
    roleArn: textIn(parameters, "roleArn"),
    sourceIdentity:
      textOf(answer, "SourceIdentity") ??
      deepText(answer, "SourceIdentity") ??
      textIn(parameters, "sourceIdentity"),
    provider: deepText(answer, "Provider") ?? deepText(answer, "Issuer"),
    mfaAuthenticated:
      parameters["serialNumber"] !== undefined && kinds[operation] !== undefined ? true : undefined,
    expiresMs: timeOf(textOf(credentials, "Expiration")),
  };
  return { accessKeyId, kind, ...present(told) };
}

interface Told {
  readonly arn: string | undefined;
  readonly principalId: string | undefined;
  readonly userName: string | undefined;
  readonly roleArn: string | undefined;
  readonly sourceIdentity: string | undefined;
  readonly provider: string | undefined;
  readonly mfaAuthenticated: boolean | undefined;
  readonly expiresMs: number | undefined;
}

function present(told: Told): Omit<IssuedCredentials, "accessKeyId" | "kind"> {
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
}

function textOf(element: XmlElement | undefined, name: string): string | undefined {
  const text = child(element, name)?.text.trim();
  return text === "" ? undefined : text;
}

function deepText(element: XmlElement | undefined, name: string): string | undefined {
  const text = descendant(element, name)?.text.trim();
  return text === "" ? undefined : text;
}

function subjectOf(answer: XmlElement | undefined): string | undefined {
  return deepText(answer, "SubjectFromWebIdentityToken") ?? deepText(answer, "Subject");
}

function textIn(parameters: Members, name: string): string | undefined {
  const text = parameters[name];
  return typeof text === "string" ? text : undefined;
}
