// Who may read the pages about the inside, where the listener cannot show it: clients of other machines.
import { expect, test } from "vitest";
import { isLoopback, refuseStranger } from "./health.ts";
import type { DoorConfiguration } from "./ports.ts";

function statusOf(sourceIp: string, metricsToken?: string, authorization?: string): number | undefined {
  const configuration = { ...(metricsToken && { metricsToken }) } as DoorConfiguration;
  const request = {
    ...{ method: "GET", path: "/statusz", query: "", requestId: "r", sourceIp },
    headers: new Map(authorization === undefined ? [] : [["authorization", [authorization]]]),
  };
  return refuseStranger(request, { configuration: () => configuration }, "The status")?.status;
}

test.each<[string, Parameters<typeof statusOf>, number | undefined]>([
  ["this machine", ["127.0.0.1"], undefined],
  ["this machine, IPv6", ["::1"], undefined],
  ["another machine", ["203.0.113.7"], 403],
  ["another machine, any token", ["203.0.113.7", undefined, "Bearer x"], 403],
  ["another machine with the token", ["203.0.113.7", "secret", "Bearer secret"], undefined],
  ["another machine with a wrong token", ["203.0.113.7", "secret", "Bearer Secret"], 401],
  ["this machine without the token", ["127.0.0.1", "secret"], 401],
])("%s", (_name, asking, expected) => {
  expect(statusOf(...asking)).toBe(expected);
});

test.each([
  ["127.8.9.10", true],
  ["128.0.0.1", false],
  ["127.0.0.1.example.com", false],
  ["::ffff:127.0.0.1", false],
  ["", false],
])("loopback: %j", (ip, expected) => {
  expect(isLoopback(ip)).toBe(expected);
});
