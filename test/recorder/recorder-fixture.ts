// A door with a recorder in front of a given endpoint, over a book of calls in memory: for tests of what passes and how.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallBook, PassedCall, ServiceBook, UnderstoodHead } from "../../src/recorder/contract.ts";
import type { RecorderConfiguration, ServiceEndpoint } from "../../src/recorder/ports.ts";
import { createRecorder, type Recorder } from "../../src/recorder/recorder.ts";
import { type FixtureOptions, type Running, startDoor } from "../door/door-fixture.ts";

export interface RecordedWorld {
  readonly calls: PassedCall[];
  readonly counts: Map<string, number>;
  readonly logged: string[];
  /** What the journal says of the next records. */
  durable: boolean;
  hasRoom: boolean;
  roomsOpen: number;
  /** Requests that the recorder was handed. */
  passing: number;
  /** Records wait for this. */
  gate: Promise<void>;
}

export interface RunningRecorder extends Running {
  readonly recorder: Recorder;
  readonly recorded: RecordedWorld;
}

export interface RecorderOptions extends FixtureOptions {
  /** Service → URL, or more. */
  readonly endpoints: Readonly<Record<string, string | ServiceEndpoint>>;
  readonly settings?: Partial<Omit<RecorderConfiguration, "endpoints">>;
  readonly installationId?: string;
  readonly services?: ServiceBook;
  readonly isOwnDelivery?: (headers: PassedCall["head"]["headers"]) => boolean;
}

/** Starts both. */
export async function startRecorder(options: RecorderOptions): Promise<RunningRecorder> {
  const recorded: RecordedWorld = {
    calls: [],
    counts: new Map(),
    logged: [],
    durable: true,
    hasRoom: true,
    roomsOpen: 0,
    passing: 0,
    gate: Promise.resolve(),
  };
  const entries = Object.entries(options.endpoints).map(([service, to]): [string, ServiceEndpoint] => [
    service,
    typeof to === "string" ? { target: { kind: "url", url: to } } : to,
  ]);
  const configuration: RecorderConfiguration = {
    policy: "pass-and-count",
    endpoints: new Map(entries),
    upstreamTimeoutMs: 60_000,
    clientTimeoutMs: 20_000,
    resignedBodyBytesMax: 4 * 1024 * 1024,
    withEmbeddedBuckets: false,
    ...options.settings,
  };
  const note = (_fields: object, message: string) => void recorded.logged.push(message);
  const count = (name: string, labels: Readonly<Record<string, string>> = {}, by = 1) => {
    const key = [name, ...Object.values(labels)].join(" ");
    recorded.counts.set(key, (recorded.counts.get(key) ?? 0) + by);
  };
  const recorder = createRecorder({
    services: options.services ?? plainServices,
    calls: bookOf(recorded),
    configuration: () => configuration,
    installationId: options.installationId ?? "testinstallation",
    isOwnDelivery: options.isOwnDelivery ?? (() => false),
    clock: {
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now(),
      sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
    },
    log: { debug: note, info: note, warn: note, error: note },
    metrics: { count, gauge: () => undefined, observe: () => undefined },
  });
  const counting: Recorder = {
    isForwarded: (service) => recorder.isForwarded(service),
    pass(passing) {
      recorded.passing++;
      return recorder.pass(passing);
    },
    unrecorded: () => recorder.unrecorded(),
    close: () => recorder.close(),
  };
  const running = await startDoor({ ...options, withoutBucketDoor: true, recorder: counting });
  const close = async () => {
    await running.close();
    await recorder.close();
  };
  return { ...running, recorder, recorded, close };
}

function bookOf(world: RecordedWorld): CallBook {
  return {
    reserve: () => {
      if (!world.hasRoom) return undefined;
      world.roomsOpen++;
      let isOpen = true;
      const release = () => {
        if (isOpen) world.roomsOpen--;
        isOpen = false;
      };
      return { release };
    },
    record: async (call) => {
      await world.gate;
      world.calls.push(call);
      return world.durable;
    },
  };
}

/** Knows no service: JSON errors for all but S3, of whose bodies nothing is kept. */
const plainServices: ServiceBook = {
  understand: (head) => Promise.resolve(head.service === "s3" ? plain("s3", 0) : plain(head.service, 65_536)),
};

function plain(service: string, bytes: number): UnderstoodHead {
  return {
    capture: { requestBytes: bytes, answerBytes: bytes, errorBytes: 1024 },
    describe: () => {
      throw new Error("Nothing is described here.");
    },
    deedOf: () => ({ action: `${service}:Something`, resource: "*" }),
    errorAnswer: ({ status, code, message, requestId }) =>
      service === "s3"
        ? {
            status,
            headers: { "Content-Type": "application/xml" },
            body: `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`,
          }
        : {
            status,
            headers: { "Content-Type": "application/x-amz-json-1.0" },
            body: JSON.stringify({ __type: code, message }),
          },
  };
}

/** A signature that nobody checks, for its scope. */
export function scoped(service: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
    "amz-sdk-invocation-id": randomUUID(),
    ...more,
  };
}

/** Waits until `holds`, or fails. */
export async function until(holds: () => boolean, what: string, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(5)) if (holds()) return;
  throw new Error(`Not within ${ms} ms: ${what}.`);
}
