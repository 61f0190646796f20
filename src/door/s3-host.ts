// Virtual-host style S3: `bucket.s3.example.com`, for the domains that are configured, and `bucket.localhost`. Pure.
import { type DoorRequest, headerOf } from "./exchange.ts";

export interface S3Host {
  /** Under a configured domain; else under localhost, which has other names too. */
  readonly isConfigured: boolean;
  /** Absent for the domain itself. */
  readonly bucket?: string;
}

const everywhere = ["s3.localhost", "localhost"];

/** What the Host header says about S3; undefined when it is no name of S3. */
export function s3HostOf(
  request: Pick<DoorRequest, "headers">,
  domains: readonly string[],
): S3Host | undefined {
  const name = headerOf(request, "host")
    ?.replace(/:\d{1,5}$/, "")
    .toLowerCase();
  if (name === undefined) return undefined;
  const configured = longestOf(name, domains);
  if (configured !== undefined) return { isConfigured: true, ...bucketOf(name, configured) };
  const local = longestOf(name, everywhere);
  if (local === undefined || name === "localhost") return undefined;
  return { isConfigured: false, ...bucketOf(name, local) };
}

function longestOf(name: string, domains: readonly string[]): string | undefined {
  const fitting = domains
    .map((domain) => domain.toLowerCase())
    .filter((domain) => name === domain || name.endsWith(`.${domain}`));
  return fitting.sort((a, b) => b.length - a.length)[0];
}

function bucketOf(name: string, domain: string): { bucket?: string } {
  return name === domain ? {} : { bucket: name.slice(0, -domain.length - 1) };
}
