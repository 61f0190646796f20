// The built server as a process for the benches, and its CPU time as it reports it itself on /metrics.
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { type CairnProcess, startCairn } from "../test/harness/cairn-process.ts";

export interface ServerUnderTest extends CairnProcess {
  readonly client: CloudTrailClient;
  /** User and system seconds since the start of the process. */
  cpuSeconds(): Promise<number>;
}

/** Starts `cairn serve` with these flags; its client calls without a valid signature, for `--auth off`. */
export async function serverUnderTest(args: readonly string[]): Promise<ServerUnderTest> {
  const cairn = await startCairn({ args: ["--log-level", "warn", ...args] });
  const client = new CloudTrailClient({
    endpoint: cairn.url,
    region: "us-east-1",
    credentials: { accessKeyId: "123456789012", secretAccessKey: "x" },
  });
  return { ...cairn, client, cpuSeconds: () => metric(cairn.url, "cairn_process_cpu_seconds_total") };
}

/** The value of an unlabelled metric. */
async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = new RegExp(`^(?:cairn_)?${name.replace("cairn_", "")} (\\S+)`, "m").exec(text)?.[1];
  if (value === undefined) throw new Error(`/metrics has no ${name}`);
  return Number(value);
}

/** Makes a bucket through the bucket door. */
export async function makeBucket(url: string, bucket: string): Promise<void> {
  const authorization =
    "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
  const made = await fetch(`${url}/${bucket}`, { method: "PUT", headers: { authorization } });
  if (made.status !== 200) throw new Error(`Making the bucket ${bucket} was answered ${made.status}.`);
}
