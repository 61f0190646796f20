// A match set: which destinations log an event, decided once at the door and journaled beside the event's bytes.
// Types, and the one destination that is no trail. A destination is a kind plus an incarnation id made at creation,
// never an ARN: a trail deleted and made again is another destination.
import type { AccountId } from "../model/arn.ts";
import type { Region } from "../model/regions.ts";
import type { TrailSelectors } from "./selectors.ts";

/** Key folder of the log files an event belongs to (formats.md §2.1). */
export type Folder =
  | "CloudTrail"
  | "CloudTrail-Insight"
  | "CloudTrail-NetworkActivity"
  | "CloudTrail-Aggregated";

export interface Destination {
  readonly kind: "trail" | "event-bus";
  readonly incarnation: string;
}

/** The event bus: there is one, and it was never made. No trail's incarnation, which is a UUID, is like it. */
export const eventBusDestination: Destination = { kind: "event-bus", incarnation: "event-bus" };

/**
 * Interned: two events with the same account, Region, folder and destinations get the same object within one
 * index version, and within one journal segment when read back. (An index whose memo is full starts anew: readers
 * may use identity to group faster, never to tell sets apart.) `destinations` may be empty (history wants every
 * event). Destinations are sorted by incarnation.
 */
export interface MatchSet {
  readonly account: AccountId;
  readonly region: Region;
  readonly folder: Folder;
  readonly destinations: readonly Destination[];
}

/** What the index must know of one logging trail. */
export interface TrailScope {
  readonly destination: Destination;
  readonly account: AccountId;
  readonly homeRegion: Region;
  readonly isMultiRegion: boolean;
  readonly includeGlobalServiceEvents: boolean;
  /** Logs every member account of the organization, not only its own. */
  readonly isOrganization: boolean;
  readonly selectors: TrailSelectors;
  /** InsightTypes that PutInsightSelectors enabled; Insights records follow these, never the selectors. */
  readonly insightTypes: readonly string[];
}
