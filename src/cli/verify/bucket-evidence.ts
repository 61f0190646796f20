// Evidence in a bucket, by S3. Listings and everything at AWS itself go through the SDK; objects of a server with an
// endpoint of its own are read by signed-get.ts, which takes a fraction of the time.
import type * as S3Sdk from "@aws-sdk/client-s3";
import { type Endpoint, openS3 } from "../aws-clients.ts";
import {
  type Evidence,
  type EvidenceContent,
  type EvidenceObject,
  type Listing,
  notFound,
  wholeBytesMax,
} from "./evidence.ts";
import { openSignedGet, type SignedGet } from "./signed-get.ts";

/** No request is made. `concurrency`: objects read at once. */
export async function openBucket(
  bucket: string,
  { endpoint, concurrency }: { readonly endpoint: Endpoint; readonly concurrency: number },
): Promise<Evidence> {
  const { sdk, client } = await openS3(endpoint);
  const { url } = endpoint;
  const signedGet = url === undefined ? undefined : await openSignedGet(client, { url, concurrency });
  return new BucketEvidence({ sdk, client, signedGet, bucket });
}

interface Parts {
  readonly sdk: typeof S3Sdk;
  readonly client: S3Sdk.S3Client;
  readonly signedGet: SignedGet | undefined;
  readonly bucket: string;
}

class BucketEvidence implements Evidence {
  readonly bucket: string;
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
    this.bucket = parts.bucket;
  }

  learnBucket(): void {
    // It is known from the beginning.
  }

  async folders(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const page of this.pages({ Prefix: prefix, Delimiter: "/" })) {
      for (const { Prefix } of page.CommonPrefixes ?? []) {
        if (Prefix !== undefined) names.push(Prefix.slice(prefix.length, -1));
      }
    }
    return names;
  }

  async *keys({ prefix, after, until }: Listing): AsyncGenerator<readonly string[]> {
    for await (const page of this.pages({
      Prefix: prefix,
      ...(after !== undefined && { StartAfter: after }),
    })) {
      const keys = (page.Contents ?? []).map(({ Key }) => Key).filter((key) => key !== undefined);
      yield keys.filter((key) => !key.endsWith("/"));
      const last = keys.at(-1);
      if (until !== undefined && last !== undefined && last > until) return;
    }
  }

  async get(bucket: string | undefined, key: string): Promise<EvidenceObject> {
    const place = { bucket: bucket ?? this.bucket, key };
    return this.parts.signedGet ? this.parts.signedGet.get(place) : this.getBySdk(place);
  }

  close(): void {
    this.parts.signedGet?.close();
    this.parts.client.destroy();
  }

  private async *pages(
    input: Omit<S3Sdk.ListObjectsV2CommandInput, "Bucket">,
  ): AsyncGenerator<S3Sdk.ListObjectsV2CommandOutput> {
    const { sdk, client } = this.parts;
    let token: string | undefined;
    for (;;) {
      const request: S3Sdk.ListObjectsV2CommandInput = { ...input, Bucket: this.bucket };
      if (token !== undefined) request.ContinuationToken = token;
      const page = await client.send(new sdk.ListObjectsV2Command(request));
      yield page;
      // A store that repeats its token would never end.
      if (page.IsTruncated !== true || page.NextContinuationToken === undefined) return;
      if (page.NextContinuationToken === token) throw new Error("The store lists the same page again.");
      token = page.NextContinuationToken;
    }
  }

  private async getBySdk(place: { readonly bucket: string; readonly key: string }): Promise<EvidenceObject> {
    const { sdk, client } = this.parts;
    try {
      const answer = await client.send(new sdk.GetObjectCommand({ Bucket: place.bucket, Key: place.key }));
      const { Body: body, ContentLength: sizeBytes = Infinity, Metadata: metadata = {} } = answer;
      if (!body) return notFound;
      const content: EvidenceContent =
        sizeBytes <= wholeBytesMax
          ? await body.transformToByteArray()
          : chunksOf(body.transformToWebStream());
      return { kind: "present", content, metadata: () => Promise.resolve(metadata) };
    } catch (error) {
      if (error instanceof Error && error.name === "NoSuchKey") return notFound;
      throw error;
    }
  }
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
