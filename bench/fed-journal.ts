// A journal that makes its frames up when they are read: millions of management events of some months, without a disk, with
// what the door notes of them. What making them costs is measured by itself and taken off.
import type { Journal, Position, StoredFrame } from "../src/journal/contract.ts";
import type { MatchSet } from "../src/selector/match-set.ts";
import { builtNotes, builtScanner } from "./built.ts";
import { generatedRecords } from "./records/generated-records.ts";

export interface Feed {
  readonly events: number;
  readonly perFrame: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Every so many events one is of a user of their own. */
  readonly rareEvery: number;
  readonly matchSet: MatchSet;
}

const { noteWords, writeNote } = await builtNotes();
const { scanBatch } = await builtScanner();

interface Pattern {
  readonly bytes: Buffer;
  readonly note: Int32Array;
  readonly timeAt: number;
  readonly idAt: number;
}

const distinct = 20_000;

export class FedJournal implements Journal {
  readonly partitions = ["0"];
  readonly #feed: Feed;
  readonly #patterns: readonly Pattern[];
  readonly #frames: number;
  readonly #second: { text: Buffer; at: number } = { text: Buffer.alloc(20), at: -1 };
  #fedFrames = 0;

  constructor(feed: Feed) {
    this.#feed = feed;
    this.#frames = Math.ceil(feed.events / feed.perFrame);
    const texts = [...generatedRecords(distinct, "management")]
      .map((record) => ({
        ...record,
        awsRegion: feed.matchSet.region,
        recipientAccountId: feed.matchSet.account,
      }))
      .map((record) => JSON.stringify(record));
    this.#patterns = texts.map(patternOf);
  }

  get frames(): number {
    return this.#frames;
  }

  /** Lets readers see so many frames. */
  feed(frames: number): void {
    this.#fedFrames = frames;
  }

  /** A record that was fed, by its number. */
  recordAt(index: number): Record<string, unknown> {
    return JSON.parse(this.#patternAt(index).bytes.toString()) as Record<string, unknown>;
  }

  visitRecent(from: Position, until: Position, visit: (frame: StoredFrame) => boolean): void {
    for (let seq = from.seq; seq < until.seq; seq += 1) if (!visit(this.#frameAt(seq))) return;
  }

  start(): Position {
    return { partition: "0", seq: 1 };
  }

  end(): Position {
    return { partition: "0", seq: this.#fedFrames + 1 };
  }

  async waitBeyond(position: Position, signal: AbortSignal): Promise<void> {
    while (this.#fedFrames + 1 <= position.seq && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  registerReader(): void {}
  async release(): Promise<void> {}
  async close(): Promise<void> {}
  reserve = (): undefined => undefined;
  usage = () => ({ bytes: 0, bytesMax: 10e9 });
  append = () => Promise.reject(new Error("Nothing is appended here."));
  read = () => Promise.reject(new Error("Everything is recent here."));

  #frameAt(seq: number): StoredFrame {
    const { perFrame, events, matchSet } = this.#feed;
    const first = (seq - 1) * perFrame;
    const count = Math.min(perFrame, events - first);
    const notes = new Int32Array(count * noteWords);
    const records = Array.from({ length: count }, (_, at) => {
      const { bytes, note } = this.#patternAt(first + at);
      notes.set(note, at * noteWords);
      return { bytes, matchSet };
    });
    const header = {
      door: "events",
      principal: "bench",
      arrivedMs: this.#timeMs(first),
      configurationVersion: 1,
    } as const;
    return { id: String(seq), header, records, notes, position: { partition: "0", seq } };
  }

  /** Filled in. */
  #patternAt(index: number): Pattern {
    const pattern = this.#patterns[index % this.#patterns.length];
    if (!pattern) throw new Error("There are no patterns.");
    const { rareEvery } = this.#feed;
    if (index % rareEvery === rareEvery - 1)
      return rareRecord(pattern, { index, time: this.#timeText(index) });
    this.#timeText(index).copy(pattern.bytes, pattern.timeAt);
    writeId(index, pattern.bytes, pattern.idAt);
    return pattern;
  }

  /** Most events are in order; one in a hundred is late. */
  #timeMs(index: number): number {
    const { startMs, endMs, events } = this.#feed;
    const lateMs = index % 100 === 99 ? ((index * 7919) % 86_400) * 1000 : 0;
    return Math.floor(Math.max(startMs, startMs + ((endMs - startMs) * index) / events - lateMs));
  }

  #timeText(index: number): Buffer {
    const second = Math.floor(this.#timeMs(index) / 1000);
    if (second !== this.#second.at) {
      this.#second.text = Buffer.from(`${new Date(second * 1000).toISOString().slice(0, 19)}Z`);
      this.#second.at = second;
    }
    return this.#second.text;
  }
}

function patternOf(text: string): Pattern {
  const bytes = Buffer.from(text);
  const behind = (key: string) => bytes.indexOf(key) + key.length;
  const note = new Int32Array(noteWords);
  const scan = scanBatch(bytes);
  const [record] = scan.kind === "records" ? scan.records : [];
  if (record && "inPlace" in record) writeNote(note, 0, { fields: record.inPlace, start: record.start });
  return { bytes, note, timeAt: behind('"eventTime":"'), idAt: behind('"eventID":"') };
}

/** Only the last two groups differ, and the first: as spread as random ones for hashing, cheaper to make. */
function writeId(index: number, bytes: Buffer, at: number): void {
  bytes.write((Math.imul(index, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0"), at, "latin1");
  bytes.write(index.toString(16).padStart(12, "0"), at + 24, "latin1");
}

function rareRecord({ bytes }: Pattern, { index, time }: { index: number; time: Buffer }): Pattern {
  const record = JSON.parse(bytes.toString()) as Record<string, unknown>;
  record["userIdentity"] = {
    type: "IAMUser",
    principalId: "AIDA",
    userName: `rare-${index}`,
    accessKeyId: "AKIARARE",
  };
  record["eventTime"] = time.toString();
  record["eventName"] = "CreateRareThing";
  record["readOnly"] = false;
  const made = patternOf(JSON.stringify(record));
  writeId(index, made.bytes, made.idAt);
  return made;
}
