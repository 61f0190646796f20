// What every trail operation works with. Types only.
import type { TrailPorts } from "./ports.ts";
import type { TrailRegistry } from "./trail-registry.ts";

export interface TrailContext {
  readonly registry: TrailRegistry;
  readonly ports: TrailPorts;
}
