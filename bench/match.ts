// The selector index against one closure per trail (the plain engine), over the same events: time per event by number
// of trails, and how long an index takes to build.
import { builtScopes, builtSelectors } from "./built.ts";
import { cpuMicroseconds, median, medianCpu } from "./cpu-time.ts";
import { indexOf, placeIn, scopesOf } from "./installed-trails.ts";
import { generatedRecords } from "./records/generated-records.ts";
import { recordFields } from "./records/record-fields.ts";
import type { BenchOptions, Report } from "./report.ts";
import { fiveTrails, mixedSelectors } from "./trails.ts";
import type { RecordFields } from "../src/event/record.ts";
import type { TrailScope } from "../src/selector/match-set.ts";
import type { EventPlace } from "../src/selector/scope.ts";
import type { TrailSelectors } from "../src/selector/selectors.ts";

const { compileSelectors } = await builtSelectors();
const { outOfScope, scopedPlace } = await builtScopes();

interface PlacedEvent {
  readonly event: RecordFields;
  readonly place: EventPlace;
}

export async function match({ isQuick }: BenchOptions): Promise<Report> {
  const events = placedEvents(isQuick ? 1_000 : 20_000);
  const rounds = isQuick ? 2 : 9;
  const rows = [1, 5, 50, 500, 1000].map((trails) =>
    matchRow(trails, { events, rounds, scopes: scopesOf(mixedSelectors(trails)) }),
  );
  const named = matchRow(5, { events, rounds, scopes: scopesOf(Object.values(fiveTrails)) });
  const nanoseconds = (trails: number) =>
    rows.find((row) => row.trails === trails)?.["index ns/event"] ?? Number.NaN;
  return {
    tables: [
      { title: "Deciding which trails log an event, mixed selectors, CPU", rows },
      { title: "The same for the five trails of the pipeline bench", rows: [named] },
      { title: "Building the index", rows: buildRows(isQuick ? 1 : 7) },
    ],
    figures: [
      { what: "match, 500 trails", value: nanoseconds(500) / 1000, unit: "µs/event", goal: { most: 1 } },
      {
        what: "match, 500 trails against 5",
        value: nanoseconds(500) / nanoseconds(5),
        unit: "x",
        goal: { most: 4 },
      },
    ],
  };
}

function placedEvents(count: number): PlacedEvent[] {
  // One place object per Region, as the intake has it.
  const places = new Map<string, EventPlace>();
  return [...generatedRecords(count)].map((record) => {
    const event = recordFields(record);
    const region = event.awsRegion ?? "";
    const place = places.get(region) ?? placeIn(region);
    places.set(region, place);
    return { event, place };
  });
}

interface MatchBench {
  readonly events: readonly PlacedEvent[];
  readonly rounds: number;
  readonly scopes: readonly TrailScope[];
}

function matchRow(trails: number, { events, rounds, scopes }: MatchBench) {
  const index = indexOf(scopes);
  const plain = plainEngine(scopes);
  const byIndex = (of: readonly PlacedEvent[]) =>
    of.reduce((sum, { event, place }) => sum + index.match(event, place).destinations.length, 0);
  const byPlain = (of: readonly PlacedEvent[]) =>
    of.reduce((sum, { event, place }) => sum + plain(event, place), 0);
  // A thousand closures take a thousand times as long; a part of the events tells as much.
  const sample = events.slice(0, Math.max(1_000, Math.ceil((events.length * 5) / Math.max(5, trails))));
  if (byIndex(sample) !== byPlain(sample)) throw new Error("The index and the plain engine disagree.");
  // A round of few trails is over before the clock of the CPU has moved: it goes through the events several times.
  const times = Math.max(1, Math.round(50 / trails));
  const contenders = { index: () => repeat(times, () => byIndex(events)), plain: () => void byPlain(sample) };
  const micros = medianCpu(contenders, rounds);
  const [byIndexNs, byPlainNs] = [
    (micros.index * 1000) / (events.length * times),
    (micros.plain * 1000) / sample.length,
  ];
  return {
    trails,
    "index ns/event": byIndexNs,
    "closures ns/event": byPlainNs,
    "times faster": byPlainNs / byIndexNs,
    "matches/event": byIndex(events) / events.length,
  };
}

function repeat(times: number, work: () => number): void {
  for (let done = 0; done < times; done += 1) work();
}

/** How many trails log an event, asking one after the other. */
function plainEngine(scopes: readonly TrailScope[]): (event: RecordFields, place: EventPlace) => number {
  const trails = scopes.map((trail) => ({
    trail,
    matches: compileSelectors(trail.selectors),
  }));
  const organizationMembers = new Set<never>();
  return (event, place) => {
    const scoped = scopedPlace(event, { ...place, organizationMembers });
    let count = 0;
    for (const { trail, matches } of trails) {
      if (outOfScope(trail, scoped) === undefined && matches(event)) count += 1;
    }
    return count;
  };
}

function buildRows(rounds: number) {
  const kinds: Readonly<Record<string, readonly TrailSelectors[]>> = {
    "1,000 trails of the mix": mixedSelectors(1000),
    "1,000 trails, 250 prefixes each": manyPrefixes(1000, 250),
  };
  return Object.entries(kinds).map(([what, selectors]) => {
    const scopes = scopesOf(selectors);
    const changed = scopesOf([...selectors.slice(1), ...mixedSelectors(1)]);
    const first = cpuMicroseconds(() => void indexOf(scopes));
    const again = Array.from({ length: rounds }, (_, round) =>
      cpuMicroseconds(() => void indexOf(round % 2 === 0 ? changed : scopes)),
    );
    return { what, "first ms": first / 1000, "after a change, ms": median(again) / 1000 };
  });
}

/** Every value is different from all others. */
function manyPrefixes(trails: number, prefixes: number): TrailSelectors[] {
  return Array.from({ length: trails }, (_, trail) => ({
    kind: "advanced",
    selectors: [
      {
        fieldSelectors: [
          { field: "eventCategory", Equals: ["Data"] },
          { field: "resources.type", Equals: ["AWS::S3::Object"] },
          {
            field: "resources.ARN",
            StartsWith: Array.from(
              { length: prefixes },
              (_, at) => `arn:aws:s3:::team-${trail}/folder-${at}/`,
            ),
          },
        ],
      },
    ],
  }));
}
