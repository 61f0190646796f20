// The fields of a generated record as selectors see them: plain objects, no scanner between.
import type { RecordFields } from "../../src/event/record.ts";
import type { GeneratedRecord } from "./generated-records.ts";

export function recordFields(record: GeneratedRecord): RecordFields {
  const text = (name: string) => (typeof record[name] === "string" ? { [name]: record[name] } : {});
  const flag = (name: string) => (typeof record[name] === "boolean" ? { [name]: record[name] } : {});
  const identity = record["userIdentity"] as { readonly arn?: string } | undefined;
  const resources = (record["resources"] ?? []) as readonly Readonly<Record<string, string>>[];
  return {
    ...Object.assign({}, ...texts.map(text), flag("readOnly"), flag("managementEvent")),
    ...(identity?.arn !== undefined && { userIdentityArn: identity.arn }),
    hasUserIdentity: identity !== undefined,
    resources: resources.map(({ type, ARN, ARNPrefix }) => ({
      ...(type !== undefined && { type }),
      ...((ARN ?? ARNPrefix) !== undefined && { arn: ARN ?? ARNPrefix }),
    })),
  } as RecordFields;
}

const texts = [
  ...[
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "eventID",
    "eventType",
    "eventCategory",
  ],
  ...["recipientAccountId", "errorCode", "vpcEndpointId", "sessionCredentialFromConsole"],
];
