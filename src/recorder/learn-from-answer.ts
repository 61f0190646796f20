// What the answers of STS and IAM tell of keys and users, for the records of the calls that come after. Only answers that
// a service gave in earnest are read: the signature of the call was accepted.
import type { JsonObject, JsonValue } from "../model/json.ts";
import { isObject } from "../model/json.ts";
import type {
  CallDescription,
  IdentityBook,
  IssuedCredentials,
  PassedCall,
  RecordedIdentity,
} from "./contract.ts";

interface Asker {
  readonly identity: RecordedIdentity;
  readonly call: PassedCall;
}

export function learnFromAnswer(
  description: CallDescription,
  by: Asker,
  identities: Pick<IdentityBook, "learn" | "forget" | "learnUser" | "forgetUser">,
): void {
  const { issued } = description;
  if (issued?.kind === "self") learnSelf(issued, by, identities);
  else if (issued) identities.learn(issued, by.identity, by.call.finishedMs);
  if (description.eventSource === "iam.amazonaws.com") learnOfUsers(description, by, identities);
}

/**
 * Whom GetCallerIdentity names, when nobody knew. Another account than the key was counted for is not believed: with auth
 * off the trails of the key's account would see nothing more of it.
 */
function learnSelf(
  issued: IssuedCredentials,
  { identity, call }: Asker,
  identities: Pick<IdentityBook, "learn">,
): void {
  const { verified, accessKeyId } = call.caller;
  if (verified || accessKeyId === undefined || identity.userIdentity["type"] !== "Unknown") return;
  if (!issued.arn?.includes(`:${identity.account}:`)) return;
  identities.learn({ ...issued, accessKeyId }, identity, call.finishedMs);
}

function learnOfUsers(
  { eventName, requestParameters, responseElements }: CallDescription,
  { identity }: Asker,
  identities: Pick<IdentityBook, "forget" | "learnUser" | "forgetUser">,
): void {
  const { account } = identity;
  const userName = textIn(requestParameters, "userName");
  switch (eventName) {
    case "CreateUser": {
      const user = objectIn(responseElements, "user");
      const [arn, principalId] = [textIn(user, "arn"), textIn(user, "userId")];
      const name = textIn(user, "userName");
      if (arn && principalId && name) identities.learnUser({ account, userName: name, arn, principalId });
      return;
    }
    case "DeleteUser":
      if (userName !== undefined) identities.forgetUser(account, userName);
      return;
    case "DeleteAccessKey": {
      const accessKeyId = textIn(requestParameters, "accessKeyId");
      if (accessKeyId !== undefined) identities.forget(accessKeyId);
      return;
    }
    default:
  }
}

function textIn(members: JsonObject | null | undefined, name: string): string | undefined {
  const value = members?.[name];
  return typeof value === "string" ? value : undefined;
}

function objectIn(members: JsonObject | null, name: string): JsonObject | undefined {
  const value: JsonValue | undefined = members?.[name];
  return isObject(value) ? value : undefined;
}
