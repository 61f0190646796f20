// Composes log files: one pass over a cut's frames gathers the records of many plans, then each plan's file is
// joined and compressed (formats.md §2.2), and hashed when a digest will name it. Must not: write anything.
//
// The steps are group → join → deflate. A group is the records of one match set in the frames of one cut; it is
// gathered once however many destinations log it. Here each file still deflates its groups anew; deflating a
// group once and stitching the results belongs between `gatherGroups` and `composeFile`.
//
// Records stand group by group, groups in the order in which their first record came, each ending in a comma.
// The same plan gives the same text and the same bytes, in every process of the same zlib.
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip, gzipSync } from "node:zlib";
import { readRecord } from "../event/scan-record.ts";
import type { FrameRecord, Journal } from "../journal/contract.ts";
import { assert } from "../model/assert.ts";
import type { MatchSet } from "../selector/match-set.ts";
import type { FileEvidence } from "./delivered-file.ts";
import { TimeSpan } from "./evidence.ts";
import type { Plan } from "./plan.ts";
import { cornerName, fileHead, fileTail, slotName } from "./slots.ts";

const gzipAsync = promisify(gzip);
const gzipLevel = 6;
/** Below this a hop to the thread pool costs more than deflating. */
const gzipHereBytesMax = 16 * 1024;
/** Position and value of the gzip header's operating-system byte: unknown, so that no platform shows. */
const gzipSystem = { offset: 9, unknown: 255 };
const comma = new Uint8Array([0x2c]);
const head = Buffer.from(fileHead);
const tail = Buffer.from(fileTail);

interface Group {
  readonly matchSet: MatchSet;
  /** Records, each followed by a comma; copies, so that no read buffer stays alive. */
  readonly chunks: Uint8Array[];
  recordCount: number;
  /** Of the records' times; present when a file that a digest will name holds the group. */
  readonly span?: TimeSpan;
}

export type Groups = readonly Group[];

export interface ComposedFile {
  /** Exactly one gzip member. */
  readonly bytes: Uint8Array;
  /** Present when it was asked for. */
  readonly evidence?: FileEvidence;
}

/** Which plans' files a digest will name. */
export type WantsEvidence = (plan: Plan) => boolean;

/** Cuts the plans of one cut into passes that hold at most `bytesMax` of record bytes each; a plan is never cut. */
export function splitIntoPasses(plans: readonly Plan[], bytesMax: number): readonly (readonly Plan[])[] {
  const passes: Plan[][] = [];
  let pass: Plan[] = [];
  let sums = new Map<string, number>();
  let held = 0;
  for (const plan of plans) {
    const corner = cornerName(plan);
    const sum = sums.get(corner) ?? 0;
    // Plans of one corner share groups: together they hold no more than the corner has.
    const grown = Math.min(plan.cornerBytes, sum + plan.jsonBytes) - Math.min(plan.cornerBytes, sum);
    if (pass.length > 0 && held + grown > bytesMax) {
      passes.push(pass);
      pass = [];
      sums = new Map();
      held = 0;
    }
    const before = sums.get(corner) ?? 0;
    held += Math.min(plan.cornerBytes, before + plan.jsonBytes) - Math.min(plan.cornerBytes, before);
    sums.set(corner, before + plan.jsonBytes);
    pass.push(plan);
  }
  if (pass.length > 0) passes.push(pass);
  return passes;
}

/** Reads the frames of the plans' cut once and keeps the records that any of the plans needs. */
export async function gatherGroups(
  journal: Journal,
  plans: readonly Plan[],
  { readBytesMax, wantsEvidence }: { readonly readBytesMax: number; readonly wantsEvidence: WantsEvidence },
): Promise<Groups> {
  const [first] = plans;
  assert(first, "a pass has a plan");
  const { partition, from, to } = first;
  assert(
    plans.every((plan) => plan.partition === partition && plan.from === from && plan.to === to),
    "a pass reads one range",
  );
  const gathering = new Gathering(plans, wantsEvidence);
  for (let seq = from; seq < to; ) {
    const batch = await journal.read(
      { partition, seq },
      { bytesMax: readBytesMax, until: { partition, seq: to } },
    );
    if (batch.next.seq <= seq)
      throw new Error(`The journal ends at frame ${seq}, before frame ${to} of a cut.`);
    for (const frame of batch.frames) if (frame.position.seq < to) gathering.take(frame.records);
    gathering.settle();
    seq = batch.next.seq;
  }
  return gathering.groups();
}

/**
 * One plan's file, with what a digest says of it when `wantsEvidence`. Throws when the groups do not hold exactly what
 * the plan says.
 */
export async function composeFile(plan: Plan, groups: Groups, wantsEvidence: boolean): Promise<ComposedFile> {
  const own = groups.filter(({ matchSet }) => isOf(matchSet, plan));
  const text = joinText(plan, own);
  const bytes = await gzipOneMember(text);
  if (!wantsEvidence) return { bytes };
  const span = new TimeSpan();
  for (const group of own) span.includeSpan(group.span);
  return { bytes, evidence: { sha256: createHash("sha256").update(text).digest("hex"), ...span.times } };
}

function isOf(matchSet: MatchSet, plan: Plan): boolean {
  return (
    cornerName(matchSet) === cornerName(plan) &&
    matchSet.destinations.some(({ incarnation }) => incarnation === plan.incarnation)
  );
}

function joinText(plan: Plan, groups: Groups): Uint8Array {
  const chunks: Uint8Array[] = [head];
  let recordCount = 0;
  for (const group of groups) {
    for (const chunk of group.chunks) chunks.push(chunk);
    recordCount += group.recordCount;
  }
  chunks.push(tail);
  const joined = Buffer.concat(chunks);
  // The last record's comma gives way to the closing bracket.
  const text = joined.subarray(0, joined.length - 1);
  text.set(tail, text.length - tail.length);
  const isWhole = text.length === plan.jsonBytes && recordCount === plan.recordCount;
  if (!isWhole) {
    throw new Error(
      `Plan ${plan.id} says ${plan.recordCount} records in ${plan.jsonBytes} bytes, the journal gave ${recordCount} in ${text.length}.`,
    );
  }
  return text;
}

/** Exactly one gzip member without name or time. */
export async function gzipOneMember(text: Uint8Array): Promise<Uint8Array> {
  const options = { level: gzipLevel };
  const bytes = text.length <= gzipHereBytesMax ? gzipSync(text, options) : await gzipAsync(text, options);
  bytes[gzipSystem.offset] = gzipSystem.unknown;
  return bytes;
}

/** Sorts records into groups by the content of their match set: its identity changes from segment to segment. */
class Gathering {
  readonly #wanted: ReadonlySet<string>;
  /** Slots whose files a digest will name. */
  readonly #evident: ReadonlySet<string>;
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<MatchSet, Group | undefined>();
  #fresh = new Map<Group, Uint8Array[]>();

  constructor(plans: readonly Plan[], wantsEvidence: WantsEvidence) {
    const slotOf = (plan: Plan): string => slotName(plan.incarnation, plan);
    this.#wanted = new Set(plans.map(slotOf));
    this.#evident = new Set(plans.filter(wantsEvidence).map(slotOf));
  }

  take(records: readonly FrameRecord[]): void {
    for (const { bytes, matchSet } of records) {
      const group = this.#groupOf.has(matchSet) ? this.#groupOf.get(matchSet) : this.#find(matchSet);
      if (!group) continue;
      const fresh = this.#fresh.get(group);
      if (fresh) fresh.push(bytes, comma);
      else this.#fresh.set(group, [bytes, comma]);
      group.recordCount += 1;
      group.span?.include(timeOf(bytes));
    }
  }

  /** Copies what was taken since the last call, so that the journal's buffers can go. */
  settle(): void {
    for (const [group, parts] of this.#fresh) group.chunks.push(Buffer.concat(parts));
    this.#fresh = new Map();
  }

  groups(): Groups {
    return [...this.#groups.values()];
  }

  #find(matchSet: MatchSet): Group | undefined {
    let group: Group | undefined;
    const slots = matchSet.destinations.map(({ incarnation }) => slotName(incarnation, matchSet));
    if (slots.some((slot) => this.#wanted.has(slot))) {
      const name = slots.join(",") || cornerName(matchSet);
      const isEvident = slots.some((slot) => this.#evident.has(slot));
      group = this.#groups.get(name) ?? {
        ...{ matchSet, chunks: [], recordCount: 0 },
        ...(isEvident && { span: new TimeSpan() }),
      };
      this.#groups.set(name, group);
    }
    this.#groupOf.set(matchSet, group);
    return group;
  }
}

function timeOf(bytes: Uint8Array): string | undefined {
  const reading = readRecord({ bytes, start: 0, end: bytes.length });
  return "fields" in reading ? reading.fields.eventTime : undefined;
}
