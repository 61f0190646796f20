// Gathers the records of one cut by match set: a group is gathered and deflated once however many destinations log it.
// Either as the cutter counts them (live-gathering.ts), or later, from the journal. Must not: know files.
import { eventTimeOf } from "../event/event-time.ts";
import type { FrameRecord, Journal } from "../journal/contract.ts";
import { assert } from "../model/assert.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { CornerStarts } from "./corner-starts.ts";
import type { Deflater } from "./deflater.ts";
import { TimeSpan } from "./evidence.ts";
import { GroupText, type Piece } from "./group-text.ts";
import type { Plan } from "./plan.ts";
import { cornerName, slotName } from "./slots.ts";

/** The records of one match set in the frames of one cut. */
export interface Group {
  readonly pieces: readonly Piece[];
  readonly recordCount: number;
  /** Of the records' times; present when a file that a digest will name holds the group. */
  readonly span?: TimeSpan;
}

/** The groups of a slot's file, in the order in which their first record came. */
export type GroupsOfSlot = ReadonlyMap<string, readonly Group[]>;

/** The groups of a cut, or of some corners of it, on their way to their files. */
export interface Gathered {
  readonly groups: GroupsOfSlot;
  /** What they have in memory, about: less when more of them is deflated. */
  readonly heldBytes: () => number;
}

/** Which plans' files a digest will name. */
export type WantsEvidence = (plan: Plan) => boolean;

export interface GatherOptions {
  readonly readBytesMax: number;
  readonly wantsEvidence: WantsEvidence;
  readonly deflater: Deflater;
}

/** Reads the frames of the plans, all of one cut, once and keeps the records that any of the plans needs. */
export async function gatherGroups(
  journal: Journal,
  plans: readonly Plan[],
  options: GatherOptions,
): Promise<GroupsOfSlot> {
  const [first] = plans;
  assert(first, "a pass has a plan");
  const { partition, cutSeq, to } = first;
  assert(
    plans.every((plan) => plan.partition === partition && plan.cutSeq === cutSeq && plan.to === to),
    "a pass reads one range",
  );
  const from = Math.min(...plans.map((plan) => plan.from));
  // Of a corner that was cut before, the first of these frames stand in another file.
  const starts = new CornerStarts(new Map(plans.map((plan) => [cornerName(plan), plan.from])));
  const slotOf = (plan: Plan): string => slotName(plan.incarnation, plan);
  const wanted = new Set(plans.map(slotOf));
  const evident = new Set(plans.filter(options.wantsEvidence).map(({ incarnation }) => incarnation));
  const gathering = new Gathering({
    deflater: options.deflater,
    isWanted: (name) => wanted.has(name),
    isEvident: (incarnation) => evident.has(incarnation),
  });
  for (let seq = from; seq < to; ) {
    const batch = await journal.read(
      { partition, seq },
      { bytesMax: options.readBytesMax, until: { partition, seq: to } },
    );
    if (batch.next.seq <= seq)
      throw new Error(`The journal ends at frame ${seq}, before frame ${to} of a cut.`);
    for (const frame of batch.frames) if (frame.position.seq < to) gathering.take(starts.recordsOf(frame));
    seq = batch.next.seq;
  }
  return gathering.end().groups;
}

interface GroupDraft {
  readonly corner: string;
  readonly slots: readonly string[];
  readonly text: GroupText;
  readonly held: Held;
  readonly span?: TimeSpan;
}

/** What a group has in memory, about; counted until it is given away. */
interface Held {
  bytes: number;
  isGiven: boolean;
}

export interface GatheringOptions {
  readonly deflater: Deflater;
  /** Whether the file of a slot is wanted; `name` is the slot's. */
  readonly isWanted: (name: string) => boolean;
  /** Whether a digest will name the files of a destination. */
  readonly isEvident: (incarnation: string) => boolean;
}

/** Sorts records into groups by the content of their match set: its identity changes from segment to segment. */
export class Gathering {
  readonly #options: GatheringOptions;
  readonly #drafts = new Map<string, GroupDraft>();
  readonly #draftOf = new Map<MatchSet, GroupDraft | undefined>();
  #heldBytes = 0;

  constructor(options: GatheringOptions) {
    this.#options = options;
  }

  /** What it holds in memory, about. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  take(records: readonly FrameRecord[]): void {
    for (const { bytes, matchSet } of records) {
      const known = this.#draftOf.get(matchSet);
      const draft = known ?? (this.#draftOf.has(matchSet) ? undefined : this.#find(matchSet));
      if (!draft) continue;
      draft.text.append(bytes);
      draft.span?.include(eventTimeOf(bytes));
    }
  }

  end(): Gathered {
    return gathered([...this.#drafts.values()]);
  }

  /** The groups of some corners. What comes next for them makes new groups. */
  give(corners: ReadonlySet<string>): Gathered {
    const given: GroupDraft[] = [];
    for (const [name, draft] of this.#drafts) {
      if (!corners.has(draft.corner)) continue;
      given.push(draft);
      this.#drafts.delete(name);
      this.#heldBytes -= draft.held.bytes;
      draft.held.isGiven = true;
    }
    for (const matchSet of this.#draftOf.keys()) {
      if (corners.has(cornerName(matchSet))) this.#draftOf.delete(matchSet);
    }
    return gathered(given);
  }

  #find(matchSet: MatchSet): GroupDraft | undefined {
    let draft: GroupDraft | undefined;
    const all = matchSet.destinations.map(({ incarnation }) => ({
      incarnation,
      name: slotName(incarnation, matchSet),
    }));
    const wanted = all.filter(({ name }) => this.#options.isWanted(name));
    if (wanted.length > 0) {
      const name = all.map((slot) => slot.name).join(",");
      draft = this.#drafts.get(name) ?? this.#newDraft(cornerName(matchSet), wanted);
      this.#drafts.set(name, draft);
    }
    this.#draftOf.set(matchSet, draft);
    return draft;
  }

  #newDraft(corner: string, wanted: readonly { incarnation: string; name: string }[]): GroupDraft {
    const { isEvident, deflater } = this.#options;
    const isHashed = wanted.some(({ incarnation }) => isEvident(incarnation));
    const held: Held = { bytes: 0, isGiven: false };
    const onHeld = (bytes: number): void => {
      held.bytes += bytes;
      if (!held.isGiven) this.#heldBytes += bytes;
    };
    return {
      ...{ corner, slots: wanted.map(({ name }) => name), held },
      text: new GroupText({ deflater, isHashed, onHeld }),
      ...(isHashed && { span: new TimeSpan() }),
    };
  }
}

function gathered(drafts: readonly GroupDraft[]): Gathered {
  const groups = new Map<string, Group[]>();
  for (const { slots, text, span } of drafts) {
    const group = { pieces: text.end(), recordCount: text.recordCount, ...(span && { span }) };
    for (const slot of slots) {
      const ofSlot = groups.get(slot);
      if (ofSlot) ofSlot.push(group);
      else groups.set(slot, [group]);
    }
  }
  return { groups, heldBytes: () => drafts.reduce((sum, { held }) => sum + held.bytes, 0) };
}
