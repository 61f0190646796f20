// Which operation of which service a request asks for, in every protocol but S3's. Some say it in the head, the Query
// protocols in the body. Pure.
import type { PassingHead } from "../contract.ts";
import { type KnownService, targetOf } from "./known-services.ts";
import { decodeForm, type ParameterNode, parameter, parseParameters } from "./query-parameters.ts";
import { headerOf, type ReadBody } from "./read-body.ts";
import type { Operation } from "./service-table.ts";

export type Protocol = "json" | "query" | "ec2" | "cbor" | "rest-json" | "rest-xml" | "unknown";

export interface AskedOperation {
  readonly protocol: Protocol;
  /** Undefined: no table of this service is there. */
  readonly service?: KnownService;
  /** Undefined: the table does not have it. */
  readonly operation?: Operation;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly parameters?: ParameterNode;
}

/**
 * Whether a request names its operation in more than one way, or a parameter twice. Which of them the service believes is not known here: what
 * depends on it must not be decided by one of them.
 */
export function isAmbiguous(head: PassingHead, body: ReadBody): boolean {
  const parameters = isForm(head) ? `${head.query}&${body.text()}` : head.query;
  const hasAction = /(?:^|&)Action=/.test(parameters);
  const ways = [rpcOf(head) !== undefined, head.headers.has("x-amz-target"), hasAction];
  const targets = head.headers.get("x-amz-target")?.length ?? 0;
  return ways.filter(Boolean).length > 1 || targets > 1 || (hasAction && hasTwins(parameters));
}

/** Whether a parameter comes twice, with different values. */
function hasTwins(text: string): boolean {
  const values = new Map<string, string>();
  for (const pair of text.split("&")) {
    const equals = pair.indexOf("=");
    const name = decodeForm(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : pair.slice(equals + 1);
    if (name !== "" && (values.get(name) ?? value) !== value) return true;
    values.set(name, value);
  }
  return false;
}

function rpcOf({ method, path }: PassingHead): string | undefined {
  return method === "POST" ? /\/service\/[^/]+\/operation\/([^/]+)$/.exec(path)?.[1] : undefined;
}

function isForm({ headers }: PassingHead): boolean {
  return headerOf(headers, "content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;
}

const noLabels: ReadonlyMap<string, string> = new Map();

/** What the head alone says; undefined when it stands in the body. */
export function askedByHead(
  head: PassingHead,
  services: readonly KnownService[],
): AskedOperation | undefined {
  const rpc = rpcOf(head);
  if (rpc !== undefined) return named(rpc, "cbor", services);
  const target = targetOf(head);
  if (target) return named(target.operation, "json", services);
  if (isQuery(head)) return undefined;
  return askedByPath(head, services);
}

function named(name: string, protocol: Protocol, services: readonly KnownService[]): AskedOperation {
  const service = services.find(({ table }) => table.operation(name)) ?? services[0];
  const operation = service?.table.operation(name);
  return {
    protocol,
    name: plainName(name),
    labels: noLabels,
    ...(service && { service }),
    ...(operation && { operation }),
  };
}

function askedByPath(head: PassingHead, services: readonly KnownService[]): AskedOperation {
  const query = new URLSearchParams(head.query);
  let best: { readonly asked: AskedOperation; readonly weight: number } | undefined;
  for (const service of services) {
    const { protocol } = service.table.row;
    if (protocol !== "rest-json" && protocol !== "rest-xml") continue;
    const routed = service.route(head.method, head.path, query);
    const operation = routed && service.table.operation(routed.operation);
    if (!operation || (best && best.weight >= routed.weight)) continue;
    best = {
      asked: { protocol, service, operation, name: operation.name, labels: routed.labels },
      weight: routed.weight,
    };
  }
  if (best) return best.asked;
  const service = services.find(({ table }) => table.row.protocol.startsWith("rest")) ?? services[0];
  const protocol = service?.table.row.protocol ?? "unknown";
  return { protocol, name: nameOfPath(head), labels: noLabels, ...(service && { service }) };
}

/** Whether the operation stands in `Action`, in the query or in a form. */
function isQuery(head: PassingHead): boolean {
  const { method, query, path } = head;
  if (/(^|&)Action=/.test(query)) return true;
  return method === "POST" && isForm(head) && !path.startsWith("/20");
}

/** What the whole request says. */
export function askedByBody(
  head: PassingHead,
  services: readonly KnownService[],
  body: ReadBody,
): AskedOperation {
  const parameters = parseParameters(`${head.query}&${body.text()}`);
  const name = parameter(parameters, "Action");
  if (name === undefined) return askedByPath(head, services);
  const version = parameter(parameters, "Version");
  const able = services.filter(({ table }) => table.operation(name));
  const service = able.find(({ table }) => table.row.apiVersion === version) ?? able[0] ?? services[0];
  const operation = service?.table.operation(name);
  return {
    protocol: service?.table.row.protocol === "ec2" ? "ec2" : "query",
    name: plainName(name),
    labels: noLabels,
    parameters,
    ...(service && { service }),
    ...(operation && { operation }),
  };
}

/** Names come from outside: what is no name is cut down to one. */
function plainName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_.-]/g, "").slice(0, 128);
  return name === "" ? "Unknown" : name;
}

/** `GET /v1/widgets/17` → `GetWidgets`: all that can be said of a service that nobody knows. */
function nameOfPath({ method, path }: PassingHead): string {
  const words = path.split("/").filter((part) => /^[a-z][a-z_-]{1,40}$/i.test(part));
  const last = words.at(-1) ?? "";
  const noun = last
    .split(/[-_]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
  const verb = method.charAt(0).toUpperCase() + method.slice(1).toLowerCase();
  return plainName(`${verb}${noun}`);
}
