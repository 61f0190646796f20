// What events are found by: a scope (account, Region, category), an attribute of it, a value. And the hash by which a
// segment file sorts them. Pure. Must not: change the hash, for files hold it.
import type { LookupAttribute } from "../event/lookup-fields.ts";

/** `M`: management events. `I`: Insights events. */
export type HistoryCategory = "M" | "I";

export interface Scope {
  readonly account: string;
  readonly region: string;
  readonly category: HistoryCategory;
}

/** As files name it. */
export function scopeText({ account, region, category }: Scope): string {
  return `${account}/${region}/${category}`;
}

/** `All` stands for every event of a scope; ids have a table of their own. */
export type TermKind = Exclude<LookupAttribute, "EventId"> | "All";

/** Numbers that files hold. */
export const termKinds: Readonly<Record<TermKind, number>> = {
  All: 0,
  EventName: 1,
  ReadOnly: 2,
  Username: 3,
  ResourceType: 4,
  ResourceName: 5,
  EventSource: 6,
  AccessKeyId: 7,
};

export interface Term {
  readonly scope: string;
  readonly kind: number;
  readonly value: string;
}

export function hashOfTerm({ scope, kind, value }: Term): number {
  return mixed(hashed(value, hashed(scope, kind + 1)));
}

/** Where the hash of every event id of a scope begins. */
export function idSeedOf(scope: string): number {
  return hashed(scope, 0x1d);
}

export function hashOfId(seed: number, id: string): number {
  return mixed(hashed(id, seed));
}

/** The same of an id that stands in a body, of 36 bytes all of which are ASCII. */
export function hashOfIdAt(seed: number, body: Uint8Array, start: number): number {
  let hash = seed ^ hashStart;
  for (let at = start; at < start + idBytes; at += 1) hash = Math.imul(hash ^ (body[at] ?? 0), hashFactor);
  return mixed(hash);
}

const idBytes = 36;
const hashStart = 0x811c_9dc5;
const hashFactor = 0x0100_0193;

/** FNV-1a over UTF-16 units. */
function hashed(text: string, seed: number): number {
  let hash = seed ^ hashStart;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), hashFactor);
  return hash;
}

/** Spreads over all 32 bits. */
function mixed(hash: number): number {
  let word = hash;
  word = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
