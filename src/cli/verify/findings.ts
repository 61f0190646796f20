// What a verification says of each file. Types, and the counts that the summary and the exit code rest on.

export type FileKind = "digest" | "backfill-digest" | "log-file";

export type FileStatus =
  | "valid"
  /** The content is not what was signed or hashed. */
  | "changed"
  | "missing"
  | "moved"
  /** The content is as it was signed, but it does not fit the digests around it, or its key is not known. */
  | "invalid"
  /** Nothing is wrong as far as can be seen, but not everything could be. */
  | "unproven"
  | "in-no-digest"
  | "not-yet-in-a-digest";

/** `bad` makes the exit code 1; `open` does with --strict. */
export type Weight = "good" | "open" | "bad";

export interface FileFinding {
  readonly kind: FileKind;
  readonly bucket: string | undefined;
  readonly key: string;
  readonly status: FileStatus;
  readonly weight: Weight;
  /** In the words of validate-logs where it has them; absent for valid files. */
  readonly reason?: string;
}

/** Something about no single file, such as a time that no digest covers. */
export interface Remark {
  readonly kind: "remark";
  readonly weight: Weight;
  readonly text: string;
}

export type Finding = FileFinding | Remark;

export class Tally {
  readonly statuses: Record<FileKind, Partial<Record<FileStatus, number>>> = {
    digest: {},
    "backfill-digest": {},
    "log-file": {},
  };
  readonly weights: Record<Weight, number> = { good: 0, open: 0, bad: 0 };
  /** Log files in no digest that should be in one. */
  badInNoDigest = 0;
  oldestStartMs = Infinity;
  newestEndMs = -Infinity;

  add(finding: Finding): void {
    this.weights[finding.weight] += 1;
    if (finding.kind === "remark") return;
    const statuses = this.statuses[finding.kind];
    statuses[finding.status] = (statuses[finding.status] ?? 0) + 1;
    if (finding.status === "in-no-digest" && finding.weight === "bad") this.badInNoDigest += 1;
  }

  /** A digest was found for this time. */
  found(startMs: number, endMs: number): void {
    this.oldestStartMs = Math.min(this.oldestStartMs, startMs);
    this.newestEndMs = Math.max(this.newestEndMs, endMs);
  }

  count(kind: FileKind, ...statuses: readonly FileStatus[]): number {
    return statuses.reduce((sum, status) => sum + (this.statuses[kind][status] ?? 0), 0);
  }
}
