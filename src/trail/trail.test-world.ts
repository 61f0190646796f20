// A world for the tests of this folder: state and buckets in memory, a clock the test moves, a delivery that records.
import { setTimeout as sleep } from "node:timers/promises";
import type { BucketPresence, BucketStore, PolicyAnswer } from "../bucket/contract.ts";
import { type AccountId, parseAccountId } from "../model/arn.ts";
import type { Call } from "../model/call.ts";
import type { Log, Random } from "../model/environment.ts";
import { ApiError } from "../model/errors.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import type { StateStore } from "../state/contract.ts";
import { openMemoryState } from "../state/memory-state.ts";
import {
  type DeliveryStatus,
  type DigestPublicKey,
  defaultQuotas,
  type TrailConfiguration,
  type TrailPorts,
} from "./ports.ts";
import { createTrailOperations, type TrailOperations } from "./trail-operations.ts";
import { openTrailRegistry, type TrailRegistry } from "./trail-registry.ts";

function account(text: string): AccountId {
  const id = parseAccountId(text);
  if (!id) throw new Error(`${text} is no account id`);
  return id;
}

export function region(text: string): Region {
  const parsed = parseRegion(text);
  if (!parsed) throw new Error(`${text} is no Region`);
  return parsed;
}

export const mary = account("123456789012");
/** The same account in another role. */
export const management = account(mary);
export const delegate = account("222222222222");
export const member = account("333333333333");
export const stranger = account("999999999999");
export const ohio = region("us-east-2");
export const virginia = region("us-east-1");
export const ireland = region("eu-west-1");

export const organization = {
  id: "o-exampleorgid",
  managementAccount: management,
  delegatedAdministrators: [delegate],
  members: [management, delegate, member],
};

/** 2015-09-01T00:54:02.760Z */
const startMs = 1_441_068_842_760;

export interface TrailWorld {
  operations: TrailOperations;
  registry: TrailRegistry;
  ports: TrailPorts;
  readonly state: StateStore;
  /** Bucket → its policy; a function is asked each time. */
  readonly buckets: Map<string, PolicyAnswer | (() => Promise<PolicyAnswer>)>;
  /** Asked before `buckets`. */
  presence: ((bucket: string, signal?: AbortSignal) => Promise<BucketPresence>) | undefined;
  configuration: TrailConfiguration;
  nowMs: number;
  /** How long a sleep of the clock really takes. */
  sleepScale: number;
  /** `{incarnation} {region}` → what delivery knows there; channels left out know nothing. */
  readonly statuses: Map<string, Partial<DeliveryStatus>>;
  /** The keys of each Region; the world looks at no range. */
  readonly keys: Map<Region, readonly DigestPublicKey[]>;
  /** What ListPublicKeys asked for. */
  readonly keyRanges: { readonly region: Region; readonly startMs: number; readonly endMs: number }[];
  readonly flushes: { readonly incarnation: string; readonly msMax: number; readonly wasLive: boolean }[];
  readonly warnings: string[];
  /** Starts again on the same state. */
  reopen(): Promise<void>;
}

/** A world with the bucket `my-bucket`, three Regions and no organization. */
export async function openTrailWorld(changes: Partial<TrailConfiguration> = {}): Promise<TrailWorld> {
  const clock = {
    nowMs: () => world.nowMs,
    monotonicMs: () => world.nowMs,
    sleep: async (ms: number, signal?: AbortSignal) =>
      sleep(ms * world.sleepScale, undefined, signal && { signal }).catch(() => {}),
  };
  const state = openMemoryState({ clock });
  const base = {
    state,
    buckets: new Map([["my-bucket", { kind: "none" } as const]]),
    presence: undefined,
    configuration: {
      regions: [virginia, ohio, ireland],
      quotas: defaultQuotas,
      bucketPolicyCheck: "when-present" as const,
      extraResourceTypes: [],
      ...changes,
    },
    nowMs: startMs,
    sleepScale: 1,
    statuses: new Map<string, Partial<DeliveryStatus>>(),
    keys: new Map<Region, readonly DigestPublicKey[]>(),
    keyRanges: [],
    flushes: [],
    warnings: [],
  };
  const ports: TrailPorts = {
    state,
    bucket: bucketsOf(() => world),
    delivery: {
      status: (incarnation, region) => ({
        ...{ bucket: {}, digest: {}, notification: {}, logGroup: {} },
        ...world.statuses.get(`${incarnation} ${region}`),
      }),
      flush: async (incarnation, msMax) => {
        const wasLive = world.registry.place(incarnation)?.deletedMs === undefined;
        world.flushes.push({ incarnation, msMax, wasLive });
      },
    },
    keys: {
      publicKeys(of, range) {
        world.keyRanges.push({ region: of, ...range });
        return world.keys.get(of) ?? [];
      },
    },
    configuration: () => world.configuration,
    clock,
    random: countingRandom(),
    log: logInto(base.warnings),
  };
  const first = await openTrailRegistry({ ...ports, configuration: () => base.configuration });
  const world: TrailWorld = {
    ...base,
    ports,
    registry: first,
    operations: createTrailOperations(first, ports),
    async reopen() {
      world.registry = await openTrailRegistry(ports);
      world.operations = createTrailOperations(world.registry, ports);
    },
  };
  await world.reopen();
  return world;
}

export function callFrom(accountId: AccountId = mary, from: Region = ohio): Call {
  return {
    caller: {
      accountId,
      kind: "user",
      arn: `arn:aws:iam::${accountId}:user/mary`,
      principalId: "AIDAEXAMPLE",
      userName: "mary",
    },
    region: from,
    requestId: "f9e2b4a1-0000-4000-8000-000000000000",
    sourceIp: "127.0.0.1",
    userAgent: "test",
  };
}

/** `Code: text` of the API error a call is refused with; anything else fails the test. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

export function trailArnOf(name: string, options: { account?: string; region?: string } = {}): string {
  return `arn:aws:cloudtrail:${options.region ?? ohio}:${options.account ?? mary}:trail/${name}`;
}

/** Every stored document, to show that a refused call changed nothing. */
export async function documentsOf(world: TrailWorld): Promise<unknown> {
  return world.state.list("");
}

function bucketsOf(world: () => TrailWorld): BucketStore {
  const unused = async (): Promise<never> => {
    throw new Error("The trail operations use presence and policy only.");
  };
  return {
    put: unused,
    get: unused,
    head: unused,
    list: unused,
    async presence(bucket, signal) {
      if (world().presence) return (await world().presence?.(bucket, signal)) ?? "unknown";
      return world().buckets.has(bucket) ? "exists" : "missing";
    },
    async policy(bucket) {
      const answer = world().buckets.get(bucket) ?? { kind: "unreadable", message: "no such bucket" };
      return typeof answer === "function" ? answer() : answer;
    },
  };
}

function countingRandom(): Random {
  let count = 0;
  return {
    uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, "0")}`,
    alphanumeric: (length) => "A".repeat(length),
    fraction: () => 0.5,
  };
}

function logInto(warnings: string[]): Log {
  return {
    debug() {},
    info() {},
    warn: (_fields, message) => void warnings.push(message),
    error: (_fields, message) => void warnings.push(message),
  };
}

/** A bucket policy that lets trails write below a folder. */
export const policyFor = (folder: string, bucket = "my-bucket") =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:GetBucketAcl",
        Resource: `arn:aws:s3:::${bucket}`,
      },
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:PutObject",
        Resource: `arn:aws:s3:::${bucket}/${folder}/*`,
        Condition: { StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control" } },
      },
    ],
  });
