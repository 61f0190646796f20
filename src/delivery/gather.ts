// Gathers the records of one cut by match set: a group is gathered and deflated once however many destinations log it.
// Either as the cutter counts them (live-gathering.ts), or later, from the journal. Must not: know files.
import { eventTimeOf } from "../event/event-time.ts";
import type { FrameRecord, Journal } from "../journal/contract.ts";
import { assert } from "../model/assert.ts";
import type { MatchSet } from "../selector/match-set.ts";
import type { Deflater } from "./deflater.ts";
import { TimeSpan } from "./evidence.ts";
import { GroupText, type Piece } from "./group-text.ts";
import type { Plan } from "./plan.ts";
import { slotName } from "./slots.ts";

/** The records of one match set in the frames of one cut. */
export interface Group {
  readonly pieces: readonly Piece[];
  readonly recordCount: number;
  /** Of the records' times; present when a file that a digest will name holds the group. */
  readonly span?: TimeSpan;
}

/** The groups of a slot's file, in the order in which their first record came. */
export type GroupsOfSlot = ReadonlyMap<string, readonly Group[]>;

/** Which plans' files a digest will name. */
export type WantsEvidence = (plan: Plan) => boolean;

export interface GatherOptions {
  readonly readBytesMax: number;
  readonly wantsEvidence: WantsEvidence;
  readonly deflater: Deflater;
}

/** Reads the frames of the plans' cut once and keeps the records that any of the plans needs. */
export async function gatherGroups(
  journal: Journal,
  plans: readonly Plan[],
  options: GatherOptions,
): Promise<GroupsOfSlot> {
  const [first] = plans;
  assert(first, "a pass has a plan");
  const { partition, from, to } = first;
  assert(
    plans.every((plan) => plan.partition === partition && plan.from === from && plan.to === to),
    "a pass reads one range",
  );
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
    for (const frame of batch.frames) if (frame.position.seq < to) gathering.take(frame.records);
    seq = batch.next.seq;
  }
  return gathering.end();
}

interface GroupDraft {
  readonly slots: readonly string[];
  readonly text: GroupText;
  readonly span?: TimeSpan;
}

export interface Gathered {
  readonly deflater: Deflater;
  /** Whether the file of a slot is wanted; `name` is the slot's. */
  readonly isWanted: (name: string) => boolean;
  /** Whether a digest will name the files of a destination. */
  readonly isEvident: (incarnation: string) => boolean;
}

/** Sorts records into groups by the content of their match set: its identity changes from segment to segment. */
export class Gathering {
  readonly #options: Gathered;
  readonly #drafts = new Map<string, GroupDraft>();
  readonly #draftOf = new Map<MatchSet, GroupDraft | undefined>();
  #heldBytes = 0;

  constructor(options: Gathered) {
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

  end(): GroupsOfSlot {
    const groups = new Map<string, Group[]>();
    for (const { slots, text, span } of this.#drafts.values()) {
      const group = { pieces: text.end(), recordCount: text.recordCount, ...(span && { span }) };
      for (const slot of slots) {
        const ofSlot = groups.get(slot);
        if (ofSlot) ofSlot.push(group);
        else groups.set(slot, [group]);
      }
    }
    return groups;
  }

  #find(matchSet: MatchSet): GroupDraft | undefined {
    const { isWanted, isEvident, deflater } = this.#options;
    let draft: GroupDraft | undefined;
    const all = matchSet.destinations.map(({ incarnation }) => ({
      incarnation,
      name: slotName(incarnation, matchSet),
    }));
    const wanted = all.filter(({ name }) => isWanted(name));
    if (wanted.length > 0) {
      const name = all.map((slot) => slot.name).join(",");
      const isHashed = wanted.some(({ incarnation }) => isEvident(incarnation));
      const onHeld = (bytes: number) => (this.#heldBytes += bytes);
      draft = this.#drafts.get(name) ?? {
        ...{ slots: wanted.map((slot) => slot.name), text: new GroupText({ deflater, isHashed, onHeld }) },
        ...(isHashed && { span: new TimeSpan() }),
      };
      this.#drafts.set(name, draft);
    }
    this.#draftOf.set(matchSet, draft);
    return draft;
  }
}
