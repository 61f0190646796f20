// The calls that events were of, with a number each, so that who says which call it was need not say it in words. Numbers are
// of this process and never given twice. Pure, but for its memory: it knows the calls of two generations, and when the younger
// one is full the older is forgotten, so that names which never come again make it neither large nor useless.
import { type CallPaths, pathsOf } from "./resource-paths.ts";

export interface KnownCall {
  /** From 1 on. */
  readonly number: number;
  readonly eventSource: string;
  readonly eventName: string;
  readonly isRead: boolean | undefined;
  /** Where its records name resources. */
  readonly paths: CallPaths | undefined;
}

/** All of AWS has some 20,000 operations, and nobody calls all of them. */
export const knownCallsMax = 16 * 1024;

/** Of one source, by name and then by what `isRead` says. */
type CallsOfSource = Map<string, (KnownCall | undefined)[]>;

export class KnownCalls {
  readonly #max: number;
  #bySource = new Map<string, CallsOfSource>();
  #young: KnownCall[] = [];
  #old: KnownCall[] = [];
  /** The number before that of the first young one. */
  #base = 0;

  constructor(max: number = knownCallsMax) {
    this.#max = max;
  }

  numberOf(eventSource: string, eventName: string, isRead: boolean | undefined): number {
    const place = isRead === undefined ? 0 : isRead ? 1 : 2;
    const known = this.#bySource.get(eventSource)?.get(eventName)?.[place];
    if (known) return known.number;
    if (this.#young.length === this.#max) this.#age();
    const number = this.#base + this.#young.length + 1;
    const paths = pathsOf(eventSource, eventName, isRead === true);
    const call = { number, eventSource, eventName, isRead, paths };
    this.#young.push(call);
    const ofSource: CallsOfSource = this.#bySource.get(eventSource) ?? new Map();
    const ofName = ofSource.get(eventName) ?? [undefined, undefined, undefined];
    ofName[place] = call;
    this.#bySource.set(eventSource, ofSource.set(eventName, ofName));
    return number;
  }

  /** The call of a number that was given; undefined when it is forgotten. */
  at(number: number): KnownCall | undefined {
    return this.#young[number - this.#base - 1] ?? this.#old[number - this.#base - 1 + this.#old.length];
  }

  #age(): void {
    this.#base += this.#young.length;
    this.#old = this.#young;
    this.#young = [];
    this.#bySource = new Map();
  }
}

/** One for the process: what one part of it notes, another reads. */
export const knownCalls = new KnownCalls();
