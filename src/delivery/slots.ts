// Counts what uncut frames hold for each slot: one destination, account, Region and folder, which is one log file
// of the next cut. The slots of one account, Region and folder are a corner: they fill together, and may be cut before the
// others. Must not: keep records, know places or keys, do I/O.
import type { FrameRecord, StoredFrame } from "../journal/contract.ts";
import type { MatchSet } from "../selector/match-set.ts";

export const fileHead = '{"Records":[';
export const fileTail = "]}";
/** Every record is followed by a comma, the last one is not. */
const emptyFileBytes = fileHead.length + fileTail.length - 1;

export interface Slot {
  readonly incarnation: string;
  readonly matchSet: Pick<MatchSet, "account" | "region" | "folder">;
  /** Length of the file's uncompressed text. */
  jsonBytes: number;
  recordCount: number;
  /** Shared by all slots of one account, Region and folder. */
  readonly corner: { bytes: number };
}

interface Share {
  bytes: number;
  count: number;
}

export interface SlotLimits {
  readonly jsonBytesMax: number;
  readonly slotsMax: number;
}

/** What has to be cut before a frame can be counted: some corners, by name, or everything. */
export type Full = ReadonlySet<string> | "everything";

/** The name of one slot within a cut. */
export function slotName(
  incarnation: string,
  matchSet: Pick<MatchSet, "account" | "region" | "folder">,
): string {
  return `${incarnation}|${cornerName(matchSet)}`;
}

export function cornerName(matchSet: Pick<MatchSet, "account" | "region" | "folder">): string {
  return `${matchSet.account}|${matchSet.region}|${matchSet.folder}`;
}

export class SlotCounter {
  readonly #limits: SlotLimits;
  readonly #slots = new Map<string, Slot>();
  readonly #corners = new Map<string, { bytes: number }>();
  readonly #slotsOf = new Map<MatchSet, readonly Slot[]>();
  #frames = 0;
  #bytes = 0;
  #oldestArrivedMs: number | undefined;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get frames(): number {
    return this.#frames;
  }

  /** Of all counted records, also those of corners that were forgotten. */
  get bytes(): number {
    return this.#bytes;
  }

  get slots(): Iterable<Slot> {
    return this.#slots.values();
  }

  /** When the oldest counted frame arrived. */
  get oldestArrivedMs(): number | undefined {
    return this.#oldestArrivedMs;
  }

  has(incarnation: string): boolean {
    for (const slot of this.#slots.values()) if (slot.incarnation === incarnation) return true;
    return false;
  }

  /**
   * Counts a frame; or counts nothing and says what must be cut before it. Where nothing is counted yet, everything
   * fits: a frame is far smaller than a log file.
   */
  add({ header, records }: Pick<StoredFrame, "header" | "records">): Full | "added" {
    const shares = sharesOf(records);
    if (this.#frames > 0) {
      const full = this.#fullFor(shares);
      if (full) return full;
    }
    for (const [matchSet, share] of shares) this.#count(matchSet, share);
    this.#frames += 1;
    const { arrivedMs } = header;
    this.#oldestArrivedMs = Math.min(this.#oldestArrivedMs ?? arrivedMs, arrivedMs);
    return "added";
  }

  slotsOf(corners: ReadonlySet<string>): readonly Slot[] {
    return [...this.#slots.values()].filter(({ matchSet }) => corners.has(cornerName(matchSet)));
  }

  /** What comes next for these corners is counted anew. */
  forget(corners: ReadonlySet<string>): void {
    for (const [name, { matchSet }] of this.#slots) {
      if (corners.has(cornerName(matchSet))) this.#slots.delete(name);
    }
    for (const matchSet of this.#slotsOf.keys()) {
      if (corners.has(cornerName(matchSet))) this.#slotsOf.delete(matchSet);
    }
    for (const corner of corners) this.#corners.delete(corner);
  }

  #fullFor(shares: ReadonlyMap<MatchSet, Share>): Full | undefined {
    if (this.#surelyFits(shares)) return undefined;
    return this.#isTooMany(shares) ? "everything" : this.#fullCorners(shares);
  }

  #isTooMany(shares: ReadonlyMap<MatchSet, Share>): boolean {
    const added = new Set<string>();
    for (const matchSet of shares.keys()) {
      for (const { incarnation } of matchSet.destinations) {
        const name = slotName(incarnation, matchSet);
        if (!this.#slots.has(name)) added.add(name);
      }
    }
    return this.#slots.size + added.size > this.#limits.slotsMax;
  }

  #fullCorners(shares: ReadonlyMap<MatchSet, Share>): Full | undefined {
    const full = new Set<string>();
    const sizes = new Map<string, number>();
    for (const [matchSet, share] of shares) {
      const corner = cornerName(matchSet);
      if (!this.#corners.has(corner)) continue;
      for (const { incarnation } of matchSet.destinations) {
        const name = slotName(incarnation, matchSet);
        const size = (sizes.get(name) ?? this.#slots.get(name)?.jsonBytes ?? emptyFileBytes) + share.bytes;
        if (size > this.#limits.jsonBytesMax) full.add(corner);
        sizes.set(name, size);
      }
    }
    return full.size > 0 ? full : undefined;
  }

  /** As nearly always: every slot is open, and each had room for all of it. Fifty trails need no fifty names for that. */
  #surelyFits(shares: ReadonlyMap<MatchSet, Share>): boolean {
    let bytes = 0;
    for (const share of shares.values()) bytes += share.bytes;
    const bytesMax = this.#limits.jsonBytesMax - bytes;
    for (const matchSet of shares.keys()) {
      const slots = this.#slotsOf.get(matchSet);
      if (!slots?.every(({ jsonBytes }) => jsonBytes <= bytesMax)) return false;
    }
    return true;
  }

  #count(matchSet: MatchSet, share: Share): void {
    this.#bytes += share.bytes;
    const slots = this.#slotsOf.get(matchSet) ?? this.#open(matchSet);
    for (const slot of slots) {
      slot.jsonBytes += share.bytes;
      slot.recordCount += share.count;
    }
    const [first] = slots;
    if (first) first.corner.bytes += share.bytes;
  }

  #open(matchSet: MatchSet): readonly Slot[] {
    const slots = matchSet.destinations.map(({ incarnation }) => {
      const name = slotName(incarnation, matchSet);
      let slot = this.#slots.get(name);
      if (!slot) {
        const { account, region, folder } = matchSet;
        const corner = this.#corners.get(cornerName(matchSet)) ?? { bytes: 0 };
        this.#corners.set(cornerName(matchSet), corner);
        slot = {
          incarnation,
          matchSet: { account, region, folder },
          jsonBytes: emptyFileBytes,
          recordCount: 0,
          corner,
        };
        this.#slots.set(name, slot);
      }
      return slot;
    });
    this.#slotsOf.set(matchSet, slots);
    return slots;
  }
}

function sharesOf(records: readonly FrameRecord[]): ReadonlyMap<MatchSet, Share> {
  const shares = new Map<MatchSet, Share>();
  for (const { bytes, matchSet } of records) {
    const share = shares.get(matchSet);
    if (share) {
      share.bytes += bytes.length + 1;
      share.count += 1;
    } else shares.set(matchSet, { bytes: bytes.length + 1, count: 1 });
  }
  return shares;
}
