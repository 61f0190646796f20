// Which names a request may call this server by. A web page whose name was pointed at this address (DNS rebinding), or
// that posts here from elsewhere, is refused before anything is read.
import { plainError } from "./answers.ts";
import { type DoorAnswer, type DoorRequest, headerOf } from "./exchange.ts";
import { isLoopback } from "./health.ts";
import type { DoorConfiguration } from "./ports.ts";
import { s3HostOf } from "./s3-host.ts";

export interface NamedRequest extends Pick<DoorRequest, "headers"> {
  /** `1.0`: may come without a Host header. */
  readonly httpVersion: string;
  /** The address the connection came in at. */
  readonly localAddress: string;
}

type OwnNames = Pick<DoorConfiguration, "host" | "hosts" | "s3Domains">;

/** The refusal, or undefined when Host and Origin are fine. */
export function refuseForeignNames(request: NamedRequest, configuration: OwnNames): DoorAnswer | undefined {
  const hosts = request.headers.get("host") ?? [];
  if (hosts.length > 1 || (hosts.length === 0 && request.httpVersion !== "1.0")) {
    return plainError(400, { code: "BadRequest", text: "A request must have exactly one Host header." });
  }
  const isAllowed = (name: string | undefined) =>
    name !== undefined && isOwnName(name, request.localAddress, configuration);
  if (hosts[0] !== undefined && !isAllowed(nameOfHost(hosts[0]))) return foreign("Host", hosts[0]);
  // Which pages may use a bucket is its own business (CORS).
  if (s3HostOf(request, configuration.s3Domains ?? [])?.isConfigured) return undefined;
  const origin = headerOf(request, "origin");
  if (origin !== undefined && !isAllowed(nameOfOrigin(origin))) return foreign("Origin", origin);
  return undefined;
}

function foreign(header: string, value: string): DoorAnswer {
  const shown = value.replace(/[^\x20-\x7e]/g, "?").slice(0, 100);
  const text = `The ${header} header names ${shown}, which is not a name of this server. Add the name to the setting hosts to allow it.`;
  return plainError(403, { code: "AccessDeniedException", text });
}

/** Loopback names, the bound address, the address of the connection, and the configured names (`*.name` for all below it). */
function isOwnName(name: string, localAddress: string, configuration: OwnNames): boolean {
  if (name === "localhost" || name.endsWith(".localhost") || isLoopback(name)) return true;
  if (name === configuration.host.toLowerCase() || name === localAddress) return true;
  if (configuration.s3Domains?.some((domain) => isWithin(name, domain.toLowerCase()))) return true;
  return configuration.hosts.some((allowed) => {
    const wanted = allowed.toLowerCase();
    return wanted.startsWith("*.") ? name.endsWith(wanted.slice(1)) : name === wanted;
  });
}

function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

/** `name[:port]`, `[v6][:port]` → the name in lower case, without brackets, port and a final dot. */
function nameOfHost(host: string): string | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:/@[\]\s]+))(?::\d{1,5})?$/.exec(host.trim());
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, "");
}

/** `null` (sandboxed pages, files) is nobody's name. */
function nameOfOrigin(origin: string): string | undefined {
  const match = /^https?:\/\/(.+)$/i.exec(origin.trim());
  return match?.[1] === undefined ? undefined : nameOfHost(match[1]);
}
