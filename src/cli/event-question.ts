// The flags by which `cairn tail` and `cairn wait-for` say which events they mean, as the query of GET /tail.
import { parseTrailArn } from "../model/arn.ts";
import type { StreamQuestion } from "./event-stream.ts";
import { serverAddress } from "./server-address.ts";

type Flags = Readonly<Record<string, string>>;

/** Flag → parameter of the query. */
const filters: ReadonlyMap<string, string> = new Map([
  ["event-name", "eventName"],
  ["event-source", "eventSource"],
  ["event-id", "eventId"],
  ["username", "username"],
  ["access-key-id", "accessKeyId"],
  ["resource-name", "resourceName"],
  ["resource-type", "resourceType"],
  ["read-only", "readOnly"],
  ["error-code", "errorCode"],
  ["trail", "trail"],
  ["account-id", "account"],
  ["aws-region", "region"],
]);

export const questionFlags: readonly string[] = ["endpoint-url", "region", ...filters.keys()];

export interface EventQuestion {
  readonly url: URL;
  readonly filters: ReadonlyMap<string, string>;
  /** Of the signature: the trail's home Region where an ARN says it. */
  readonly region?: string;
  readonly account?: string;
}

/** What the server takes as values is the server's to say; here only what the way there needs is looked at. */
export function eventQuestion(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
): EventQuestion | { readonly problem: string } {
  const address = serverAddress(flags, environment);
  if ("problem" in address) return address;
  const given = new Map<string, string>();
  for (const [flag, parameter] of filters) {
    const value = flags[flag];
    if (value === "") return { problem: `--${flag}: the value is empty.` };
    if (value !== undefined) given.set(parameter, value);
  }
  const trail = parseTrailArn(flags["trail"] ?? "");
  const region = flags["region"] ?? trail?.homeRegion;
  const account = flags["account-id"] ?? trail?.account;
  return {
    url: address.url,
    filters: given,
    ...(region !== undefined && { region }),
    ...(account !== undefined && { account }),
  };
}

/** The question as a request, with more parameters. */
export function streamQuestion(
  question: EventQuestion,
  more: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): StreamQuestion {
  const query = new Map(question.filters);
  for (const [name, value] of Object.entries(more)) if (value !== undefined) query.set(name, value);
  const { url, region, account } = question;
  return {
    ...{ url, query, signal },
    ...(region !== undefined && { region }),
    ...(account !== undefined && { account }),
  };
}

/** `--since` of a command that was given none is `fallback`. Durations and times are the server's to read. */
export function switchProblem(flags: Flags, names: readonly string[]): string | undefined {
  const wrong = names.find((name) => !["true", "false", undefined].includes(flags[name]));
  return wrong === undefined ? undefined : `--${wrong}: write --${wrong} alone.`;
}
