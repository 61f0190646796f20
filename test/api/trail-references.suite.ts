// The rules of trail names and ARNs that every operation with a Name or TrailName keeps (api.md §2.2-2.5), written
// once: each operation's test runs the suite that fits it.
import type { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { describe, expect, test } from "vitest";
import {
  type Api,
  elsewhere,
  expectRefusal,
  expectRefusalWithoutTrace,
  home,
  makeTrail,
  organization,
  type Refusal,
  trailArn,
} from "../harness/api-fixture.ts";

const nameRefusal = (text: string): Refusal => ["InvalidTrailNameException", text];
const tooLong = "a".repeat(129);

/** What is no trail name → the refusal, in the order of the rules. */
export const badNames: readonly (readonly [what: string, name: string | undefined, refusal: Refusal])[] = [
  ["an absent name", undefined, nameRefusal("Trail name cannot be blank!")],
  ["an empty name", "", nameRefusal("Trail name cannot be blank!")],
  ["a blank name", "   ", nameRefusal("Trail name cannot be blank!")],
  [
    "two characters",
    "ab",
    nameRefusal(
      "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters.",
    ),
  ],
  [
    "one question mark",
    "?",
    nameRefusal(
      "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 1 characters.",
    ),
  ],
  [
    "129 characters",
    tooLong,
    nameRefusal(
      "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters.",
    ),
  ],
  ["a hyphen first", "-trail", nameRefusal("Trail name must starts with a letter or number.")],
  ["a hyphen last", "trail-", nameRefusal("Trail name must ends with a letter or number.")],
  ["an exclamation mark last", "trail!", nameRefusal("Trail name must ends with a letter or number.")],
  [
    "a space",
    "my trail",
    nameRefusal(
      "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).",
    ),
  ],
  [
    "a letter beyond ASCII",
    "tr\u00e4il",
    nameRefusal(
      "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).",
    ),
  ],
  [
    "two hyphens",
    "a--b",
    nameRefusal("Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_)."),
  ],
  [
    "a hyphen beside an underscore",
    "my-_x",
    nameRefusal("Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_)."),
  ],
  ["an IP address", "192.168.5.4", nameRefusal("Trail names must not be formatted as an IP address.")],
];

const arnRefusal = (value: string): Refusal => [
  "CloudTrailARNInvalidException",
  `Invalid Trail ARN: ${value}`,
];

const badArns: readonly (readonly [what: string, arn: string, refusal: Refusal])[] = [
  ...[
    ["an ARN of three parts", "arn:aws:cloudtrail"],
    ["the ARN of a bucket", "arn:aws:s3:::trail-logs"],
    ["an account of five digits", "arn:aws:cloudtrail:us-east-1:12345:trail/my-trail"],
    [
      "the ARN of an event data store",
      "arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/11111111-2222-3333-4444-555555555555",
    ],
    ["an ARN without resource", "arn:aws:cloudtrail:us-east-1:123456789012:"],
  ].map(([what = "", arn = ""]) => [what, arn, arnRefusal(arn)] as const),
  [
    "an ARN with a bad name",
    "arn:aws:cloudtrail:us-east-1:123456789012:trail/a--b",
    nameRefusal("Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_)."),
  ],
];

export const badReferences = [...badNames, ...badArns];

/** Runs one operation on the trail that `reference` names. */
export type OnTrail = (client: CloudTrail, reference: string | undefined) => Promise<unknown>;

interface Subject {
  readonly api: () => Api;
  readonly run: OnTrail;
  /** How a bare name that finds nothing is repeated in the text; GetTrail repeats it as given. */
  readonly notFoundAs?: "arn" | "as-given";
}

/** What is no reference at all, and what finds nothing. */
export function referenceSuite({ api, run, notFoundAs = "arn" }: Subject): void {
  const notFound = (ref: string, account: string): Refusal => [
    "TrailNotFoundException",
    `Unknown trail: ${ref} for the user: ${account}`,
  ];
  const shown = (account: string, name: string, region = home) =>
    notFoundAs === "as-given" ? name : trailArn(account, name, region);

  describe("the name or ARN of a trail", () => {
    test.each(badReferences)("is refused: %s", async (_what, reference, refusal) => {
      await expectRefusal(run(api().as(api().newAccount()), reference), refusal);
    });

    test("an unknown name is told with its ARN, or as given by GetTrail", async () => {
      const account = api().newAccount();
      const refusal = notFound(shown(account, "unknown-trail"), account);
      await expectRefusal(run(api().as(account), "unknown-trail"), refusal);
    });

    test("an unknown ARN is told as given", async () => {
      const account = api().newAccount();
      const arn = trailArn(account, "unknown-trail");
      await expectRefusal(run(api().as(account), arn), notFound(arn, account));
    });

    test("names are case-sensitive", async () => {
      const account = api().newAccount();
      await makeTrail(api().as(account), "Case-Trail");
      const refusal = notFound(shown(account, "case-trail"), account);
      await expectRefusalWithoutTrace(api().as(account), () => run(api().as(account), "case-trail"), refusal);
    });

    test("a trail of another account is not found", async () => {
      const [owner, stranger] = [api().newAccount(), api().newAccount()];
      const arn = await makeTrail(api().as(owner), "private-trail", { IsMultiRegionTrail: true });
      await expectRefusalWithoutTrace(
        api().as(owner),
        () => run(api().as(stranger), arn),
        notFound(arn, stranger),
      );
    });

    test("a bare name finds nothing from another Region, multi-Region or not", async () => {
      const account = api().newAccount();
      await makeTrail(api().as(account), "single-trail");
      await makeTrail(api().as(account), "multi-trail", { IsMultiRegionTrail: true });
      for (const name of ["single-trail", "multi-trail"]) {
        await expectRefusal(
          run(api().as(account, elsewhere), name),
          notFound(shown(account, name, elsewhere), account),
        );
      }
    });

    test.each([organization.member, organization.delegated])(
      "the bare name of an organization trail finds nothing for %s",
      async (account) => {
        const name = `org-trail-${account}`;
        await withOrganizationTrail(api(), name, async () => {
          await expectRefusal(run(api().as(account), name), notFound(shown(account, name), account));
        });
      },
    );
  });
}

/** Reading calls see shadow trails by ARN; `answered` looks at what they got. */
export function readingSuite(subject: Subject & { readonly answered: (output: unknown) => void }): void {
  const { api, run, answered } = subject;
  describe("reading by ARN", () => {
    test("a multi-Region trail is answered from another Region", async () => {
      const account = api().newAccount();
      const arn = await makeTrail(api().as(account), "multi-trail", { IsMultiRegionTrail: true });
      answered(await run(api().as(account, elsewhere), arn));
    });

    test("a single-Region trail is not found from another Region", async () => {
      const account = api().newAccount();
      const arn = await makeTrail(api().as(account), "single-trail");
      await expectRefusal(run(api().as(account, elsewhere), arn), [
        "TrailNotFoundException",
        `Unknown trail: ${arn} for the user: ${account}`,
      ]);
    });

    test.each([organization.member, organization.delegated])(
      "an organization trail is answered for %s of the organization",
      async (account) => {
        await withOrganizationTrail(api(), "read-org-trail", async (arn) => {
          answered(await run(api().as(account), arn));
        });
      },
    );

    test("an organization trail is not found outside the organization", async () => {
      const stranger = api().newAccount();
      await withOrganizationTrail(api(), "closed-org-trail", async (arn) => {
        await expectRefusal(run(api().as(stranger), arn), [
          "TrailNotFoundException",
          `Unknown trail: ${arn} for the user: ${stranger}`,
        ]);
      });
    });
  });
}

/** Changing calls work in the home Region only, and never for a member of the organization. */
export function changingSuite({ api, run }: Subject): void {
  describe("changing by ARN", () => {
    test.each([true, false])(
      "from another Region is refused (multi-Region: %s)",
      async (IsMultiRegionTrail) => {
        const account = api().newAccount();
        const arn = await makeTrail(api().as(account), "home-trail", { IsMultiRegionTrail });
        await expectRefusalWithoutTrace(api().as(account), () => run(api().as(account, elsewhere), arn), [
          "InvalidHomeRegionException",
          `The trail ${arn} can only be changed in its home region ${home}.`,
        ]);
      },
    );

    test("an organization trail is refused for a member", async () => {
      await withOrganizationTrail(api(), "member-org-trail", async (arn) => {
        await expectRefusalWithoutTrace(
          api().as(organization.management),
          () => run(api().as(organization.member), arn),
          ["AccessDeniedException", "Access Denied: You do not have permission to operate on this resource"],
        );
      });
    });

    test.each([organization.management, organization.delegated])(
      "an organization trail is accepted from %s",
      async (account) => {
        const client = api().as(organization.management);
        const arn = await makeTrail(client, `admin-org-trail-${account}`, { IsOrganizationTrail: true });
        await expect(run(api().as(account), arn)).resolves.toBeDefined();
        // DeleteTrail's own test has deleted it already.
        await client.deleteTrail({ Name: arn }).catch(() => undefined);
      },
    );
  });
}

/** A multi-Region organization trail of the management account, for as long as `use` runs. */
export async function withOrganizationTrail(
  api: Api,
  name: string,
  use: (arn: string) => Promise<void>,
): Promise<void> {
  const client = api.as(organization.management);
  const arn = await makeTrail(client, name, { IsOrganizationTrail: true, IsMultiRegionTrail: true });
  try {
    await use(arn);
  } finally {
    await client.deleteTrail({ Name: arn });
  }
}
