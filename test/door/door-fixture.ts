// A real listener on a free port over small ports in memory, and ways to talk to it.
import { randomUUID } from "node:crypto";
import { type ClientRequest, type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallAttempt } from "../../src/event/call-record.ts";
import type { EventBatch, IntakeAnswer } from "../../src/intake/event-intake.ts";
import { createDoor, type Door } from "../../src/door/listener.ts";
import { createMetrics } from "../../src/door/metrics.ts";
import { createOperations } from "../../src/door/operations.ts";
import type {
  BucketDoorRequest,
  BucketDoorResponse,
  DoorConfiguration,
  DoorLimits,
  DoorPorts,
  SigningIdentity,
  TrailReport,
} from "../../src/door/ports.ts";
import { type AccountId, parseAccountId } from "../../src/model/arn.ts";
import { apiError } from "../../src/model/errors.ts";
import type { Operations } from "../../src/model/operations.ts";
import { type PolicyDocument, parsePolicyValue } from "../../src/model/policy.ts";
import type { Recorder } from "../../src/recorder/recorder.ts";
import { buildSelectorIndex } from "../../src/selector/selector-index.ts";
import { parseRegion, type Region } from "../../src/model/regions.ts";
import type { Tail, TailQuestion } from "../../src/tail/tails.ts";

const emptyIndex = buildSelectorIndex([], { version: 1, organizationMembers: new Set() });

export function account(text: string): AccountId {
  const id = parseAccountId(text);
  if (!id) throw new Error(`${text} is no account.`);
  return id;
}

export function region(text: string): Region {
  const known = parseRegion(text);
  if (!known) throw new Error(`${text} is no Region.`);
  return known;
}

/** A policy document as a configuration would give it. */
export function policy(...statements: readonly object[]): PolicyDocument {
  const parsed = parsePolicyValue({ Version: "2012-10-17", Statement: statements });
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed;
}

export const mary = { accessKeyId: "AKIAMARY", secretAccessKey: "marys-secret" };
export const nobody = { accessKeyId: "AKIANOBODY", secretAccessKey: "nobodys-secret" };
export const session = {
  accessKeyId: "ASIASESSION",
  secretAccessKey: "session-secret",
  sessionToken: "the-token",
};
const owner = account("123456789012");

/** A user of the account that the fixture's callers belong to. */
export function identityOf(
  name: string,
  secretAccessKey: string,
  policies: readonly PolicyDocument[],
): SigningIdentity {
  return {
    caller: {
      accountId: owner,
      kind: "user",
      arn: `arn:aws:iam::${owner}:user/${name}`,
      principalId: `AIDA${name.toUpperCase()}`,
      userName: name,
    },
    secretAccessKey,
    policies,
  };
}

const everything = policy({ Effect: "Allow", Action: "*", Resource: "*" });

interface World {
  readonly attempts: CallAttempt[];
  readonly batches: EventBatch[];
  readonly bucketRequests: BucketDoorRequest[];
  readonly errors: string[];
  readonly identities: Map<string, SigningIdentity>;
  /** What the recorder answers. */
  durable: boolean;
  hasRoom: boolean;
  reserved: number;
  released: number;
  changes: number;
  ready: boolean;
  /** What the status report lists. */
  trails: Iterable<TrailReport>;
  intake: IntakeAnswer | "reject";
  readonly tailQuestions: TailQuestion[];
  /** What the next tail tells. */
  tail: () => Tail | "full";
  bucketAnswer: BucketDoorResponse;
  /** Handlers of slow operations wait for this. */
  gate: Promise<void>;
  clockShiftMs: number;
}

export interface Running {
  readonly url: URL;
  readonly port: number;
  readonly world: World;
  readonly door: Door;
  readonly close: () => Promise<void>;
}

const plentiful: DoorLimits = {
  callBodyBytesMax: 1024 * 1024,
  eventsBodyBytesMax: 4 * 1024 * 1024,
  bytesInFlightMax: 32 * 1024 * 1024,
  headerBytesMax: 16 * 1024,
  connectionsMax: 1000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  keepAliveTimeoutMs: 5_000,
};

export interface FixtureOptions {
  readonly configuration?: Partial<DoorConfiguration>;
  readonly limits?: Partial<DoorLimits>;
  readonly withoutBucketDoor?: true;
  /** Real ones, in place of the door that answers `bucketAnswer`. */
  readonly buckets?: Required<Pick<DoorPorts, "bucketDoor" | "bucketCalls">>;
  readonly recorder?: Recorder;
}

/** Starts a door. With authentication off unless the configuration says otherwise. */
export async function startDoor(options: FixtureOptions = {}): Promise<Running> {
  const world = createWorld();
  const configuration: DoorConfiguration = {
    auth: "off",
    defaultAccount: owner,
    regions: ["us-east-1", "us-east-2", "eu-west-1"].map(region),
    defaultRegion: region("us-east-1"),
    hosts: ["cairn.example.com", "*.inner.example.com"],
    host: "127.0.0.1",
    port: 0,
    clockSkewMsMax: 300_000,
    ...options.configuration,
    limits: { ...plentiful, ...options.limits },
  };
  const { metrics, text } = createMetrics();
  const ports: DoorPorts = {
    configuration: () => configuration,
    identity: (accessKeyId) => world.identities.get(accessKeyId),
    operations: createOperations(trailOperations(world), {
      LookupEvents: () => Promise.resolve({ Events: [] }),
    }),
    calls: {
      reserve: () => {
        if (!world.hasRoom) return undefined;
        world.reserved++;
        const release = () => void world.released++;
        return { room: { bytes: 1024, release }, release, indexBefore: emptyIndex };
      },
      record: (attempt) => {
        world.attempts.push(attempt);
        return Promise.resolve(world.durable);
      },
    },
    events: {
      accept: (batch) => {
        world.batches.push(batch);
        return world.intake === "reject"
          ? Promise.reject(new Error("the disk burns"))
          : Promise.resolve(world.intake);
      },
    },
    tails: {
      open: (question) => {
        world.tailQuestions.push(question);
        return world.tail();
      },
      find: () => Promise.resolve(undefined),
    },
    explainer: {
      incarnationOf: (name) => {
        if (name === "missing") throw apiError("TrailNotFoundException", { ref: "missing", account: owner });
        return `incarnation of ${name}`;
      },
      explain: ({ trail }) => ({
        kind: "explained",
        trail: { arn: trail, isLogging: true, selectorKind: "basic" },
        events: [],
      }),
    },
    ...(options.recorder && { recorder: options.recorder }),
    ...(options.withoutBucketDoor
      ? {}
      : {
          bucketDoor: (request) => {
            world.bucketRequests.push(request);
            return Promise.resolve(world.bucketAnswer);
          },
        }),
    ...options.buckets,
    health: () => ({
      ready: world.ready,
      parts: { journal: { ok: world.ready, ...(world.ready ? {} : { detail: "The journal is full." }) } },
    }),
    metricsText: text,
    status: () => ({
      startedMs: 1_768_000_000_000,
      nowMs: 1_768_000_060_000,
      health: { ready: world.ready, parts: { journal: { ok: world.ready } } },
      journal: { bytes: 4096, bytesMax: 1_000_000 },
      trails: world.trails,
    }),
    clock: {
      nowMs: () => Date.now() + world.clockShiftMs,
      monotonicMs: () => performance.now(),
      sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
    },
    random: { uuid: randomUUID, alphanumeric: (length) => "a".repeat(length), fraction: () => 0.5 },
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (fields, message) => world.errors.push(`${message} ${JSON.stringify(fields)}`),
    },
    metrics,
  };
  const door = createDoor(ports);
  const url = new URL((await door.listen()).url);
  return { url, port: Number(url.port), world, door, close: () => door.close(100) };
}

function createWorld(): World {
  return {
    attempts: [],
    batches: [],
    bucketRequests: [],
    errors: [],
    identities: new Map([
      [mary.accessKeyId, identityOf("mary", mary.secretAccessKey, [everything])],
      [nobody.accessKeyId, identityOf("nobody", nobody.secretAccessKey, [])],
      [
        session.accessKeyId,
        { ...identityOf("role", session.secretAccessKey, [everything]), sessionToken: session.sessionToken },
      ],
    ]),
    durable: true,
    hasRoom: true,
    reserved: 0,
    released: 0,
    changes: 0,
    ready: true,
    trails: [],
    intake: { kind: "answered", accepted: 1, rejected: [] },
    tailQuestions: [],
    tail: noTail,
    bucketAnswer: { status: 200, headers: { "Content-Type": "text/plain" }, body: "an object" },
    gate: Promise.resolve(),
    clockShiftMs: 0,
  };
}

/** Ends at once. */
// oxlint-disable-next-line require-yield -- there is nothing to yield
async function* noTail(): AsyncGenerator<Uint8Array, void> {
  await Promise.resolve();
}

type TrailOperations = Parameters<typeof createOperations>[0];

/** Trail operations that do next to nothing; a trail called `broken` meets a bug, one called `slow` waits. */
function trailOperations(world: World): TrailOperations {
  const change = async (name: string | undefined): Promise<object> => {
    if (name === "slow") await world.gate;
    if (name === "broken") throw new Error("secret inner workings");
    if (name === "missing") throw apiError("TrailNotFoundException", { ref: "missing", account: owner });
    world.changes++;
    return {};
  };
  const operations: Pick<Operations, keyof TrailOperations> = {
    AddTags: (input) => change(input.ResourceId),
    CreateTrail: async (input) => ({
      ...(await change(input.Name)),
      Name: input.Name,
      S3BucketName: input.S3BucketName,
    }),
    DeleteTrail: (input) => change(input.Name),
    DescribeTrails: () => Promise.resolve({ trailList: [] }),
    GetEventSelectors: () => Promise.resolve({}),
    GetInsightSelectors: () => Promise.resolve({}),
    GetTrail: async (input) => {
      if (input.Name === "slow") await world.gate;
      if (input.Name === "broken") throw new Error("secret inner workings");
      if (input.Name === "missing")
        throw apiError("TrailNotFoundException", { ref: "missing", account: owner });
      return { Trail: { Name: input.Name } };
    },
    GetTrailStatus: () => Promise.resolve({ IsLogging: true, StartLoggingTime: new Date(1_441_139_757_497) }),
    ListPublicKeys: () => Promise.resolve({ PublicKeyList: [] }),
    ListTags: () => Promise.resolve({ ResourceTagList: [] }),
    ListTrails: () => Promise.resolve({ Trails: [] }),
    PutEventSelectors: (input) => change(input.TrailName),
    PutInsightSelectors: (input) => change(input.TrailName),
    RemoveTags: (input) => change(input.ResourceId),
    StartLogging: (input) => change(input.Name),
    StopLogging: (input) => change(input.Name),
    UpdateTrail: (input) => change(input.Name),
  };
  return operations;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

export interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
}

/** Sends one request on a connection of its own and reads the whole answer. */
export function send(port: number, sent: Sent, during?: (request: ClientRequest) => void): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port,
        method: sent.method ?? "GET",
        path: sent.target ?? "/",
        // Without it node sends the body of a GET as bytes that belong to nothing.
        headers: {
          ...(sent.body === undefined ? {} : { "content-length": Buffer.byteLength(sent.body) }),
          ...sent.headers,
        },
        agent: false,
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(pieces).toString("utf8");
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: () => JSON.parse(text) as Record<string, unknown>,
          });
        });
      },
    );
    request.on("error", reject);
    if (during) during(request);
    else request.end(sent.body);
  });
}

/** Calls a CloudTrail operation, unsigned. */
export function call(
  port: number,
  operation: string,
  input: unknown,
  more: Sent["headers"] = {},
): Promise<Reply> {
  return send(port, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `CloudTrail_20131101.${operation}`,
      ...more,
    },
    body: typeof input === "string" ? input : JSON.stringify(input),
  });
}

export interface RawConnection {
  readonly socket: Socket;
  /** Resolves with everything received once the server has closed the connection, or after `ms`. */
  received(ms?: number): Promise<string>;
}

/** A bare connection that writes `bytes` at once. */
export function connectRaw(port: number, bytes: string | Uint8Array = ""): RawConnection {
  const socket = connect({ host: "127.0.0.1", port });
  const pieces: Buffer[] = [];
  let isClosed = false;
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      isClosed = true;
      resolve();
    });
  });
  // A reset counts as closed: what was received before still stands.
  socket.on("error", () => undefined);
  if (bytes.length > 0) socket.write(bytes);
  return {
    socket,
    async received(ms = 5000) {
      if (!isClosed) await Promise.race([closed, sleep(ms)]);
      return Buffer.concat(pieces).toString("latin1");
    },
  };
}
