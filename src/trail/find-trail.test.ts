// Which call sees which trail from where (api.md §2.3-§2.5, §4.4-§4.6).
import { describe, expect, test } from "vitest";
import type { TrailOperations } from "./trail-operations.ts";
import {
  callFrom,
  delegate,
  documentsOf,
  ireland,
  management,
  mary,
  member,
  ohio,
  openTrailWorld,
  organization,
  refusalOf,
  stranger,
  trailArnOf,
  virginia,
} from "./trail.test-world.ts";

/** Trails of mary: `multi` and `single` homed in Ohio, `irish` in Ireland. */
async function openWorldWithTrails() {
  const world = await openTrailWorld();
  const create = async (Name: string, IsMultiRegionTrail: boolean, call = callFrom()) =>
    world.operations.CreateTrail({ Name, S3BucketName: "my-bucket", IsMultiRegionTrail }, call);
  await create("multi", true);
  await create("irish", false, callFrom(mary, ireland));
  await create("single", false);
  await world.operations.PutInsightSelectors(
    { TrailName: "multi", InsightSelectors: [{ InsightType: "ApiCallRateInsight" }] },
    callFrom(),
  );
  await world.operations.PutInsightSelectors(
    { TrailName: "single", InsightSelectors: [{ InsightType: "ApiCallRateInsight" }] },
    callFrom(),
  );
  return world;
}

type Calls = Readonly<
  Record<
    string,
    (operations: TrailOperations, name: string, call: ReturnType<typeof callFrom>) => Promise<unknown>
  >
>;
const readers: Calls = {
  GetTrail: async (operations, Name, call) => operations.GetTrail({ Name }, call),
  GetTrailStatus: async (operations, Name, call) => operations.GetTrailStatus({ Name }, call),
  GetEventSelectors: async (operations, TrailName, call) => operations.GetEventSelectors({ TrailName }, call),
  GetInsightSelectors: async (operations, TrailName, call) =>
    operations.GetInsightSelectors({ TrailName }, call),
};
const changers: Calls = {
  UpdateTrail: async (operations, Name, call) => operations.UpdateTrail({ Name, S3KeyPrefix: "p" }, call),
  DeleteTrail: async (operations, Name, call) => operations.DeleteTrail({ Name }, call),
  StartLogging: async (operations, Name, call) => operations.StartLogging({ Name }, call),
  StopLogging: async (operations, Name, call) => operations.StopLogging({ Name }, call),
  PutEventSelectors: async (operations, TrailName, call) =>
    operations.PutEventSelectors({ TrailName, EventSelectors: [{}] }, call),
  PutInsightSelectors: async (operations, TrailName, call) =>
    operations.PutInsightSelectors({ TrailName, InsightSelectors: [] }, call),
};
const unknown = (ref: string, user: string = mary) =>
  `TrailNotFoundException: Unknown trail: ${ref} for the user: ${user}`;

describe.each(Object.entries(readers))("%s", (operation, read) => {
  test.each([
    ["multi", ohio, "accepted"],
    ["single", ohio, "accepted"],
    [trailArnOf("multi"), ohio, "accepted"],
    [trailArnOf("single"), ohio, "accepted"],
    [trailArnOf("multi"), virginia, "accepted"],
    [trailArnOf("single"), virginia, unknown(trailArnOf("single"))],
    [trailArnOf("nobody"), ohio, unknown(trailArnOf("nobody"))],
    [trailArnOf("multi", { region: virginia }), virginia, unknown(trailArnOf("multi", { region: virginia }))],
    [trailArnOf("multi", { account: stranger }), ohio, unknown(trailArnOf("multi", { account: stranger }))],
    ["arn:aws:s3:::bucket", ohio, "CloudTrailARNInvalidException: Invalid Trail ARN: arn:aws:s3:::bucket"],
    ["arn:", ohio, "CloudTrailARNInvalidException: Invalid Trail ARN: arn:"],
    [
      `arn:aws:cloudtrail:us-east-2:${mary}:eventdatastore/x`,
      ohio,
      `CloudTrailARNInvalidException: Invalid Trail ARN: arn:aws:cloudtrail:us-east-2:${mary}:eventdatastore/x`,
    ],
    [
      "arn:aws:cloudtrail:us-east-2:12345:trail/multi",
      ohio,
      "CloudTrailARNInvalidException: Invalid Trail ARN: arn:aws:cloudtrail:us-east-2:12345:trail/multi",
    ],
    [
      trailArnOf("multi:x"),
      ohio,
      `CloudTrailARNInvalidException: Invalid Trail ARN: ${trailArnOf("multi:x")}`,
    ],
    [
      trailArnOf("a--b"),
      ohio,
      "InvalidTrailNameException: Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_).",
    ],
    [
      "?",
      ohio,
      "InvalidTrailNameException: Trail name too short. Minimum allowed length: 3 characters. Specified name length: 1 characters.",
    ],
    ["", ohio, "InvalidTrailNameException: Trail name cannot be blank!"],
  ])("of %s from %s: %s", async (name, from, expected) => {
    const { operations } = await openWorldWithTrails();
    expect(await refusalOf(read(operations, name, callFrom(mary, from)))).toBe(expected);
  });

  test("by a bare name finds no shadow trail, and names it as the service does", async () => {
    const { operations } = await openWorldWithTrails();
    const ref = operation === "GetTrail" ? "multi" : trailArnOf("multi", { region: virginia });
    expect(await refusalOf(read(operations, "multi", callFrom(mary, virginia)))).toBe(unknown(ref));
  });
});

describe.each(Object.entries(changers))("%s", (_operation, change) => {
  test.each([
    ["multi", ohio, "accepted"],
    [trailArnOf("single"), ohio, "accepted"],
    ["multi", virginia, unknown(trailArnOf("multi", { region: virginia }))],
    ["single", virginia, unknown(trailArnOf("single", { region: virginia }))],
    [
      trailArnOf("multi"),
      virginia,
      `InvalidHomeRegionException: The trail ${trailArnOf("multi")} can only be changed in its home region us-east-2.`,
    ],
    [
      trailArnOf("single"),
      virginia,
      `InvalidHomeRegionException: The trail ${trailArnOf("single")} can only be changed in its home region us-east-2.`,
    ],
    [trailArnOf("nobody"), ohio, unknown(trailArnOf("nobody"))],
    [trailArnOf("multi", { account: stranger }), ohio, unknown(trailArnOf("multi", { account: stranger }))],
    ["arn:aws:s3:::bucket", ohio, "CloudTrailARNInvalidException: Invalid Trail ARN: arn:aws:s3:::bucket"],
    [
      "x",
      ohio,
      "InvalidTrailNameException: Trail name too short. Minimum allowed length: 3 characters. Specified name length: 1 characters.",
    ],
  ])("of %s from %s: %s", async (name, from, expected) => {
    const world = await openWorldWithTrails();
    const before = await documentsOf(world);
    expect(await refusalOf(change(world.operations, name, callFrom(mary, from)))).toBe(expected);
    if (expected !== "accepted") expect(await documentsOf(world)).toEqual(before);
  });
});

describe("DescribeTrails and ListTrails", () => {
  const names = (list: readonly { Name?: string | undefined }[] | undefined) =>
    list?.map((trail) => trail.Name);

  test.each([
    [ohio, ["multi", "single"], ["multi", "single"]],
    [ireland, ["irish", "multi"], ["irish"]],
    [virginia, ["multi"], []],
  ])("from %s", async (from, withShadows, withoutShadows) => {
    const { operations } = await openWorldWithTrails();
    const call = callFrom(mary, from);
    expect(names((await operations.DescribeTrails({}, call)).trailList)).toEqual(withShadows);
    expect(names((await operations.DescribeTrails({ trailNameList: [] }, call)).trailList)).toEqual(
      withShadows,
    );
    const described = await operations.DescribeTrails({ includeShadowTrails: true }, call);
    expect(names(described.trailList)).toEqual(withShadows);
    const home = await operations.DescribeTrails({ includeShadowTrails: false }, call);
    expect(names(home.trailList)).toEqual(withoutShadows);
    expect(names((await operations.ListTrails({}, call)).Trails)).toEqual(withShadows);
  });

  test("show nothing of others", async () => {
    const { operations } = await openWorldWithTrails();
    expect(await operations.DescribeTrails({}, callFrom(stranger))).toStrictEqual({ trailList: [] });
    expect(await operations.ListTrails({}, callFrom(stranger))).toStrictEqual({ Trails: [] });
  });

  test.each([
    [ohio, ["single", "multi"], ["single", "multi"]],
    [ohio, ["single", "nobody", trailArnOf("nobody"), trailArnOf("single"), "single"], ["single"]],
    [ohio, ["irish"], []],
    [ohio, [trailArnOf("irish", { region: ireland })], []],
    [ireland, ["multi"], []],
    [ireland, [trailArnOf("multi"), "irish"], ["multi", "irish"]],
    [ireland, [trailArnOf("single")], []],
    [ohio, [trailArnOf("multi", { account: stranger })], []],
  ])("DescribeTrails from %s of %j gives %j", async (from, trailNameList, expected) => {
    const { operations } = await openWorldWithTrails();
    const output = await operations.DescribeTrails({ trailNameList }, callFrom(mary, from));
    expect(names(output.trailList)).toEqual(expected);
  });

  test("includeShadowTrails=false also leaves out listed ARNs", async () => {
    const { operations } = await openWorldWithTrails();
    const input = { trailNameList: [trailArnOf("multi"), "irish"], includeShadowTrails: false };
    expect(names((await operations.DescribeTrails(input, callFrom(mary, ireland))).trailList)).toEqual([
      "irish",
    ]);
  });

  test.each([
    [
      "x",
      "InvalidTrailNameException: Trail name too short. Minimum allowed length: 3 characters. Specified name length: 1 characters.",
    ],
    ["arn:aws:s3:::x", "CloudTrailARNInvalidException: Invalid Trail ARN: arn:aws:s3:::x"],
  ])("DescribeTrails refuses the malformed entry %s", async (entry, refusal) => {
    const { operations } = await openWorldWithTrails();
    const call = operations.DescribeTrails({ trailNameList: ["single", entry] }, callFrom());
    expect(await refusalOf(call)).toBe(refusal);
  });

  test("DescribeTrails shows a trail whole, wherever it is seen from", async () => {
    const { operations } = await openWorldWithTrails();
    const expected = {
      Name: "multi",
      S3BucketName: "my-bucket",
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: true,
      HomeRegion: "us-east-2",
      TrailARN: trailArnOf("multi"),
      LogFileValidationEnabled: false,
      HasCustomEventSelectors: false,
      HasInsightSelectors: true,
      IsOrganizationTrail: false,
    };
    expect(await operations.DescribeTrails({}, callFrom(mary, virginia))).toStrictEqual({
      trailList: [expected],
    });
    expect(await operations.GetTrail({ Name: trailArnOf("multi") }, callFrom(mary, virginia))).toStrictEqual({
      Trail: expected,
    });
    expect(await operations.ListTrails({}, callFrom(mary, virginia))).toStrictEqual({
      Trails: [{ TrailARN: trailArnOf("multi"), Name: "multi", HomeRegion: "us-east-2" }],
    });
  });

  test("a trail converted to one Region loses its shadows at once, and back", async () => {
    const { operations } = await openWorldWithTrails();
    const seen = async () => names((await operations.ListTrails({}, callFrom(mary, virginia))).Trails);
    await operations.UpdateTrail({ Name: "multi", IsMultiRegionTrail: false }, callFrom());
    expect(await seen()).toEqual([]);
    await operations.UpdateTrail({ Name: "multi", IsMultiRegionTrail: true }, callFrom());
    expect(await seen()).toEqual(["multi"]);
  });
});

describe("ListTrails in pages", () => {
  async function openWorldWithManyTrails() {
    const world = await openTrailWorld();
    const quotas = { ...world.configuration.quotas, trailsPerRegion: 1000 };
    world.configuration = { ...world.configuration, quotas };
    for (let n = 0; n < 230; n++) {
      // Every third is a shadow when seen from Ohio.
      const call = callFrom(mary, n % 3 === 0 ? ireland : ohio);
      const Name = `trail-${String(n).padStart(3, "0")}`;
      await world.operations.CreateTrail({ Name, S3BucketName: "my-bucket", IsMultiRegionTrail: true }, call);
    }
    return world;
  }
  const collect = async (operations: TrailOperations, between: () => Promise<void> = async () => {}) => {
    const pages: string[][] = [];
    let NextToken: string | undefined;
    do {
      const page = await operations.ListTrails({ ...(NextToken && { NextToken }) }, callFrom());
      pages.push(page.Trails?.map((trail) => trail.Name ?? "") ?? []);
      NextToken = page.NextToken;
      expect(NextToken ?? "abcd").toMatch(/^[A-Za-z0-9_-]{4,1000}$/);
      await between();
    } while (NextToken !== undefined);
    return pages;
  };

  test("gives every trail once, in the order of DescribeTrails", async () => {
    const { operations } = await openWorldWithManyTrails();
    const pages = await collect(operations);
    expect(pages.map((page) => page.length)).toEqual([100, 100, 30]);
    const all = (await operations.DescribeTrails({}, callFrom())).trailList?.map((trail) => trail.Name);
    expect(pages.flat()).toEqual(all);
  });

  test("loses and repeats nothing when trails come and go meanwhile, or after a restart", async () => {
    const world = await openWorldWithManyTrails();
    let turn = 0;
    const pages = await collect(world.operations, async () => {
      if (++turn !== 1) return;
      await world.operations.DeleteTrail({ Name: "trail-001" }, callFrom());
      await world.operations.DeleteTrail({ Name: "trail-149" }, callFrom());
      await world.reopen();
    });
    const seen = pages.flat();
    expect(new Set(seen).size).toBe(seen.length);
    const left = (await world.operations.DescribeTrails({}, callFrom())).trailList ?? [];
    expect(left).toHaveLength(228);
    for (const trail of left) expect(seen).toContain(trail.Name);
  });

  test("a last page that is just full gives no token", async () => {
    const world = await openTrailWorld();
    const quotas = { ...world.configuration.quotas, trailsPerRegion: 1000 };
    world.configuration = { ...world.configuration, quotas };
    for (let n = 0; n < 100; n++) {
      await world.operations.CreateTrail({ Name: `trail-${n}`, S3BucketName: "my-bucket" }, callFrom());
    }
    expect(await world.operations.ListTrails({}, callFrom())).not.toHaveProperty("NextToken");
  });

  test.each([
    "",
    "x",
    "!!!!",
    Buffer.from("1/123456789012/eu-west-1/0/5").toString("base64url"),
    Buffer.from("1/999999999999/us-east-2/0/5").toString("base64url"),
    Buffer.from("1/123456789012/us-east-2/0/5/6").toString("base64url"),
    Buffer.from("1/123456789012/us-east-2/2/5").toString("base64url"),
    Buffer.from("1/123456789012/us-east-2/0/x").toString("base64url"),
  ])("refuses the foreign token %j", async (NextToken) => {
    const { operations } = await openWorldWithTrails();
    expect(await refusalOf(operations.ListTrails({ NextToken }, callFrom()))).toBe(
      `ValidationException: 1 validation error detected: Value '${NextToken}' at 'nextToken' failed to satisfy constraint: Member must be a token that ListTrails returned`,
    );
  });
});

describe("organization trails", () => {
  async function openOrganizationWorld() {
    const world = await openTrailWorld({ organization });
    const create = async (Name: string, input: object, call = callFrom(management)) =>
      world.operations.CreateTrail({ Name, S3BucketName: "my-bucket", ...input }, call);
    await create("shared", { IsOrganizationTrail: true, IsMultiRegionTrail: true });
    await create("shared-single", { IsOrganizationTrail: true });
    await create("managements-own", { IsMultiRegionTrail: true });
    await create("members-own", {}, callFrom(member));
    return world;
  }
  const denied =
    "AccessDeniedException: Access Denied: You do not have permission to operate on this resource";

  test.each([
    [member, ohio, ["members-own", "shared", "shared-single"], ["members-own"]],
    [member, virginia, ["shared"], []],
    [delegate, ohio, ["shared", "shared-single"], []],
    [
      management,
      ohio,
      ["shared", "shared-single", "managements-own"],
      ["shared", "shared-single", "managements-own"],
    ],
    [stranger, ohio, [], []],
  ])("%s in %s sees %j", async (caller, from, withShadows, withoutShadows) => {
    const { operations } = await openOrganizationWorld();
    const call = callFrom(caller, from);
    const names = async (includeShadowTrails: boolean) =>
      (await operations.DescribeTrails({ includeShadowTrails }, call)).trailList?.map((trail) => trail.Name);
    expect(await names(true)).toEqual(withShadows);
    expect(await names(false)).toEqual(withoutShadows);
  });

  test.each(Object.entries(readers))(
    "a member reads them by ARN, not by name: %s",
    async (operation, read) => {
      const { operations } = await openOrganizationWorld();
      await operations.PutInsightSelectors(
        { TrailName: "shared", InsightSelectors: [{ InsightType: "ApiCallRateInsight" }] },
        callFrom(management),
      );
      for (const caller of [member, delegate]) {
        expect(await refusalOf(read(operations, trailArnOf("shared"), callFrom(caller)))).toBe("accepted");
        expect(await refusalOf(read(operations, trailArnOf("shared"), callFrom(caller, virginia)))).toBe(
          "accepted",
        );
        const ref = operation === "GetTrail" ? "shared" : trailArnOf("shared", { account: caller });
        expect(await refusalOf(read(operations, "shared", callFrom(caller)))).toBe(unknown(ref, caller));
      }
      expect(await refusalOf(read(operations, trailArnOf("managements-own"), callFrom(member)))).toBe(
        unknown(trailArnOf("managements-own"), member),
      );
      expect(await refusalOf(read(operations, trailArnOf("shared"), callFrom(stranger)))).toBe(
        unknown(trailArnOf("shared"), stranger),
      );
    },
  );

  test.each(Object.entries(changers))("a member may not change them: %s", async (_operation, change) => {
    const world = await openOrganizationWorld();
    const before = await documentsOf(world);
    const { operations } = world;
    expect(await refusalOf(change(operations, trailArnOf("shared"), callFrom(member)))).toBe(denied);
    expect(await refusalOf(change(operations, trailArnOf("shared"), callFrom(member, virginia)))).toBe(
      denied,
    );
    expect(await refusalOf(change(operations, trailArnOf("managements-own"), callFrom(member)))).toBe(
      unknown(trailArnOf("managements-own"), member),
    );
    expect(await refusalOf(change(operations, "shared", callFrom(member)))).toBe(
      unknown(trailArnOf("shared", { account: member }), member),
    );
    expect(await documentsOf(world)).toEqual(before);
  });

  test.each(Object.entries(changers))(
    "a delegated administrator may, by ARN: %s",
    async (_operation, change) => {
      const { operations } = await openOrganizationWorld();
      expect(await refusalOf(change(operations, "shared", callFrom(delegate)))).toBe(
        unknown(trailArnOf("shared", { account: delegate }), delegate),
      );
      expect(await refusalOf(change(operations, trailArnOf("managements-own"), callFrom(delegate)))).toBe(
        unknown(trailArnOf("managements-own"), delegate),
      );
      expect(await refusalOf(change(operations, trailArnOf("shared"), callFrom(delegate)))).toBe("accepted");
    },
  );

  test("who leaves the organization sees them no more", async () => {
    const world = await openOrganizationWorld();
    const members = [management, delegate];
    world.configuration = { ...world.configuration, organization: { ...organization, members } };
    expect(await refusalOf(world.operations.GetTrail({ Name: trailArnOf("shared") }, callFrom(member)))).toBe(
      unknown(trailArnOf("shared"), member),
    );
  });
});
