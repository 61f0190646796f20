// Composes log files: each plan's file is stitched from the deflated groups of its slot (formats.md §2.2), and hashed when a
// digest will name it. Must not: read the journal, write anything.
//
// The steps are gather (gather.ts) → deflate (group-text.ts) → stitch. A group stands deflated in every file that holds it.
// Only small groups that stand side by side are deflated together, per file: alone they would take up to three times the
// room. Plans whose files hold the same groups share one file.
//
// Records stand group by group, groups in the order in which their first record came, with a comma between each two.
// The same plan gives the same text and the same bytes, in every process of the same zlib.
import { createHash } from "node:crypto";
import { assert } from "../model/assert.ts";
import type { FileEvidence } from "./delivered-file.ts";
import type { Deflater } from "./deflater.ts";
import { TimeSpan } from "./evidence.ts";
import type { Group, GroupsOfSlot } from "./gather.ts";
import type { Piece } from "./group-text.ts";
import { type DeflatedText, gzipMember, storedText } from "./gzip-member.ts";
import type { Plan } from "./plan.ts";
import { cornerName, fileHead, fileTail, slotName } from "./slots.ts";

export interface ComposedFile {
  /** Exactly one gzip member. */
  readonly bytes: Uint8Array;
  /** Present when it was asked for. */
  readonly evidence?: FileEvidence;
}

const head = storedText(Buffer.from(fileHead));
const comma = storedText(Buffer.from(","));
const tail = storedText(Buffer.from(fileTail));

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

/** The files of one pass. Remembers the file made last: ask for plans that share one (`inOrder`) one after the other. */
export class PassFiles {
  readonly #groups: GroupsOfSlot;
  readonly #deflater: Deflater;
  #last:
    | { readonly groups: readonly Group[]; readonly bytes: Uint8Array; evidence?: FileEvidence }
    | undefined;

  constructor(groups: GroupsOfSlot, deflater: Deflater) {
    this.#groups = groups;
    this.#deflater = deflater;
  }

  /** The same plans, those that share a file side by side. */
  inOrder<Item extends { readonly plan: Plan }>(items: readonly Item[]): readonly Item[] {
    const numbers = new Map<Group, number>();
    const numberOf = (group: Group): number => {
      const number = numbers.get(group) ?? numbers.size;
      numbers.set(group, number);
      return number;
    };
    const byFile = new Map<string, Item[]>();
    for (const item of items) {
      const file = this.#groupsOf(item.plan).map(numberOf).join();
      const sharing = byFile.get(file);
      if (sharing) sharing.push(item);
      else byFile.set(file, [item]);
    }
    return [...byFile.values()].flat();
  }

  /** Whether the text of its file is here, to be hashed. */
  hasText(plan: Plan): boolean {
    return this.#groupsOf(plan).every(({ pieces }) => pieces.every(({ text }) => text !== undefined));
  }

  /** One plan's file. Throws when the groups do not hold exactly what the plan says. */
  async compose(plan: Plan, wantsEvidence: boolean): Promise<ComposedFile> {
    const groups = this.#groupsOf(plan);
    checkAgainst(plan, groups);
    if (!this.#last || !areSame(this.#last.groups, groups)) {
      this.#last = undefined;
      this.#last = { groups, bytes: await stitch(groups, this.#deflater) };
    }
    const { bytes } = this.#last;
    if (!wantsEvidence) return { bytes };
    this.#last.evidence ??= evidenceOf(groups);
    return { bytes, evidence: this.#last.evidence };
  }

  #groupsOf(plan: Plan): readonly Group[] {
    return this.#groups.get(slotName(plan.incarnation, plan)) ?? [];
  }
}

function areSame(left: readonly Group[], right: readonly Group[]): boolean {
  return left.length === right.length && left.every((group, index) => group === right[index]);
}

function checkAgainst(plan: Plan, groups: readonly Group[]): void {
  const pieces = groups.flatMap((group) => group.pieces);
  const commas = Math.max(0, pieces.length - 1);
  const recordCount = groups.reduce((sum, group) => sum + group.recordCount, 0);
  const texts = pieces.reduce((sum, { textBytes }) => sum + textBytes, 0);
  const jsonBytes = head.textBytes + texts + commas + tail.textBytes;
  if (jsonBytes === plan.jsonBytes && recordCount === plan.recordCount) return;
  throw new Error(
    `Plan ${plan.id} says ${plan.recordCount} records in ${plan.jsonBytes} bytes, the journal gave ${recordCount} in ${jsonBytes}.`,
  );
}

async function stitch(groups: readonly Group[], deflater: Deflater): Promise<Uint8Array> {
  const texts: Promise<DeflatedText>[] = [];
  let small: Uint8Array[] = [];
  const endSmall = (): void => {
    if (small.length > 0) texts.push(deflater.deflate(joined(small)));
    small = [];
  };
  for (const piece of groups.flatMap((group) => group.pieces)) {
    if (piece.deflated) {
      endSmall();
      texts.push(piece.deflated);
    } else small.push(textOf(piece));
  }
  endSmall();
  const between = (await Promise.all(texts)).flatMap((text, index) => (index === 0 ? [text] : [comma, text]));
  return gzipMember([head, ...between, tail]);
}

/** Texts with a comma between each two. */
function joined(texts: readonly Uint8Array[]): Uint8Array {
  const [first] = texts;
  if (texts.length === 1 && first) return first;
  return Buffer.concat(texts.flatMap((text, index) => (index === 0 ? [text] : [commaText, text])));
}

const commaText = Buffer.from(",");

function evidenceOf(groups: readonly Group[]): FileEvidence {
  const hash = createHash("sha256").update(fileHead);
  const span = new TimeSpan();
  let isFirst = true;
  for (const group of groups) {
    span.includeSpan(group.span);
    for (const piece of group.pieces) {
      if (!isFirst) hash.update(commaText);
      isFirst = false;
      hash.update(textOf(piece));
    }
  }
  return { sha256: hash.update(fileTail).digest("hex"), ...span.times };
}

function textOf({ text }: Piece): Uint8Array {
  assert(text, "the text of a group that is small or hashed is kept");
  return text;
}
