// What headers of an S3 request ask for beside its operation: copies read their source; access lists, tags and locks are
// actions of their own. They count when a request is signed again with credentials that may more than its caller. Pure.
import type { PassingHead, ServiceDeed } from "./contract.ts";

/** Header → action; `true` alone asks for the last one. */
const actions: readonly (readonly [header: RegExp, action: (isObject: boolean) => string])[] = [
  [/^x-amz-(acl|grant-[a-z-]+)$/, (isObject) => (isObject ? "s3:PutObjectAcl" : "s3:PutBucketAcl")],
  [/^x-amz-tagging$/, () => "s3:PutObjectTagging"],
  [/^x-amz-object-lock-(mode|retain-until-date)$/, () => "s3:PutObjectRetention"],
  [/^x-amz-object-lock-legal-hold$/, () => "s3:PutObjectLegalHold"],
  [/^x-amz-bypass-governance-retention$/, () => "s3:BypassGovernanceRetention"],
];

export function extraS3Deeds(head: PassingHead, resource: string): ServiceDeed[] {
  const isObject = resource.split(":").at(-1)?.includes("/") === true;
  const asked = [...askedFor(head)];
  const named = asked.flatMap(([name]) => {
    const [, action] = actions.find(([header]) => header.test(name)) ?? [];
    return action ? [{ action: action(isObject), resource }] : [];
  });
  const partition = resource.split(":", 2).join(":");
  const sources = asked.flatMap(([name, value]) => {
    if (name !== "x-amz-copy-source") return [];
    const [path = "", query = ""] = value.split("?", 2);
    const action = /(^|&)versionId=/.test(query) ? "s3:GetObjectVersion" : "s3:GetObject";
    return [{ action, resource: `${partition}:s3:::${decoded(path).replace(/^\//, "")}` }];
  });
  return [...named, ...sources];
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
