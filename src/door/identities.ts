// The access keys that the configuration knows, as identities: whose they are and what they may do. Pure but for a hash.
import { createHash } from "node:crypto";
import type { AccountId } from "../model/arn.ts";
import type { Caller } from "../model/call.ts";
import type { PolicyDocument } from "../model/policy.ts";
import type { SigningIdentity } from "./ports.ts";

export interface KnownAccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiresMs?: number;
}

export interface KnownAccount {
  readonly id: AccountId;
  readonly users: readonly {
    readonly name: string;
    /** Begins and ends with a slash. */
    readonly path: string;
    readonly accessKeys: readonly KnownAccessKey[];
    readonly policies: readonly PolicyDocument[];
  }[];
  readonly rootAccessKeys: readonly KnownAccessKey[];
}

/** The root user may do everything; policies of accounts do not bind it. */
const everything: PolicyDocument = { statements: [{ effect: "Allow", actions: ["*"], resources: ["*"] }] };

/** Access key id → identity. Keys are unique over all accounts (the configuration checks that). */
export function identitiesOf(
  accounts: readonly KnownAccount[],
  partition: string,
): ReadonlyMap<string, SigningIdentity> {
  const identities = new Map<string, SigningIdentity>();
  for (const { id, users, rootAccessKeys } of accounts) {
    const root = {
      accountId: id,
      kind: "root" as const,
      arn: `arn:${partition}:iam::${id}:root`,
      principalId: id,
    };
    for (const key of rootAccessKeys) identities.set(key.accessKeyId, identity(key, root, [everything]));
    for (const { name, path, accessKeys, policies } of users) {
      const arn = `arn:${partition}:iam::${id}:user${path}${name}`;
      const user = {
        accountId: id,
        kind: "user" as const,
        arn,
        principalId: principalIdOf(arn),
        userName: name,
      };
      for (const key of accessKeys) identities.set(key.accessKeyId, identity(key, user, policies));
    }
  }
  return identities;
}

function identity(
  key: KnownAccessKey,
  caller: Omit<Caller, "accessKeyId" | "session">,
  policies: readonly PolicyDocument[],
): SigningIdentity {
  const { accessKeyId, secretAccessKey, sessionToken, expiresMs } = key;
  return {
    caller: { ...caller, accessKeyId, ...(sessionToken !== undefined && { session: {} }) },
    secretAccessKey,
    policies,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(expiresMs !== undefined && { expiresMs }),
  };
}

/** Users have no stored id: one made of their ARN stays the same over restarts. `AIDA` and 17 of [A-Z2-7]. */
function principalIdOf(arn: string): string {
  const digest = createHash("sha256").update(arn).digest();
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return `AIDA${[...digest.subarray(0, 17)].map((value) => letters.charAt(value % 32)).join("")}`;
}
