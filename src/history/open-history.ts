// Opens event history for a server: the history, its page tokens and its operation.
import { ApiError } from "../model/errors.ts";
import type { Operations } from "../model/operations.ts";
import { createHistory, type History } from "./history.ts";
import { lookupEvents } from "./lookup-events.ts";
import { openPageTokens } from "./page-token.ts";
import type { HistoryOptions, HistoryPorts } from "./ports.ts";

export interface EventHistory extends Pick<History, "stop" | "health"> {
  readonly operations: Pick<Operations, "LookupEvents">;
  /** Sets the gauges of the metrics. */
  gauge(): void;
}

/** Begins to follow the journal; nothing of it may be trimmed before. Throws when folder, state or journal cannot be read. */
export async function openEventHistory(
  ports: HistoryPorts,
  options: HistoryOptions & { readonly lookupsPerSecond: () => number },
): Promise<EventHistory> {
  const { clock, metrics, state, random } = ports;
  const { lookupsPerSecond } = options;
  const history = createHistory(ports, options);
  await history.start();
  const tokens = await openPageTokens(state, random);
  return {
    operations: { LookupEvents: lookupEvents({ history, tokens, clock, lookupsPerSecond }) },
    stop: () => history.stop(),
    health: () => history.health(),
    gauge() {
      const { events, bytes, segments, memoryBytes, behindMs } = history.usage();
      metrics.gauge("history_events", events);
      metrics.gauge("history_bytes", bytes);
      metrics.gauge("history_segments", segments);
      metrics.gauge("history_memory_bytes", memoryBytes);
      metrics.gauge("history_behind_seconds", behindMs / 1000);
    },
  };
}

/** Of a server that keeps none. */
export const noHistory: EventHistory = {
  operations: {
    LookupEvents: () => {
      const text = "This server keeps no event history: its setting historyRetention is off.";
      return Promise.reject(new ApiError("UnsupportedOperationException", text));
    },
  },
  stop: () => Promise.resolve(),
  health: () => ({ ok: true, detail: "There is none: the setting historyRetention is off." }),
  gauge() {},
};
