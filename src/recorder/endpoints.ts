// Where a call goes: the endpoint configured for its service, or the default one; for `aws` the service's own host name.
// Upstream addresses come from the configuration alone, never from a request. Pure.
import { partitionOf, type Region } from "../model/regions.ts";
import type { RecorderConfiguration, ServiceEndpoint } from "./ports.ts";
import { addressOf, type UpstreamAddress } from "./upstream-connections.ts";

/** Cairn itself: never sent on, whatever the default endpoint. */
const ownServices: ReadonlySet<string> = new Set(["cloudtrail", "cloudtrail-data", "cairn"]);

const serviceName = /^[A-Za-z0-9][\w.-]{0,63}$/;

export function isForwarded(
  { endpoints, withEmbeddedBuckets }: RecorderConfiguration,
  service: string,
): boolean {
  if (service === "s3" && withEmbeddedBuckets) return false;
  // A name that no service has; some of them mean something to objects.
  if (!serviceName.test(service) || service in Object.prototype) return false;
  return !ownServices.has(service) && endpointOf(endpoints, service) !== undefined;
}

export function endpointOf(
  endpoints: RecorderConfiguration["endpoints"],
  service: string,
): ServiceEndpoint | undefined {
  return endpoints.get(service) ?? endpoints.get("default");
}

const addresses = new WeakMap<ServiceEndpoint, UpstreamAddress>();

/** The address for this call; undefined when AWS's own host name for the service is not known. */
export function addressFor(
  endpoint: ServiceEndpoint,
  service: string,
  region: Region,
): UpstreamAddress | undefined {
  if (endpoint.target.kind === "aws") {
    const host = awsHost(service, region);
    return host === undefined ? undefined : addressOf(`https://${host}`);
  }
  const known = addresses.get(endpoint);
  if (known) return known;
  const address = addressOf(endpoint.target.url);
  addresses.set(endpoint, address);
  return address;
}

/** Services with one host name for all Regions of a partition. */
const globalHosts: ReadonlyMap<string, string> = new Map([
  ["iam", "iam.amazonaws.com"],
  ["cloudfront", "cloudfront.amazonaws.com"],
  ["route53", "route53.amazonaws.com"],
  ["organizations", "organizations.us-east-1.amazonaws.com"],
  ["waf", "waf.amazonaws.com"],
  ["shield", "shield.us-east-1.amazonaws.com"],
  ["health", "health.us-east-1.amazonaws.com"],
  ["importexport", "importexport.amazonaws.com"],
  ["globalaccelerator", "globalaccelerator.us-west-2.amazonaws.com"],
  ["savingsplans", "savingsplans.amazonaws.com"],
  ["ce", "ce.us-east-1.amazonaws.com"],
  ["budgets", "budgets.amazonaws.com"],
]);

/** Host names that do not begin with the name of the scope. */
const hostPrefixes: ReadonlyMap<string, string> = new Map([
  ["ses", "email"],
  ["cloudhsm", "cloudhsmv2"],
  ["ecr", "api.ecr"],
  ["ecr-public", "api.ecr-public"],
  ["sagemaker", "api.sagemaker"],
  ["pricing", "api.pricing"],
  ["detective", "api.detective"],
  ["fleethub.iot", "api.fleethub.iot"],
  ["elemental-inference", "elemental-inference"],
  ["sso", "portal.sso"],
  ["awsssooidc", "oidc"],
  ["aws-marketplace", "metering.marketplace"],
  ["AWSMobileHubService", "mobile"],
]);

/** One scope, several host names: which one is meant cannot be told from the scope. They need an endpoint of their own. */
const ambiguous: ReadonlySet<string> = new Set([
  ...["execute-api", "bedrock", "lex", "mediastore", "iotdata", "iotdevicegateway", "personalize", "qldb"],
  ...["chime", "connect", "managedblockchain", "forecast", "kinesisvideo", "timestream", "cloudsearch"],
  ...["apigateway-managementapi", "es-data", "aoss", "neptune-db"],
]);

/** AWS's own host name of a service in a Region; undefined when the scope does not tell it. */
export function awsHost(service: string, region: Region): string | undefined {
  if (ambiguous.has(service) || !/^[\w.-]{1,64}$/.test(service)) return undefined;
  const partition = partitionOf(region);
  const global = partition === "aws" ? globalHosts.get(service) : undefined;
  if (global !== undefined) return global;
  const suffix = suffixes.get(partition);
  return suffix && `${hostPrefixes.get(service) ?? service.toLowerCase()}.${region}.${suffix}`;
}

const suffixes: ReadonlyMap<string, string> = new Map([
  ["aws", "amazonaws.com"],
  ["aws-us-gov", "amazonaws.com"],
  ["aws-cn", "amazonaws.com.cn"],
  ["aws-iso", "c2s.ic.gov"],
  ["aws-iso-b", "sc2s.sgov.gov"],
  ["aws-eusc", "amazonaws.eu"],
]);
