// Who made a call, as its record says it: a verified caller, a configured key, a key that an answer handed out, or what
// the key alone tells. A claim that the service did not believe is not repeated: then no more than the account is named.
import { unknownIdentity, userIdentity } from "../event/user-identity.ts";
import { type AccountId, parseAccountId } from "../model/arn.ts";
import type { Caller } from "../model/call.ts";
import type { IdentityBook, IssuedCredentials, RecordedIdentity } from "./contract.ts";
import { type KeyOwner, ownerOf } from "./issued-identity.ts";
import { accountOfKey } from "./key-account.ts";
import { type LearnedKeysParts, openLearnedKeys } from "./learned-keys.ts";

export interface IdentityConfiguration {
  readonly auth: "on" | "off";
  readonly defaultAccount: AccountId;
  /** The caller of a configured access key. */
  readonly callerOf: (accessKeyId: string) => Caller | undefined;
  readonly hasAccount: (account: AccountId) => boolean;
}

export interface IdentityBookParts extends LearnedKeysParts {
  readonly configuration: () => IdentityConfiguration;
}

export interface OpenIdentityBook extends IdentityBook {
  /** Resolves when everything learned until now is in the store. */
  settled(): Promise<void>;
}

/** Requests without a signature: S3 records them so (formats.md §1.4). */
export const anonymousIdentity = {
  type: "AWSAccount",
  principalId: "",
  accountId: "ANONYMOUS_PRINCIPAL",
} as const;

// A session token is a secret of those who bear it; the key id is not, but nothing longer is kept of what a client sends.
const keyCharactersMax = 128;

export async function openIdentityBook(parts: IdentityBookParts): Promise<OpenIdentityBook> {
  const learned = await openLearnedKeys(parts);

  const ownerOfKey = (accessKeyId: string): KeyOwner | undefined => {
    const configured = parts.configuration().callerOf(accessKeyId);
    if (!configured) return learned.find(accessKeyId);
    return { account: configured.accountId, userIdentity: userIdentity(configured) };
  };

  return {
    identify({ verified, accessKeyId }, signature) {
      if (verified) return verifiedIdentity(verified);
      if (accessKeyId === undefined) {
        const account = parts.configuration().defaultAccount;
        return { account, userIdentity: anonymousIdentity, isVerified: true };
      }
      const key = accessKeyId.slice(0, keyCharactersMax);
      const owner = ownerOfKey(key);
      const isVerified = signature === "accepted";
      if (owner && signature !== "refused") return { ...owner, isVerified };
      const account = owner?.account ?? accountToldBy(key, parts.configuration());
      return { account, userIdentity: unknownIdentity(account, key), isVerified };
    },
    learn(issued: IssuedCredentials, by: RecordedIdentity, nowMs: number) {
      const user = issued.userName === undefined ? undefined : learned.findUser(by.account, issued.userName);
      const named = issued.kind === "userKey" && user ? { ...issued, ...namesOf(user) } : issued;
      const owner = ownerOf(named, by, nowMs);
      // A service that names nobody in particular (moto does) tells nothing.
      if (issued.kind === "self" && owner.userIdentity === by.userIdentity) return;
      learned.keep(issued.accessKeyId, owner, lifetime(issued, nowMs));
    },
    forget: (accessKeyId) => learned.forget(accessKeyId),
    learnUser({ account, userName, arn, principalId }) {
      learned.keepUser({ account, userName }, { account, userIdentity: { arn, principalId } });
    },
    forgetUser: (account, userName) => learned.forgetUser(account, userName),
    settled: () => learned.settled(),
  };
}

function namesOf({ userIdentity }: KeyOwner): Pick<IssuedCredentials, "arn" | "principalId"> {
  const { arn, principalId } = userIdentity;
  return {
    ...(typeof arn === "string" ? { arn } : {}),
    ...(typeof principalId === "string" ? { principalId } : {}),
  };
}

function verifiedIdentity(caller: Caller): RecordedIdentity {
  return {
    account: caller.accountId,
    userIdentity: userIdentity(caller),
    isVerified: caller.kind !== "unverified",
  };
}

/** Without auth a key of 12 digits is the account, as everywhere else; bits that name a foreign account name nobody here. */
function accountToldBy(accessKeyId: string, configuration: IdentityConfiguration): AccountId {
  const { auth, defaultAccount, hasAccount } = configuration;
  const digits = auth === "off" ? parseAccountId(accessKeyId) : undefined;
  if (digits !== undefined) return digits;
  const account = accountOfKey(accessKeyId);
  return account !== undefined && hasAccount(account) ? account : defaultAccount;
}

// A day and a half is the longest any session lasts; a session without a readable end ends then.
const sessionMsMax = 36 * 3_600_000;

function lifetime({ kind, expiresMs }: IssuedCredentials, nowMs: number): number | undefined {
  return kind === "userKey" ? undefined : (expiresMs ?? nowMs + sessionMsMax);
}
