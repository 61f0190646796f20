// The Region in which a resource is asked for: the one in its ARN. Pure.
import { parseArn } from "../model/arn.ts";
import { assert } from "../model/assert.ts";
import { parseRegion, type Region } from "../model/regions.ts";

/** Trails hold checked ARNs only: another text is a bug. */
export function regionOfArn(arn: string): Region {
  const region = parseRegion(parseArn(arn)?.region ?? "");
  assert(region !== undefined, "the ARN of a destination names a Region");
  return region;
}
