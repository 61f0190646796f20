// GetObject from a server with an endpoint of its own (path-style): node's HTTP client, and the SDK's signer for the
// credentials it found. Its own middleware would take most of a verification's time.
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { S3Client } from "@aws-sdk/client-s3";
import { percentEncoded } from "../../model/percent-encoding.ts";
import { type EvidenceContent, type EvidenceObject, notFound, wholeBytesMax } from "./evidence.ts";

export interface ObjectPlace {
  readonly bucket: string;
  readonly key: string;
}

export interface SignedGet {
  /** Throws what the store said when it refuses or fails. */
  get(place: ObjectPlace): Promise<EvidenceObject>;
  /** Closes idle connections. */
  close(): void;
}

const attemptsMax = 4;
const silenceMsMax = 60_000;
const errorBytesMax = 64 * 1024;
const metadataPrefix = "x-amz-meta-";

type Signer = Awaited<ReturnType<S3Client["config"]["signer"]>>;

export async function openSignedGet(
  client: S3Client,
  { url, concurrency }: { readonly url: URL; readonly concurrency: number },
): Promise<SignedGet> {
  const signingRegion = await client.config.region();
  const signer = await client.config.signer({
    name: "sigv4",
    signingName: "s3",
    signingRegion,
    properties: {},
  });
  return new HttpGet({ signer, base: url, concurrency });
}

class HttpGet implements SignedGet {
  private readonly signer: Signer;
  private readonly base: URL;
  private readonly agent: HttpAgent;

  constructor(parts: { signer: Signer; base: URL; concurrency: number }) {
    this.signer = parts.signer;
    this.base = parts.base;
    const settings = { keepAlive: true, maxSockets: parts.concurrency, scheduling: "lifo" as const };
    this.agent = this.base.protocol === "https:" ? new HttpsAgent(settings) : new HttpAgent(settings);
  }

  async get(place: ObjectPlace): Promise<EvidenceObject> {
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt === attemptsMax;
      try {
        const answer = await this.send(place);
        const status = answer.statusCode ?? 0;
        if (status === 200) return await objectOf(answer);
        const problem = await problemOf(answer);
        if (problem.code === "NoSuchKey") return notFound;
        if (status < 500 || isLast) throw new Refused(problem.text);
      } catch (error) {
        if (error instanceof Refused || isLast) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50 * 4 ** attempt));
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private async send({ bucket, key }: ObjectPlace): Promise<IncomingMessage> {
    const { protocol, hostname, port, host, pathname } = this.base;
    const path = `${pathname.replace(/\/$/, "")}/${[bucket, ...key.split("/")].map(percentEncoded).join("/")}`;
    const signed = await this.signer.sign({
      method: "GET",
      protocol,
      hostname,
      path,
      query: {},
      headers: { host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      ...(port !== "" && { port: Number(port) }),
    });
    const request = protocol === "https:" ? httpsRequest : httpRequest;
    const options = { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port, path, agent: this.agent };
    return new Promise((resolve, reject) => {
      const sent = request({ ...options, headers: signed.headers, timeout: silenceMsMax }, resolve);
      sent.on("error", reject);
      sent.on("timeout", () => sent.destroy(new Error("The store said nothing for a minute.")));
      sent.end();
    });
  }
}

/** The store's answer is not one that asking again would change. */
class Refused extends Error {}

async function objectOf(answer: IncomingMessage): Promise<EvidenceObject> {
  const length = Number(answer.headers["content-length"] ?? Infinity);
  const content: EvidenceContent = length <= wholeBytesMax ? await whole(answer) : answer;
  if (content instanceof Uint8Array && content.length !== length) {
    throw new Error("The store's answer was cut off.");
  }
  const metadata = Object.fromEntries(
    Object.entries(answer.headers)
      .filter(([name]) => name.startsWith(metadataPrefix))
      .map(([name, value]) => [name.slice(metadataPrefix.length), String(value)]),
  );
  return { kind: "present", content, metadata: () => Promise.resolve(metadata) };
}

async function problemOf(answer: IncomingMessage): Promise<{ code: string; text: string }> {
  const body = (await whole(answer, errorBytesMax)).toString("utf8");
  const code = /<Code>([^<]{1,100})<\/Code>/.exec(body)?.[1] ?? "";
  const message = /<Message>([^<]{1,1000})<\/Message>/.exec(body)?.[1] ?? "";
  return { code, text: `${String(answer.statusCode)} ${code} ${message}`.trim() };
}

async function whole(answer: IncomingMessage, bytesMax = wholeBytesMax): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    answer.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > bytesMax) answer.destroy(new Error("The store's answer is too long."));
      else chunks.push(chunk);
    });
    answer.on("end", () => resolve(Buffer.concat(chunks)));
    answer.on("error", reject);
  });
}
