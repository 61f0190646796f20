// Reads the names of resources from the bytes of a call's parameters and answer, along the paths of resource-paths.ts: each
// object is walked through once, and only what is a name becomes a text. Pure.
import { afterComma, afterSpace, isKey, textBetween, textEnd, valueEnd, valueStart } from "./json-walk.ts";
import type { CallPaths, PathStep, PathSteps, Way } from "./resource-paths.ts";
import { byte } from "./scan-bytes.ts";

/** By path, in the order of all; undefined where it leads to no text. */
export type NamesByPath = readonly (readonly string[] | undefined)[];

/** The objects' braces; 0 for one that is not there. */
export interface CallPlaces {
  readonly requestParametersAt: number;
  readonly responseElementsAt: number;
}

const noNames: NamesByPath = [];

/** Takes valid JSON. Undefined when a key stands twice in an object: then somebody else has to say which one counts. */
export function namesIn(
  body: Buffer,
  places: CallPlaces,
  { request, response }: CallPaths,
): NamesByPath | undefined {
  const walk = new NamesWalk(body);
  if (places.requestParametersAt > 0 && request) walk.object(places.requestParametersAt, request);
  if (places.responseElementsAt > 0 && response) walk.object(places.responseElementsAt, response);
  return walk.isDoubtful ? undefined : (walk.names ?? noNames);
}

class NamesWalk {
  readonly #body: Buffer;
  /** Most calls name nothing. */
  names: (string[] | undefined)[] | undefined;
  isDoubtful = false;

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** Walks through the object at `start`, its brace; returns where it ends. */
  object(start: number, steps: PathSteps): number {
    const body = this.#body;
    let met = 0;
    let at = afterSpace(body, start + 1);
    while (body[at] === byte.quote) {
      const keyEnd = textEnd(body, at);
      const value = valueStart(body, keyEnd);
      const step = stepOf(body, at, { keyEnd, steps });
      if (step) {
        this.isDoubtful ||= (met & step.bit) !== 0;
        met |= step.bit;
      }
      at = afterComma(body, step ? this.#member(value, step) : valueEnd(body, value));
    }
    return at + 1;
  }

  #member(start: number, step: PathStep): number {
    if (!step.list || this.#body[start] !== byte.openBracket) return this.#value(start, step);
    return this.#entries(start, step.list);
  }

  #entries(start: number, step: Way): number {
    const body = this.#body;
    let at = afterSpace(body, start + 1);
    while (at < body.length && body[at] !== byte.closeBracket) at = afterComma(body, this.#value(at, step));
    return at + 1;
  }

  #value(start: number, { ends, next }: Way): number {
    const body = this.#body;
    const first = body[start];
    if (first === byte.openBrace && next) return this.object(start, next);
    if (first !== byte.quote || ends.length === 0) return valueEnd(body, start);
    const end = textEnd(body, start);
    const name = textBetween(body, start, end);
    this.names ??= [];
    for (const path of ends) (this.names[path] ??= []).push(name);
    return end;
  }
}

/** The step that the key behind the quote at `at` takes, if any. */
function stepOf(
  body: Buffer,
  at: number,
  { keyEnd, steps }: { readonly keyEnd: number; readonly steps: PathSteps },
): PathStep | undefined {
  const sameLength = steps[keyEnd - at - 2];
  if (!sameLength) return undefined;
  for (const step of sameLength) if (isKey(body, at, step.name)) return step;
  return undefined;
}
