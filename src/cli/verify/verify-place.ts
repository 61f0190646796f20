// One account's one Region: lists digests and log files, walks every chain, checks the log files, and sees what is left.
//
// Limits: the keys of the place's log files are held in memory (about 200 bytes each, `logKeysMax` of them); a time range
// makes them fewer. Findings of at most `digestsAhead` digests wait for their turn to be reported, in order.
import { parseDigestKey } from "../../model/digest-key.ts";
import { dateFolders } from "../../model/timestamp.ts";
import { type Chain, type ChainContext, type JudgedDigest, type ListedDigest, walkChain } from "./chain.ts";
import type { Finding, Tally } from "./findings.ts";
import type { LogFileChecks } from "./log-file-checks.ts";
import { deliveryLabelMs, logFolders, parseIsoMs } from "./log-file-name.ts";
import { digestFolderName, type Place } from "./places.ts";
import { type Coverage, unnamedFindings } from "./unnamed-files.ts";

export interface PlaceContext extends ChainContext {
  /** Undefined: every trail. */
  readonly trail: { readonly name: string; readonly homeRegion: string } | undefined;
  readonly endMs: number;
  readonly tally: Tally;
  report(findings: readonly Finding[]): void;
  /** Log files listed, then log files checked. */
  readonly progress: (change: { readonly listed?: number; readonly checked?: number }) => void;
  readonly checks: LogFileChecks;
}

/** One place holds more log files than can be looked after at once. */
export class TooManyFiles extends Error {}

const logKeysMax = 5_000_000;
const digestsAhead = 32;
const dayMs = 86_400_000;
const hourMs = 3_600_000;

export async function verifyPlace(place: Place, context: PlaceContext): Promise<void> {
  const chains = await listChains(place, context);
  const keys = await listLogKeys(place, context);
  const verification = new PlaceVerification(context, keys);
  const { trail } = context;
  const isWanted = ({ name }: NamedChain) =>
    !trail || (name.trailName === trail.name && name.homeRegion === trail.homeRegion);
  // A trail that has nothing here has nothing to say about the log files here.
  const wanted = chains.filter(isWanted);
  if (trail && wanted.length === 0) return;
  for (const chain of wanted) await verification.verify(chain);
  for (const chain of chains) if (!isWanted(chain) && keys.size > 0) await verification.askForNames(chain);
  await verification.end();
}

const nothing = { done: Promise.resolve<readonly Finding[]>([]) };

class PlaceVerification {
  private readonly context: PlaceContext;
  /** Those that no digest has named yet. */
  private readonly keys: Set<string>;
  private readonly untrusted = new Set<string>();
  private readonly coverage: { covers: Coverage["covers"][number][]; holes: Coverage["holes"][number][] } = {
    covers: [],
    holes: [],
  };
  private newest: Coverage["newest"];
  private readonly waiting: Promise<readonly Finding[]>[] = [];
  /** Something could not be read: nothing more is begun, and reporting comes to the failure. */
  private readonly stopped = new AbortController();

  constructor(context: PlaceContext, keys: Set<string>) {
    this.context = context;
    this.keys = keys;
  }

  async verify(chain: Chain): Promise<void> {
    for await (const digest of walkChain(chain, this.context)) {
      if (this.stopped.signal.aborted) return;
      this.take(digest);
      const { done } = digest.trust === "no" ? nothing : await this.beginChecks(digest, digest.trust);
      const findings = done.then((ofLogFiles) => [...digest.findings, ...ofLogFiles]);
      // Whoever reports it hears of a failure.
      findings.catch(() => this.stopped.abort());
      this.waiting.push(findings);
      while (this.waiting.length > digestsAhead) await this.reportNext();
    }
  }

  /** A chain that is not to be verified may name log files all the same, by digests with a right signature. */
  async askForNames(chain: Chain): Promise<void> {
    for await (const { trust, logFiles } of walkChain(chain, this.context)) {
      if (trust === "no") continue;
      for (const { s3Object } of logFiles) this.keys.delete(s3Object);
    }
  }

  async end(): Promise<void> {
    while (this.waiting.length > 0) await this.reportNext();
    const { context } = this;
    const bucket = context.evidence.bucket;
    const reason = "named only by a digest file that is INVALID";
    for (const key of this.untrusted) {
      if (!this.keys.delete(key)) continue;
      context.report([{ kind: "log-file", bucket, key, status: "unproven", weight: "open", reason }]);
    }
    const rest = [...this.keys].sort();
    context.report(unnamedFindings(bucket, rest, { ...this.coverage, newest: this.newest }));
  }

  private take({ window, covers, holes, trust, logFiles }: JudgedDigest): void {
    this.coverage.covers.push(...covers);
    this.coverage.holes.push(...holes);
    if (window) {
      this.context.tally.found(window.startMs, window.endMs);
      if (!this.newest || window.endMs > this.newest.endMs) this.newest = window;
    }
    for (const { s3Object } of logFiles) {
      if (trust !== "no") this.keys.delete(s3Object);
      else if (this.keys.has(s3Object)) this.untrusted.add(s3Object);
    }
  }

  private async beginChecks({ logFiles }: JudgedDigest, trust: "signed" | "unproven") {
    const { checks, progress } = this.context;
    const { done } = await checks.begin({ logFiles, trust });
    const counted = done.then((findings) => {
      progress({ checked: findings.length });
      return findings;
    });
    return { done: counted };
  }

  private async reportNext(): Promise<void> {
    this.context.report((await this.waiting.shift()) ?? []);
  }
}

interface NamedChain extends Chain {
  readonly name: { readonly trailName: string; readonly homeRegion: string };
}

/** The digests of the time range, as the AWS CLI takes it: those that end after its start, up to an hour after its end. */
async function listChains(place: Place, context: PlaceContext): Promise<readonly NamedChain[]> {
  const { startMs, endMs, evidence } = context;
  if (!place.folders.includes(digestFolderName)) return [];
  const listed = new Map<
    string,
    { name: NamedChain["name"]; digests: ListedDigest[]; backfills: ListedDigest[] }
  >();
  const prefix = `${place.base}${digestFolderName}/${place.region}/`;
  // The digest after the range's end may hold a signature: a day more is listed.
  for await (const page of evidence.keys({ prefix, ...dates(prefix, startMs, endMs + dayMs) })) {
    for (const key of page) {
      const named = parseDigestKey(key);
      const keyEndMs = parseIsoMs(named?.endTime ?? "");
      if (!named || keyEndMs === undefined || keyEndMs <= startMs) continue;
      const id = `${named.trailName}\n${named.homeRegion}`;
      const chain = listed.get(id) ?? { name: named, digests: [], backfills: [] };
      listed.set(id, chain);
      (named.isBackfill ? chain.backfills : chain.digests).push({ key, endMs: keyEndMs });
    }
  }
  return [...listed.entries()]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, { name, digests, backfills }]) => {
      const isWithin = (digest: ListedDigest) => digest.endMs <= endMs + hourMs;
      const newestFirst = [...digests].sort((left, right) => right.endMs - left.endMs);
      return {
        name,
        region: place.region,
        digests: newestFirst.filter(isWithin),
        backfills: backfills.filter(isWithin).sort((left, right) => right.endMs - left.endMs),
        after: newestFirst.findLast((digest) => !isWithin(digest)),
      };
    });
}

async function listLogKeys(place: Place, context: PlaceContext): Promise<Set<string>> {
  const { startMs, endMs, evidence } = context;
  const keys = new Set<string>();
  for (const folder of logFolders.filter((name) => place.folders.includes(name))) {
    const prefix = `${place.base}${folder}/${place.region}/`;
    for await (const page of evidence.keys({ prefix, ...dates(prefix, startMs, endMs) })) {
      const before = keys.size;
      for (const key of page) {
        const labelMs = deliveryLabelMs(key);
        const isWithin = labelMs === undefined || (labelMs >= startMs && labelMs <= endMs);
        if (isWithin) keys.add(key);
      }
      context.progress({ listed: keys.size - before });
      // Told while listing goes on, so that workers start meanwhile.
      context.checks.expect(keys.size);
      if (keys.size > logKeysMax) throw new TooManyFiles();
    }
  }
  return keys;
}

/** Date folders are in order, so a listing can begin and end near the range. */
function dates(prefix: string, startMs: number, endMs: number) {
  return {
    ...(Number.isFinite(startMs) && { after: prefix + dateFolders(startMs - dayMs) }),
    ...(Number.isFinite(endMs) && { until: prefix + dateFolders(endMs + 2 * dayMs) }),
  };
}
