// The event bus, from the events door to a queue behind a rule of a real (moto) EventBridge server: what goes there, in
// which envelope, and what does not.
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aws, type CliOptions } from "../harness/aws-cli.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, objectEvent, postEvents } from "../harness/events.ts";
import { until } from "../harness/log-files.ts";
import { type MotoServer, moto, motoAccount, motoCredentials, startMoto } from "../harness/moto.ts";
import { awsCli, describeWith } from "../harness/outside-program.ts";

const bus = "audit";
const regions = ["us-east-1", "eu-west-1"] as const;
const [home, elsewhere] = regions;

interface Envelope extends Record<string, unknown> {
  readonly source: string;
  readonly detail: Record<string, unknown> & { readonly eventID: string; readonly eventName: string };
}

describeWith([moto, awsCli])("the event bus", () => {
  let server: MotoServer;
  let door: Awaited<ReturnType<typeof doorTo>>;
  let cairn: CairnProcess;
  let cli: CliOptions;
  const arrived = new Map<string, Envelope[]>();

  const service = (region: string): CliOptions => ({ url: server.url, region, ...motoCredentials });

  /** A bus whose rule sends everything to a queue. */
  async function makeBus(region: string): Promise<void> {
    const run = (...args: string[]) => aws(service(region), args);
    const queue = `arn:aws:sqs:${region}:${motoAccount}:audited`;
    await run("events", "create-event-bus", "--name", bus);
    await run("sqs", "create-queue", "--queue-name", "audited");
    const pattern = JSON.stringify({ source: [{ prefix: "aws." }] });
    await run(
      ...["events", "put-rule", "--name", "all", "--event-bus-name", bus, "--event-pattern", pattern],
    );
    await run(
      ...["events", "put-targets", "--rule", "all", "--event-bus-name", bus],
      ...["--targets", `Id=queue,Arn=${queue}`],
    );
  }

  /** Everything that the queue of a Region ever got. */
  async function envelopes(region: string): Promise<readonly Envelope[]> {
    const all = arrived.get(region) ?? [];
    arrived.set(region, all);
    const url = `${server.url}/${motoAccount}/audited`;
    const answer = await aws(service(region), [
      ...["sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10"],
      ...["--visibility-timeout", "3600"],
    ]);
    const { Messages = [] } = answer as { Messages?: { Body: string }[] };
    all.push(...Messages.map(({ Body }) => JSON.parse(Body) as Envelope));
    return all;
  }

  const ofEvent = async (region: string, id: string) =>
    (await envelopes(region)).find(({ detail }) => detail.eventID === id);

  async function untilArrived(region: string, id: string): Promise<Envelope> {
    let found: Envelope | undefined;
    await until(`${id} arrives`, async () => (found = await ofEvent(region, id)) !== undefined, 40_000);
    if (!found) throw new Error("It was there a moment ago.");
    return found;
  }

  beforeAll(async () => {
    server = await startMoto();
    door = await doorTo(server.url);
    for (const region of regions) await makeBus(region);
    cairn = await startCairn({
      args: [
        ...["--auth", "off", "--delivery-interval", "500ms", "--put-timeout", "5s"],
        ...["--events-endpoint", door.url, "--event-bus", "write", "--event-bus-name", bus],
      ],
      env: {
        AWS_ACCESS_KEY_ID: motoCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: motoCredentials.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: "true",
      },
    });
    cli = { url: cairn.url, region: home, accessKeyId: motoAccount };
    await aws(cli, ["s3", "mb", "s3://walk-logs"]);
  });
  afterAll(async () => {
    await cairn?.dispose();
    door?.dispose();
    await server?.stop();
  });

  const beforeAnyTrail = managementEvent();

  test("gets writes once a trail logs, in the envelope of formats.md §5.2", async () => {
    await postEvents(cairn.url, [beforeAnyTrail]);
    await aws(cli, [
      ...["cloudtrail", "create-trail", "--name", "walk", "--s3-bucket-name", "walk-logs"],
      "--is-multi-region-trail",
    ]);
    await aws(cli, ["cloudtrail", "start-logging", "--name", "walk"]);
    const read = managementEvent({ eventName: "DescribeInstances", readOnly: true });
    const object = objectEvent({ operation: "PutObject", bucket: "b", key: "k", readOnly: false });
    const write = managementEvent({ eventContext: { tagContext: {} } });
    await postEvents(cairn.url, [read, object, write]);
    const { eventContext: _, ...detail } = write;
    expect(await untilArrived(home, write.eventID)).toMatchObject({
      ...{ version: "0", source: "aws.ec2", "detail-type": "AWS API Call via CloudTrail" },
      ...{ region: home, resources: [], time: "2026-01-10T09:18:41Z" },
    });
    expect((await ofEvent(home, write.eventID))?.detail).toEqual(detail);
    const ids = (await envelopes(home)).map((envelope) => envelope.detail.eventID);
    for (const absent of [beforeAnyTrail, read, object]) expect(ids).not.toContain(absent.eventID);
  });

  test("gets Cairn's own calls, the one that starts logging first", async () => {
    const names = () =>
      envelopes(home).then((all) =>
        all.flatMap(({ source, detail }) => (source === "aws.cloudtrail" ? detail.eventName : [])),
      );
    await until("StartLogging arrives", async () => (await names()).includes("StartLogging"), 40_000);
    expect(await names()).not.toContain("CreateTrail");
  });

  test("gets data events that a trail's selectors log, reads too", async () => {
    const selectors = [
      { Field: "eventCategory", Equals: ["Data"] },
      { Field: "resources.type", Equals: ["AWS::S3::Object"] },
    ];
    await aws(cli, [
      ...["cloudtrail", "put-event-selectors", "--trail-name", "walk", "--advanced-event-selectors"],
      JSON.stringify([{ Name: "objects", FieldSelectors: selectors }]),
    ]);
    const object = objectEvent({ operation: "GetObject", bucket: "b", key: "k", readOnly: true });
    // No selector of the trail asks for management events any more: the bus gets writes all the same.
    const write = managementEvent();
    await postEvents(cairn.url, [object, write]);
    expect(await untilArrived(home, object.eventID)).toMatchObject({ source: "aws.s3" });
    await untilArrived(home, write.eventID);
  });

  test("is the one in the Region of the event", async () => {
    const event = managementEvent({ awsRegion: elsewhere });
    await postEvents(cairn.url, [event]);
    expect(await untilArrived(elsewhere, event.eventID)).toMatchObject({ region: elsewhere });
    expect(await ofEvent(home, event.eventID)).toBeUndefined();
  });

  test("a service that is away for a while loses nothing", async () => {
    door.close();
    const event = managementEvent();
    await postEvents(cairn.url, [event]);
    await until("a try failed", () => cairn.log().includes('"code":"no-answer"'));
    door.open();
    await untilArrived(home, event.eventID);
  });
});

/** A way to a server on loopback that can be shut: connections then break. */
async function doorTo(url: string) {
  const port = Number(new URL(url).port);
  const open = new Set<Socket>();
  let isShut = false;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    if (isShut) {
      socket.destroy();
      return;
    }
    const onward = connect(port, "127.0.0.1");
    for (const end of [socket, onward]) open.add(end.on("close", () => open.delete(end)));
    onward.on("error", () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  const close = () => {
    isShut = true;
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    open: () => {
      isShut = false;
    },
    close,
    dispose: () => {
      close();
      server.close();
    },
  };
}
