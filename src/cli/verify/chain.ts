// The digests of one trail in one account and Region, newest first: each by itself (digest-check.ts), then its link to the
// one before: place, hash, signature and time (formats.md §3.2). The AWS CLI leaves out hash, signature and time.
import { parseDigestKey } from "../../model/digest-key.ts";
import type { DigestDocument, DigestLogFile } from "../../model/digest.ts";
import { isoSeconds } from "../../model/timestamp.ts";
import { type DigestVerdict, judgeDigest, type ReadDigest, readDigest, unusable } from "./digest-check.ts";
import type { Evidence } from "./evidence.ts";
import type { FileFinding, FileKind, Finding, Remark } from "./findings.ts";
import { parseIsoMs } from "./log-file-name.ts";
import type { PublicKeyBook } from "./public-key-book.ts";
import type { Slots } from "./slots.ts";

export interface ListedDigest {
  readonly key: string;
  /** From the key. */
  readonly endMs: number;
}

export interface Chain {
  readonly region: string;
  /** Newest first. */
  readonly digests: readonly ListedDigest[];
  readonly backfills: readonly ListedDigest[];
  /** The digest after the newest one, when the time range leaves it out: it may hold that one's signature. */
  readonly after: ListedDigest | undefined;
}

export interface ChainContext {
  readonly evidence: Evidence;
  readonly book: PublicKeyBook;
  readonly slots: Slots;
  /** Digests that end before it are not asked for. */
  readonly startMs: number;
}

export interface TimeSpan {
  readonly startMs: number;
  readonly endMs: number;
}

export interface JudgedDigest {
  readonly findings: readonly Finding[];
  readonly trust: DigestVerdict["trust"];
  readonly logFiles: readonly DigestLogFile[];
  readonly window: TimeSpan | undefined;
  /** Times whose log files should be in a digest: of this one, or of those that are missing before it. */
  readonly covers: readonly TimeSpan[];
  readonly holes: readonly TimeSpan[];
}

/** Digests that are read ahead of the one that is judged. */
const readAheadMax = 4;

export async function* walkChain(chain: Chain, context: ChainContext): AsyncGenerator<JudgedDigest> {
  const walk = new Walk(chain, context);
  yield* walk.links();
  for (const digest of chain.backfills) yield walk.backfill(digest);
}

class Walk {
  private readonly chain: Chain;
  private readonly context: ChainContext;
  private readonly reads = new Map<string, Promise<ReadDigest>>();
  private readonly positions: ReadonlyMap<string, number>;

  constructor(chain: Chain, context: ChainContext) {
    this.chain = chain;
    this.context = context;
    this.positions = new Map(chain.digests.map(({ key }, index) => [key, index]));
  }

  async *links(): AsyncGenerator<JudgedDigest> {
    const { digests } = this.chain;
    const [newest] = digests;
    if (!newest) return;
    let verdict = await this.judge(newest, await this.signatureBeyondRange(newest));
    for (const [index, digest] of digests.entries()) {
      this.readAhead(index);
      const older = digests[index + 1];
      const olderVerdict = older && (await this.judge(older, signatureFor(older.key, verdict.document)));
      const link = await this.link(verdict, digest, olderVerdict && { ...older, verdict: olderVerdict });
      yield this.judged({ digest, kind: "digest", verdict, link });
      if (olderVerdict) verdict = olderVerdict;
    }
  }

  async backfill(digest: ListedDigest): Promise<JudgedDigest> {
    const verdict = await this.judge(digest, undefined, "backfill-digest");
    return this.judged({ digest, kind: "backfill-digest", verdict, link: noLink });
  }

  private judged({ digest, kind, verdict, link }: Parts): JudgedDigest {
    const { trust, document, startMs, endMs } = verdict;
    const isStart = document?.previousDigestS3Object === null && document.logFiles.length === 0;
    const window = document && trust !== "no" ? { startMs, endMs } : undefined;
    const bucket = this.context.evidence.bucket;
    const finding = digestFinding({ kind, bucket, key: digest.key }, verdict, link.problem);
    return {
      findings: [finding, ...link.findings],
      trust,
      logFiles: document?.logFiles ?? [],
      window,
      covers: window && !isStart ? [window, ...link.holes] : link.holes,
      holes: link.holes,
    };
  }

  private async link(
    verdict: DigestVerdict,
    digest: ListedDigest,
    older: OlderDigest | undefined,
  ): Promise<Link> {
    const { document, trust, startMs } = verdict;
    // What a digest without a right signature says of the one before is nothing to rely on.
    if (!document || trust === "no") {
      const hole = older && { startMs: older.endMs, endMs: digest.endMs };
      return { ...noLink, holes: hole ? [hole] : [] };
    }
    const key = document.previousDigestS3Object;
    if (key === null) return older ? { ...noLink, findings: gapBefore(startMs, older.endMs) } : noLink;
    const bucket = document.previousDigestS3Bucket ?? undefined;
    const isNext = older?.key === key && bucket === document.digestS3Bucket;
    if (isNext) return { ...noLink, problem: linkProblem(document, older.verdict) };
    const named = parseDigestKey(key);
    const namedEndMs = parseIsoMs(named?.endTime ?? "");
    if (namedEndMs !== undefined && namedEndMs <= this.context.startMs) return noLink;
    return this.distantLink({ document, startMs, key, bucket, olderEndMs: older?.endMs, older });
  }

  /** The digest before is not the next one in the listing: gone, in another place, or the next one is left out. */
  private async distantLink(link: DistantLink): Promise<Link> {
    const { document, startMs, key, bucket, older } = link;
    const place = `s3://${bucket ?? ""}/${key}`;
    const read = await this.context.slots.run(() =>
      readDigest(this.context.evidence, key, bucket).catch((error: unknown) => {
        if (bucket === this.context.evidence.bucket) throw error;
        return { kind: "elsewhere" } as const;
      }),
    );
    if (read.kind === "elsewhere") {
      return { ...noLink, findings: [open(`The chain goes on at ${place}, which was not read.`)] };
    }
    if (read.kind === "absent") {
      const endMs = startMs;
      const missing = { kind: "digest", bucket, key, status: read.status, weight: "bad" } as const;
      const holes = [{ startMs: link.olderEndMs ?? -Infinity, endMs }];
      const findings = [{ ...missing, reason: read.reason }, ...missingBetween(link.olderEndMs, endMs)];
      return { problem: undefined, findings, holes };
    }
    const verdict = await judgeDigest(read, {
      ...{ key, kind: "digest", region: this.chain.region, book: this.context.book, bucket },
      signatureAfter: document.previousDigestSignature ?? undefined,
    });
    const isListed = this.positions.has(key);
    const findings =
      isListed && older
        ? [open(`No later digest file is linked to s3://${bucket ?? ""}/${older.key}.`)]
        : [open(`The chain goes on at ${place}.`)];
    return { ...noLink, problem: linkProblem(document, verdict), findings };
  }

  private async judge(
    { key }: ListedDigest,
    signatureAfter: string | undefined,
    kind: "digest" | "backfill-digest" = "digest",
  ): Promise<DigestVerdict> {
    const { context, chain } = this;
    const read = await this.read(key);
    this.reads.delete(key);
    if (read.kind === "elsewhere") return unusable("missing", "not found");
    if (read.kind === "absent") return unusable(read.status, read.reason);
    const bucket = context.evidence.bucket;
    const options = { key, kind, region: chain.region, signatureAfter, book: context.book, bucket };
    const verdict = await judgeDigest(read, options);
    if (verdict.trust === "signed" && verdict.document) {
      context.evidence.learnBucket(verdict.document.digestS3Bucket);
    }
    return verdict;
  }

  private read(key: string): Promise<ReadDigest> {
    const begun = this.reads.get(key);
    if (begun) return begun;
    const read = this.context.slots.run(() => readDigest(this.context.evidence, key));
    // Whoever awaits it hears of a failure.
    read.catch(() => undefined);
    this.reads.set(key, read);
    return read;
  }

  private readAhead(index: number): void {
    for (const { key } of this.chain.digests.slice(index + 1, index + 1 + readAheadMax)) void this.read(key);
  }

  private async signatureBeyondRange(newest: ListedDigest): Promise<string | undefined> {
    const { after } = this.chain;
    if (!after) return undefined;
    const verdict = await this.judge(after, undefined);
    return signatureFor(newest.key, verdict.document);
  }
}

interface Parts {
  readonly digest: ListedDigest;
  readonly kind: "digest" | "backfill-digest";
  readonly verdict: DigestVerdict;
  readonly link: Link;
}

interface OlderDigest extends ListedDigest {
  readonly verdict: DigestVerdict;
}

interface Link {
  /** What is wrong with the digest that is linked, not with the one before. */
  readonly problem: string | undefined;
  readonly findings: readonly Finding[];
  /** Times of digests that are missing or INVALID. */
  readonly holes: readonly TimeSpan[];
}

interface DistantLink {
  readonly document: DigestDocument;
  readonly startMs: number;
  readonly key: string;
  readonly bucket: string | undefined;
  readonly olderEndMs: number | undefined;
  readonly older: OlderDigest | undefined;
}

const noLink: Link = { problem: undefined, findings: [], holes: [] };

function digestFinding(
  file: { readonly kind: FileKind; readonly bucket: string | undefined; readonly key: string },
  { status, reason }: DigestVerdict,
  linkProblem: string | undefined,
): FileFinding {
  if (status === "valid" || status === "unproven") {
    if (linkProblem !== undefined) {
      return { ...file, status: "invalid", weight: "bad", reason: linkProblem };
    }
    const weight = status === "valid" ? "good" : "open";
    return { ...file, status, weight, ...(reason !== undefined && { reason }) };
  }
  return { ...file, status, weight: "bad", ...(reason !== undefined && { reason }) };
}

/** What the newer digest says of the one before, against what that one is. */
function linkProblem(newer: DigestDocument, older: DigestVerdict): string | undefined {
  // Then the older one is reported, and there is nothing to compare with.
  if (older.trust === "no") return undefined;
  if (newer.previousDigestHashValue?.toLowerCase() !== older.hash) {
    return "previousDigestHashValue doesn't match the digest file before it";
  }
  const { signature } = older;
  if (signature !== undefined && newer.previousDigestSignature?.toLowerCase() !== signature.toLowerCase()) {
    return "previousDigestSignature doesn't match the digest file before it";
  }
  if (newer.digestStartTime === older.document?.digestEndTime) return undefined;
  const end = older.document?.digestEndTime ?? "";
  return `starts at ${newer.digestStartTime}, but the digest file before it ends at ${end}`;
}

function signatureFor(key: string, newer: DigestDocument | undefined): string | undefined {
  return newer?.previousDigestS3Object === key ? (newer.previousDigestSignature ?? undefined) : undefined;
}

/** A chain that began anew: logging, or the validation of log files, was off for a while. */
function gapBefore(startMs: number, olderEndMs: number): readonly Remark[] {
  if (olderEndMs >= startMs) return [];
  const times = `between ${isoSeconds(olderEndMs)} and ${isoSeconds(startMs)}`;
  return [
    {
      kind: "remark",
      weight: "good",
      text: `No log files were delivered by CloudTrail ${times}, or they were not validated.`,
    },
  ];
}

function missingBetween(olderEndMs: number | undefined, startMs: number): readonly Remark[] {
  const text =
    olderEndMs === undefined
      ? `The digest files before ${isoSeconds(startMs)} are missing; name a later --start-time if they were removed by a rule.`
      : `Digest files are missing between ${isoSeconds(olderEndMs)} and ${isoSeconds(startMs)}.`;
  return [{ kind: "remark", weight: "bad", text }];
}

function open(text: string): Remark {
  return { kind: "remark", weight: "open", text };
}
