// `cairn verify`: checks log files against their digests, in a bucket or a copy of it. The steps stand in verify/.
import { type Endpoint, listPublicKeys } from "./aws-clients.ts";
import { printable } from "./printable.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";
import { openDirectory } from "./verify/directory-evidence.ts";
import type { Evidence } from "./verify/evidence.ts";
import { Tally } from "./verify/findings.ts";
import { checksInThread, checksOfDirectory } from "./verify/log-file-checks.ts";
import { findPlaces, TooManyFolders } from "./verify/places.ts";
import { Progress } from "./verify/progress.ts";
import { askedPublicKeys, type PublicKeyBook, publicKeysOf } from "./verify/public-key-book.ts";
import { createReport } from "./verify/report.ts";
import { createSlots } from "./verify/slots.ts";
import { UsageProblem, type VerifyOptions, verifyOptions } from "./verify/verify-options.ts";
import { type PlaceContext, TooManyFiles, verifyPlace } from "./verify/verify-place.ts";

/** Accounts' Regions that are looked at side by side; each needs several listings before its first log file. */
const placesAtOnce = 4;

/** Exit code 0 when all is valid, 1 when something is not or could not be read, 2 when the flags were wrong. */
export async function verify(flags: Readonly<Record<string, string>>, terminal: Terminal): Promise<ExitCode> {
  try {
    return await verifyWith(verifyOptions(flags, terminal.environment), terminal);
  } catch (error) {
    const isUsage = error instanceof UsageProblem;
    terminal.err(isUsage ? error.message : printable(`The verification was given up: ${messageOf(error)}`));
    return isUsage ? exitCodes.usage : exitCodes.failed;
  }
}

async function verifyWith(options: VerifyOptions, terminal: Terminal): Promise<ExitCode> {
  const book = publicKeyBook(options, terminal);
  const evidence = await openEvidence(options, terminal);
  const progress = new Progress(terminal);
  const tally = new Tally();
  const report = createReport({ terminal, progress, tally, options });
  const { source, concurrency } = options;
  const slots = createSlots(concurrency);
  const checks =
    source.kind === "directory"
      ? checksOfDirectory(evidence, source.folder, concurrency)
      : checksInThread(evidence, slots);
  const context: PlaceContext = {
    ...{ evidence, book, tally, slots, checks },
    ...{ trail: options.trail, startMs: options.startMs, endMs: options.endMs },
    progress: (change) => progress.change(change),
    report: (findings) => {
      for (const finding of findings) tally.add(finding);
      report.print(findings);
    },
  };
  try {
    report.begin();
    await verifyPlaces(options, context);
    const exitCode = exitCodeOf(tally, options);
    report.end(exitCode);
    return exitCode;
  } finally {
    progress.clear();
    checks.close();
    evidence.close();
  }
}

async function verifyPlaces(options: VerifyOptions, context: PlaceContext): Promise<void> {
  const { prefix, account, region } = options;
  const slots = createSlots(placesAtOnce);
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for await (const place of findPlaces(context.evidence, { prefix, account, region })) {
    // A trail's own account, or any account below an organization.
    const isOfTrail = place.account === options.trail?.account || /\/o-[^/]+\/\d{12}\/$/.test(place.base);
    if (options.trail && !isOfTrail) continue;
    const { done } = await slots.start(() => verifyPlace(place, context));
    const ended = Promise.resolve(done)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => running.delete(ended));
    running.add(ended);
    if (failure) break;
  }
  await Promise.all(running);
  if (failure) throw failure.error;
}

/** A verification that found no digest has shown nothing, so it is not good. */
function exitCodeOf(tally: Tally, { strict }: VerifyOptions): ExitCode {
  const isEmpty =
    Object.keys({ ...tally.statuses.digest, ...tally.statuses["backfill-digest"] }).length === 0;
  const isBad = isEmpty || tally.weights.bad > 0 || (strict && tally.weights.open > 0);
  return isBad ? exitCodes.failed : exitCodes.done;
}

function publicKeyBook({ publicKeys, cloudTrailUrl: url }: VerifyOptions, terminal: Terminal): PublicKeyBook {
  if (publicKeys === undefined) {
    const endpoint: Endpoint = { url, terminal };
    return askedPublicKeys((region) => listPublicKeys(endpoint, region));
  }
  let text: string;
  try {
    ({ text } = terminal.readFile(publicKeys));
  } catch (error) {
    throw new UsageProblem(
      `--public-keys: ${JSON.stringify(publicKeys)} cannot be read: ${messageOf(error)}.`,
    );
  }
  const read = publicKeysOf(text);
  if ("book" in read) return read.book;
  throw new UsageProblem(
    `--public-keys: ${JSON.stringify(publicKeys)} is no list of public keys: ${read.problem}.`,
  );
}

async function openEvidence(options: VerifyOptions, terminal: Terminal): Promise<Evidence> {
  const { source, s3Url: url, concurrency } = options;
  if (source.kind === "bucket") {
    // The SDK is large; a directory is verified without it.
    const { openBucket } = await import("./verify/bucket-evidence.ts");
    return openBucket(source.bucket, { endpoint: { url, terminal }, concurrency });
  }
  try {
    return openDirectory(source.folder, source.bucket);
  } catch (error) {
    throw new UsageProblem(
      `--directory: ${JSON.stringify(source.folder)} cannot be read: ${messageOf(error)}.`,
    );
  }
}

function messageOf(error: unknown): string {
  if (error instanceof TooManyFolders) {
    return "there are too many folders to look for AWSLogs in all; name the trail's prefix by --prefix";
  }
  if (error instanceof TooManyFiles) {
    return "an account's Region has too many log files at once; name a time by --start-time and --end-time";
  }
  return error instanceof Error ? error.message : String(error);
}
