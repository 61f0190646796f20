// Where a request came from: the socket's address or, behind proxies that are trusted by name, the one they report.
// Only X-Forwarded-For is read. A proxy that writes it passes other headers (Forwarded, X-Real-IP) on as the client sent
// them, so reading those too would believe anybody.
import { BlockList, isIP } from "node:net";

export interface TrustedNetwork {
  readonly address: string;
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

/** Undefined when no proxy is trusted: then nobody looks at headers. */
export type TrustedProxies = { readonly has: (address: string) => boolean } | undefined;

/** Hops beyond these are not looked at. */
const hopsMax = 32;
const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

export function trustedProxiesOf(networks: readonly TrustedNetwork[]): TrustedProxies {
  if (networks.length === 0) return undefined;
  const list = new BlockList();
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family);
  return { has: (address) => isIn(list, address) };
}

/** `peer` is who opened the connection; `forwarded` the values of X-Forwarded-For as they came. */
export function sourceAddress(
  peer: string,
  forwarded: readonly string[] | undefined,
  trusted: TrustedProxies,
): string {
  if (!trusted || !forwarded || !trusted.has(peer)) return peer;
  let source = peer;
  for (const hop of forwarded.join(",").split(",").reverse().slice(0, hopsMax)) {
    const address = addressOf(hop);
    // Nobody is believed to speak for this machine: what a loopback address may do (metrics, webhooks) is not for reports.
    if (address === undefined || isIn(loopback, address)) return source;
    source = address;
    if (!trusted.has(address)) return source;
  }
  return source;
}

function isIn(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711` → the address; undefined for names and `unknown`. */
function addressOf(hop: string): string | undefined {
  const text = hop.trim();
  const bare = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const plain = bare.replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(plain) === 0 ? undefined : plain.toLowerCase();
}
