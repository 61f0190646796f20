// Which S3 operation a request is, by method, bucket, key, query and headers: all that the vendor's model knows. Pure.
import type { PassingHead } from "../contract.ts";
import type { Operation, ServiceTable } from "./service-table.ts";

export interface S3Target {
  /** Undefined for the service itself. */
  readonly bucket?: string;
  readonly key?: string;
  /** Undefined when no operation is like this. */
  readonly operation?: Operation;
}

type Level = "service" | "bucket" | "object";

interface Candidate {
  readonly operation: Operation;
  readonly query: readonly (readonly [string, string | undefined])[];
  readonly headers: readonly string[];
}

export type S3Finder = (head: PassingHead, query: URLSearchParams) => S3Target;

export function s3FinderOf(table: ServiceTable): S3Finder {
  const candidates = candidatesOf(table);
  return (head, query) => {
    const ofLambda = table.operation("WriteGetObjectResponse");
    if (ofLambda && head.path === ofLambda.uri.split("?", 1)[0] && head.headers.has("x-amz-request-route")) {
      return { operation: ofLambda };
    }
    const { bucket, key } = placeOf(head);
    const level: Level = bucket === undefined ? "service" : key === undefined ? "bucket" : "object";
    const operation = candidates
      .get(`${level} ${head.method}`)
      ?.find((candidate) => isLike(candidate, head, query))?.operation;
    return {
      ...(bucket !== undefined && { bucket }),
      ...(key !== undefined && { key }),
      ...(operation && { operation }),
    };
  };
}

/** The most demanding first. */
function candidatesOf(table: ServiceTable): ReadonlyMap<string, readonly Candidate[]> {
  const candidates = new Map<string, Candidate[]>();
  for (const name of table.operationNames) {
    const operation = table.operation(name);
    if (!operation || outdated.has(name)) continue;
    const [path = "", query = ""] = operation.uri.split("?", 2);
    const level: Level = path.includes("{Key") ? "object" : path.includes("{Bucket}") ? "bucket" : "service";
    // WriteGetObjectResponse and its like have a path of their own.
    if (level === "service" && path !== "/") continue;
    const wanted = query.split("&").filter((pair) => pair !== "");
    const pairs = wanted.filter((pair) => !pair.startsWith("!"));
    const candidate: Candidate = {
      operation,
      query: pairs.map((pair) => [pair.split("=", 1)[0] ?? "", pair.split("=", 2)[1]]),
      headers: wanted.filter((pair) => pair.startsWith("!")).map((pair) => pair.slice(1)),
    };
    const group = `${level} ${operation.method}`;
    candidates.set(group, [...(candidates.get(group) ?? []), candidate]);
  }
  for (const group of candidates.values()) group.sort((a, b) => weight(b) - weight(a));
  return candidates;
}

/** Older forms of operations that have the same query. */
const outdated: ReadonlySet<string> = new Set([
  ...["GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification"],
  // Their requests are those of ListObjects and PutObject to other endpoints.
  ...["ListDirectoryBuckets"],
]);

function weight({ query, headers }: Candidate): number {
  return query.length * 2 + query.filter(([, value]) => value !== undefined).length + headers.length * 3;
}

function isLike({ query, headers }: Candidate, head: PassingHead, asked: URLSearchParams): boolean {
  return (
    headers.every((name) => head.headers.has(name)) &&
    query.every(([name, value]) => (value === undefined ? asked.has(name) : asked.get(name) === value))
  );
}

function placeOf({ path, hostBucket }: PassingHead): { bucket?: string; key?: string } {
  if (hostBucket !== undefined) {
    const key = path.slice(1);
    return { bucket: hostBucket, ...(key !== "" && { key: decoded(key) }) };
  }
  const rest = path.slice(1);
  const slash = rest.indexOf("/");
  const bucket = slash === -1 ? rest : rest.slice(0, slash);
  const key = slash === -1 ? "" : rest.slice(slash + 1);
  return {
    ...(bucket !== "" && { bucket: decoded(bucket) }),
    ...(key !== "" && bucket !== "" && { key: decoded(key) }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
