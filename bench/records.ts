// How near the synthetic records come to the statistics of the real ones: sizes and how well they compress.
import { gzipSync } from "node:zlib";
import { quantile } from "./cpu-time.ts";
import { generatedRecords, type Profile } from "./records/generated-records.ts";
import type { Report } from "./report.ts";

/** Bytes of real records and gzip -6 over all of them in one file: 3,479 management events, 2,980 of a data trail. */
const real = {
  management: { p10: 918, p50: 1169, mean: 1261, p90: 1664, p99: 2431, ratio: 9.5, count: 3479 },
  data: { p10: 1239, p50: 1529, mean: 1447, p90: 1587, p99: 2434, ratio: 12.4, count: 2980 },
} as const;

export async function records(): Promise<Report> {
  const rows = [
    ...[{ records: "real, management", ...shape(real.management) }, syntheticRow("management", 3479)],
    ...[{ records: "real, S3 data trail", ...shape(real.data) }, syntheticRow("data", 2980)],
    syntheticRow("mixed", 6459),
  ];
  return {
    tables: [{ title: "Bytes per record, and how often gzip -6 makes them smaller", rows }],
    figures: [],
  };
}

function shape({ p10, p50, mean, p90, p99, ratio }: { [Name in keyof (typeof real)["data"]]: number }) {
  return { p10, p50, mean, p90, p99, "gzip ratio": ratio };
}

function syntheticRow(profile: Profile, count: number) {
  const lines = [...generatedRecords(count, profile)].map((record) => JSON.stringify(record));
  const sizes = lines.map((line) => Buffer.byteLength(line));
  const all = Buffer.from(lines.join("\n"));
  const [p10, p50, p90, p99] = [0.1, 0.5, 0.9, 0.99].map((share) => quantile(sizes, share)) as [
    ...[number, number, number, number],
  ];
  const mean = sizes.reduce((sum, size) => sum + size, 0) / count;
  const ratio = all.length / gzipSync(all, { level: 6 }).length;
  return {
    records: `synthetic, ${profile}`,
    ...shape({ p10, p50, mean: Math.round(mean), p90, p99, ratio, count }),
  };
}
