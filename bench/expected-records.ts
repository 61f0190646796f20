// Which of the generated records each trail must log, by the plain engine: what a bench counts before it believes its
// figures.
import { builtSelectors } from "./built.ts";
import { generatedRecords, type Profile } from "./records/generated-records.ts";
import { recordFields } from "./records/record-fields.ts";
import type { BenchTrails } from "./trails.ts";

const { compileSelectors } = await builtSelectors();

/** Generated records, from `first` on. */
export interface Span {
  readonly first: number;
  readonly count: number;
}

export interface ExpectedRecords {
  /** How many records of the span each of the trails logs. */
  countsOf(trails: BenchTrails, span: Span): Readonly<Record<string, number>>;
  /** Place of the record with that eventID. */
  indexOf(eventId: string): number | undefined;
}

/** Takes every selector that will be asked for. */
export function expectRecords(
  records: { readonly count: number; readonly profile: Profile },
  trails: BenchTrails,
): ExpectedRecords {
  const { count, profile } = records;
  const kinds = new Map(
    Object.values(trails).map((selectors) => [
      JSON.stringify(selectors),
      { matches: compileSelectors(selectors), isLogged: new Uint8Array(count) },
    ]),
  );
  const places = new Map<string, number>();
  let at = 0;
  for (const record of generatedRecords(count, profile)) {
    const fields = recordFields(record);
    places.set(fields.eventID ?? "", at);
    for (const { matches, isLogged } of kinds.values()) if (matches(fields)) isLogged[at] = 1;
    at += 1;
  }
  return {
    countsOf: (asked, { first, count }) =>
      Object.fromEntries(
        Object.entries(asked).map(([name, selectors]) => {
          const isLogged = kinds.get(JSON.stringify(selectors))?.isLogged;
          if (!isLogged) throw new Error(`Nobody asked for the selectors of ${name}.`);
          return [name, isLogged.subarray(first, first + count).reduce((sum, flag) => sum + flag, 0)];
        }),
      ),
    indexOf: (eventId) => places.get(eventId),
  };
}
