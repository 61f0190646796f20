// Whom a request is said to come from, by the socket, the header and the proxies that are trusted.
import { expect, test } from "vitest";
import { sourceAddress, trustedProxiesOf } from "./source-address.ts";

const trusted = trustedProxiesOf([
  { address: "10.0.0.0", prefix: 8, family: "ipv4" },
  { address: "127.0.0.1", prefix: 32, family: "ipv4" },
  { address: "fd00::", prefix: 8, family: "ipv6" },
]);

test.each([
  ["without the header, the socket", "10.0.0.1", undefined, "10.0.0.1"],
  ["from somebody who is no proxy, the socket", "198.51.100.1", ["203.0.113.9"], "198.51.100.1"],
  ["the last address that is no proxy", "10.0.0.1", ["203.0.113.9, 198.51.100.7, 10.1.1.1"], "198.51.100.7"],
  ["over several headers", "10.0.0.1", ["198.51.100.7", "10.1.1.1"], "198.51.100.7"],
  ["only proxies: the first of them", "10.0.0.1", ["10.3.3.3, 10.2.2.2"], "10.3.3.3"],
  ["IPv6, with a port", "fd00::1", ["[2001:DB8::1]:4711"], "2001:db8::1"],
  ["IPv4 with a port", "10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"],
  ["IPv4 in IPv6", "10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"],
  ["a name is nobody: who reported it", "10.0.0.1", ["198.51.100.7, unknown, 10.2.2.2"], "10.2.2.2"],
  ["an empty header", "10.0.0.1", [""], "10.0.0.1"],
  ["nobody may claim to be this machine", "127.0.0.1", ["127.0.0.1, 10.5.5.5"], "10.5.5.5"],
  ["a local proxy for a local client", "127.0.0.1", ["127.0.0.1"], "127.0.0.1"],
])("%s", (_what, peer, forwarded, source) => {
  expect(sourceAddress(peer, forwarded, trusted)).toBe(source);
});

test("without trusted proxies the header counts for nothing", () => {
  expect(sourceAddress("127.0.0.1", ["203.0.113.9"], trustedProxiesOf([]))).toBe("127.0.0.1");
});
