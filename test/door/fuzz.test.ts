// Random bytes, JSON and headers against the door, a fixed number of rounds with a fixed seed: never a crash, a hang, a 5xx.
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operationShapes } from "../../src/model/generated/shapes.ts";
import { connectRaw, mary, type Running, send, startDoor } from "./door-fixture.ts";
import { sign } from "./signing.ts";

const seed = 20_131_101;
const limits = {
  headersTimeoutMs: 1000,
  requestTimeoutMs: 2000,
  keepAliveTimeoutMs: 500,
  callBodyBytesMax: 100_000,
};
let open: Running;
let closed: Running;

beforeAll(async () => {
  open = await startDoor({ limits });
  closed = await startDoor({ limits, configuration: { auth: "on" } });
});
afterAll(async () => {
  for (const door of [open, closed]) {
    expect((await send(door.port, { target: "/healthz" })).status).toBe(200);
    expect(door.world.errors).toEqual([]);
    await door.close();
  }
});

const doors = fc.constantFrom("open", "closed").map((name) => () => (name === "open" ? open : closed));
const operations = fc.constantFrom(...Object.keys(operationShapes), "Nothing", "__proto__", "constructor");
const targets = fc
  .tuple(
    fc.constantFrom("CloudTrail_20131101.", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "X."),
    operations,
  )
  .map((parts) => parts.join(""));
const members = fc.constantFrom(
  ...["Name", "TrailName", "S3BucketName", "S3KeyPrefix", "IsMultiRegionTrail", "EventSelectors"],
  ...["AdvancedEventSelectors", "TagsList", "ResourceIdList", "trailNameList", "MaxResults", "StartTime"],
  ...["FieldSelectors", "DataResources", "Values", "Key", "Value", "__proto__", "toString"],
);
const anyJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      null,
      true,
      false,
      0,
      -1,
      1.5,
      1e308,
      "",
      "abc",
      "\u0000",
      "🦊",
      "arn:aws:cloudtrail:::trail/x",
    ),
    fc.string({ maxLength: 20 }),
    fc.double({ noNaN: true }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(members, tie("value"), { maxKeys: 4 }),
  ),
})).value;
const visible = (text: string) => text.replace(/[^\x20-\x7e]/g, "").trim();
const headers = fc.dictionary(
  fc.constantFrom(
    ...["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "content-type"],
    ...[
      "content-encoding",
      "host",
      "origin",
      "user-agent",
      "date",
      "x-amz-target",
      "x-amz-trailer",
      "expect-ct",
    ],
  ),
  fc
    .oneof(
      fc.string({ maxLength: 60 }),
      fc.constantFrom(
        ...["AWS4-HMAC-SHA256 Credential=a/b/us-east-1/s3/e, SignedHeaders=host, Signature=0", "Bearer x"],
        ...["AWS4-HMAC-SHA256 Credential=//us-east-1//, SignedHeaders=;, Signature==", "localhost", "gzip"],
        ...["AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/cloudtrail/aws4_request", "20260101T000000Z"],
        ...[
          "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
          "application/x-amz-json-1.1",
          "application/x-www-form-urlencoded",
        ],
      ),
    )
    .map(visible),
  { maxKeys: 6 },
);
const paths = fc.oneof(
  fc.constantFrom("/", "/events", "/PutAuditEvents?channelArn=%", "/bucket/key?x=%zz", "/metrics", "/readyz"),
  fc.constantFrom(
    "/?X-Amz-Signature=1&X-Amz-Expires=x",
    "/service/CloudTrail_20131101/operation/",
    "/%2e%2e/%00",
  ),
  fc.string({ maxLength: 30 }).map((text) => `/${encodeURI(visible(text)).replace(/[\s#]/g, "")}`),
);

/** 503 is an answer to load, which there is none of here. */
async function expectGoodAnswer(door: Running, sent: Parameters<typeof send>[1]): Promise<number> {
  const reply = await send(door.port, sent);
  expect(reply.status, JSON.stringify(sent)).toBeLessThan(500);
  expect(reply.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(reply.headers.date).toBeDefined();
  return reply.status;
}

test("random JSON to every operation", async () => {
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(targets, anyJson, async (target, body) => {
      const kind = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
      const sent = { method: "POST", headers: kind, body: JSON.stringify(body) };
      statuses.add(await expectGoodAnswer(open, sent));
    }),
    { seed, numRuns: 1000 },
  );
  expect(statuses).toEqual(new Set([200, 400]));
});

test("random JSON, well signed, with the signature checked", async () => {
  await fc.assert(
    fc.asyncProperty(targets, anyJson, async (target, body) => {
      const host = `127.0.0.1:${closed.port}`;
      const unsigned = {
        method: "POST",
        path: "/",
        headers: { host, "content-type": "application/x-amz-json-1.1", "x-amz-target": target },
        body: JSON.stringify(body),
      };
      await expectGoodAnswer(closed, await sign(unsigned, { credentials: mary, service: "cloudtrail" }));
    }),
    { seed, numRuns: 200 },
  );
});

test("random heads and bodies", async () => {
  const methods = fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "PURGE");
  const bodies = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 200 }), fc.json());
  const input = fc.record({ door: doors, method: methods, target: paths, headers, body: bodies });
  await fc.assert(
    fc.asyncProperty(input, async ({ door, ...sent }) => {
      await expectGoodAnswer(door(), sent);
    }),
    { seed, numRuns: 1500 },
  );
});

test("random bytes on a bare connection, whole requests with bytes changed among them", async () => {
  const whole = Buffer.from(
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: CloudTrail_20131101.GetTrail\r\nConnection: close\r\nContent-Length: 14\r\n\r\n{"Name":"abc"}',
  );
  const changed = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const noise = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(doors, fc.oneof(changed, noise), async (door, bytes) => {
      const connection = connectRaw(door().port, bytes);
      connection.socket.end();
      const text = await connection.received(4000);
      expect(connection.socket.destroyed, JSON.stringify(bytes.toString("latin1"))).toBe(true);
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
      if (status !== undefined) answered++;
      expect(Number(status ?? 0), bytes.toString("latin1")).toBeLessThan(500);
    }),
    { seed, numRuns: 400 },
  );
  expect(answered).toBeGreaterThan(200);
});
