// The built modules that benches measure: what users run, compiled once, without the names that a TypeScript loader
// adds to every closure. Types come from the sources.
import type * as NodeDisk from "../src/disk/node-disk.ts";
import type * as Deflater from "../src/delivery/deflater.ts";
import type * as GzipMember from "../src/delivery/gzip-member.ts";
import type * as RecordNotes from "../src/event/record-notes.ts";
import type * as Scan from "../src/event/scan.ts";
import type * as History from "../src/history/history.ts";
import type * as LookupEvents from "../src/history/lookup-events.ts";
import type * as PageToken from "../src/history/page-token.ts";
import type * as EventIntake from "../src/intake/event-intake.ts";
import type * as SegmentJournal from "../src/journal/segment-journal.ts";
import type * as Regions from "../src/model/regions.ts";
import type * as Compile from "../src/selector/compile.ts";
import type * as Scope from "../src/selector/scope.ts";
import type * as SelectorIndex from "../src/selector/selector-index.ts";
import type * as MemoryState from "../src/state/memory-state.ts";
import type * as World from "../src/world.ts";

/** Loads one built module; its path as in src/. */
async function built<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../dist/${path}.js`, import.meta.url).href)) as Module;
}

export const builtScanner = () => built<typeof Scan>("event/scan");
export const builtNotes = () => built<typeof RecordNotes>("event/record-notes");
export const builtIntake = () => built<typeof EventIntake>("intake/event-intake");
export const builtIndex = () => built<typeof SelectorIndex>("selector/selector-index");
export const builtSelectors = () => built<typeof Compile>("selector/compile");
export const builtScopes = () => built<typeof Scope>("selector/scope");
export const builtJournal = () => built<typeof SegmentJournal>("journal/segment-journal");
export const builtDisk = () => built<typeof NodeDisk>("disk/node-disk");
export const builtDeflater = () => built<typeof Deflater>("delivery/deflater");
export const builtGzip = () => built<typeof GzipMember>("delivery/gzip-member");
export const builtRegions = () => built<typeof Regions>("model/regions");
export const builtWorld = () => built<typeof World>("world");
export const builtHistory = () => built<typeof History>("history/history");
export const builtLookup = () => built<typeof LookupEvents>("history/lookup-events");
export const builtTokens = () => built<typeof PageToken>("history/page-token");
export const builtState = () => built<typeof MemoryState>("state/memory-state");
