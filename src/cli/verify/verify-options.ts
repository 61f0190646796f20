// The flags of `cairn verify`, read and checked. Pure.
import { parseAccountId, parseTrailArn } from "../../model/arn.ts";
import { parseRegion } from "../../model/regions.ts";
import { serverAddress } from "../server-address.ts";

export interface VerifyOptions {
  readonly source:
    | { readonly kind: "bucket"; readonly bucket: string }
    | { readonly kind: "directory"; readonly folder: string; readonly bucket: string | undefined };
  /** Of the source, for people. */
  readonly place: string;
  readonly prefix: string | undefined;
  /** Without them: AWS's own. */
  readonly s3Url: URL | undefined;
  readonly cloudTrailUrl: URL | undefined;
  /** A file; without it the endpoint is asked. */
  readonly publicKeys: string | undefined;
  readonly trailArn: string | undefined;
  readonly trail:
    | { readonly name: string; readonly homeRegion: string; readonly account: string }
    | undefined;
  readonly account: string | undefined;
  readonly region: string | undefined;
  /** Infinite when not given. */
  readonly startMs: number;
  readonly endMs: number;
  /** Objects read at once. */
  readonly concurrency: number;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly strict: boolean;
}

export const verifySwitches: readonly string[] = ["json", "verbose", "strict"];
const verifyFlags: readonly string[] = [
  ...["bucket", "directory", "prefix", "endpoint-url", "cloudtrail-endpoint-url", "public-keys", "trail-arn"],
  ...["start-time", "end-time", "account-id", "region", "concurrency", ...verifySwitches],
];
const concurrencyMax = 256;

type Flags = Readonly<Record<string, string>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** Throws a UsageProblem. */
export function verifyOptions(flags: Flags, environment: Environment): VerifyOptions {
  const unknown = Object.keys(flags).find((flag) => !verifyFlags.includes(flag));
  if (unknown !== undefined) {
    throw new UsageProblem(`--${unknown}: cairn verify has no such flag; cairn verify --help lists them.`);
  }
  const source = sourceOf(flags);
  const s3Url = urlOf(flags["endpoint-url"] ?? environmentUrl(environment, "AWS_ENDPOINT_URL_S3"));
  const cloudTrailUrl = urlOf(
    flags["cloudtrail-endpoint-url"] ??
      flags["endpoint-url"] ??
      environmentUrl(environment, "AWS_ENDPOINT_URL_CLOUDTRAIL"),
  );
  const publicKeys = flags["public-keys"];
  if (source.kind === "directory" && publicKeys === undefined && cloudTrailUrl === undefined) {
    throw new UsageProblem(
      "--directory: name the keys by --public-keys FILE (made by cairn public-keys), or the server by --endpoint-url URL.",
    );
  }
  return {
    source,
    place: source.kind === "bucket" ? `s3://${source.bucket}` : source.folder,
    prefix: flags["prefix"]?.replace(/\/$/, ""),
    ...{ s3Url, cloudTrailUrl, publicKeys },
    ...trailOf(flags),
    account: accountOf(flags),
    region: regionOf(flags),
    ...rangeOf(flags),
    concurrency: concurrencyOf(flags),
    json: isOn(flags, "json"),
    verbose: isOn(flags, "verbose"),
    strict: isOn(flags, "strict"),
  };
}

/** What the user wrote cannot be done; the message is a sentence with the flag. */
export class UsageProblem extends Error {}

function urlOf(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const address = serverAddress({ "endpoint-url": text }, {});
  if ("problem" in address) throw new UsageProblem(address.problem);
  return address.url;
}

/** As the AWS CLI and the SDKs look for an endpoint. */
function environmentUrl(environment: Environment, ofService: string): string | undefined {
  return environment[ofService] || environment["AWS_ENDPOINT_URL"] || undefined;
}

function sourceOf(flags: Flags): VerifyOptions["source"] {
  const { bucket, directory } = flags;
  if (directory !== undefined) return { kind: "directory", folder: directory, bucket };
  if (bucket === undefined) {
    throw new UsageProblem("Name what to verify: --bucket NAME, or --directory DIR for a copy of a bucket.");
  }
  return { kind: "bucket", bucket };
}

function trailOf(flags: Flags): Pick<VerifyOptions, "trail" | "trailArn"> {
  const arn = flags["trail-arn"];
  if (arn === undefined) return { trail: undefined, trailArn: undefined };
  const trail = parseTrailArn(arn);
  if (!trail) throw new UsageProblem(`Invalid trail ARN provided: ${JSON.stringify(arn)}`);
  return { trail, trailArn: arn };
}

function accountOf(flags: Flags): string | undefined {
  const text = flags["account-id"];
  if (text !== undefined && parseAccountId(text) === undefined) {
    throw new UsageProblem(`--account-id: ${JSON.stringify(text)} is not an account id; write 12 digits.`);
  }
  return text;
}

function regionOf(flags: Flags): string | undefined {
  const text = flags["region"];
  if (text !== undefined && parseRegion(text) === undefined) {
    throw new UsageProblem(`--region: ${JSON.stringify(text)} is not a Region; write for example us-east-1.`);
  }
  return text;
}

function rangeOf(flags: Flags): Pick<VerifyOptions, "startMs" | "endMs"> {
  const startMs = timeOf(flags, "start-time") ?? -Infinity;
  const endMs = timeOf(flags, "end-time") ?? Infinity;
  if (startMs > endMs) throw new UsageProblem("--start-time is after --end-time; exchange them.");
  return { startMs, endMs };
}

/** ISO 8601, extended or basic, a date or a date and time; without a zone it is UTC. */
function timeOf(flags: Flags, flag: string): number | undefined {
  const text = flags[flag];
  if (text === undefined) return undefined;
  const form =
    /^(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/;
  const [, year, month, day, hour = "00", minute = "00", second = "00", zone = "Z"] = form.exec(text) ?? [];
  const colonZone = zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  const iso = `${year ?? ""}-${month ?? ""}-${day ?? ""}T${hour}:${minute}:${second}${colonZone}`;
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const ms = year === undefined ? Number.NaN : Date.parse(iso);
  if (!Number.isNaN(ms)) return ms;
  throw new UsageProblem(
    `--${flag}: Unable to parse date value: ${JSON.stringify(text)}; write for example 2026-01-10T08:00:00Z.`,
  );
}

function concurrencyOf(flags: Flags): number {
  const text = flags["concurrency"] ?? "8";
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= concurrencyMax) return count;
  throw new UsageProblem(
    `--concurrency: ${JSON.stringify(text)} is not a whole number from 1 to ${String(concurrencyMax)}.`,
  );
}

function isOn(flags: Flags, flag: string): boolean {
  const text = flags[flag] ?? "false";
  if (text === "true" || text === "false") return text === "true";
  throw new UsageProblem(`--${flag}: ${JSON.stringify(text)} is neither true nor false.`);
}
