// EC2's real records of reading, turned back into the requests that they tell of, and described again: the same sets, also
// those that are empty.
import { describe, expect, test } from "vitest";
import { isObject } from "../../src/model/json.ts";
import { described } from "../../src/recorder/service/passed-call.test-world.ts";
import { hasRealRecords, type Json, readRecords } from "./read-records.ts";

const isThere = hasRealRecords();

function ec2Records(): Json[] {
  return readRecords("real").filter((record) => record["eventSource"] === "ec2.amazonaws.com");
}

/** Parameter of the API by what an item of a set is called; sets that were not sent have none. */
const parameterOf: Readonly<Record<string, string>> = {
  ...{ instancesSet: "InstanceId", imagesSet: "ImageId", volumeSet: "VolumeId", snapshotSet: "SnapshotId" },
  ...{ vpcSet: "VpcId", subnetSet: "SubnetId", securityGroupIdSet: "GroupId", ownersSet: "Owner" },
  ...{ publicIpsSet: "PublicIp", allocationIdsSet: "AllocationId", routeTableIdSet: "RouteTableId" },
  ...{ internetGatewayIdSet: "InternetGatewayId", networkInterfaceIdSet: "NetworkInterfaceId" },
  ...{ sharedUsersSet: "RestorableBy", accountAttributeNameSet: "AttributeName" },
};

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function itemsOf(value: unknown): Json[] {
  return isObject(value) && Array.isArray(value["items"]) ? (value["items"] as Json[]) : [];
}

function bodyOf(record: Json): string {
  const pairs: [string, string][] = [["Action", textOf(record["eventName"])]];
  for (const [name, value] of Object.entries(record["requestParameters"] as Json)) {
    if (name === "filterSet") {
      for (const [index, filter] of itemsOf(value).entries()) {
        pairs.push([`Filter.${index + 1}.Name`, textOf(filter["name"])]);
        for (const [at, item] of itemsOf(filter["valueSet"]).entries())
          pairs.push([`Filter.${index + 1}.Value.${at + 1}`, textOf(item["value"])]);
      }
    } else if (isObject(value)) {
      for (const [index, item] of itemsOf(value).entries())
        pairs.push([`${parameterOf[name] ?? name}.${index + 1}`, textOf(Object.values(item)[0])]);
    } else pairs.push([name.charAt(0).toUpperCase() + name.slice(1), textOf(value)]);
  }
  return new URLSearchParams(pairs).toString();
}

/** Its lists are called `item`. */
const knownDifferences: ReadonlySet<string> = new Set(["DescribeVpcClassicLink"]);

describe.skipIf(!isThere)("real records of EC2's reads", () => {
  test("come out as they were", async () => {
    const differing = new Map<string, unknown>();
    let seen = 0;
    for (const record of isThere ? ec2Records() : []) {
      const name = textOf(record["eventName"]);
      const parameters = record["requestParameters"];
      // Newer calls, and what is no list, are others' matter; so are the records of before 2019.
      if (!name.startsWith("Describe") || !isObject(parameters) || textOf(record["eventVersion"]) < "1.08")
        continue;
      if (Object.keys(parameters).some((key) => key.endsWith("Request"))) continue;
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      seen++;
      const { requestParameters } = await described({ service: "ec2", headers, body: bodyOf(record) });
      try {
        expect(requestParameters).toEqual(parameters);
      } catch {
        if (!knownDifferences.has(name)) differing.set(name, [parameters, requestParameters]);
      }
    }
    expect([...differing]).toEqual([]);
    expect(seen).toBeGreaterThan(500);
  });
});
