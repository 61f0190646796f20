// What headers of an S3 request ask for beside its operation: copies read their source; access lists, tags and locks are
// actions of their own. They count when a request is signed again with credentials that may more than its caller. Pure.
import { parseArn } from "../model/arn.ts";
import type { PassingHead, ServiceDeed } from "./contract.ts";
import { anything, hasDotSegments } from "./service/deeds.ts";

/** Header → action; `true` alone asks for the last one. */
const actions: readonly (readonly [header: RegExp, action: (isObject: boolean) => string])[] = [
  [/^x-amz-(acl|grant-[a-z-]+)$/, (isObject) => (isObject ? "s3:PutObjectAcl" : "s3:PutBucketAcl")],
  [/^x-amz-tagging$/, () => "s3:PutObjectTagging"],
  [/^x-amz-object-lock-(mode|retain-until-date)$/, () => "s3:PutObjectRetention"],
  [/^x-amz-object-lock-legal-hold$/, () => "s3:PutObjectLegalHold"],
  [/^x-amz-bypass-governance-retention$/, () => "s3:BypassGovernanceRetention"],
];

/** `asked` is what the operation itself needs. */
export function extraS3Deeds(head: PassingHead, asked: ServiceDeed): ServiceDeed[] {
  // Not told by the resource: keys have colons and slashes, access points slashes.
  const isObject = /Object/.test(asked.action);
  return [...askedFor(head)].flatMap(([name, value]): ServiceDeed[] => {
    if (name === "x-amz-copy-source") return [sourceDeed(value, asked.resource)];
    const [, action] = actions.find(([header]) => header.test(name)) ?? [];
    return action ? [{ ...asked, action: action(isObject) }] : [];
  });
}

/** `/bucket/key`, or the ARN of an object by an access point. */
function sourceDeed(source: string, copy: string): ServiceDeed {
  const [path = "", query = ""] = source.split("?", 2);
  const name = decoded(path).replace(/^\//, "");
  if (hasDotSegments(name)) return anything;
  const partition = copy.split(":", 2).join(":");
  return {
    action: /(^|&)versionId=/.test(query) ? "s3:GetObjectVersion" : "s3:GetObject",
    resource: parseArn(name) ? name : `${partition}:s3:::${name}`,
  };
}

/** Presigners move headers into the query, so there they count too. */
function* askedFor({ headers, query }: PassingHead): Generator<readonly [name: string, value: string]> {
  for (const [name, values] of headers) for (const value of values) yield [name, value];
  for (const [name, value] of new URLSearchParams(query)) yield [name.toLowerCase(), value];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
