// A data directory whose disk is full: every answer says so, nothing crashes, nothing is half done, and the server
// goes on when there is room again. Needs a small file system of its own.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, expect, test } from "vitest";
import { home, makeBucket } from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { deliveredIds, until } from "../harness/log-files.ts";
import { describeWith } from "../harness/outside-program.ts";

const mount = (folder: string) =>
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], { stdio: "ignore" }).status === 0;
const unmount = (folder: string) => spawnSync("umount", ["-l", folder], { stdio: "ignore" });

const smallDisk = {
  name: "the right to mount a tmpfs",
  present() {
    const folder = mkdtempSync(join(tmpdir(), "cairn-mount-"));
    const isMounted = mount(folder);
    if (isMounted) unmount(folder);
    rmSync(folder, { recursive: true, force: true });
    return isMounted;
  },
};

describeWith([smallDisk])("on a full disk", () => {
  const disk = mkdtempSync(join(tmpdir(), "cairn-full-"));
  const filler = join(disk, "filler");
  let cairn: CairnProcess;
  let client: CloudTrail;

  beforeAll(async () => {
    mount(disk);
    cairn = await startCairn({
      dataDir: join(disk, "data"),
      args: ["--auth", "off", "--delivery-interval", "500ms", "--quota-trails-per-region", "1000"],
    });
    const credentials = { accessKeyId: "123456789012", secretAccessKey: "not-checked" };
    client = new CloudTrail({ endpoint: cairn.url, region: home, credentials, maxAttempts: 1 });
    await makeBucket(cairn.url, "full-disk");
    await client.createTrail({ Name: "before", S3BucketName: "full-disk", IsMultiRegionTrail: true });
    await client.startLogging({ Name: "before" });
  });
  afterAll(async () => {
    await cairn.dispose();
    unmount(disk);
    rmSync(disk, { recursive: true, force: true });
  });

  test("calls are refused whole, events are refused with a reason, and both work again when there is room", async () => {
    const accepted: string[] = [];
    const post = async () => {
      const event = managementEvent({ requestParameters: { filler: "x".repeat(20_000) } });
      const answer = await postEvents(cairn.url, [event]);
      if (answer.status === 200) accepted.push(event.eventID);
      return answer.status;
    };
    expect(await post()).toBe(200);
    fill(filler);
    const tags = Array.from({ length: 40 }, (_, at) => ({ Key: `key-${at}`, Value: "v".repeat(200) }));
    const refusals = new Set<string>();
    const made: string[] = [];
    for (let at = 0; at < 25; at++) {
      const Name = `trail-${at}`;
      try {
        await client.createTrail({ Name, S3BucketName: "full-disk", TagsList: tags });
        made.push(Name);
      } catch (error) {
        refusals.add(error instanceof Error ? error.name : String(error));
      }
      await post();
    }
    expect(refusals.size).toBeGreaterThan(0);
    expect(
      [...refusals].filter(
        (name) => !["ThrottlingException", "ServiceUnavailable", "InternalFailure"].includes(name),
      ),
    ).toEqual([]);

    rmSync(filler);
    await until("events are taken again", async () => (await post()) === 200);
    await client.createTrail({ Name: "after", S3BucketName: "full-disk" });
    const names = (await client.listTrails({})).Trails?.map(({ Name }) => Name) ?? [];
    expect(names).toEqual(expect.arrayContaining(["before", "after", ...made]));
    await until("every accepted event is delivered", () => {
      const delivered = deliveredIds(cairn.dataDir, "full-disk");
      return accepted.every((id) => delivered.filter((other) => other === id).length === 1);
    });
  });
});

/** Takes what is left of the disk. */
function fill(path: string): void {
  for (const size of [1 << 20, 1 << 12]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: "a" });
    } catch {
      // The disk is full for pieces of this size.
    }
  }
}
