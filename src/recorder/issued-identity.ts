// From credentials that an answer handed out to the userIdentity of the calls that they will sign (formats.md §1.4). Pure.
import { sessionAttributes } from "../event/user-identity.ts";
import { type AccountId, parseAccountId, parseArn } from "../model/arn.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { unreachable } from "../model/assert.ts";
import type { IssuedCredentials, RecordedIdentity } from "./contract.ts";

/** Whose key it is. `userIdentity` is that of the records, the key in it. */
export interface KeyOwner {
  readonly account: AccountId;
  readonly userIdentity: JsonObject;
}

/** `by` made the call whose answer this is. */
export function ownerOf(issued: IssuedCredentials, by: RecordedIdentity, nowMs: number): KeyOwner {
  switch (issued.kind) {
    case "assumedRole":
    case "samlUser":
    case "webIdentityUser":
      return roleSession(issued, by, nowMs);
    case "federatedUser":
      return federatedUser(issued, by, nowMs);
    case "session":
      return sessionOf(issued, by, nowMs);
    case "userKey":
      return userKey(issued, by);
    case "self":
      return named(issued, by);
    default:
      return unreachable(issued.kind);
  }
}

/** A session of a role, whoever opened it: its issuer is the role. */
function roleSession(issued: IssuedCredentials, by: RecordedIdentity, beganMs: number | undefined): KeyOwner {
  const { accessKeyId, arn, principalId, roleArn, sourceIdentity, provider } = issued;
  const account = accountOfArn(arn) ?? accountOfArn(roleArn) ?? by.account;
  const role = roleOf(issued);
  const isWebIdentity = issued.kind === "webIdentityUser" && provider !== undefined;
  return {
    account,
    userIdentity: {
      type: "AssumedRole",
      ...given("principalId", principalId),
      ...given("arn", arn),
      accountId: account,
      accessKeyId,
      sessionContext: {
        sessionIssuer: {
          type: "Role",
          ...given("principalId", principalId?.split(":", 1)[0]),
          ...given("arn", role.arn),
          accountId: account,
          ...given("userName", role.name),
        },
        ...(isWebIdentity ? { webIdFederationData: { federatedProvider: provider, attributes: {} } } : {}),
        attributes: sessionAttributes(beganMs, issued.mfaAuthenticated),
        ...given("sourceIdentity", sourceIdentity),
      },
    },
  };
}

/** The role's ARN has its path; the session's has its name only. */
function roleOf({ arn, roleArn }: IssuedCredentials): { readonly arn?: string; readonly name?: string } {
  const asked = roleArn === undefined ? undefined : parseArn(roleArn);
  const askedName = asked?.resource.split("/").at(-1);
  if (roleArn !== undefined && asked?.resource.startsWith("role/") && askedName) {
    return { arn: roleArn, name: askedName };
  }
  const session = arn === undefined ? undefined : parseArn(arn);
  const [kind, name] = session?.resource.split("/") ?? [];
  if (!session || kind !== "assumed-role" || !name) return {};
  return { arn: `arn:${session.partition}:iam::${session.account}:role/${name}`, name };
}

function federatedUser(issued: IssuedCredentials, by: RecordedIdentity, nowMs: number): KeyOwner {
  const account = accountOfArn(issued.arn) ?? by.account;
  const issuer = sessionIssuer(by.userIdentity);
  return {
    account,
    userIdentity: {
      type: "FederatedUser",
      ...given("principalId", issued.principalId),
      ...given("arn", issued.arn),
      accountId: account,
      accessKeyId: issued.accessKeyId,
      sessionContext: {
        ...(issuer ? { sessionIssuer: issuer } : {}),
        attributes: sessionAttributes(nowMs, issued.mfaAuthenticated),
      },
    },
  };
}

/** The user or root that signed; nothing when it is not known who that was. */
function sessionIssuer(by: JsonObject): JsonObject | undefined {
  if (by["type"] !== "IAMUser" && by["type"] !== "Root") return undefined;
  return picked(by, ["type", "principalId", "arn", "accountId", "userName"]);
}

/** GetSessionToken: the same user or root, with a session. */
function sessionOf(issued: IssuedCredentials, by: RecordedIdentity, nowMs: number): KeyOwner {
  return {
    account: by.account,
    userIdentity: {
      ...picked(by.userIdentity, ["type", "principalId", "arn", "accountId"]),
      accessKeyId: issued.accessKeyId,
      ...picked(by.userIdentity, ["userName"]),
      sessionContext: { attributes: sessionAttributes(nowMs, issued.mfaAuthenticated) },
    },
  };
}

/** CreateAccessKey: a user's, perhaps the caller's own. The answer names the user; the path only the ARN knows. */
function userKey(issued: IssuedCredentials, by: RecordedIdentity): KeyOwner {
  const { accessKeyId, userName } = issued;
  const isOwn = by.userIdentity["type"] === "IAMUser" && by.userIdentity["userName"] === userName;
  const own = isOwn ? picked(by.userIdentity, ["principalId", "arn"]) : {};
  const account = accountOfArn(issued.arn) ?? by.account;
  const arn = issued.arn ?? own["arn"] ?? (userName && `arn:aws:iam::${account}:user/${userName}`);
  return {
    account,
    userIdentity: {
      type: "IAMUser",
      ...given("principalId", issued.principalId ?? own["principalId"]),
      ...given("arn", arn),
      accountId: account,
      accessKeyId,
      ...given("userName", userName),
    },
  };
}

/** Whom GetCallerIdentity names. When a session began it does not say. */
function named(issued: IssuedCredentials, by: RecordedIdentity): KeyOwner {
  const { arn = "", accessKeyId, principalId } = issued;
  const parts = parseArn(arn);
  const [kind, ...names] = parts?.resource.split("/") ?? [];
  const account = accountOfArn(arn) ?? by.account;
  const who = { ...given("principalId", principalId), arn, accountId: account, accessKeyId };
  if (parts?.service === "iam" && kind === "root") return { account, userIdentity: { type: "Root", ...who } };
  if (parts?.service === "iam" && kind === "user") {
    return { account, userIdentity: { type: "IAMUser", ...who, ...given("userName", names.at(-1)) } };
  }
  if (parts?.service !== "sts") return by;
  if (kind === "assumed-role") return roleSession(issued, by, undefined);
  if (kind === "federated-user") return { account, userIdentity: { type: "FederatedUser", ...who } };
  return by;
}

function accountOfArn(arn: string | undefined): AccountId | undefined {
  const account = arn === undefined ? undefined : parseArn(arn)?.account;
  return account === undefined ? undefined : parseAccountId(account);
}

function given(name: string, value: JsonValue | undefined): JsonObject {
  return value === undefined || value === "" ? {} : { [name]: value };
}

function picked(from: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
}
