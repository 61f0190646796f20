// How networks and listening addresses are written in the configuration: CIDR lists, and VPC endpoints with their ports.
// Must not: listen, or decide whom to believe.
import { isIP } from "node:net";
import { accountId, host, integer, listOf, type Reading, shown, type ValueKind } from "./config-values.ts";
import type { AccountId } from "./model/arn.ts";

/** Addresses that begin with the first `prefix` bits of `address`. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

const network: ValueKind<Network> = {
  form: "network",
  read(raw) {
    const [address = "", length, ...more] = typeof raw === "string" ? raw.split("/") : [];
    const version = isIP(address);
    const bits = version === 4 ? 32 : 128;
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1;
    if (version !== 0 && more.length === 0 && prefix >= 0 && prefix <= bits) {
      return { value: { address, prefix, family: version === 4 ? "ipv4" : "ipv6" } };
    }
    return { problem: `${shown(raw)} is not a network; write for example 10.0.0.0/8, fd00::/8 or 192.0.2.7` };
  },
};

export const networks: ValueKind<readonly Network[]> = {
  ...listOf(network, { min: 0, max: 1000 }),
  form: "list of addresses and networks in CIDR form",
};

/** A VPC endpoint and the address where its requests come in. */
export interface VpcEndpoint {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** Who owns it; the default account when it is not said. */
  readonly accountId?: AccountId;
}

const endpointForm =
  /^(?<id>vpce-[0-9a-z]{1,32})=(?:(?<host>\[[0-9a-fA-F:.]+\]|[^@:[\]]+):)?(?<port>\d{1,5})(?:@(?<accountId>\d{12}))?$/;
const right =
  "write for example vpce-1a2b3c4d=4578, vpce-1a2b3c4d=10.0.0.5:4578 or vpce-1a2b3c4d=4578@111122223333, or a group with id, port, host and accountId";

const vpcEndpoint: ValueKind<VpcEndpoint> = {
  form: "VPC endpoint",
  read(raw) {
    const parts = typeof raw === "string" ? endpointForm.exec(raw)?.groups : partsOf(raw);
    const id = parts?.["id"];
    if (!parts || typeof id !== "string" || !/^vpce-[0-9a-z]{1,32}$/.test(id)) {
      return { problem: `${shown(raw)} is not a VPC endpoint with its port; ${right}` };
    }
    const port = integer({ min: 1, max: 65_535 }).read(parts["port"]);
    if ("problem" in port) return port;
    const said = parts["host"] ?? "127.0.0.1";
    const address = host.read(typeof said === "string" ? said.replace(/^\[|\]$/g, "") : said);
    if ("problem" in address) return address;
    const owner: Reading<AccountId | undefined> =
      parts["accountId"] === undefined ? { value: undefined } : accountId().read(parts["accountId"]);
    if ("problem" in owner) return owner;
    return {
      value: {
        ...{ id, host: address.value, port: port.value },
        ...(owner.value === undefined ? {} : { accountId: owner.value }),
      },
    };
  },
};

const memberNames: ReadonlySet<string> = new Set(["id", "port", "host", "accountId"]);

/** The members of a group, when it has no others. */
function partsOf(raw: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return undefined;
  return Object.keys(raw).every((name) => memberNames.has(name)) ? { ...raw } : undefined;
}

export const vpcEndpoints: ValueKind<readonly VpcEndpoint[]> = {
  ...listOf(vpcEndpoint, { min: 0, max: 64 }),
  form: "list of VPC endpoints with the ports where their requests come in",
};
