// StopLogging over the API: its answer, that doing it twice changes nothing, and every refusal.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, elsewhere, makeBucket, makeTrail, startApi } from "../harness/api-fixture.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { deliveredIds, until } from "../harness/log-files.ts";
import { changingSuite, referenceSuite } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const subject = {
  api: () => api,
  run: (client: ReturnType<Api["as"]>, Name: string | undefined) => client.stopLogging({ Name }),
};
referenceSuite(subject);
changingSuite(subject);

describe("stopping", () => {
  test.each(["name", "ARN"])("by %s answers {} and the trail no longer logs", async (by) => {
    const account = api.newAccount();
    const client = api.as(account);
    const arn = await makeTrail(client, "my-trail");
    await client.startLogging({ Name: arn });
    const answer = await api.raw("StopLogging", { Name: by === "ARN" ? arn : "my-trail" }, { account });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: "{}" });
    expect((await client.getTrailStatus({ Name: arn })).IsLogging).toBe(false);
  });

  test("a trail that never logged leaves no times", async () => {
    const client = api.as(api.newAccount());
    const Name = await makeTrail(client, "my-trail");
    await client.stopLogging({ Name });
    const status = await client.getTrailStatus({ Name });
    expect(status).toMatchObject({ IsLogging: false, TimeLoggingStarted: "", TimeLoggingStopped: "" });
    expect(status.StopLoggingTime).toBeUndefined();
  });

  test("twice keeps the time of the first", async () => {
    const client = api.as(api.newAccount());
    const Name = await makeTrail(client, "my-trail");
    await client.startLogging({ Name });
    await client.stopLogging({ Name });
    const first = await client.getTrailStatus({ Name });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await client.stopLogging({ Name });
    expect((await client.getTrailStatus({ Name })).StopLoggingTime).toEqual(first.StopLoggingTime);
  });

  test("keeps selectors and Insights", async () => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "my-trail");
    await client.putEventSelectors({ TrailName: arn, EventSelectors: [{ ReadWriteType: "WriteOnly" }] });
    await client.putInsightSelectors({
      TrailName: arn,
      InsightSelectors: [{ InsightType: "ApiCallRateInsight" }],
    });
    await client.startLogging({ Name: arn });
    await client.stopLogging({ Name: arn });
    expect((await client.getTrail({ Name: arn })).Trail).toMatchObject({
      HasCustomEventSelectors: true,
      HasInsightSelectors: true,
    });
  });

  test("delivers what was decided before and nothing from after", async () => {
    await makeBucket(api.url, "stop-bucket");
    const account = api.newAccount();
    const client = api.as(account);
    await client.createTrail({ Name: "my-trail", S3BucketName: "stop-bucket", IsMultiRegionTrail: true });
    await client.startLogging({ Name: "my-trail" });
    const inside = ["us-east-1", elsewhere].map((awsRegion) =>
      managementEvent({ recipientAccountId: account, awsRegion }),
    );
    await postEvents(api.url, inside);
    await client.stopLogging({ Name: "my-trail" });
    const after = managementEvent({ recipientAccountId: account });
    await postEvents(api.url, [after]);
    await until("the events from before are there", () => {
      const delivered = deliveredIds(api.cairn.dataDir, "stop-bucket");
      return inside.every((event) => delivered.includes(event.eventID));
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(deliveredIds(api.cairn.dataDir, "stop-bucket")).not.toContain(after.eventID);
  });
});
