// The evidence of one chain: durable notes of the log files that were delivered, numbered in the order of delivery. A
// digest names a run of them; they go when that digest is written. Must not: know windows or digests.
//
// State key: delivery/evidence/{incarnation}/{account}/{region}/{seq}, seq padded to twelve digits.
//
// - Within a chain numbers grow and times never decrease, also when the clock steps back.
// - A note whose write failed is in doubt: it is looked for before anything else counts on its absence or presence, so
//   that no file is noted twice and none is lost.
// - Notes are read in blocks of ten thousand, so that a chain that could not be written for weeks still fits in memory:
//   about half a kilobyte each in the store, one kilobyte each while they are read.
// - One caller at a time: live-chain.ts takes the turns.
import { z } from "zod";
import type { StateStore } from "../state/contract.ts";
import type { FileEvidence } from "./delivered-file.ts";
import { chainPath, type ChainName } from "./digest-chain.ts";

const noteSchema = z.object({
  planId: z.string(),
  bucket: z.string(),
  key: z.string(),
  sha256: z.string(),
  oldestEventTime: z.string().exactOptional(),
  newestEventTime: z.string().exactOptional(),
  deliveredMs: z.number(),
});

export type EvidenceNote = Readonly<z.infer<typeof noteSchema>>;
export type NumberedNote = EvidenceNote & { readonly seq: number };
/** A log file as its digest names it. */
export type NotedFile = Pick<EvidenceNote, "planId" | "bucket" | "key" | "deliveredMs"> & FileEvidence;

const keyPrefix = "delivery/evidence/";
const seqDigits = 12;
const blockNotes = 10_000;
const blockDigits = seqDigits - 4;

export class EvidenceBook {
  readonly #state: StateStore;
  readonly #prefix: string;
  readonly #writesAtOnceMax: number;
  /** Numbers of notes whose write failed, by plan: each ends with its plan or with the next digest. */
  readonly #doubts = new Map<string, number>();
  #nextSeq = 1;
  /** The highest number that is surely stored. */
  #lastSeq = 0;
  #lastMs = 0;
  /** Notes up to this number are removed. */
  #prunedTo = 0;

  constructor(state: StateStore, name: ChainName, limits: { readonly writesAtOnceMax: number }) {
    this.#state = state;
    this.#prefix = `${keyPrefix}${chainPath(name)}/`;
    this.#writesAtOnceMax = limits.writesAtOnceMax;
  }

  /** The number of the last note; one that is in doubt does not count. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /**
   * Takes up what the last process left; `covered` as the chain says. Tells the plan of every note to `found`, the
   * covered ones that a crash left behind included; those are removed. Throws when the store fails.
   */
  async open(covered: number, found: (planId: string) => void): Promise<void> {
    this.#lastSeq = covered;
    this.#prunedTo = covered;
    // Notes are removed in their order: what is left of covered ones stands right before the others.
    for (let block = blockOf(covered); block >= 0; block -= 1) {
      const notes = await this.#block(block);
      if (notes.length === 0 && block < blockOf(covered)) break;
      for (const { seq, planId } of notes) {
        if (seq > covered) continue;
        found(planId);
        this.#prunedTo = Math.min(this.#prunedTo, seq - 1);
      }
    }
    for (let block = blockOf(covered + 1); ; block += 1) {
      const notes = (await this.#block(block)).filter(({ seq }) => seq > covered);
      if (notes.length === 0) break;
      for (const { seq, planId, deliveredMs } of notes) {
        found(planId);
        this.#lastSeq = seq;
        this.#lastMs = deliveredMs;
      }
    }
    this.#nextSeq = this.#lastSeq + 1;
    await this.prune(covered);
  }

  /** Notes a file, durably when it resolves. Throws when the store fails; the note is in doubt then. */
  async append(file: NotedFile): Promise<void> {
    if (this.#doubts.has(file.planId) && (await this.#resolve(file.planId))) return;
    const seq = this.#nextSeq;
    const { planId, bucket, key, sha256, oldestEventTime, newestEventTime } = file;
    const note: EvidenceNote = {
      ...{ planId, bucket, key, sha256 },
      ...(oldestEventTime !== undefined && { oldestEventTime }),
      ...(newestEventTime !== undefined && { newestEventTime }),
      deliveredMs: Math.max(file.deliveredMs, this.#lastMs),
    };
    this.#nextSeq += 1;
    this.#lastMs = note.deliveredMs;
    this.#doubts.set(planId, seq);
    await this.#state.put(this.#keyOf(seq), note, "any");
    this.#doubts.delete(planId);
    this.#lastSeq = seq;
  }

  /** Finds out about every note in doubt; returns the plans of those that are stored. Throws when the store fails. */
  async resolveDoubts(): Promise<readonly string[]> {
    const stored: string[] = [];
    for (const planId of [...this.#doubts.keys()]) if (await this.#resolve(planId)) stored.push(planId);
    return stored;
  }

  /** The notes after number `after` in their order, at most `notesMax`, none above `upTo`. */
  async read(after: number, limits: { notesMax: number; upTo: number }): Promise<readonly NumberedNote[]> {
    const { notesMax, upTo } = limits;
    const notes: NumberedNote[] = [];
    for (let block = blockOf(after + 1); block <= blockOf(upTo) && notes.length < notesMax; block += 1) {
      const some = (await this.#block(block)).filter(({ seq }) => seq > after && seq <= upTo);
      for (const note of some.slice(0, notesMax - notes.length)) notes.push(note);
    }
    return notes;
  }

  /** Removes every note up to `upTo`. Throws when the store fails: the next call removes the rest. */
  async prune(upTo: number): Promise<void> {
    while (this.#prunedTo < upTo) {
      const to = Math.min(upTo, this.#prunedTo + this.#writesAtOnceMax);
      const numbers = Array.from({ length: to - this.#prunedTo }, (_, at) => this.#prunedTo + 1 + at);
      await Promise.all(numbers.map((seq) => this.#state.delete(this.#keyOf(seq), "any")));
      this.#prunedTo = to;
    }
  }

  /** Removes every note there is, those in doubt included. */
  async removeAll(): Promise<void> {
    await this.prune(this.#nextSeq - 1);
  }

  /** Whether the note of this plan is stored; it is not in doubt any more. */
  async #resolve(planId: string): Promise<boolean> {
    const seq = this.#doubts.get(planId) ?? 0;
    const stored = await this.#state.get(this.#keyOf(seq));
    this.#doubts.delete(planId);
    if (!stored) return false;
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    return true;
  }

  async #block(block: number): Promise<readonly NumberedNote[]> {
    const stored = await this.#state.list(this.#prefix + String(block).padStart(blockDigits, "0"));
    return stored.map(({ key, value }) => ({
      ...noteSchema.parse(value),
      seq: Number(key.slice(this.#prefix.length)),
    }));
  }

  #keyOf(seq: number): string {
    return this.#prefix + String(seq).padStart(seqDigits, "0");
  }
}

function blockOf(seq: number): number {
  return Math.floor(seq / blockNotes);
}
