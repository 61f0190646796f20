// The measurements this process offers: one table of names with their help texts, over prom-client.
// Must not: grow without bound; label values come from clients and stores.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { unreachable } from "../model/assert.ts";
import type { Metrics } from "../model/environment.ts";

interface MetricRow {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram, in its unit; default for durations of requests. */
  readonly buckets?: readonly number[];
}

/** Exposed with the prefix `cairn_`. */
const table: Readonly<Record<string, MetricRow>> = {
  journal_append_bytes_total: { kind: "counter", help: "Bytes appended to the journal." },
  journal_sync_seconds: { kind: "histogram", help: "Duration of one sync of the journal." },
  journal_bytes: { kind: "gauge", help: "Bytes the journal keeps on disk." },
  journal_frames_total: { kind: "counter", help: "Frames appended to the journal." },
  journal_failed_writes_total: { kind: "counter", help: "Writes or syncs of the journal that failed." },
  events_accepted_total: { kind: "counter", help: "Event records accepted and durable.", labels: ["door"] },
  events_rejected_total: { kind: "counter", help: "Event records rejected.", labels: ["code"] },
  calls_total: { kind: "counter", help: "CloudTrail API calls answered.", labels: ["operation", "code"] },
  call_seconds: { kind: "histogram", help: "Duration of a CloudTrail API call.", labels: ["operation"] },
  requests_refused_total: {
    kind: "counter",
    help: "Requests refused before any door saw them.",
    labels: ["reason"],
  },
  tails: { kind: "gauge", help: "Open streams of GET /tail." },
  tails_refused_total: {
    kind: "counter",
    help: "Streams of GET /tail refused: as many as may be were open.",
  },
  tail_events_total: { kind: "counter", help: "Event records told to streams of GET /tail." },
  tail_frames_skipped_total: {
    kind: "counter",
    help: "Frames of the journal that were trimmed before a stream of GET /tail had taken them.",
  },
  recorder_calls_total: {
    kind: "counter",
    help: "Calls to services behind Cairn, by the class of their answer's status.",
    labels: ["service", "status"],
  },
  recorder_seconds: {
    kind: "histogram",
    help: "Duration of a call to a service behind Cairn, as its client saw it.",
    labels: ["service"],
  },
  recorder_failures_total: {
    kind: "counter",
    help: "Calls to services behind Cairn that nobody answered, or that their caller may not make.",
    labels: ["service", "reason"],
  },
  recorder_refused_total: {
    kind: "counter",
    help: "Calls to services behind Cairn that were refused here and left no record.",
    labels: ["reason"],
  },
  recorder_unrecorded_total: { kind: "counter", help: "Calls that passed without a record." },
  recorder_own_deliveries_total: {
    kind: "counter",
    help: "Cairn's own deliveries that came by its recorder; they leave no record.",
  },
  log_files_delivered_total: {
    kind: "counter",
    help: "Log files taken by their target: bucket, log-group or event-bus.",
    labels: ["target"],
  },
  log_file_records_total: {
    kind: "counter",
    help: "Event records in delivered log files.",
    labels: ["target"],
  },
  delivery_failures_total: {
    kind: "counter",
    help: "Attempts to deliver a log file that failed.",
    labels: ["code", "target"],
  },
  log_file_bytes_total: {
    kind: "counter",
    help: "Bytes of delivered log files, compressed.",
    labels: ["target"],
  },
  delivery_cuts_total: { kind: "counter", help: "Ranges of the journal that were cut into log files." },
  delivery_put_seconds: { kind: "histogram", help: "Duration of one attempt to put a log file." },
  delivery_delay_seconds: {
    kind: "histogram",
    help: "From the cut of a log file to its place in the bucket.",
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400, 604_800],
  },
  delivery_given_up_total: {
    kind: "counter",
    help: "Log files that will never be delivered.",
    labels: ["reason", "target"],
  },
  delivery_given_up_records_total: {
    kind: "counter",
    help: "Event records in log files that will never be delivered.",
    labels: ["reason", "target"],
  },
  delivery_lanes_failing: { kind: "gauge", help: "Destinations whose last attempt failed." },
  delivery_memory_bytes: { kind: "gauge", help: "Bytes of composed log files held in memory." },
  outbox_bytes: { kind: "gauge", help: "Bytes of log files that wait in the outbox." },
  outbox_files: { kind: "gauge", help: "Log files that wait in the outbox." },
  plans_waiting: { kind: "gauge", help: "Delivery plans not yet fulfilled." },
  digests_delivered_total: { kind: "counter", help: "Digest files written to a bucket." },
  digest_failures_total: {
    kind: "counter",
    help: "Attempts to write a digest file that failed.",
    labels: ["code"],
  },
  digests_given_up_total: { kind: "counter", help: "Digest files that will never be delivered." },
  digests_waiting: { kind: "gauge", help: "Digest files that are signed and not yet in their bucket." },
  notifications_sent_total: { kind: "counter", help: "Log files announced to an SNS topic." },
  notification_failures_total: {
    kind: "counter",
    help: "Messages to an SNS topic that failed.",
    labels: ["code"],
  },
  notifications_given_up_total: {
    kind: "counter",
    help: "Log files that will never be announced.",
    labels: ["reason"],
  },
  notifications_waiting: { kind: "gauge", help: "Log files that are not yet announced." },
  log_group_records_sent_total: { kind: "counter", help: "Event records that a log group took." },
  log_group_records_skipped_total: {
    kind: "counter",
    help: "Event records above 256 KB, which no log group takes.",
  },
  event_bus_records_sent_total: { kind: "counter", help: "Event records that the event bus took." },
  event_bus_records_skipped_total: {
    kind: "counter",
    help: "Event records that cannot go to an event bus.",
    labels: ["reason"],
  },
  history_events: { kind: "gauge", help: "Events that can be looked up." },
  history_bytes: { kind: "gauge", help: "Bytes of the event history on disk." },
  history_segments: { kind: "gauge", help: "Files of the event history." },
  history_memory_bytes: { kind: "gauge", help: "Bytes of the newest events of the history, in memory." },
  history_behind_seconds: {
    kind: "gauge",
    help: "How long ago the event history had everything that was journaled.",
  },
  history_merges_total: { kind: "counter", help: "Merges of files of the event history." },
  history_skipped_events_total: {
    kind: "counter",
    help: "Events that the history gave up because it could not be written.",
  },
  history_damaged_segments_total: {
    kind: "counter",
    help: "Files of the event history that were found damaged and set aside.",
  },
  bytes_in_flight: { kind: "gauge", help: "Bytes of request bodies in memory, received and inflated." },
  connections: { kind: "gauge", help: "Open client connections." },
};

/** Beyond so many combinations of label values, further ones are counted as `other`. */
const seriesMax = 1000;
/** So many names beyond the table are kept; a name that is not in it is a mistake, but no reason to fall over. */
const unlistedNamesMax = 100;
const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface MetricsWithText {
  readonly metrics: Metrics;
  /** Everything in Prometheus's text format. */
  readonly text: () => Promise<string>;
}

/** Makes an own registry, with the measurements of the process itself. */
export function createMetrics(): MetricsWithText {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const book = createBook(registry);
  for (const [name, row] of Object.entries(table)) book.open(name, row);
  return {
    metrics: {
      count: (name, labels = {}, by = 1) => book.find(name, { kind: "counter", labels })?.add(labels, by),
      gauge: (name, value, labels = {}) => book.find(name, { kind: "gauge", labels })?.add(labels, value),
      observe: (name, value, labels = {}) =>
        book.find(name, { kind: "histogram", labels })?.add(labels, value),
    },
    text: () => registry.metrics(),
  };
}

type Labels = Readonly<Record<string, string>>;
/** Counts up, sets or observes one series, by the kind of its metric. */
type Add = (value: number) => void;

interface Series {
  /** Counts up, sets or observes, by the kind of the metric. */
  add(labels: Labels, value: number): void;
}

interface Book {
  open(name: string, row: MetricRow): Series;
  /** The metric of that name; one that the table lacks is opened by its first use. */
  find(name: string, use: { readonly kind: MetricRow["kind"]; readonly labels: Labels }): Series | undefined;
}

function createBook(registry: Registry): Book {
  const known = new Map<string, Series>();
  const open = (name: string, row: MetricRow): Series => {
    const series = boundedSeries(row.labels ?? [], seriesOpener(name, row, registry));
    known.set(name, series);
    return series;
  };
  return {
    open,
    find(name, use) {
      const series = known.get(name);
      if (series || known.size >= Object.keys(table).length + unlistedNamesMax) return series;
      if (!/^[a-z][a-z0-9_]{0,100}$/.test(name)) return undefined;
      const labels = Object.keys(use.labels).filter((label) => /^[a-z][a-z0-9_]{0,30}$/.test(label));
      return open(name, { kind: use.kind, help: `The measurement ${name}.`, labels });
    },
  };
}

/** Registers the metric; the result opens one of its series. */
function seriesOpener(name: string, row: MetricRow, registry: Registry): (labels: Labels) => Add {
  const options = {
    name: `cairn_${name}`,
    help: row.help,
    labelNames: [...(row.labels ?? [])],
    registers: [registry],
  };
  switch (row.kind) {
    case "counter": {
      const counter = new Counter(options);
      // A counter cannot go down; prom-client throws when asked to.
      return (labels) => (value) => counter.inc(labels, Math.max(0, value));
    }
    case "gauge": {
      const gauge = new Gauge(options);
      return (labels) => (value) => gauge.set(labels, value);
    }
    case "histogram": {
      const histogram = new Histogram({ ...options, buckets: [...(row.buckets ?? secondsBuckets)] });
      return (labels) => (value) => histogram.observe(labels, value);
    }
    default:
      return unreachable(row.kind);
  }
}

/** Takes the metric's own labels only, all of them, and folds what goes beyond `seriesMax` into `other`. */
function boundedSeries(names: readonly string[], open: (labels: Labels) => Add): Series {
  const known = new Map<string, Add>();
  const openOf = (valueOf: (name: string) => string) =>
    open(Object.fromEntries(names.map((name) => [name, valueOf(name)])));
  const others = openOf(() => "other");
  return {
    add(labels, value) {
      if (!Number.isFinite(value)) return;
      const key = keyOf(names, labels);
      let add = known.get(key);
      if (!add) {
        add = known.size < seriesMax ? openOf((name) => labels[name] ?? "") : others;
        if (add !== others) known.set(key, add);
      }
      add(value);
    },
  };
}

/** A text that is different for different values of the labels. */
function keyOf(names: readonly string[], labels: Labels): string {
  const [first] = names;
  if (first === undefined) return "";
  if (names.length === 1) return labels[first] ?? "";
  let key = "";
  for (const name of names) {
    const value = labels[name] ?? "";
    key += `${value.length} ${value} `;
  }
  return key;
}
