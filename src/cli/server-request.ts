// Requests to Cairn's own pages that want to know who asks: signed for the service `cloudtrail` with the credentials that the
// AWS CLI would take, as SigV4 wants it. Must not: print, or follow redirects, which would take the signature elsewhere.
import { z } from "zod";
import { type AskingTerminal, credentialsFor, defaultRegion, openCloudTrail } from "./cloudtrail-client.ts";
import { percentEncoded } from "../model/percent-encoding.ts";
import { printable } from "./printable.ts";
import { SignerHash } from "./signer-hash.ts";

export interface ServerRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  /** `/tail` */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly body?: string;
  /** Else that of the environment. */
  readonly region?: string;
  /** With authentication off, an access key of 12 digits is the account of the call. */
  readonly account?: string;
  readonly signal: AbortSignal;
}

/** Sends it once. Rejects as fetch does, and when credentials that there should be cannot be had. */
export async function requestServer(request: ServerRequest, terminal: AskingTerminal): Promise<Response> {
  const { url, method, path, body, signal } = request;
  const page = new URL(url);
  page.pathname = `${page.pathname.replace(/\/+$/, "")}${path}`;
  // As the signer encodes it, so that both sides see the same text.
  page.search = [...request.query].map((pair) => pair.map(percentEncoded).join("=")).join("&");
  const headers = await signedHeaders(page, request, terminal);
  return fetch(page, { method, headers, redirect: "manual", signal, ...(body !== undefined && { body }) });
}

async function signedHeaders(
  page: URL,
  request: ServerRequest,
  terminal: AskingTerminal,
): Promise<Record<string, string>> {
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const region = request.region ?? defaultRegion(terminal);
  const credentials = await credentialsOf(request, terminal);
  const signer = new SignatureV4({ service: "cloudtrail", region, credentials, sha256: SignerHash });
  const { headers } = await signer.sign({
    method: request.method,
    protocol: page.protocol,
    hostname: page.hostname,
    path: page.pathname,
    query: Object.fromEntries(request.query),
    headers: { host: page.host, ...(request.body !== undefined && { "content-type": "application/json" }) },
    ...(request.body !== undefined && { body: request.body }),
  });
  const { host: _host, ...rest } = headers;
  return rest;
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

async function credentialsOf(
  { url, region, account }: ServerRequest,
  terminal: AskingTerminal,
): Promise<Credentials> {
  const known = credentialsFor(url, account, terminal);
  if (known) return known;
  const client = await openCloudTrail({ url, ...(region !== undefined && { region }) }, terminal);
  try {
    return await client.config.credentials();
  } finally {
    client.destroy();
  }
}

const problem = z.object({ __type: z.string(), message: z.string() });
const problemCharactersMax = 4000;

/** What the server said instead of an answer, as a sentence. */
export async function refusalOf(response: Response, where: string): Promise<string> {
  const text = (await response.text().catch(() => "")).slice(0, problemCharactersMax);
  const said = problem.safeParse(parsed(text));
  if (said.success) {
    const { __type: code, message } = said.data;
    return `${where} answered ${printable(code)}: ${printable(message)}`;
  }
  const hint = response.status === 404 ? "; is it a Cairn, and not an older one?" : ".";
  return `${where} answered ${response.status}${hint}`;
}

/** JSON, or undefined. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
