// The world around the notifier for its tests: topics that misbehave on demand, trails with topics, files that were
// delivered, and processes that end and begin again over the same state store.
import { z } from "zod";
import type { ServiceOutcome, Services, Topics } from "../aws/contract.ts";
import type { StateStore } from "../state/contract.ts";
import { openMemoryState } from "../state/memory-state.ts";
import {
  account,
  CountingMetrics,
  KeptLog,
  ManualClock,
  region,
  seededRandom,
  TestPlaces,
} from "../../test/sim/delivery-world.ts";
import type { DeliveredFile } from "./delivered-file.ts";
import { Faults } from "./faults.ts";
import { defaultLimits } from "./limits.ts";
import { defaultNoticeLimits, type NoticeLimits, Notifier } from "./notices.ts";
import { StatusBook } from "./status-book.ts";

/** How a topic answers one publish. `lose`: it takes the message, and the answer is lost. `hang`: it never answers. */
export type TopicAnswer = "take" | "lose" | "hang" | { readonly refuse: string };

export interface Announcement {
  readonly topicArn: string;
  readonly message: string;
  readonly bucket: string;
  readonly keys: readonly string[];
}

/** Topics in memory; `taken` is what their subscribers got, in order. */
export class TestTopics implements Topics {
  readonly taken: Announcement[] = [];
  readonly tries: Announcement[] = [];
  /** Publishes without an answer now, and the most there ever were. */
  open = 0;
  openMost = 0;
  answer: (announcement: Announcement) => TopicAnswer = () => "take";

  async publish(topicArn: string, message: string, signal?: AbortSignal): Promise<ServiceOutcome> {
    const announcement = { topicArn, message, ...said(message) };
    this.tries.push(announcement);
    this.open += 1;
    this.openMost = Math.max(this.openMost, this.open);
    try {
      await Promise.resolve();
      const answer = this.answer(announcement);
      if (answer === "hang") {
        return await new Promise((resolve) => {
          signal?.addEventListener("abort", () => resolve({ kind: "unknown", message: "aborted" }));
        });
      }
      if (typeof answer === "object") {
        return { kind: "refused", code: answer.refuse, message: "The topic said no." };
      }
      this.taken.push(announcement);
      return answer === "lose" ? { kind: "unknown", message: "The answer was lost." } : { kind: "done" };
    } finally {
      this.open -= 1;
    }
  }

  keysOf(topicArn: string): string[] {
    return this.taken.filter((one) => one.topicArn === topicArn).flatMap((one) => one.keys);
  }
}

const messageSchema = z.strictObject({ s3Bucket: z.string(), s3ObjectKey: z.array(z.string()).min(1) });

function said(message: string): { bucket: string; keys: readonly string[] } {
  const { s3Bucket, s3ObjectKey } = messageSchema.parse(JSON.parse(message));
  return { bucket: s3Bucket, keys: s3ObjectKey };
}

export const topic = (name: string): string => `arn:aws:sns:us-east-1:123456789012:${name}`;

export const noticeOptions = {
  deliveryIntervalMs: 60_000,
  retentionMs: 30 * 24 * 3_600_000,
  putTimeoutMs: 30_000,
};

export class NoticeWorld {
  readonly clock = new ManualClock();
  readonly state: StateStore = openMemoryState({ clock: this.clock });
  readonly topics = new TestTopics();
  readonly places = new TestPlaces();
  readonly log = new KeptLog();
  readonly metrics = new CountingMetrics();
  readonly limits: NoticeLimits;
  #files = 0;

  constructor(limits: Partial<NoticeLimits> = {}) {
    this.limits = { ...defaultNoticeLimits, ...limits };
  }

  /** A trail that announces its files, or no longer does. */
  trail(incarnation: string, topicArn: string | undefined = topic(incarnation)): void {
    this.places.set(incarnation, { bucket: "b", topicArn });
  }

  silentTrail(incarnation: string): void {
    this.places.set(incarnation, { bucket: "b" });
  }

  /** A file that its bucket just took. */
  file(incarnation: string, more: Partial<DeliveredFile> = {}): DeliveredFile {
    this.#files += 1;
    return {
      ...{ planId: `0-1-${this.#files}`, incarnation, trail: `trail/${incarnation}` },
      ...{ account: account("123456789012"), region: region("us-east-1"), folder: "CloudTrail" as const },
      ...{ bucket: "b", key: `AWSLogs/${this.#files}.json.gz`, deliveredMs: this.clock.nowMs() },
      evidence: () => Promise.reject(new Error("No notice needs to know what is in a file.")),
      ...more,
    };
  }

  /** A process that has begun. */
  async start(own: NoticeOwn = {}): Promise<NoticeProcess> {
    const state = own.state ?? this.state;
    const { clock, places, log, metrics } = this;
    const services: Services = own.services ?? { topics: this.topics, close: () => undefined };
    const statuses = new StatusBook(state);
    await statuses.open();
    const notifier = new Notifier({
      ports: { state, places, services, clock, random: seededRandom(7), log, metrics },
      ...{ options: { ...noticeOptions, ...own.options }, limits: defaultLimits, noticeLimits: this.limits },
      ...{ statuses, faults: new Faults(log) },
    });
    await notifier.open();
    const ending = new AbortController();
    const running = notifier.run(ending.signal);
    return {
      notifier,
      statuses,
      async stop() {
        ending.abort();
        await Promise.all([notifier.stop(), running]);
      },
    };
  }

  /** Plan ids of the stored notices. */
  async stored(): Promise<string[]> {
    const stored = await this.state.list("delivery/notice/");
    return stored.map(({ key }) => key.split("/").at(-1) ?? "");
  }
}

/** What one process has of its own. */
export interface NoticeOwn {
  readonly state?: StateStore;
  readonly services?: Services;
  readonly options?: Partial<typeof noticeOptions>;
}

export interface NoticeProcess {
  readonly notifier: Notifier;
  readonly statuses: StatusBook;
  stop(): Promise<void>;
}
