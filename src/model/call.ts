// Who calls, from where, and for which Region: what the door learns before an operation runs. Types only.
import type { AccountId } from "./arn.ts";
import type { Region } from "./regions.ts";

/** The identity behind a request, as the door established it. */
export interface Caller {
  readonly accountId: AccountId;
  /** `unverified`: authentication is off; nothing but the account is claimed. */
  readonly kind: "user" | "root" | "unverified";
  /** IAM ARN: `arn:aws:iam::{account}:user/{path}{name}` or `…:root`. */
  readonly arn: string;
  readonly principalId: string;
  readonly userName?: string;
  /** The access key id as sent; absent on unsigned requests. */
  readonly accessKeyId?: string;
  /** Present when temporary credentials were used; `issuedMs` when it is known. */
  readonly session?: { readonly issuedMs?: number };
}

export interface TlsDetails {
  readonly tlsVersion: string;
  readonly cipherSuite: string;
  readonly clientProvidedHostHeader: string;
}

export interface Call {
  readonly caller: Caller;
  /** The Region of the credential scope: the endpoint's Region. */
  readonly region: Region;
  /** Lower-case UUID, also in `x-amzn-RequestId`. */
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly tls?: TlsDetails;
}
