// What the long scenarios share: the built server with five trails into a counting store, under a steady load that
// goes round and round through the same records.
import { type CountingStore, startCountingStore } from "./counting-store.ts";
import { type ExpectedRecords, expectRecords } from "./expected-records.ts";
import { type LoadGenerator, startLoadGenerator } from "./load/load-generator.ts";
import type { LoadResult } from "./load/load-plan.ts";
import { bucketOf, installTrails, type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";
import { fiveTrails } from "./trails.ts";

export interface SteadyLoad {
  readonly server: ServerUnderTest;
  readonly store: CountingStore;
  /** Sends at this pace for so long; batches of 50. */
  run(eventsPerSecond: number, seconds: number): Promise<LoadResult>;
  /** Records of each trail that are in the store, and that must be there after so many events. */
  counts(
    events: number,
  ): readonly { readonly trail: string; readonly stored: number; readonly expected: number }[];
}

const records = { count: 50_000, profile: "mixed" } as const;
const perBody = 50;
const connections = 16;

export async function withSteadyLoad<Result>(work: (load: SteadyLoad) => Promise<Result>): Promise<Result> {
  const generator = startLoadGenerator();
  const store = await startCountingStore();
  try {
    const ready = generator.prepare(records);
    const expected = expectRecords(records, fiveTrails);
    const credentials = {
      AWS_ACCESS_KEY_ID: "bench",
      AWS_SECRET_ACCESS_KEY: "bench",
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const flags = ["--auth", "off", "--delivery-interval", "5s", "--s3-endpoint", store.url];
    const server = await serverUnderTest(flags, credentials);
    try {
      await installTrails(server, fiveTrails, { hasBuckets: true });
      await ready;
      return await work(steadyLoad({ server, store, generator, expected }));
    } finally {
      await server.dispose();
    }
  } finally {
    store.close();
    generator.stop();
  }
}

interface Parts {
  readonly server: ServerUnderTest;
  readonly store: CountingStore;
  readonly generator: LoadGenerator;
  readonly expected: ExpectedRecords;
}

function steadyLoad({ server, store, generator, expected }: Parts): SteadyLoad {
  return {
    ...{ server, store },
    run: (eventsPerSecond, seconds) =>
      generator.run({
        ...{ url: server.url, connections, requestsPerSecond: eventsPerSecond / perBody },
        load: {
          kind: "events",
          first: 0,
          count: Math.round((eventsPerSecond * seconds) / perBody) * perBody,
          perBody,
        },
      }),
    counts: (events) => {
      const whole = expected.countsOf(fiveTrails, { first: 0, count: records.count });
      const rest = expected.countsOf(fiveTrails, { first: 0, count: events % records.count });
      const rounds = Math.floor(events / records.count);
      return Object.keys(fiveTrails).map((trail) => ({
        trail,
        stored: store.records(bucketOf(trail)),
        expected: rounds * (whole[trail] ?? 0) + (rest[trail] ?? 0),
      }));
    },
  };
}
