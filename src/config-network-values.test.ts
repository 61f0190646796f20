// Networks and VPC endpoints as the configuration writes them.
import { describe, expect, test } from "vitest";
import { networks, vpcEndpoints } from "./config-network-values.ts";

describe("networks", () => {
  test("are addresses and CIDR blocks of both families", () => {
    expect(networks.read("10.0.0.0/8, 192.0.2.7,fd00::/8")).toEqual({
      value: [
        { address: "10.0.0.0", prefix: 8, family: "ipv4" },
        { address: "192.0.2.7", prefix: 32, family: "ipv4" },
        { address: "fd00::", prefix: 8, family: "ipv6" },
      ],
    });
  });

  test.each(["10.0.0.0/33", "10.0.0/8", "proxy.internal", "10.0.0.0/8/8", "fd00::/129", "10.0.0.0/"])(
    "%s is none",
    (text) => {
      expect(networks.read(text)).toMatchObject({ problem: expect.stringContaining("is not a network") });
    },
  );
});

describe("VPC endpoints", () => {
  test.each([
    ["vpce-1a2b3c4d=4578", { id: "vpce-1a2b3c4d", host: "127.0.0.1", port: 4578 }],
    ["vpce-1a2b3c4d=10.0.0.5:4578", { id: "vpce-1a2b3c4d", host: "10.0.0.5", port: 4578 }],
    ["vpce-1=[::1]:4578@111122223333", { id: "vpce-1", host: "::1", port: 4578, accountId: "111122223333" }],
  ])("%s", (text, endpoint) => {
    expect(vpcEndpoints.read(text)).toEqual({ value: [endpoint] });
  });

  test("may be groups in the file", () => {
    const group = { id: "vpce-1", port: 4578, host: "0.0.0.0", accountId: "111122223333" };
    expect(vpcEndpoints.read([group])).toEqual({ value: [group] });
  });

  test.each([
    ["vpc-1=4578"],
    ["vpce-1"],
    ["vpce-1=70000"],
    [[{ id: "vpce-1", port: 1, extra: true }]],
    [[{ port: 1 }]],
  ])("%j is none", (raw) => {
    expect(vpcEndpoints.read(raw)).toHaveProperty("problem");
  });
});
