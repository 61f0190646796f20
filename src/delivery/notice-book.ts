// The notices that still have to go out, each "this log file is in its bucket", in the state store. Memory and store say
// the same, but for the moment of a write. Must not: publish, or decide what is given up.
//
// State key: delivery/notice/{incarnation}/{planId}. A notice is stored before the plan of its file goes, and removed
// after its topic took it: so a crash may announce a file twice, and never not at all.
import { z } from "zod";
import { parseRegion } from "../model/regions.ts";
import type { StateStore } from "../state/contract.ts";

const timeSchema = z.number().nonnegative();
const noticeSchema = z.object({
  planId: z.string(),
  incarnation: z.string(),
  /** ARN of the trail, for the log. */
  trail: z.string(),
  region: z.string().transform((text, context) => {
    const region = parseRegion(text);
    if (region) return region;
    context.addIssue({ code: "custom", message: "not a Region" });
    return z.NEVER;
  }),
  /** The trail's topic when the file was delivered, for the reader of the store: it is sent to the topic of the moment. */
  topicArn: z.string(),
  bucket: z.string(),
  key: z.string(),
  createdMs: timeSchema,
  attempts: z.number().int().nonnegative(),
  firstFailedMs: timeSchema.exactOptional(),
  /** Error code of the last refusal. */
  code: z.string().exactOptional(),
});

export type Notice = Readonly<z.infer<typeof noticeSchema>>;

/** A notice in memory; `notice` is replaced when it was tried. */
export interface NoticeEntry {
  notice: Notice;
}

const keyPrefix = "delivery/notice/";
const keyOf = ({ incarnation, planId }: Notice): string => `${keyPrefix}${incarnation}/${planId}`;

export class NoticeBook<Entry extends NoticeEntry> {
  readonly #state: StateStore;
  readonly #writesAtOnceMax: number;
  readonly #entries = new Map<string, Entry>();
  /** Being stored just now: they count. */
  #coming = 0;

  constructor(state: StateStore, limits: { readonly writesAtOnceMax: number }) {
    this.#state = state;
    this.#writesAtOnceMax = limits.writesAtOnceMax;
  }

  /** Loads every stored notice, oldest first, each in the form that `enter` gives it. Throws when one cannot be read. */
  async open(enter: (notice: Notice) => Entry): Promise<void> {
    // Half a million notices name few trails, topics and buckets: each text is kept once.
    const texts = new Map<string, string>();
    const once = (text: string): string => {
      const kept = texts.get(text) ?? text;
      texts.set(text, kept);
      return kept;
    };
    const notices = (await this.#state.list(keyPrefix)).map(({ value }): Notice => {
      const notice = noticeSchema.parse(value);
      const { incarnation, trail, topicArn, bucket } = notice;
      return {
        ...notice,
        ...{
          incarnation: once(incarnation),
          trail: once(trail),
          topicArn: once(topicArn),
          bucket: once(bucket),
        },
      };
    });
    notices.sort((a, b) => a.createdMs - b.createdMs || (a.planId < b.planId ? -1 : 1));
    for (const notice of notices) this.#entries.set(notice.planId, enter(notice));
  }

  /** Stored notices, and those being stored. */
  get size(): number {
    return this.#entries.size + this.#coming;
  }

  has(planId: string): boolean {
    return this.#entries.has(planId);
  }

  /** Resolves when the notice is durable. Throws when the store fails: then it may be there after a crash. */
  async add(entry: Entry): Promise<void> {
    this.#coming += 1;
    try {
      // Whatever a failed write of the same notice left.
      await this.#state.put(keyOf(entry.notice), { ...entry.notice }, "any");
      this.#entries.set(entry.notice.planId, entry);
    } finally {
      this.#coming -= 1;
    }
  }

  /** Stores what a try said of it. Throws when the store fails; memory knows it all the same. */
  async change(entry: Entry, changes: Pick<Notice, "attempts" | "firstFailedMs" | "code">): Promise<void> {
    entry.notice = { ...entry.notice, ...changes };
    await this.#state.put(keyOf(entry.notice), { ...entry.notice }, "any");
  }

  /** Throws when the store fails: call it again, those that were removed are no trouble. */
  async remove(entries: readonly Entry[]): Promise<void> {
    for (let at = 0; at < entries.length; at += this.#writesAtOnceMax) {
      const some = entries.slice(at, at + this.#writesAtOnceMax);
      await Promise.all(some.map(({ notice }) => this.#state.delete(keyOf(notice), "any")));
      for (const { notice } of some) this.#entries.delete(notice.planId);
    }
  }
}
