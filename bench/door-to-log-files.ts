// Door → journal → 5 trails → log files: events per second and CPU per event, and the same bytes through one zlib
// pass of level 6 in this process as the yardstick. Counts the delivered records before it believes a figure.
import {
  CreateTrailCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
} from "@aws-sdk/client-cloudtrail";
import { gzipSync } from "node:zlib";
import { deliveredIds, until } from "../test/harness/log-files.ts";
import { generatedBodies } from "./generated-events.ts";
import type { Figure } from "./main.ts";
import { makeBucket, type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

const eventCount = 60_000;
const eventsPerBody = 500;
const posters = 4;

type Fields = { Field: string; Equals?: string[]; NotEquals?: string[]; StartsWith?: string[] }[];
const trails: Readonly<Record<string, readonly Fields[]>> = {
  management: [[{ Field: "eventCategory", Equals: ["Management"] }]],
  "management-writes": [
    [
      { Field: "eventCategory", Equals: ["Management"] },
      { Field: "readOnly", Equals: ["false"] },
    ],
  ],
  "no-kms": [
    [
      { Field: "eventCategory", Equals: ["Management"] },
      { Field: "eventSource", NotEquals: ["kms.amazonaws.com"] },
    ],
  ],
  objects: [
    [
      { Field: "eventCategory", Equals: ["Data"] },
      { Field: "resources.type", Equals: ["AWS::S3::Object"] },
      { Field: "resources.ARN", StartsWith: ["arn:aws:s3:::logs-prod/", "arn:aws:s3:::assets-prod/"] },
    ],
  ],
  everything: [
    [{ Field: "eventCategory", Equals: ["Management"] }],
    [
      { Field: "eventCategory", Equals: ["Data"] },
      { Field: "resources.type", Equals: ["AWS::S3::Object"] },
    ],
  ],
};

export async function doorToLogFiles(): Promise<readonly Figure[]> {
  const bodies = generatedBodies(eventCount, eventsPerBody);
  const server = await serverUnderTest(["--auth", "off", "--delivery-interval", "1s"]);
  try {
    await makeTrails(server);
    const cpuBefore = await server.cpuSeconds();
    const start = performance.now();
    await postAll(server.url, bodies);
    const acknowledgedSeconds = (performance.now() - start) / 1000;
    await until("every event is delivered", () => deliveredCount(server) >= eventCount, 120_000);
    // The other trails' files of the last interval are written beside the one that was counted.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const cpuSeconds = (await server.cpuSeconds()) - cpuBefore;
    const yardstick = zlibSeconds(bodies);
    return [
      { what: "events acknowledged per second", value: eventCount / acknowledgedSeconds, unit: "/s" },
      {
        what: "CPU per event, door to log files of 5 trails",
        value: (cpuSeconds / eventCount) * 1e6,
        unit: "µs",
      },
      {
        what: "CPU per event of one zlib pass, level 6, same bytes",
        value: (yardstick / eventCount) * 1e6,
        unit: "µs",
      },
      {
        what: "speed per CPU against that pass (goal of the speed issue: 0.70)",
        value: yardstick / cpuSeconds,
        unit: "x",
      },
    ];
  } finally {
    await server.dispose();
  }
}

async function makeTrails(server: ServerUnderTest): Promise<void> {
  for (const [name, selectors] of Object.entries(trails)) {
    const bucket = `bench-${name}`;
    await makeBucket(server.url, bucket);
    await server.client.send(new CreateTrailCommand({ Name: name, S3BucketName: bucket }));
    await server.client.send(
      new PutEventSelectorsCommand({
        TrailName: name,
        AdvancedEventSelectors: selectors.map((FieldSelectors) => ({ FieldSelectors: [...FieldSelectors] })),
      }),
    );
    await server.client.send(new StartLoggingCommand({ Name: name }));
  }
}

/** Records that the trail "everything" delivered, Cairn's own calls left out. */
function deliveredCount(server: ServerUnderTest): number {
  return deliveredIds(server.dataDir, "bench-everything").length;
}

async function postAll(url: string, bodies: readonly Buffer[]): Promise<void> {
  let next = 0;
  const poster = async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const response = await fetch(`${url}/events`, { method: "POST", body: new Uint8Array(body) });
      const answer = (await response.json()) as { accepted: number };
      if (response.status !== 200 || answer.accepted !== eventsPerBody) {
        throw new Error(`A batch was answered ${response.status}: ${JSON.stringify(answer)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: posters }, poster));
}

function zlibSeconds(bodies: readonly Buffer[]): number {
  const before = process.cpuUsage();
  let bytes = 0;
  for (const body of bodies) bytes += gzipSync(body, { level: 6 }).length;
  const used = process.cpuUsage(before);
  if (bytes === 0) throw new Error("Nothing was compressed.");
  return (used.user + used.system) / 1e6;
}
