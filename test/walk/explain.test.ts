// `cairn explain` against a real server: basic and advanced selectors, scope and logging state, events from a file, from
// standard input and by their id, what was decided at the door beside what would be decided now.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  elsewhere,
  makeBucket,
  makeTrail,
  organization,
  startApi,
  writeConfig,
} from "../harness/api-fixture.ts";
import { type Ended, runCairn } from "../harness/cairn-command.ts";
import { cleanEnvironment, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "cairn-explain-"));
let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await api.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const explain = (...words: string[]): Promise<Ended> =>
  runCairn(["explain", "--endpoint-url", api.url, ...words]);

const now = () => `${new Date().toISOString().slice(0, 19)}Z`;

let files = 0;
function fileOf(content: unknown): string {
  const path = join(folder, `event-${++files}.json`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
  return path;
}

/** A trail in an account of its own. */
async function newTrail(settings: Parameters<typeof makeTrail>[2] = {}) {
  const account = api.newAccount();
  const client = api.as(account);
  const arn = await makeTrail(client, "watched", settings);
  return { account, client, arn };
}

function putObject(account: string, changes: object = {}) {
  return managementEvent({
    ...{ recipientAccountId: account, eventSource: "s3.amazonaws.com", eventName: "PutObject" },
    ...{ managementEvent: false, eventCategory: "Data", readOnly: false },
    resources: [{ type: "AWS::S3::Object", ARN: "arn:aws:s3:::bucket/key" }],
    ...changes,
  });
}

describe("an event from a file", () => {
  test("basic selectors, and a trail that does not log", async () => {
    const { account, client, arn } = await newTrail();
    const file = fileOf(managementEvent({ recipientAccountId: account }));
    const idle = await explain("--trail", arn, "--event", file);
    expect(idle).toMatchObject({ code: 1, err: "" });
    expect(idle.out).toContain(
      `${arn} does not log the event\n  ec2.amazonaws.com RunInstances (Management event`,
    );
    expect(idle.out).toMatch(/^ {2}logging +NO$/m);
    expect(idle.out).toContain("  Selector 1 matches\n    yes  ReadWriteType: All (the event: write)\n");
    expect(idle.out).toContain("To be logged:\n    The trail would have to be logging.\n");
    await client.startLogging({ Name: arn });
    const logging = await explain("--trail", arn, "--event", file);
    expect(logging.code).toBe(0);
    expect(logging.out).toContain(`${arn} logs the event\n`);
    expect(logging.out).not.toContain("To be logged");
    await client.putEventSelectors({
      TrailName: arn,
      EventSelectors: [{ ReadWriteType: "ReadOnly", IncludeManagementEvents: true }],
    });
    const reads = await explain("--trail", arn, "--event", file);
    expect(reads.code).toBe(1);
    expect(reads.out).toContain("    NO   ReadWriteType: ReadOnly (the event: write)\n");
    expect(reads.out).toContain("The event is a write and ReadWriteType is ReadOnly.");
  });

  test("advanced selectors, field by field and resource by resource", async () => {
    const { account, client, arn } = await newTrail();
    await client.startLogging({ Name: arn });
    await client.putEventSelectors({
      TrailName: arn,
      AdvancedEventSelectors: [
        {
          Name: "pdf",
          FieldSelectors: [
            { Field: "eventCategory", Equals: ["Data"] },
            { Field: "resources.type", Equals: ["AWS::S3::Object"] },
            { Field: "resources.ARN", StartsWith: ["arn:aws:s3:::bucket/"], EndsWith: [".pdf"] },
            { Field: "eventName", NotEquals: ["DeleteObject"] },
          ],
        },
      ],
    });
    const ask = (changes: object) => explain("--trail", arn, "--event", fileOf(putObject(account, changes)));
    expect((await ask({})).code).toBe(0);
    const resources = [{ type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::bucket/" }];
    const wrong = await ask({ eventName: "DeleteObject", resources });
    expect(wrong.code).toBe(1);
    expect(wrong.out).toContain('  Selector 1 ("pdf") does not match\n');
    expect(wrong.out).toContain('    yes  eventCategory: Equals ["Data"] (the event: Data)\n');
    expect(wrong.out).toContain('    NO   eventName: NotEquals ["DeleteObject"] (the event: DeleteObject)\n');
    expect(wrong.out).toContain("           AWS::S3::Bucket arn:aws:s3:::bucket/: fails resources.type\n");
  });

  test("scope: account, Region, global services", async () => {
    const { account, client, arn } = await newTrail({ IncludeGlobalServiceEvents: false });
    await client.startLogging({ Name: arn });
    const ask = async (changes: object) => {
      const file = fileOf(managementEvent({ recipientAccountId: account, ...changes }));
      const { code, out } = await explain("--trail", arn, "--event", file);
      return [code, /To be logged:\n(.*)$/m.exec(out)?.[1]?.trim()];
    };
    expect(await ask({})).toEqual([0, undefined]);
    expect(await ask({ recipientAccountId: "999999999999" })).toEqual([
      1,
      "A trail of account 999999999999 would have to log it, or an organization trail that has it as a member.",
    ]);
    expect(await ask({ awsRegion: elsewhere })).toEqual([
      1,
      "The trail would have to be a multi-Region trail, or another one be at home in eu-west-1.",
    ]);
    expect(await ask({ eventSource: "iam.amazonaws.com" })).toEqual([
      1,
      "The trail would have to include global service events.",
    ]);
  });

  test("an organization's trail and the events of its members", async () => {
    const client = api.as(organization.management);
    const arn = await makeTrail(client, "everybody", { IsOrganizationTrail: true });
    await client.startLogging({ Name: arn });
    const ask = (recipientAccountId: string) =>
      explain("--trail", arn, "--event", fileOf(managementEvent({ recipientAccountId })));
    expect((await ask(organization.member)).code).toBe(0);
    expect((await ask("999999999999")).code).toBe(1);
    await client.deleteTrail({ Name: arn });
  });

  test("several events, a log file, what lookup-events prints, standard input", async () => {
    const { account, client, arn } = await newTrail();
    await client.startLogging({ Name: arn });
    const [write, data] = [managementEvent({ recipientAccountId: account }), putObject(account)];
    const answers = async (content: unknown) => {
      const { code, out } = await explain("--trail", arn, "--json", "--event", fileOf(content));
      const { events } = JSON.parse(out) as { events: { isLogged: boolean }[] };
      return [code, events.map(({ isLogged }) => isLogged)];
    };
    expect(await answers({ Records: [write, data] })).toEqual([1, [true, false]]);
    expect(await answers([write, write])).toEqual([0, [true, true]]);
    expect(await answers(`${JSON.stringify(write)}\n${JSON.stringify(data)}\n`)).toEqual([1, [true, false]]);
    const looked = { EventId: "x", CloudTrailEvent: JSON.stringify(write) };
    expect(await answers({ Events: [looked, looked] })).toEqual([0, [true, true]]);
    const words = ["explain", "--endpoint-url", api.url, "--trail", arn, "--event", "-"];
    const piped = await new Promise<string>((resolve) => {
      const env = { ...cleanEnvironment(), HOME: "/nonexistent" };
      const child = execFile(process.execPath, [main, ...words], { env }, (_error, out) => resolve(out));
      child.stdin?.end(JSON.stringify(write));
    });
    expect(piped).toContain(`${arn} logs the event`);
  });
});

describe("an event by its id", () => {
  test("from the journal, with what was decided then", async () => {
    const { account, client, arn } = await newTrail();
    const before = managementEvent({ recipientAccountId: account });
    await postEvents(api.url, [before]);
    await client.startLogging({ Name: arn });
    const after = managementEvent({ recipientAccountId: account });
    await postEvents(api.url, [after]);
    const ask = (eventID: string) => explain("--trail", arn, "--event-id", eventID);
    const first = await ask(before.eventID);
    expect(first.code).toBe(0);
    expect(first.out).toMatch(
      /When it arrived, at \S+Z, it was not logged: The trail's selectors, its scope or its logging state were others/,
    );
    expect((await ask(after.eventID)).out).toMatch(/When it arrived, at \S+Z, it was logged\.$/m);
    await client.deleteTrail({ Name: arn });
    const again = await makeTrail(client, "watched");
    await client.startLogging({ Name: again });
    // Another trail of the same name: it did not log what the first one logged.
    const { out } = await ask(after.eventID);
    expect(out).toContain("it was not logged: The trail was created after the event arrived.");
  });

  test("from the event history, when the journal has it no longer", async () => {
    const args = ["--auth", "off", "--delivery-interval", "200ms"];
    const cairn = await startCairn({
      args: [...args, "--journal-bytes-max", "16MB", "--journal-reserve", "1MB"],
    });
    try {
      await makeBucket(cairn.url, "logs");
      const client = new CloudTrail({
        ...{ endpoint: cairn.url, region: "us-east-1" },
        credentials: { accessKeyId: "123456789012", secretAccessKey: "x" },
      });
      await client.createTrail({ Name: "watched", S3BucketName: "logs" });
      const old = managementEvent({ eventName: "LongAgo", eventTime: now() });
      await postEvents(cairn.url, [old]);
      const ask = () =>
        runCairn([
          "explain",
          "--endpoint-url",
          cairn.url,
          "--trail",
          "watched",
          "--event-id",
          old.eventID,
          "--json",
        ]);
      const sourceOf = async () => {
        const { out, err } = await ask();
        return out === "" ? err : (JSON.parse(out) as { source: string }).source;
      };
      expect(await sourceOf()).toBe("journal");
      const padding = "x".repeat(60_000);
      const filler = Array.from({ length: 20 }, () =>
        managementEvent({ padding, managementEvent: false, eventCategory: "Data" }),
      );
      await expect
        .poll(
          async () => {
            await postEvents(cairn.url, filler);
            return sourceOf();
          },
          { timeout: 50_000, interval: 500 },
        )
        .toBe("history");
    } finally {
      await cairn.dispose();
    }
  });

  test("that nobody has", async () => {
    const { arn } = await newTrail();
    const missing = await explain("--trail", arn, "--event-id", "0c1f6d1e-7a3c-4f5d-9d50-3f8e2b1a9c77");
    expect(missing).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("EventNotFoundException"),
    });
  });
});

describe("what is wrong", () => {
  test.each([
    [[], "--trail: give the name or ARN of a trail."],
    [["--trail", "t"], "Give an event: --event FILE (- is standard input) or --event-id ID."],
    [["--trail", "t", "--event", "a", "--event-id", "b"], "Give an event:"],
    [["--trail", "not-there", "--event-id", "x"], "TrailNotFoundException"],
    [["--trail", "x!", "--event-id", "x"], "InvalidTrailNameException"],
    [["--trail", "t", "--event", "/nowhere"], "--event: /nowhere cannot be read:"],
    [["--trail", "t", "--events", "x"], "--events: cairn explain has no such flag"],
  ])("%j", async (words, text) => {
    const ended = await explain(...words);
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain(text);
  });

  test("an event that the door would refuse, and no event at all", async () => {
    const { arn } = await newTrail();
    const ask = (content: unknown) => explain("--trail", arn, "--event", fileOf(content));
    const { eventName: _, ...nameless } = managementEvent();
    expect(await ask(nameless)).toMatchObject({
      code: 2,
      out: "The event would be refused at the door: The member eventName is missing or has a value that is not valid.\n",
    });
    expect((await ask(managementEvent({ awsRegion: "nowhere-1" }))).out).toContain(
      "is not a configured Region",
    );
    const zipped = join(folder, "log.json.gz");
    writeFileSync(zipped, gzipSync(JSON.stringify(managementEvent())));
    expect((await explain("--trail", arn, "--event", zipped)).err).toContain("is gzipped; write: zcat FILE");
    expect((await ask("[")).err).toContain("ValidationException");
    expect((await ask("")).err).toContain("There is no event.");
    const evil = managementEvent({ awsRegion: "\u001b[31m" });
    expect((await ask(evil)).out).not.toContain("\u001b");
  });
});

test("with authentication on nobody is told of another account's events or trails", async () => {
  const keyOf = (name: string) => ({
    AWS_ACCESS_KEY_ID: `AKIA${name.toUpperCase().padEnd(16, "0")}`,
    AWS_SECRET_ACCESS_KEY: `${name}-secret-of-the-tests-000000000001`.slice(0, 40),
  });
  const accountOf = (id: string, name: string) => {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = keyOf(name);
    const Statement = [{ Effect: "Allow", Action: "*", Resource: "*" }];
    const user = {
      ...{ name, accessKeys: [{ accessKeyId, secretAccessKey }] },
      policies: [{ Version: "2012-10-17", Statement }],
    };
    return { id, name, users: [user] };
  };
  const accounts = [accountOf("123456789012", "mary"), accountOf("210987654321", "stranger")];
  const config = writeConfig(folder, JSON.stringify({ accounts }));
  const args = ["--auth", "on", "--config", config, "--bucket-policy", "off", "--delivery-interval", "1s"];
  const cairn = await startCairn({ args });
  try {
    const as = (name: string) => {
      const key = keyOf(name);
      const credentials = { accessKeyId: key.AWS_ACCESS_KEY_ID, secretAccessKey: key.AWS_SECRET_ACCESS_KEY };
      const at = { endpoint: cairn.url, region: "us-east-1", credentials };
      return { client: new CloudTrail(at), s3: new S3Client({ ...at, forcePathStyle: true }) };
    };
    for (const name of ["mary", "stranger"]) {
      const { client, s3 } = as(name);
      await s3.send(new CreateBucketCommand({ Bucket: `logs-of-${name}` }));
      await client.createTrail({ Name: "watched", S3BucketName: `logs-of-${name}` });
    }
    const run = (name: string, ...words: string[]) =>
      runCairn([...words, "--endpoint-url", cairn.url], keyOf(name));
    const own = await run("mary", ...["tail", "--from-start", "--follow", "false", "--json", "--limit", "1"]);
    const { eventID } = JSON.parse(own.out) as { eventID: string };
    const ask = (name: string, trail: string) =>
      run(name, "explain", "--trail", trail, "--event-id", eventID);
    expect(await ask("mary", "watched")).toMatchObject({ code: 1, err: "" });
    expect((await ask("stranger", "watched")).err).toContain("EventNotFoundException");
    const marys = "arn:aws:cloudtrail:us-east-1:123456789012:trail/watched";
    expect((await ask("stranger", marys)).err).toContain("TrailNotFoundException");
    expect((await run("stranger", "tail", "--trail", marys)).err).toContain("TrailNotFoundException");
  } finally {
    await cairn.dispose();
  }
});
