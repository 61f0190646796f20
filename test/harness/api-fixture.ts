// What the API tests share: a running server, SDK clients for any account and Region, raw calls for what the SDK
// hides, and one check for refusals. With --auth off an access key of 12 digits is the account itself, so every
// test takes an account of its own and sees nothing of the others.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { expect } from "vitest";
import { type CairnProcess, startCairn } from "./cairn-process.ts";

export const home = "us-east-1";
export const elsewhere = "eu-west-1";
export const bucket = "trail-logs";

/** The organization every fixture server has; accounts from `newAccount` do not belong to it. */
export const organization = {
  id: "o-exampleorgid",
  management: "111111111111",
  delegated: "222222222222",
  member: "333333333333",
} as const;

const organizationYaml = `
accounts:
  - { id: "${organization.management}", name: management }
  - { id: "${organization.delegated}", name: delegated }
  - { id: "${organization.member}", name: member }
organization:
  id: ${organization.id}
  managementAccount: "${organization.management}"
  delegatedAdministrators: ["${organization.delegated}"]
`;

export interface Caller {
  readonly account: string;
  readonly region?: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly requestId: string;
  readonly text: string;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: unknown;
}

export interface Api {
  readonly cairn: CairnProcess;
  readonly url: string;
  /** An SDK client that signs as an account, in us-east-1 unless said otherwise. */
  as(account: string, region?: string): CloudTrail;
  /** A call as bytes on the wire, its answer as it came. */
  raw(operation: string, input: unknown, caller: Caller): Promise<RawAnswer>;
  /** An account that nobody has used, with a trail `name` in it when one is given. */
  newAccount(): string;
  dispose(): Promise<void>;
}

export interface ApiOptions {
  /** Beyond `--auth off --delivery-interval … --config …`. */
  readonly args?: readonly string[];
  /** How often log files are cut; 200ms when not given. */
  readonly interval?: string;
  /** The configuration file instead of the organization. */
  readonly yaml?: string;
}

/** Starts a server with the organization and makes the bucket `trail-logs`. */
export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-api-"));
  const config = writeConfig(folder, options.yaml ?? organizationYaml);
  const interval = options.interval ?? "200ms";
  const args = [
    "--auth",
    "off",
    "--delivery-interval",
    interval,
    "--config",
    config,
    ...(options.args ?? []),
  ];
  const cairn = await startCairn({ args });
  await makeBucket(cairn.url, bucket);
  const clients = new Map<string, CloudTrail>();
  let accounts = 0;
  return {
    cairn,
    url: cairn.url,
    as(account, region = home) {
      const key = `${account}/${region}`;
      const client = clients.get(key) ?? sdkClient(cairn.url, { account, region });
      clients.set(key, client);
      return client;
    },
    raw: (operation, input, caller) => rawCall(cairn.url, { operation, input, caller }),
    newAccount() {
      accounts += 1;
      return String(700_000_000_000 + accounts);
    },
    async dispose() {
      await cairn.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Writes a configuration file that only its owner can read; returns its path. */
export function writeConfig(folder: string, yaml: string): string {
  const path = join(folder, "cairn.yaml");
  writeFileSync(path, yaml);
  chmodSync(path, 0o600);
  return path;
}

function sdkClient(url: string, { account, region }: Required<Caller>): CloudTrail {
  return new CloudTrail({
    endpoint: url,
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: account, secretAccessKey: "not-checked" },
  });
}

/** With authentication off the signature is not checked; the scope says account, Region and service. */
export function unsignedScope(caller: Caller, service: string): string {
  const { account, region = home } = caller;
  const date = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  return `AWS4-HMAC-SHA256 Credential=${account}/${date}/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
}

interface RawCall {
  readonly operation: string;
  readonly input: unknown;
  readonly caller: Caller;
}

async function rawCall(url: string, { operation, input, caller }: RawCall): Promise<RawAnswer> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: unsignedScope(caller, "cloudtrail"),
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `CloudTrail_20131101.${operation}`,
    },
    body: typeof input === "string" ? input : JSON.stringify(input),
  });
  return readAnswer(response);
}

export async function readAnswer(response: Response): Promise<RawAnswer> {
  const text = await response.text();
  return {
    status: response.status,
    contentType: response.headers.get("content-type") ?? "",
    requestId: response.headers.get("x-amzn-requestid") ?? "",
    text,
    json: parsed(text),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A request to the bucket door. */
export async function s3(
  url: string,
  method: string,
  path: string,
  body?: string,
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/${path}`, {
    method,
    headers: { authorization: unsignedScope({ account: "123456789012" }, "s3") },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, text: await response.text() };
}

export async function makeBucket(url: string, name: string): Promise<void> {
  const { status, text } = await s3(url, "PUT", name);
  if (status !== 200) throw new Error(`Making the bucket ${name} was answered ${status}: ${text}`);
}

/** The error of a call: its code, and its exact text or the form of it. */
export type Refusal = readonly [name: string, message: string | RegExp];

/** Holds that a call is answered 400 with exactly this code and text. */
export async function expectRefusal(call: Promise<unknown>, [name, message]: Refusal): Promise<void> {
  const error = await call.then(
    (output) => `answered ${JSON.stringify(output)}`,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({
    name,
    message: typeof message === "string" ? message : expect.stringMatching(message),
    $metadata: { httpStatusCode: 400 },
  });
}

/** Holds that a call is refused and that the account's trails, selectors, tags and logging are what they were before. */
export async function expectRefusalWithoutTrace(
  client: CloudTrail,
  call: () => Promise<unknown>,
  refusal: Refusal,
): Promise<void> {
  const check = await refusalCheck(client);
  await check(call, refusal);
}

/** The same for many calls of a table: what must not change is looked up once. */
export async function refusalCheck(
  client: CloudTrail,
): Promise<(call: () => Promise<unknown>, refusal: Refusal) => Promise<void>> {
  const before = await everythingOf(client);
  return async (call, refusal) => {
    await expectRefusal(call(), refusal);
    expect(await everythingOf(client)).toEqual(before);
  };
}

/** Every readable fact about the trails homed in the client's Region. */
export async function everythingOf(client: CloudTrail): Promise<unknown> {
  const { trailList = [] } = await client.describeTrails({ includeShadowTrails: false });
  const arns = trailList.map((trail) => trail.TrailARN ?? "");
  const withInsights = arns.filter((_, index) => trailList[index]?.HasInsightSelectors);
  const [tags, selectors, insights, logging] = await Promise.all([
    arns.length === 0
      ? []
      : client.listTags({ ResourceIdList: arns }).then((answer) => answer.ResourceTagList),
    Promise.all(arns.map((TrailName) => selectorsOf(client, TrailName))),
    Promise.all(withInsights.map((TrailName) => insightsOf(client, TrailName))),
    Promise.all(arns.map((Name) => loggingOf(client, Name))),
  ]);
  return { trailList, tags, selectors, insights, logging };
}

async function selectorsOf(client: CloudTrail, TrailName: string): Promise<unknown> {
  const { $metadata: _, ...selectors } = await client.getEventSelectors({ TrailName });
  return selectors;
}

async function insightsOf(client: CloudTrail, TrailName: string): Promise<unknown> {
  return (await client.getInsightSelectors({ TrailName })).InsightSelectors;
}

/** IsLogging and the times of the last start and stop; deliveries go on all the time. */
async function loggingOf(client: CloudTrail, Name: string): Promise<unknown> {
  const status = await client.getTrailStatus({ Name });
  const { IsLogging, StartLoggingTime, StopLoggingTime, TimeLoggingStarted, TimeLoggingStopped } = status;
  return { IsLogging, StartLoggingTime, StopLoggingTime, TimeLoggingStarted, TimeLoggingStopped };
}

export function trailArn(account: string, name: string, region = home): string {
  return `arn:aws:cloudtrail:${region}:${account}:trail/${name}`;
}

/** Makes a trail with default settings and returns its ARN. */
export async function makeTrail(
  client: CloudTrail,
  Name: string,
  settings: Omit<Parameters<CloudTrail["createTrail"]>[0], "Name" | "S3BucketName"> = {},
): Promise<string> {
  const { TrailARN = "" } = await client.createTrail({ Name, S3BucketName: bucket, ...settings });
  return TrailARN;
}
