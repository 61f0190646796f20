// The resources that a call is about, by the rules of resource-rules.ts: ARN, type and owner of each. Pure.
import { parseArn } from "../../model/arn.ts";
import { isObject, type JsonObject, type JsonValue } from "../../model/json.ts";
import { partitionOf, type Region } from "../../model/regions.ts";
import type { DescribedResource } from "../contract.ts";
import { type ResourceRule, resourceRules } from "./resource-rules.ts";
import { hidden } from "./secrecy.ts";

export interface NamedIn {
  /** Short name of the event source. */
  readonly source: string;
  readonly operation: string;
  readonly region: Region;
  readonly account: string;
}

/** A batch may name as many; more are left out. */
export const resourcesMax = 100;

/** Every resource that the parameters name; `always` leaves out those that only data events show. */
export function resourcesOf(
  parameters: JsonObject,
  where: NamedIn,
  always = false,
): readonly DescribedResource[] {
  const found = new Map<string, DescribedResource>();
  for (const rule of resourceRules[where.source] ?? []) {
    if (always && !rule.isAlwaysShown) continue;
    if (rule.operations && !rule.operations.includes(where.operation)) continue;
    for (const value of valuesOf(parameters, rule)) {
      const resource = resourceOf(value, { rule, where, parameters });
      for (const one of resource ? withTable(resource) : []) {
        if (one.ARN !== undefined && found.size < resourcesMax) found.set(one.ARN, one);
      }
    }
  }
  return [...found.values()];
}

/** A stream of DynamoDB stands beside its table. */
function withTable(resource: DescribedResource): readonly DescribedResource[] {
  const table = /^(arn:[^:]*:dynamodb:[^/]*:table\/[^/]+)\/stream\//.exec(resource.ARN ?? "")?.[1];
  return table === undefined
    ? [resource]
    : [resource, { ...resource, type: "AWS::DynamoDB::Table", ARN: table }];
}

function valuesOf(parameters: JsonObject, rule: ResourceRule): readonly string[] {
  const values = textsAt(parameters, rule.path.split("."), rule.otherwise);
  if (rule.path === "shardIterator") return values.map((value) => value.split("|", 1)[0] ?? "");
  return rule.path.startsWith("queue") ? values.map(queueOf) : values;
}

function textsAt(
  value: JsonValue | undefined,
  [step, ...rest]: readonly string[],
  otherwise?: string,
): readonly string[] {
  if (step === undefined) {
    if (typeof value === "string" && value !== hidden) return [value];
    return value === undefined && otherwise !== undefined ? [otherwise] : [];
  }
  if (!isMembers(value)) return [];
  if (step === "*") return Object.keys(value);
  if (!step.endsWith("[]")) return textsAt(value[step], rest, otherwise);
  const list = value[step.slice(0, -2)];
  return Array.isArray(list) ? list.flatMap((item: JsonValue) => textsAt(item, rest, otherwise)) : [];
}

function isMembers(value: JsonValue | undefined): value is JsonObject {
  return isObject(value);
}

/** `https://…/111122223333/jobs` → `111122223333/jobs`. */
function queueOf(text: string): string {
  const match = /^[a-z]+:\/\/[^/]+\/(?:[^?]*\/)?(\d{12}|queue)\/([^/?]+)$/i.exec(text);
  return match ? `${match[1]}/${match[2]}` : text;
}

interface Naming {
  readonly rule: ResourceRule;
  readonly where: NamedIn;
  readonly parameters: JsonObject;
}

function resourceOf(value: string, { rule, where, parameters }: Naming): DescribedResource | undefined {
  const given = where.source === "lambda" ? functionArn(value, where) : value;
  const arn = parseArn(given) ? given : builtArn(given, { rule, where, parameters });
  const parts = arn === undefined ? undefined : parseArn(arn);
  if (arn === undefined || parts === undefined) return undefined;
  const type = typeOf(rule, parts.resource);
  const isBus = rule.type === "AWS::Events::EventBus";
  return {
    ...(!isBus && { accountId: parts.account || where.account }),
    ...(type !== undefined && { type }),
    ARN: arn,
  };
}

function typeOf({ type }: ResourceRule, resource: string): string | undefined {
  return type === "AWS::SNS::Topic" && resource.startsWith("endpoint/") ? "AWS::SNS::PlatformEndpoint" : type;
}

function builtArn(value: string, { rule, where, parameters }: Naming): string | undefined {
  if (rule.arn === "{}") return undefined;
  const owned = /^(\d{12})\/(.+)$/.exec(value);
  const [account, name] =
    where.source === "sqs" && owned
      ? [owned[1] ?? "", owned[2] ?? ""]
      : [where.account, value.replace(/^queue\//, "")];
  const isKmsAlias = where.source === "kms" && name.startsWith("alias/");
  const template = isKmsAlias ? "kms:{R}:{A}:{}" : rule.arn;
  const text = template.replace(/\{([^}]*)\}/g, (_, what: string) => {
    if (what === "") return name;
    if (what === "/") return name.startsWith("/") ? name : `/${name}`;
    if (what === "R") return where.region;
    if (what === "A") return account;
    const other = parameters[what];
    return typeof other === "string" ? other : "*";
  });
  return `arn:${partitionOf(where.region)}:${text}`;
}

/** A function by name, by `account:function:name` or by ARN; versions and aliases are not part of the resource. */
function functionArn(value: string, { region, account }: NamedIn): string {
  const match = /^(?:arn:([^:]+):lambda:([^:]*):)?(?:(\d{12}):)?(?:function:)?([^:]+)(?::[^:]+)?$/.exec(
    value,
  );
  if (!match) return value;
  const [, partition = partitionOf(region), place = region, owner = account, name = ""] = match;
  return `arn:${partition}:lambda:${place}:${owner}:function:${name}`;
}

/** KMS tells in its answer which key it used, whatever name the request had for it. */
export function answeredKeys(source: string, response: JsonObject | undefined): JsonObject {
  if (source !== "kms" || response === undefined) return {};
  const metadata = response["keyMetadata"];
  const keyId = response["keyId"] ?? (isMembers(metadata) ? metadata["arn"] : undefined);
  return keyId === undefined ? {} : { keyId };
}
