// What intake needs from the rest of the house; server.ts joins it. Types only.
import type { Journal } from "../journal/contract.ts";
import type { Clock, Log, Metrics, Random } from "../model/environment.ts";
import type { Region } from "../model/regions.ts";
import type { SelectorIndex } from "../selector/selector-index.ts";

export interface IntakePorts {
  readonly journal: Journal;
  /** The current index: replaced as a whole whenever a trail changes. */
  readonly index: () => SelectorIndex;
  /** Whether the trail of this incarnation still exists. */
  readonly isLive: (incarnation: string) => boolean;
  /** The configured Regions; records of others are rejected. */
  readonly regions: () => ReadonlySet<Region>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}
