// DeleteTrail over the API: everything of the trail goes, nothing of its bucket, and what it logged is delivered first.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  elsewhere,
  expectRefusal,
  makeBucket,
  makeTrail,
  organization,
  s3,
  startApi,
  trailArn,
} from "../harness/api-fixture.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { deliveredIds } from "../harness/log-files.ts";
import { changingSuite, referenceSuite } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  // Files are cut once an hour: what is in the bucket earlier came from the deletion.
  api = await startApi({ interval: "1h" });
});
afterAll(() => api.dispose());

const subject = {
  api: () => api,
  run: (client: ReturnType<Api["as"]>, Name: string | undefined) => client.deleteTrail({ Name }),
};
referenceSuite(subject);
changingSuite(subject);

describe("deleting", () => {
  test.each(["name", "ARN"])("by %s answers {} and the trail is gone", async (by) => {
    const account = api.newAccount();
    const client = api.as(account);
    const arn = await makeTrail(client, "my-trail");
    const answer = await api.raw("DeleteTrail", { Name: by === "ARN" ? arn : "my-trail" }, { account });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: "{}" });
    expect((await client.describeTrails({})).trailList).toEqual([]);
    expect((await client.listTrails({})).Trails).toEqual([]);
    await expectRefusal(client.getTrailStatus({ Name: arn }), [
      "TrailNotFoundException",
      `Unknown trail: ${arn} for the user: ${account}`,
    ]);
    await expectRefusal(client.listTags({ ResourceIdList: [arn] }), [
      "ResourceNotFoundException",
      `The resource with ARN ${arn} was not found.`,
    ]);
  });

  test("a second time finds nothing", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeTrail(client, "my-trail");
    await client.deleteTrail({ Name: "my-trail" });
    await expectRefusal(client.deleteTrail({ Name: "my-trail" }), [
      "TrailNotFoundException",
      `Unknown trail: ${trailArn(account, "my-trail")} for the user: ${account}`,
    ]);
  });

  test("takes the shadows along and frees the name everywhere", async () => {
    const account = api.newAccount();
    await makeTrail(api.as(account), "my-trail", { IsMultiRegionTrail: true });
    await api.as(account).deleteTrail({ Name: "my-trail" });
    const far = api.as(account, elsewhere);
    expect((await far.describeTrails({})).trailList).toEqual([]);
    expect(await makeTrail(far, "my-trail")).toBe(trailArn(account, "my-trail", elsewhere));
  });

  test("leaves one trail less against the quota", async () => {
    const client = api.as(api.newAccount());
    for (let index = 0; index < 5; index++) await makeTrail(client, `trail-${index}`);
    await client.deleteTrail({ Name: "trail-2" });
    await makeTrail(client, "trail-5");
    expect((await client.listTrails({})).Trails?.map((trail) => trail.Name)).toEqual([
      ...["trail-0", "trail-1", "trail-3", "trail-4", "trail-5"],
    ]);
  });

  test("a trail made again under the name starts afresh", async () => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "my-trail", { TagsList: [{ Key: "Team", Value: "audit" }] });
    await client.putEventSelectors({ TrailName: arn, EventSelectors: [{ ReadWriteType: "WriteOnly" }] });
    await client.putInsightSelectors({
      TrailName: arn,
      InsightSelectors: [{ InsightType: "ApiCallRateInsight" }],
    });
    await client.startLogging({ Name: arn });
    await client.deleteTrail({ Name: arn });
    expect(await makeTrail(client, "my-trail")).toBe(arn);
    expect((await client.getTrail({ Name: arn })).Trail).toMatchObject({
      HasCustomEventSelectors: false,
      HasInsightSelectors: false,
    });
    const status = await client.getTrailStatus({ Name: arn });
    expect(status).toMatchObject({ IsLogging: false, TimeLoggingStarted: "", LatestDeliveryAttemptTime: "" });
    expect((await client.listTags({ ResourceIdList: [arn] })).ResourceTagList).toEqual([
      { ResourceId: arn, TagsList: [] },
    ]);
  });

  test("while it logs delivers what it has logged before the answer, and keeps the bucket", async () => {
    await makeBucket(api.url, "kept-bucket");
    await s3(api.url, "PUT", "kept-bucket/note.txt", "a note");
    const account = api.newAccount();
    const client = api.as(account);
    await client.createTrail({ Name: "logging-trail", S3BucketName: "kept-bucket" });
    await client.startLogging({ Name: "logging-trail" });
    const events = Array.from({ length: 20 }, () => managementEvent({ recipientAccountId: account }));
    expect((await postEvents(api.url, events)).accepted).toBe(20);
    expect(deliveredIds(api.cairn.dataDir, "kept-bucket")).toEqual([]);

    await client.deleteTrail({ Name: "logging-trail" });
    const delivered = deliveredIds(api.cairn.dataDir, "kept-bucket");
    expect(events.map((event) => delivered.filter((id) => id === event.eventID).length)).toEqual(
      events.map(() => 1),
    );
    expect((await s3(api.url, "GET", "kept-bucket/note.txt")).text).toBe("a note");
  });

  test("ends the logging: a later event reaches no bucket of a trail made again", async () => {
    await makeBucket(api.url, "again-bucket");
    const account = api.newAccount();
    const client = api.as(account);
    await client.createTrail({ Name: "again-trail", S3BucketName: "again-bucket" });
    await client.startLogging({ Name: "again-trail" });
    await client.deleteTrail({ Name: "again-trail" });
    const late = managementEvent({ recipientAccountId: account });
    await postEvents(api.url, [late]);
    await client.createTrail({ Name: "again-trail", S3BucketName: "again-bucket" });
    await client.startLogging({ Name: "again-trail" });
    await client.deleteTrail({ Name: "again-trail" });
    expect(deliveredIds(api.cairn.dataDir, "again-bucket")).not.toContain(late.eventID);
  });

  test("an organization trail disappears for its members", async () => {
    const client = api.as(organization.management);
    await makeTrail(client, "org-trail", { IsOrganizationTrail: true });
    const member = api.as(organization.member);
    expect((await member.describeTrails({})).trailList).toHaveLength(1);
    await client.deleteTrail({ Name: "org-trail" });
    expect((await member.describeTrails({})).trailList).toEqual([]);
  });

  test("works when the bucket is gone", async () => {
    await makeBucket(api.url, "lost-bucket");
    const account = api.newAccount();
    const client = api.as(account);
    await client.createTrail({ Name: "lost-trail", S3BucketName: "lost-bucket" });
    expect((await s3(api.url, "DELETE", "lost-bucket")).status).toBe(204);
    await client.deleteTrail({ Name: "lost-trail" });
    expect((await client.describeTrails({})).trailList).toEqual([]);
  });
});
