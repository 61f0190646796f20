// Signs requests with @smithy/signature-v4, an implementation that is not ours.
import { SignatureV4 } from "@smithy/signature-v4";
import { SignerHash } from "../../src/cli/signer-hash.ts";

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Unsigned {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** With `host`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Signing {
  readonly credentials: Credentials;
  readonly service: string;
  readonly region?: string;
  readonly at?: Date;
  /** Signs into the query, for so many seconds. */
  readonly presignSeconds?: number;
}

/** The request with its signature; `target` is path and query as they go on the wire. */
export async function sign(request: Unsigned, signing: Signing) {
  const signer = new SignatureV4({
    credentials: signing.credentials,
    region: signing.region ?? "us-east-1",
    service: signing.service,
    sha256: SignerHash,
    uriEscapePath: signing.service !== "s3",
  });
  const whole = {
    ...request,
    protocol: "http:",
    hostname: request.headers["host"] ?? "",
    query: { ...request.query },
    headers: { ...request.headers },
  };
  const options = { signingDate: signing.at ?? new Date() };
  const signed =
    signing.presignSeconds === undefined
      ? await signer.sign(whole, options)
      : await signer.presign(whole, { ...options, expiresIn: signing.presignSeconds });
  const query = Object.entries(signed.query ?? {})
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join("&");
  return {
    method: request.method,
    target: query === "" ? request.path : `${request.path}?${query}`,
    headers: signed.headers,
    body: request.body ?? "",
  };
}
