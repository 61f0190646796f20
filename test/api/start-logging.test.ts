// StartLogging over the API: its answer, that doing it twice changes nothing, and every refusal.
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
  run: (client: ReturnType<Api["as"]>, Name: string | undefined) => client.startLogging({ Name }),
};
referenceSuite(subject);
changingSuite(subject);

describe("starting", () => {
  test.each(["name", "ARN"])("by %s answers {} and the trail logs", async (by) => {
    const account = api.newAccount();
    const client = api.as(account);
    const arn = await makeTrail(client, "my-trail");
    const answer = await api.raw("StartLogging", { Name: by === "ARN" ? arn : "my-trail" }, { account });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: "{}" });
    expect((await client.getTrailStatus({ Name: arn })).IsLogging).toBe(true);
  });

  test("twice keeps the time of the first", async () => {
    const client = api.as(api.newAccount());
    const Name = await makeTrail(client, "my-trail");
    await client.startLogging({ Name });
    const first = await client.getTrailStatus({ Name });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await client.startLogging({ Name });
    const second = await client.getTrailStatus({ Name });
    expect(second.StartLoggingTime).toEqual(first.StartLoggingTime);
    expect(second).toMatchObject({ IsLogging: true, TimeLoggingStarted: first.TimeLoggingStarted });
  });

  test("is decided when events arrive: those from before are not delivered", async () => {
    await makeBucket(api.url, "start-bucket");
    const account = api.newAccount();
    const client = api.as(account);
    await client.createTrail({ Name: "my-trail", S3BucketName: "start-bucket" });
    const [early, late] = [0, 1].map(() => managementEvent({ recipientAccountId: account }));
    await postEvents(api.url, [early]);
    await client.startLogging({ Name: "my-trail" });
    await postEvents(api.url, [late]);
    await until("the later event is there", () =>
      deliveredIds(api.cairn.dataDir, "start-bucket").includes(late?.eventID ?? ""),
    );
    expect(deliveredIds(api.cairn.dataDir, "start-bucket")).not.toContain(early?.eventID);
  });

  test("makes a multi-Region trail log in every Region", async () => {
    await makeBucket(api.url, "multi-bucket");
    const account = api.newAccount();
    const client = api.as(account);
    await client.createTrail({ Name: "my-trail", S3BucketName: "multi-bucket", IsMultiRegionTrail: true });
    await client.startLogging({ Name: "my-trail" });
    const event = managementEvent({ recipientAccountId: account, awsRegion: elsewhere });
    await postEvents(api.url, [event]);
    await until("the event of the other Region is there", () =>
      deliveredIds(api.cairn.dataDir, "multi-bucket").includes(event.eventID),
    );
  });
});
