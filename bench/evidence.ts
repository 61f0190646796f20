// What the verification bench verifies: names, times and sizes that its server process and its measurements share.

export const evidence = {
  bucket: "bench-evidence",
  account: "111122223333",
  region: "us-east-1",
  trailName: "bench",
  trailArn: "arn:aws:cloudtrail:us-east-1:111122223333:trail/bench",
  startMs: Date.UTC(2026, 0, 1),
  /** After the starting digest. */
  digests: 200,
  filesPerDigest: 50,
  /** About 1.6 KB each. */
  recordsPerFile: 5,
  range: ["--start-time", "2026-01-01T00:00:00Z", "--end-time", "2026-02-01T00:00:00Z"],
} as const;
