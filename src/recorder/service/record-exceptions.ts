// Where the records of single services differ from the members of the API in more than names (seen in real records). Pure.
import { isObject, type JsonObject } from "../../model/json.ts";
import type { DescribedResource, PassedCall, PassingHead } from "../contract.ts";
import { headerOf } from "./read-body.ts";
import type { Members } from "./record-values.ts";
import { s3AdditionalData } from "./s3-parameters.ts";
import { lowerFirst } from "./service-table.ts";

/** Their answers are one structure, whose members the record has at the top. */
const unwrapped: ReadonlySet<string> = new Set(["rds", "docdb", "neptune", "redshift", "elasticache"]);

/** A secret's name and versions are left out: its ARN says it. */
const secretOperations: ReadonlySet<string> = new Set(["CreateSecret", "PutSecretValue", "UpdateSecret"]);

export interface Answered {
  /** The table's name. */
  readonly service: string;
  readonly operation: string;
}

export function recordedResponse({ service, operation }: Answered, members: Members): Members {
  if (unwrapped.has(service)) return onlyStructure(members) ?? members;
  if (service === "secretsmanager" && secretOperations.has(operation)) return { arn: members["aRN"] ?? null };
  return members;
}

function onlyStructure(members: Members): Members | undefined {
  const [only, ...others] = Object.values(members);
  return others.length === 0 && isObject(only) ? { ...only } : undefined;
}

/** API Gateway's records have the body of a request as `createStageInput`. */
export function bodyMemberOf({ service, operation }: Answered): string | undefined {
  return service === "apigateway" ? `${lowerFirst(operation)}Input` : undefined;
}

/** S3 Control's records have S3's form: the host, not the account that is its first label. */
export function controlParameters({ service, path, headers }: PassingHead, members: Members): Members {
  if (service !== "s3" || !path.startsWith("/v20180820/")) return members;
  const { accountId: _, ...others } = members;
  const host = headerOf(headers, "host");
  return { ...others, ...(host !== undefined && { Host: host }) };
}

export interface About {
  readonly source: string;
  readonly operation: string;
  readonly resources: readonly DescribedResource[];
}

/** What single services say beside request and answer. */
export function additionalData(call: PassedCall, about: About): JsonObject | undefined {
  if (about.source === "s3") return s3AdditionalData(call, false);
  const version = headerOf(call.answer.headers, "x-amz-executed-version");
  const [resource] = about.resources;
  if (about.source !== "lambda" || version === undefined || resource?.ARN === undefined) return undefined;
  return { functionVersion: `${resource.ARN}:${version}` };
}
