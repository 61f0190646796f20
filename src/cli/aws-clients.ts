// What verifying and exporting keys ask of AWS's services or of a server like them: an S3 client, and the public keys of a
// Region. Loads the SDK only when a command needs it. Must not: print what it was given, since requests carry credentials.
import type * as CloudTrailSdk from "@aws-sdk/client-cloudtrail";
import type * as S3Sdk from "@aws-sdk/client-s3";
import { type AskingTerminal, credentialsFor, defaultRegion } from "./cloudtrail-client.ts";

export interface Endpoint {
  /** Without it: AWS's own. */
  readonly url: URL | undefined;
  /** Its environment and files say where credentials are. */
  readonly terminal: AskingTerminal;
}

/** A public key as ListPublicKeys answers it. */
export interface ListedKey {
  /** base64 of the DER PKCS#1 key. */
  readonly Value: string;
  /** Seconds since the epoch. */
  readonly ValidityStartTime: number;
  readonly ValidityEndTime: number;
  readonly Fingerprint: string;
}

const keyPagesMax = 1000;
const farFuture = "2100-01-01T00:00:00Z";

export async function openS3(endpoint: Endpoint): Promise<{ sdk: typeof S3Sdk; client: S3Sdk.S3Client }> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    ...clientSettings(endpoint),
    region: defaultRegion(endpoint.terminal),
    forcePathStyle: endpoint.url !== undefined,
    followRegionRedirects: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return { sdk, client };
}

/** Every public key that the endpoint knows in a Region, whatever its time. */
export async function listPublicKeys(endpoint: Endpoint, region: string): Promise<readonly ListedKey[]> {
  const sdk = await import("@aws-sdk/client-cloudtrail");
  const client = new sdk.CloudTrailClient({ ...clientSettings(endpoint), region });
  try {
    return await allPages(sdk, client);
  } finally {
    client.destroy();
  }
}

async function allPages(
  sdk: typeof CloudTrailSdk,
  client: CloudTrailSdk.CloudTrailClient,
): Promise<readonly ListedKey[]> {
  const keys: ListedKey[] = [];
  let token: string | undefined;
  for (let page = 0; page < keyPagesMax; page += 1) {
    const answer = await client.send(
      new sdk.ListPublicKeysCommand({
        StartTime: timeOf("1970-01-01T00:00:00Z"),
        EndTime: timeOf(farFuture),
        ...(token !== undefined && { NextToken: token }),
      }),
    );
    for (const key of answer.PublicKeyList ?? []) {
      keys.push({
        Value: Buffer.from(key.Value ?? []).toString("base64"),
        ValidityStartTime: seconds(key.ValidityStartTime),
        ValidityEndTime: seconds(key.ValidityEndTime),
        Fingerprint: key.Fingerprint ?? "",
      });
    }
    token = answer.NextToken;
    if (token === undefined || token === "") return keys;
  }
  throw new Error(`ListPublicKeys answered more than ${String(keyPagesMax)} pages.`);
}

function clientSettings({ url, terminal }: Endpoint) {
  const credentials = url && credentialsFor(url, undefined, terminal);
  return {
    maxAttempts: 4,
    ...(url && { endpoint: url.href }),
    ...(credentials && { credentials }),
  };
}

function timeOf(text: string) {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return new Date(text);
}

function seconds(time: { getTime(): number } | undefined): number {
  return Math.floor((time?.getTime() ?? 0) / 1000);
}
