// Where the server is that a command asks: --endpoint-url, else the variables the AWS CLI knows, else this machine.
import { printable } from "./printable.ts";

type Flags = Readonly<Record<string, string>>;
type Environment = Readonly<Record<string, string | undefined>>;

const fallback = "http://127.0.0.1:4577";
const variables = ["AWS_ENDPOINT_URL_CLOUDTRAIL", "AWS_ENDPOINT_URL"];

export type ServerAddress = { readonly url: URL } | { readonly problem: string };

/** The address without query and fragment, or why what was given is none. An empty variable counts as unset. */
export function serverAddress(flags: Flags, environment: Environment): ServerAddress {
  const given = flags["endpoint-url"];
  const variable = variables.find((name) => (environment[name] ?? "") !== "");
  const text = given ?? environment[variable ?? ""] ?? fallback;
  const source = given === undefined && variable !== undefined ? variable : "--endpoint-url";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return {
      problem: `${source}: ${printable(JSON.stringify(text))} is not an address; write for example ${fallback}.`,
    };
  }
  if (url.username !== "" || url.password !== "") {
    // The address would stand in error texts, and the password with it.
    return { problem: `${source}: an address with a user name or password in it is not taken.` };
  }
  url.search = "";
  url.hash = "";
  return { url };
}

/** Whether the address is on this machine: 127.0.0.0/8, ::1 or localhost. */
export function isOnThisMachine({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** A sentence for the first flag that the command does not have; undefined when it has all of them. */
export function unknownFlag(flags: Flags, command: string, known: readonly string[]): string | undefined {
  const unknown = Object.keys(flags).find((flag) => !known.includes(flag));
  if (unknown === undefined) return undefined;
  const list = known.map((flag) => `--${flag}`);
  return `--${unknown}: ${command} has no such flag; it has ${list.slice(0, -1).join(", ")} and ${list.at(-1)}.`;
}
