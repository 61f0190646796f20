// The public AWS Regions and their partitions. Pure facts.

declare const regionBrand: unique symbol;
/** A Region name such as `us-east-1`, checked for form. Minted here only. */
export type Region = string & { readonly [regionBrand]: true };

/** Global services (IAM, STS global endpoint, CloudFront …) are recorded here (api.md §2.4). */
export const globalServiceRegion = asRegion("us-east-1");

/** Every public Region, October 2026; the default of the `regions` setting. */
export const publicRegions: readonly Region[] = [
  ...["us-east-1", "us-east-2", "us-west-1", "us-west-2", "af-south-1", "ap-east-1", "ap-east-2"],
  ...["ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"],
  ...["ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"],
  ...["ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2"],
  ...["eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1"],
  ...["me-central-1", "me-south-1", "mx-central-1", "sa-east-1"],
  ...["us-gov-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1"],
].map(asRegion);

/** Returns `text` as a Region when it has the form of one (`[a-z]{2,}-…-N`), else undefined. */
export function parseRegion(text: string): Region | undefined {
  return /^[a-z]{2,6}(-[a-z]{2,12}){1,3}-\d{1,2}$/.test(text) ? asRegion(text) : undefined;
}

/** The ARN partition of a Region: aws, aws-cn, aws-us-gov … (api.md §2.1). */
export function partitionOf(region: Region): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  if (region.startsWith("us-iso-")) return "aws-iso";
  if (region.startsWith("us-isob-")) return "aws-iso-b";
  if (region.startsWith("eu-isoe-")) return "aws-iso-e";
  if (region.startsWith("us-isof-")) return "aws-iso-f";
  if (region.startsWith("eusc-")) return "aws-eusc";
  return "aws";
}

function asRegion(text: string): Region {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that mints Regions
  return text as Region;
}
