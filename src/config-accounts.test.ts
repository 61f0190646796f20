// Accounts, their users, keys and policies, and the organization over them: what is read and what is refused.
import { describe, expect, test } from "vitest";
import { account, good, key, mary, problem } from "./config-loading.test-world.ts";

describe("accounts", () => {
  const policy = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "cloudtrail:*", Resource: "*" }],
  };

  test("users, keys, policies, root, temporary keys", () => {
    const yaml = {
      accounts: [
        {
          ...{ id: "123456789012", name: "main" },
          users: [{ name: "mary", path: "/ops/", accessKeys: [key], policies: [policy] }],
          root: { accessKeys: [{ ...key, accessKeyId: "AKIAROOT" }] },
        },
        {
          id: "210987654321",
          users: [
            {
              name: "tim",
              accessKeys: [
                {
                  accessKeyId: "ASIATEMP",
                  secretAccessKey: "very-secret-key",
                  sessionToken: "token",
                  expires: "2030-01-31T12:00:00Z",
                },
              ],
            },
          ],
        },
      ],
    };
    expect(good({ yaml }).accounts).toMatchObject([
      {
        ...{ id: "123456789012", name: "main", rootAccessKeys: [{ accessKeyId: "AKIAROOT" }] },
        users: [
          {
            name: "mary",
            path: "/ops/",
            accessKeys: [key],
            policies: [{ statements: [{ effect: "Allow", actions: ["cloudtrail:*"], resources: ["*"] }] }],
          },
        ],
      },
      {
        ...{ id: "210987654321", rootAccessKeys: [] },
        users: [
          {
            name: "tim",
            path: "/",
            accessKeys: [{ sessionToken: "token", expiresMs: Date.UTC(2030, 0, 31, 12) }],
            policies: [],
          },
        ],
      },
    ]);
  });

  test("a secret from a file, without its line end", () => {
    const yaml = {
      accounts: [
        {
          id: "123456789012",
          users: [{ name: "mary", accessKeys: [{ accessKeyId: "AKIA", secretAccessKeyFile: "secret" }] }],
        },
      ],
    };
    const files = { secret: { text: "very-secret-key\n", mode: 0o640 } };
    expect(good({ yaml, files }).accounts[0]?.users[0]?.accessKeys).toEqual([
      { accessKeyId: "AKIA", secretAccessKey: "very-secret-key" },
    ]);
    const open = { secret: { text: "very-secret-key\n", mode: 0o644 } };
    const sentence =
      'accounts[0].users[0].accessKeys[0].secretAccessKeyFile: everybody can read "secret"; run chmod o-rwx secret.';
    expect(problem({ yaml, files: open })).toBe(sentence);
    expect(good({ yaml, files: open, flags: { insecure: "true" } }).warnings).toEqual([sentence]);
    expect(problem({ yaml })).toContain('secretAccessKeyFile: "secret" does not exist');
    expect(problem({ yaml, files: { secret: { text: "two words", mode: 0o600 } } })).toContain(
      'the content of "secret" is not a secret access key.',
    );
  });

  const withKey = (change: object) => ({
    accounts: [{ ...account, users: [{ ...mary, accessKeys: [{ ...key, ...change }] }] }],
  });
  const withUser = (change: object) => ({ accounts: [{ ...account, users: [{ ...mary, ...change }] }] });
  const at = "accounts[0].users[0]";

  test.each<[string, unknown, string]>([
    ["no id", { accounts: [{ users: [mary] }] }, "accounts[0].id: is missing; write 12 digits, in quotes."],
    [
      "an id as a number",
      { accounts: [{ ...account, id: 123456789012 }] },
      "accounts[0].id: 123456789012 is not an account id; write 12 digits in quotes",
    ],
    ["no user name", withUser({ name: undefined }), `${at}.name: is missing`],
    ["a user name with a space", withUser({ name: "mary ann" }), `${at}.name: "mary ann" is not a user name`],
    [
      "a user path",
      withUser({ path: "ops" }),
      `${at}.path: "ops" is not a user path; write for example /teams/security/.`,
    ],
    [
      "no secret",
      withKey({ secretAccessKey: undefined }),
      `${at}.accessKeys[0]: needs either secretAccessKey or secretAccessKeyFile.`,
    ],
    [
      "both secrets",
      withKey({ secretAccessKeyFile: "x" }),
      `${at}.accessKeys[0]: needs either secretAccessKey or secretAccessKeyFile.`,
    ],
    [
      "a secret with a space, not repeated",
      withKey({ secretAccessKey: "hunter2 hunter2" }),
      `${at}.accessKeys[0].secretAccessKey: the value given is not a secret access key`,
    ],
    [
      "an end without a token",
      withKey({ expires: "2030-01-31T12:00:00Z" }),
      `${at}.accessKeys[0]: expires, so it also needs a sessionToken.`,
    ],
    [
      "an end that is no time",
      withKey({ expires: "tomorrow", sessionToken: "t" }),
      `${at}.accessKeys[0].expires: "tomorrow" is not a time`,
    ],
    ["an end on no day", withKey({ expires: "2030-02-31T12:00:60Z", sessionToken: "t" }), "is not a time"],
    [
      "a policy that is none",
      withUser({ policies: [{ Statement: [{ Effect: "Maybe" }] }] }),
      `${at}.policies[0]: is not a policy: `,
    ],
    [
      "a policy with a principal",
      withUser({ policies: [{ ...policy, Statement: [{ ...policy.Statement[0], Principal: "*" }] }] }),
      `${at}.policies[0]: belongs to this user, so no statement may have a Principal.`,
    ],
    [
      "the same account twice",
      { accounts: [account, { id: "123456789012" }] },
      'accounts[1].id: "123456789012" is already given at accounts[0].id; give each only once.',
    ],
    [
      "the same key twice",
      { accounts: [account, { id: "210987654321", users: [mary] }] },
      'accounts[1].users[0].accessKeys[0].accessKeyId: "AKIAEXAMPLE" is already given at accounts[0].users[0].accessKeys[0].accessKeyId',
    ],
    [
      "the same key for root",
      { accounts: [{ ...account, root: { accessKeys: [key] } }] },
      "accounts[0].root.accessKeys[0].accessKeyId: ",
    ],
    [
      "the same user twice",
      { accounts: [{ ...account, users: [mary, { name: "Mary" }] }] },
      "accounts[0].users[1].name: ",
    ],
  ])("%s is refused", (_name, yaml, sentence) => {
    const found = problem({ yaml });
    expect(found).toContain(sentence);
    expect(found).not.toContain("hunter2");
  });
});

describe("organization", () => {
  const organization = { id: "o-exampleorgid", managementAccount: "123456789012" };
  const accounts = [account, { id: "210987654321" }];

  test("its members are the accounts", () => {
    const yaml = { accounts, organization: { ...organization, delegatedAdministrators: ["210987654321"] } };
    expect(good({ yaml }).organization).toEqual({
      ...organization,
      delegatedAdministrators: ["210987654321"],
      members: ["123456789012", "210987654321"],
    });
  });

  test.each<[string, object, string]>([
    ["a bad id", { id: "org" }, 'organization.id: "org" is not an organization id'],
    [
      "a foreign management account",
      { managementAccount: "999999999999" },
      'organization.managementAccount: "999999999999" is not among the accounts',
    ],
    [
      "a foreign administrator",
      { delegatedAdministrators: ["999999999999"] },
      'organization.delegatedAdministrators[0]: "999999999999" is not among the accounts',
    ],
    [
      "management as administrator",
      { delegatedAdministrators: ["123456789012"] },
      "is the management account; leave it out.",
    ],
  ])("%s is refused", (_name, change, sentence) => {
    expect(problem({ yaml: { accounts, organization: { ...organization, ...change } } })).toContain(sentence);
  });
});
