// The services that record their events in us-east-1 wherever the caller is (api.md §2.4, formats.md §1.12). Pure facts.
import { globalServiceRegion, partitionOf, type Region } from "./regions.ts";

/** Event sources. STS is here for its global endpoint; what its Regional endpoints record elsewhere is not global. */
const globalSources: ReadonlySet<string> = new Set([
  "iam.amazonaws.com",
  "sts.amazonaws.com",
  "cloudfront.amazonaws.com",
  "route53.amazonaws.com",
  "route53domains.amazonaws.com",
  "organizations.amazonaws.com",
  "waf.amazonaws.com",
  "shield.amazonaws.com",
]);

/** Whether a record of this source and Region is a global service event, which trails may leave out. */
export function isGlobalServiceEvent(eventSource: string | undefined, region: string): boolean {
  return region === globalServiceRegion && eventSource !== undefined && globalSources.has(eventSource);
}

/** The Region that the record of a call names, when the call was signed for `region`. STS records where it was called. */
export function recordedRegion(eventSource: string, region: Region): Region {
  const isGlobal = globalSources.has(eventSource) && eventSource !== "sts.amazonaws.com";
  return isGlobal && partitionOf(region) === "aws" ? globalServiceRegion : region;
}
