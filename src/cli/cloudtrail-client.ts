// Opens the vendor's CloudTrail client for a server: its Region, and credentials where the AWS CLI finds them.
// On this machine a server with authentication off needs none, so made-up ones stand in when there are none.
import type { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { isOnThisMachine } from "./server-address.ts";
import type { Terminal } from "./terminal.ts";

const connectMsMax = 5_000;
const answerMsMax = 30_000;

/** What looking for credentials needs. */
export type AskingTerminal = Pick<Terminal, "environment" | "readFile">;

export interface ClientWish {
  readonly url: URL;
  /** Else AWS_REGION, AWS_DEFAULT_REGION, us-east-1. */
  readonly region?: string;
  /** With authentication off, an access key of 12 digits is the account of the call. */
  readonly account?: string;
}

/** The client is large and slow to load; only the commands that use it pay for it. */
export async function openCloudTrail(
  { url, region, account }: ClientWish,
  terminal: AskingTerminal,
): Promise<CloudTrailClient> {
  const { CloudTrailClient } = await import("@aws-sdk/client-cloudtrail");
  const credentials = credentialsFor(url, account, terminal);
  return new CloudTrailClient({
    endpoint: url.href,
    region: region ?? defaultRegion(terminal),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: connectMsMax, requestTimeout: answerMsMax },
    ...(credentials && { credentials }),
  });
}

/** The Region of a caller who named none. */
export function defaultRegion({ environment }: Pick<AskingTerminal, "environment">): string {
  return environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"] || "us-east-1";
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Undefined when the client shall look for them itself: profiles, roles, single sign-on. */
export function credentialsFor(
  url: URL,
  account: string | undefined,
  terminal: AskingTerminal,
): Credentials | undefined {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = terminal.environment;
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  }
  if (!isOnThisMachine(url) || hasCredentials(terminal)) return undefined;
  return { accessKeyId: account ?? "cairn", secretAccessKey: "made-up" };
}

/** Whether anything says that this user has AWS credentials somewhere. */
function hasCredentials({ environment, readFile }: AskingTerminal): boolean {
  const signs = [
    ...["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"],
    ...["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
  ];
  if (signs.some((name) => environment[name])) return true;
  const home = `${environment["HOME"] ?? environment["USERPROFILE"] ?? ""}/.aws`;
  const credentials = environment["AWS_SHARED_CREDENTIALS_FILE"] || `${home}/credentials`;
  const config = environment["AWS_CONFIG_FILE"] || `${home}/config`;
  // A configuration file often holds the Region alone.
  return (
    hasText(credentials, /aws_access_key_id|credential_process/, readFile) ||
    hasText(config, /aws_access_key_id|credential_process|sso_|role_arn|login_session/, readFile)
  );
}

function hasText(path: string, pattern: RegExp, readFile: Terminal["readFile"]): boolean {
  try {
    return pattern.test(readFile(path).text);
  } catch {
    return false;
  }
}
