// Who made a call: configured keys, keys that answers handed out, keys that nobody knows; and what a restart leaves.
import { describe, expect, test } from "vitest";
import type { Caller } from "../model/call.ts";
import { parseAccountId } from "../model/arn.ts";
import { openMemoryState } from "../state/memory-state.ts";
import type { PassedCaller } from "./contract.ts";
import { openIdentityBook } from "./identity-book.ts";
import { accountOfKey } from "./key-account.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const issuedMs = 1_768_036_721_500;

function account(text: string) {
  const id = parseAccountId(text);
  if (!id) throw new Error(`${text} is no account.`);
  return id;
}

const mary: Caller = {
  accountId: account("111122223333"),
  kind: "user",
  arn: "arn:aws:iam::111122223333:user/mary",
  principalId: "AIDAMARYEXAMPLE",
  userName: "mary",
  accessKeyId: "AKIAMARY",
};

function signedBy(accessKeyId?: string): PassedCaller {
  return {
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    signature: { version: "SigV4", method: "AuthHeader" },
    sourceIp: "192.0.2.1",
    userAgent: "test",
  };
}

async function book(options: { auth?: "on" | "off"; keysMax?: number } = {}) {
  const clock = { now: issuedMs, nowMs: () => clock.now };
  const state = openMemoryState({ clock });
  const open = () =>
    openIdentityBook({
      ...{ state, clock, log },
      ...(options.keysMax === undefined ? {} : { keysMax: options.keysMax }),
      configuration: () => ({
        auth: options.auth ?? "on",
        defaultAccount: account("123456789012"),
        callerOf: (key) => (key === "AKIAMARY" ? mary : undefined),
        hasAccount: (id) => id === "111122223333" || id === "609629065308",
      }),
    });
  return { identities: await open(), open, clock, state };
}

const maryIdentity = {
  type: "IAMUser",
  principalId: "AIDAMARYEXAMPLE",
  arn: "arn:aws:iam::111122223333:user/mary",
  accountId: "111122223333",
  accessKeyId: "AKIAMARY",
  userName: "mary",
};

describe("a configured key", () => {
  test.each([
    ["accepted", maryIdentity, true],
    ["untold", maryIdentity, false],
    [
      "refused",
      {
        type: "Unknown",
        principalId: "111122223333",
        accountId: "111122223333",
        accessKeyId: "AKIAMARY",
      },
      false,
    ],
  ] as const)("whose signature was %s", async (outcome, userIdentity, isVerified) => {
    const { identities } = await book();
    expect(identities.identify(signedBy("AKIAMARY"), outcome)).toEqual({
      account: "111122223333",
      userIdentity,
      isVerified,
    });
  });

  test("that was verified here needs no answer", async () => {
    const { identities } = await book();
    const caller = { ...signedBy("AKIAMARY"), verified: mary };
    expect(identities.identify(caller, "untold")).toMatchObject({
      userIdentity: maryIdentity,
      isVerified: true,
    });
  });
});

describe("a key that nobody knows", () => {
  test.each([
    ["on", "AKIAUNKNOWN", "123456789012"],
    ["on", "ASIAY34FZKBOKMUTVV7A", "609629065308"],
    ["on", "210987654321", "123456789012"],
    ["off", "210987654321", "210987654321"],
    ["off", "AKIAU7JNXC7K6YHPTBHL", "123456789012"],
  ] as const)("with auth %s, %s belongs to %s", async (auth, key, accountId) => {
    const { identities } = await book({ auth });
    expect(identities.identify(signedBy(key), "accepted")).toEqual({
      account: accountId,
      userIdentity: { type: "Unknown", principalId: accountId, accountId, accessKeyId: key },
      isVerified: true,
    });
  });

  test("tells its account by its bits when it was made since 2019", () => {
    expect(accountOfKey("ASIAY34FZKBOKMUTVV7A")).toBe("609629065308");
    expect(accountOfKey("AKIAU7JNXC7K6YHPTBHL")).toBe("342082656213");
    expect(accountOfKey("AKIAIOSFODNN7EXAMPLE")).toBeUndefined();
    expect(accountOfKey("AKIA")).toBeUndefined();
  });

  test("no key at all is an anonymous caller", async () => {
    const { identities } = await book();
    expect(identities.identify(signedBy(), "accepted").userIdentity).toEqual({
      type: "AWSAccount",
      principalId: "",
      accountId: "ANONYMOUS_PRINCIPAL",
    });
  });
});

const session = {
  accessKeyId: "ASIASESSION",
  kind: "assumedRole",
  arn: "arn:aws:sts::444455556666:assumed-role/Admin/build",
  principalId: "AROAEXAMPLE:build",
  roleArn: "arn:aws:iam::444455556666:role/teams/Admin",
  sourceIdentity: "mary",
  expiresMs: issuedMs + 3_600_000,
} as const;

const sessionIdentity = {
  type: "AssumedRole",
  principalId: "AROAEXAMPLE:build",
  arn: "arn:aws:sts::444455556666:assumed-role/Admin/build",
  accountId: "444455556666",
  accessKeyId: "ASIASESSION",
  sessionContext: {
    sessionIssuer: {
      type: "Role",
      principalId: "AROAEXAMPLE",
      arn: "arn:aws:iam::444455556666:role/teams/Admin",
      accountId: "444455556666",
      userName: "Admin",
    },
    attributes: { creationDate: "2026-01-10T09:18:41Z", mfaAuthenticated: "false" },
    sourceIdentity: "mary",
  },
};

describe("a key that an answer handed out", () => {
  const byMary = { account: mary.accountId, userIdentity: maryIdentity, isVerified: true };

  test("is the role's session, also after a restart, until it has ended", async () => {
    const { identities, open, clock, state } = await book();
    identities.learn(session, byMary, issuedMs);
    expect(identities.identify(signedBy("ASIASESSION"), "accepted")).toEqual({
      account: "444455556666",
      userIdentity: sessionIdentity,
      isVerified: true,
    });
    await identities.settled();
    const restarted = await open();
    expect(restarted.identify(signedBy("ASIASESSION"), "accepted").userIdentity).toEqual(sessionIdentity);
    clock.now += 3_600_000 + 10 * 60_000;
    const later = await open();
    expect(later.identify(signedBy("ASIASESSION"), "accepted").userIdentity["type"]).toBe("Unknown");
    await later.settled();
    expect(await state.list("")).toEqual([]);
  });

  test("of a federated user names who issued it", async () => {
    const { identities } = await book();
    const issued = {
      accessKeyId: "ASIAFEDERATED",
      kind: "federatedUser",
      arn: "arn:aws:sts::111122223333:federated-user/guest",
      principalId: "111122223333:guest",
    } as const;
    identities.learn(issued, byMary, issuedMs);
    expect(identities.identify(signedBy("ASIAFEDERATED"), "accepted").userIdentity).toEqual({
      type: "FederatedUser",
      principalId: "111122223333:guest",
      arn: "arn:aws:sts::111122223333:federated-user/guest",
      accountId: "111122223333",
      accessKeyId: "ASIAFEDERATED",
      sessionContext: {
        sessionIssuer: {
          type: "IAMUser",
          principalId: "AIDAMARYEXAMPLE",
          arn: "arn:aws:iam::111122223333:user/mary",
          accountId: "111122223333",
          userName: "mary",
        },
        attributes: { creationDate: "2026-01-10T09:18:41Z", mfaAuthenticated: "false" },
      },
    });
  });

  test("of a session of a user is the user with a session", async () => {
    const { identities } = await book();
    identities.learn({ accessKeyId: "ASIAMFA", kind: "session", mfaAuthenticated: true }, byMary, issuedMs);
    expect(identities.identify(signedBy("ASIAMFA"), "accepted").userIdentity).toEqual({
      ...maryIdentity,
      accessKeyId: "ASIAMFA",
      sessionContext: { attributes: { creationDate: "2026-01-10T09:18:41Z", mfaAuthenticated: "true" } },
    });
  });

  test("of a web identity's session names the provider", async () => {
    const { identities } = await book();
    const issued = { ...session, kind: "webIdentityUser", provider: "accounts.example.com" } as const;
    identities.learn(issued, byMary, issuedMs);
    expect(identities.identify(signedBy("ASIASESSION"), "accepted").userIdentity).toMatchObject({
      type: "AssumedRole",
      sessionContext: { webIdFederationData: { federatedProvider: "accounts.example.com", attributes: {} } },
    });
  });

  test("of a user stays until it is deleted", async () => {
    const { identities, open, clock } = await book();
    identities.learn({ accessKeyId: "AKIAPAUL", kind: "userKey", userName: "paul" }, byMary, issuedMs);
    await identities.settled();
    clock.now += 400 * 86_400_000;
    const later = await open();
    expect(later.identify(signedBy("AKIAPAUL"), "accepted").userIdentity).toEqual({
      type: "IAMUser",
      arn: "arn:aws:iam::111122223333:user/paul",
      accountId: "111122223333",
      accessKeyId: "AKIAPAUL",
      userName: "paul",
    });
    later.forget("AKIAPAUL");
    await later.settled();
    expect((await open()).identify(signedBy("AKIAPAUL"), "accepted").userIdentity["type"]).toBe("Unknown");
  });

  test("of a user that was made here has its path and id", async () => {
    const { identities, open } = await book();
    const arn = "arn:aws:iam::111122223333:user/teams/paul";
    identities.learnUser({ account: mary.accountId, userName: "paul", arn, principalId: "AIDAPAUL" });
    await identities.settled();
    const later = await open();
    later.learn({ accessKeyId: "AKIAPAUL", kind: "userKey", userName: "paul" }, byMary, issuedMs);
    expect(later.identify(signedBy("AKIAPAUL"), "accepted").userIdentity).toEqual({
      type: "IAMUser",
      principalId: "AIDAPAUL",
      arn,
      accountId: "111122223333",
      accessKeyId: "AKIAPAUL",
      userName: "paul",
    });
    // Nobody becomes a user by calling a key so.
    expect(later.identify(signedBy("user.111122223333.paul"), "accepted").userIdentity["type"]).toBe(
      "Unknown",
    );
    later.forgetUser(mary.accountId, "paul");
    later.learn({ accessKeyId: "AKIAOTHER", kind: "userKey", userName: "paul" }, byMary, issuedMs);
    expect(later.identify(signedBy("AKIAOTHER"), "accepted").userIdentity["arn"]).toBe(
      "arn:aws:iam::111122223333:user/paul",
    );
  });

  test.each([
    [
      "arn:aws:iam::123456789012:user/teams/ann",
      "AIDAANN",
      { type: "IAMUser", principalId: "AIDAANN", userName: "ann" },
    ],
    ["arn:aws:iam::123456789012:root", "123456789012", { type: "Root", principalId: "123456789012" }],
    [
      "arn:aws:sts::123456789012:assumed-role/Admin/ops",
      "AROA1:ops",
      {
        type: "AssumedRole",
        sessionContext: {
          sessionIssuer: { type: "Role", principalId: "AROA1", userName: "Admin" },
          attributes: { mfaAuthenticated: "false" },
        },
      },
    ],
    ["arn:aws:sts::123456789012:federated-user/guest", "123456789012:guest", { type: "FederatedUser" }],
    ["arn:aws:sts::123456789012:user/moto", "AKIAIOSFODNN7EXAMPLE", { type: "Unknown" }],
  ])("whom GetCallerIdentity names: %s", async (arn, principalId, expected) => {
    const { identities } = await book();
    const unknown = identities.identify(signedBy("AKIASELF"), "accepted");
    identities.learn({ accessKeyId: "AKIASELF", kind: "self", arn, principalId }, unknown, issuedMs);
    const { userIdentity } = identities.identify(signedBy("AKIASELF"), "accepted");
    expect(userIdentity).toMatchObject({ ...expected, accountId: "123456789012", accessKeyId: "AKIASELF" });
  });

  test("makes room for newer ones; sessions never push out users", async () => {
    const { identities, state } = await book({ keysMax: 3 });
    identities.learn({ accessKeyId: "AKIAPAUL", kind: "userKey", userName: "paul" }, byMary, issuedMs);
    for (let count = 0; count < 50; count++) {
      identities.learn({ ...session, accessKeyId: `ASIA${count}` }, byMary, issuedMs);
    }
    await identities.settled();
    const kept = (await state.list("recorder/keys/")).map(({ key }) => key.slice("recorder/keys/".length));
    expect(kept).toEqual(["AKIAPAUL", "ASIA47", "ASIA48", "ASIA49"]);
  });
});
