// One digest chain of this process: its document, its evidence, and the turns of those who change them. What two hands
// could do at once (noting a file, choosing what a digest names, ending) happens here, one after the other; slow things
// (signing, writing the object) happen outside. Must not: sign or write objects.
import { createTurns } from "../bucket/turns.ts";
import { assert } from "../model/assert.ts";
import type { StateStore } from "../state/contract.ts";
import {
  type ChainDocument,
  chainKeyPrefix,
  type ChainName,
  chainPath,
  endedChain,
  isSealed,
  isUnfinished,
  writtenChain,
} from "./digest-chain.ts";
import { fillWindow, type FilledWindow, type WindowToFill } from "./digest-windows.ts";
import { EvidenceBook, type NotedFile, type NumberedNote } from "./evidence-book.ts";

export interface LiveChainParts {
  readonly state: StateStore;
  readonly limits: { readonly writesAtOnceMax: number; readonly filesMax: number };
  /** Whether a plan still exists whose file may be delivered once more. */
  readonly isPlanned: (planId: string) => boolean;
  /** Plans whose file is noted, as long as they exist; shared by all chains. */
  readonly noted: Set<string>;
}

/** What a digest is to name, in order, and where its window ends. */
export interface Selection extends FilledWindow {
  readonly notes: readonly NumberedNote[];
  /** Number of the last note that is covered then. */
  readonly upTo: number;
}

export class LiveChain {
  readonly name: ChainName;
  readonly path: string;
  readonly #parts: LiveChainParts;
  readonly #evidence: EvidenceBook;
  readonly #turns = createTurns();
  #document: ChainDocument | undefined;
  /** Version of the stored document; undefined when a failed write left it in doubt. */
  #version: number | "absent" | undefined = "absent";

  constructor(name: ChainName, parts: LiveChainParts) {
    this.name = name;
    this.path = chainPath(name);
    this.#parts = parts;
    this.#evidence = new EvidenceBook(parts.state, name, parts.limits);
  }

  get document(): ChainDocument | undefined {
    return this.#document;
  }

  get isUnfinished(): boolean {
    return isUnfinished(this.#document);
  }

  /** Whether a write of the document failed: nobody knows what is stored. */
  get isInDoubt(): boolean {
    return this.#version === undefined;
  }

  /** Whether files are noted that no written digest names. */
  get hasNotes(): boolean {
    return this.#evidence.lastSeq > (this.#document?.covered ?? 0);
  }

  /** Takes up what the last process left. Throws when the store fails. */
  async open(stored: { readonly document: ChainDocument; readonly version: number }): Promise<void> {
    this.#document = stored.document;
    this.#version = stored.version;
    const { isPlanned, noted } = this.#parts;
    await this.#evidence.open(stored.document.covered, (planId) => {
      if (isPlanned(planId)) noted.add(planId);
    });
  }

  /**
   * Notes a delivered file, durably when it resolves. `begin` gives the document of the chain that a first file begins,
   * or undefined when none may begin: then nothing is noted. Throws when the store fails.
   */
  async note(
    file: NotedFile,
    begin: (before: ChainDocument | undefined) => ChainDocument | undefined,
  ): Promise<void> {
    await this.#inTurn(async () => {
      const { noted } = this.#parts;
      if (noted.has(file.planId)) return;
      if (!this.isUnfinished) {
        const document = begin(this.#document);
        if (!document) return;
        // Before its first note: notes without a chain would have nobody who comes back to them.
        await this.#store(document);
      } else if (this.isInDoubt && this.#document) {
        // The store may say that the chain has ended: a later process would not come back to this note.
        await this.#store(this.#document);
      }
      await this.#evidence.append(file);
      noted.add(file.planId);
    });
  }

  /**
   * Chooses what a digest of this window names. Undefined while one of the files may still be delivered once more: its
   * plan must be gone before its note is. Throws when the store fails.
   */
  async select(window: WindowToFill): Promise<Selection | undefined> {
    return this.#inTurn(async () => {
      await this.#resolveDoubts();
      const { limits, isPlanned } = this.#parts;
      const covered = this.#document?.covered ?? 0;
      const isEmpty = window.takes === "nothing" || !this.hasNotes;
      const candidates = isEmpty ? [] : await this.#read(limits.filesMax + 1);
      const filled = fillWindow(
        window,
        candidates.map(({ deliveredMs }) => deliveredMs),
        limits.filesMax,
      );
      const notes = candidates.slice(0, filled.count);
      if (notes.some(({ planId }) => isPlanned(planId))) return undefined;
      return { ...filled, notes, upTo: notes.at(-1)?.seq ?? covered };
    });
  }

  /** The notes that the sealed digest names. Throws when the store fails. */
  async sealedNotes(): Promise<readonly NumberedNote[]> {
    const document = this.#document;
    assert(document && isSealed(document), "a digest is sealed");
    const { upTo } = document.phase.digest;
    if (upTo === document.covered) return [];
    return this.#evidence.read(document.covered, { notesMax: Infinity, upTo });
  }

  /** Stores the next document, then takes it. Throws when the store fails; the document in memory is as before. */
  async store(document: ChainDocument): Promise<void> {
    await this.#inTurn(async () => this.#store(document));
  }

  /** The sealed digest is in its bucket: the chain moves on, or ends when it was the last and nothing came since. */
  async written(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#resolveDoubts();
      const document = this.#document;
      assert(document && isSealed(document), "what was written was sealed");
      await this.#store(writtenChain(document, this.#evidence.lastSeq > document.phase.digest.upTo));
    });
  }

  /** Ends an open chain without another digest, unless a file came meanwhile. */
  async end(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#resolveDoubts();
      if (this.#document && !this.hasNotes) await this.#store(endedChain(this.#document));
    });
  }

  /** Removes the notes that written digests name. Throws when the store fails: the next call removes the rest. */
  async prune(): Promise<void> {
    await this.#evidence.prune(this.#document?.covered ?? 0);
  }

  /** Removes all there is of the chain. Throws when the store fails; the document goes last, so that it can be called again. */
  async remove(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#evidence.removeAll();
      this.#version = undefined;
      await this.#parts.state.delete(chainKeyPrefix + this.path, "any");
      this.#document = undefined;
      this.#version = "absent";
    });
  }

  async #store(document: ChainDocument): Promise<void> {
    const { state } = this.#parts;
    const key = chainKeyPrefix + this.path;
    const expected = this.#version ?? (await state.get(key))?.version ?? "absent";
    this.#version = undefined;
    const outcome = await state.put(key, document, expected);
    assert(outcome.kind === "stored", `only one process writes digest chain ${this.path}`);
    this.#version = outcome.version;
    this.#document = document;
  }

  async #read(notesMax: number): Promise<readonly NumberedNote[]> {
    const upTo = this.#evidence.lastSeq;
    return this.#evidence.read(this.#document?.covered ?? 0, { notesMax, upTo });
  }

  async #resolveDoubts(): Promise<void> {
    for (const planId of await this.#evidence.resolveDoubts()) this.#parts.noted.add(planId);
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.take("chain", work);
  }
}
