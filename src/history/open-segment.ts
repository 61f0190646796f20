// The segment that still grows: events of the journal's end, in memory, found by the same terms as those in files. Taken
// from the journal again after a restart. Must not: touch the disk, know the journal's positions.
import { type LookupScan, parsedFieldsOf, type RecordRange, resourcesAlong } from "../event/lookup-scan.ts";
import { categoryOf, type RecordFields } from "../event/record.ts";
import type { LookupResource } from "../event/lookup-fields.ts";
import type { KnownCall } from "../event/known-calls.ts";
import { callOfNote, noteWord, noteWords, writeNote } from "../event/record-notes.ts";
import { readOne } from "../event/event-time.ts";
import { scanBatch } from "../event/scan.ts";
import type { FrameRecord } from "../journal/contract.ts";
import { assert } from "../model/assert.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { EventSeconds } from "./event-seconds.ts";
import { OpenBlocks } from "./open-blocks.ts";
import { PairList } from "./pair-list.ts";
import type { Found, RowSource, Wanted } from "./search.ts";
import {
  hashOfId,
  hashOfIdAt,
  type HistoryCategory,
  idSeedOf,
  scopeText,
  type Term,
  termKinds,
} from "./terms.ts";
import { TopRows } from "./top-rows.ts";
import { WordList } from "./word-list.ts";

interface OpenScope {
  readonly text: string;
  readonly idSeed: number;
  readonly all: number;
  /** By kind: value → number of its term. */
  readonly terms: Map<string, number>[];
  /** By the call's number. */
  readonly calls: Map<number, CallTerms>;
}

/** The terms that events of one call have in common. */
interface CallTerms {
  readonly eventName: number;
  readonly eventSource: number;
  readonly readOnly: number;
}

/** Where a record begins in the newest block, and in the text of all blocks. */
interface TakenRecord {
  readonly body: Buffer;
  readonly start: number;
  readonly place: number;
}

/** One among those that are looked at. */
type TakenRange = TakenRecord & RecordRange;

/** What was noted of a record (record-notes.ts): it begins at `at` of the words. */
interface Note {
  readonly words: Int32Array;
  readonly at: number;
}

interface ScopedRecord extends TakenRecord {
  readonly scope: OpenScope;
}

interface NewRow {
  readonly seconds: number;
  readonly place: number;
  readonly idHash: number;
}

const none = -1;
const kinds = Object.values(termKinds);

export class OpenSegment implements RowSource {
  /** Of the first event; every event of the history has a number of its own, in journal order. */
  readonly firstOrdinal: number;
  readonly blocks: OpenBlocks;
  /** By row, in journal order. */
  readonly seconds = new WordList();
  readonly places = new WordList();
  readonly idHashes = new WordList();
  /** By row: where its terms begin in `pairs`. */
  readonly firstPairs = new WordList();
  readonly pairs = new PairList();
  readonly terms: Term[] = [];
  /** By term. */
  readonly termRows: number[] = [];
  /** By row: the latest time of all rows up to it. */
  readonly #latest = new WordList();
  #minSeconds = Infinity;
  readonly #lastPair: number[] = [];
  readonly #scopes = new Map<string, OpenScope>();
  readonly #times = new EventSeconds();
  readonly #scan: LookupScan;
  /** Records of the newest block that were copied and not yet looked at: where they begin, and their places. */
  #waitingStarts: number[] = [];
  #waitingSets: MatchSet[] = [];
  #waitingEnd = 0;
  /** Of a record that came without a note, or with one that said nothing. */
  readonly #ownNote = new Int32Array(noteWords);
  /** What terms are being added to. */
  #row = 0;
  #firstPair = 0;
  #scope: OpenScope | undefined;
  #recent: { readonly matchSet: MatchSet; readonly category: HistoryCategory; scope: OpenScope } | undefined;

  /** `scan`: one for all segments, for it remembers who calls. */
  constructor(firstOrdinal: number, blockBytes: number, scan: LookupScan) {
    this.firstOrdinal = firstOrdinal;
    this.#scan = scan;
    this.blocks = new OpenBlocks(blockBytes);
  }

  get rows(): number {
    return this.seconds.length;
  }

  get endOrdinal(): number {
    return this.firstOrdinal + this.rows;
  }

  get maxSeconds(): number {
    return this.rows === 0 ? 0 : this.#latest.at(this.rows - 1);
  }

  get memoryBytes(): number {
    return this.blocks.heldBytes + 20 * this.rows + 12 * this.pairs.length + 200 * this.terms.length;
  }

  /** Copies a record. It is found after `look`. */
  take({ bytes, matchSet }: FrameRecord): void {
    const start = this.#copy(bytes);
    this.#waitingStarts.push(start);
    this.#waitingSets.push(matchSet);
    this.#waitingEnd = start + bytes.length;
  }

  /** Copies and indexes a management event by its note; false when that does not say enough: then nothing was done. */
  takeNoted({ bytes, matchSet }: FrameRecord, note: Note): boolean {
    const call = callOfNote(note.words[note.at] ?? 0);
    if (!call) return false;
    // Rows are in journal order.
    this.look();
    const start = this.#copy(bytes);
    const scope = this.#scopeOf(matchSet, "M");
    const record = { body: this.blocks.room, start, place: this.blocks.placeOf(start), scope };
    this.#addNoted(record, note, call);
    return true;
  }

  #copy(bytes: Uint8Array): number {
    if (!this.blocks.fits(bytes.length)) {
      this.look();
      this.blocks.endBlock();
    }
    return this.blocks.add(bytes);
  }

  /** Indexes what was taken: all of it lies in the newest block, line by line. */
  look(): void {
    const starts = this.#waitingStarts;
    const sets = this.#waitingSets;
    const [first] = starts;
    if (first === undefined) return;
    this.#waitingStarts = [];
    this.#waitingSets = [];
    const body = this.blocks.room.subarray(first, this.#waitingEnd);
    const scan = scanBatch(body);
    const scanned = scan.kind === "records" && scan.records.length === starts.length ? scan.records : [];
    const place = this.blocks.placeOf(first);
    for (let at = 0; at < starts.length; at += 1) {
      const start = (starts[at] ?? 0) - first;
      // A line feed stands between two of them.
      const end = (starts[at + 1] ?? this.#waitingEnd + 1) - 1 - first;
      const matchSet = sets[at];
      const found = scanned[at];
      if (!matchSet) continue;
      const range = { body, start, end, place: place + start };
      if (found && "inPlace" in found) this.#index(range, found.inPlace, matchSet);
      else this.#indexAlone(range, matchSet);
    }
  }

  /** Reads a record by itself, which the others of its block could not be read with. */
  #indexAlone({ body, start, end, place }: TakenRange, matchSet: MatchSet): void {
    const own = body.subarray(start, end);
    const reading = readOne(own);
    if (reading.kind !== "fields") return;
    this.#index({ body: own, start: 0, end: own.length, place }, reading.fields, matchSet);
  }

  #index(range: TakenRange, fields: RecordFields, matchSet: MatchSet): void {
    const category = categoryOf(fields);
    if (category !== "Management" && category !== "Insight") return;
    const isInsight = category === "Insight";
    const scope = this.#scopeOf(matchSet, isInsight ? "I" : "M");
    const words = this.#ownNote.fill(0);
    writeNote(words, 0, { fields, start: range.start });
    const call = callOfNote(words[noteWord.what] ?? 0);
    const { body, start, place } = range;
    if (call) this.#addNoted({ body, start, place, scope }, { words, at: 0 }, call);
    else this.#addParsed(range, fields, { scope, isInsight });
  }

  /** As nearly all come: nothing is made of what is only compared. */
  #addNoted({ body, start, place, scope }: ScopedRecord, { words, at }: Note, call: KnownCall): void {
    const placeOf = (word: number): number => {
      const within = words[at + word] ?? 0;
      return within === 0 ? 0 : start + within;
    };
    this.#addRow(scope, {
      seconds: this.#times.at(body, placeOf(noteWord.eventTimeAt)),
      place,
      idHash: hashOfIdAt(scope.idSeed, body, placeOf(noteWord.eventIdAt)),
    });
    const { eventName, eventSource, readOnly } = this.#callTerms(call, scope);
    this.#pair(eventName);
    this.#pair(eventSource);
    if (readOnly !== none) this.#pair(readOnly);
    const { username, accessKeyId } = this.#scan.namesOf(body, placeOf(noteWord.userIdentityAt));
    this.#pairValue(termKinds.Username, username);
    this.#pairValue(termKinds.AccessKeyId, accessKeyId);
    const resources = resourcesAlong(call.paths, body, {
      requestParametersAt: placeOf(noteWord.requestParametersAt),
      responseElementsAt: placeOf(noteWord.responseElementsAt),
      resourcesAt: placeOf(noteWord.resourcesAt),
    });
    this.#pairResources(resources);
  }

  #callTerms(call: KnownCall, scope: OpenScope): CallTerms {
    const { number, isRead } = call;
    const known = scope.calls.get(number);
    if (known) return known;
    const terms = {
      eventName: this.#termOf(termKinds.EventName, call.eventName),
      eventSource: this.#termOf(termKinds.EventSource, call.eventSource),
      readOnly: isRead === undefined ? none : this.#termOf(termKinds.ReadOnly, isRead ? "true" : "false"),
    };
    scope.calls.set(number, terms);
    return terms;
  }

  #addParsed(
    range: TakenRange,
    fields: RecordFields,
    { scope, isInsight }: { readonly scope: OpenScope; readonly isInsight: boolean },
  ): void {
    const derived = parsedFieldsOf(range);
    this.#addRow(scope, {
      seconds: this.#times.of(fields.eventTime ?? ""),
      place: range.place,
      idHash: hashOfId(scope.idSeed, fields.eventID ?? ""),
    });
    this.#pairValue(termKinds.EventName, derived.eventName);
    this.#pairValue(termKinds.EventSource, derived.eventSource);
    if (isInsight) return;
    this.#pairValue(termKinds.ReadOnly, derived.readOnly);
    this.#pairValue(termKinds.Username, derived.username);
    this.#pairValue(termKinds.AccessKeyId, derived.accessKeyId);
    this.#pairResources(derived.resources);
  }

  /** Terms are added to it until the next one. */
  #addRow(scope: OpenScope, { seconds, place, idHash }: NewRow): void {
    this.#row = this.rows;
    this.#scope = scope;
    this.#latest.push(Math.max(seconds, this.maxSeconds));
    this.#minSeconds = Math.min(seconds, this.#minSeconds);
    this.seconds.push(seconds);
    this.places.push(place);
    this.idHashes.push(idHash);
    this.#firstPair = this.pairs.length;
    this.firstPairs.push(this.#firstPair);
    this.#pair(scope.all);
  }

  #pairResources(resources: readonly LookupResource[]): void {
    for (const { type, name } of resources) {
      this.#pairValue(termKinds.ResourceName, name);
      this.#pairValue(termKinds.ResourceType, type);
    }
  }

  #pairValue(kind: number, value: string | undefined): void {
    if (value !== undefined) this.#pair(this.#termOf(kind, value));
  }

  /** Of the scope of the row that terms are being added to. */
  #termOf(kind: number, value: string): number {
    const scope = this.#scope;
    assert(scope, "a row has a scope before it has terms");
    const known = scope.terms[kind];
    assert(known, "every kind has its terms");
    let term = known.get(value);
    if (term === undefined) {
      term = this.#newTerm({ scope: scope.text, kind, value });
      known.set(value, term);
    }
    return term;
  }

  /** A term stands once with a row, however often the record has it. */
  #pair(term: number): void {
    const before = this.#lastPair[term] ?? none;
    if (before >= this.#firstPair) return;
    this.#lastPair[term] = this.pairs.length;
    this.termRows[term] = (this.termRows[term] ?? 0) + 1;
    this.pairs.push(term, this.#row, before);
  }

  #newTerm(term: Term): number {
    this.#lastPair.push(none);
    this.termRows.push(0);
    return this.terms.push(term) - 1;
  }

  #scopeOf(matchSet: MatchSet, category: HistoryCategory): OpenScope {
    if (this.#recent?.matchSet === matchSet && this.#recent.category === category) return this.#recent.scope;
    const text = scopeText({ account: matchSet.account, region: matchSet.region, category });
    let scope = this.#scopes.get(text);
    if (!scope) {
      const all = this.#newTerm({ scope: text, kind: termKinds.All, value: "" });
      scope = {
        text,
        idSeed: idSeedOf(text),
        all,
        terms: kinds.map(() => new Map<string, number>()),
        calls: new Map(),
      };
      this.#scopes.set(text, scope);
    }
    this.#recent = { matchSet, category, scope };
    return scope;
  }

  /** The newest rows that are wanted. */
  find(wanted: Wanted): Promise<readonly Found[]> {
    const top = new TopRows(wanted.limit);
    const scope = this.#scopes.get(wanted.scope);
    if (!scope || wanted.toSeconds < this.#minSeconds) return Promise.resolve([]);
    if (wanted.term.kind === "EventId") this.#findId(wanted, { scope, top });
    else this.#findTerm(wanted, { scope, top });
    return Promise.resolve(top.rows.map(({ seconds, ordinal }) => this.#found(seconds, ordinal)));
  }

  #findId(wanted: Wanted, { scope, top }: { readonly scope: OpenScope; readonly top: TopRows }): void {
    const hash = hashOfId(scope.idSeed, wanted.term.value);
    for (let row = this.rows - 1; row >= 0; row -= 1) {
      if (this.idHashes.at(row) === hash) this.#offer(row, wanted, top);
    }
  }

  #findTerm(wanted: Wanted, { scope, top }: { readonly scope: OpenScope; readonly top: TopRows }): void {
    const { kind, value } = wanted.term;
    const term = kind === "All" || kind === "EventId" ? scope.all : scope.terms[termKinds[kind]]?.get(value);
    if (term === undefined) return;
    for (let pair = this.#lastPair[term] ?? none; pair !== none; pair = this.pairs.before(pair)) {
      const row = this.pairs.rowOf(pair);
      const latest = this.#latest.at(row);
      // No row from here on is newer.
      if (latest < wanted.fromSeconds || (top.isFull && latest < top.worstSeconds)) return;
      this.#offer(row, wanted, top);
    }
  }

  #offer(row: number, wanted: Wanted, top: TopRows): void {
    const seconds = this.seconds.at(row);
    const ordinal = this.firstOrdinal + row;
    if (seconds < wanted.fromSeconds || seconds > wanted.toSeconds || ordinal >= wanted.endOrdinal) return;
    const { before } = wanted;
    if (before && (seconds > before.seconds || (seconds === before.seconds && ordinal >= before.ordinal))) {
      return;
    }
    top.add({ seconds, ordinal });
  }

  #found(seconds: number, ordinal: number): Found {
    const place = this.places.at(ordinal - this.firstOrdinal);
    return { seconds, ordinal, record: () => Promise.resolve(this.blocks.recordAt(place)) };
  }
}
