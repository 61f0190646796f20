// GET /readyz of a real server: what the parts say of themselves becomes the answer.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";

let cairn: CairnProcess;
beforeAll(async () => {
  const limits = ["--journal-bytes-max", "24MB", "--journal-reserve", "8MB"];
  cairn = await startCairn({ args: ["--auth", "off", "--delivery-interval", "1h", ...limits] });
});
afterAll(() => cairn.dispose());

test("is 200 while events are taken and 503 when the journal takes no more of them", async () => {
  const readiness = async () => (await fetch(`${cairn.url}/readyz`)).status;
  expect(await readiness()).toBe(200);
  const event = managementEvent({ requestParameters: { filler: "x".repeat(900_000) } });
  let posts = 0;
  while ((await postEvents(cairn.url, [event])).status === 200 && posts < 60) posts += 1;
  expect(posts).toBeLessThan(60);
  expect(await readiness()).toBe(503);
});
