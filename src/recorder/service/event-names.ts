// What records call services and operations where it differs from the API (formats.md §1.9, §1.13). Pure facts.
import type { CatalogueRow, Operation } from "./service-table.ts";
import { named } from "./named.ts";

/** Table → short name of the event source, where that is not the signing name. */
const sources: Readonly<Record<string, string>> = named({
  "streams-dynamodb": "dynamodb",
  email: "ses",
  "lex-models": "models.lex",
  "runtime-lex": "runtime.lex",
  "models-lex-v2": "lexv2",
  "runtime-lex-v2": "lexv2",
  "rds-data": "rdsdata",
  s3control: "s3",
  "entitlement-marketplace": "marketplaceentitlement",
  meteringmarketplace: "metering-marketplace",
  AWSMigrationHub: "mgh",
  "servicecatalog-appregistry": "servicecatalog-appregistry",
  appregistry: "servicecatalog-appregistry",
  cloudsearchdomain: "cloudsearch",
  "sso-admin": "sso",
});

/** `dynamodb` of `dynamodb.amazonaws.com`. */
export function sourceOf(row: CatalogueRow): string {
  return sources[row.name] ?? row.signingName.toLowerCase();
}

export function eventSourceOf(shortName: string): string {
  return `${shortName}.amazonaws.com`;
}

/** The API date as records of the few services that send it write it. */
export function apiVersionOf(row: CatalogueRow): string | undefined {
  const version = apiVersions[row.name];
  return version === true ? row.apiVersion : version;
}

const apiVersions: Readonly<Record<string, string | true>> = named({
  dynamodb: true,
  "streams-dynamodb": true,
  elasticloadbalancing: true,
  elasticloadbalancingv2: true,
  elasticfilesystem: true,
  appmesh: true,
  route53: true,
  waf: true,
  eventbridge: true,
  cloudfront: "2020_05_31",
  logs: "20140328",
});

/** Lambda's operations whose second version has the first one's path. */
const secondLambdaVersions: ReadonlySet<string> = new Set([
  ...[
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "AddPermission",
    "RemovePermission",
    "GetFunction",
  ],
  ...["GetFunctionConfiguration", "GetPolicy", "TagResource", "UntagResource"],
]);

const s3Names: Readonly<Record<string, string>> = named({
  PutBucketLifecycleConfiguration: "PutBucketLifecycle",
  GetBucketLifecycleConfiguration: "GetBucketLifecycle",
  PutBucketNotificationConfiguration: "PutBucketNotification",
  GetBucketNotificationConfiguration: "GetBucketNotification",
  PutPublicAccessBlock: "PutBucketPublicAccessBlock",
  GetPublicAccessBlock: "GetBucketPublicAccessBlock",
  DeletePublicAccessBlock: "DeleteBucketPublicAccessBlock",
  PutObjectLockConfiguration: "PutBucketObjectLockConfiguration",
  GetObjectLockConfiguration: "GetBucketObjectLockConfiguration",
  PutBucketAccelerateConfiguration: "PutAccelerateConfiguration",
  GetBucketAccelerateConfiguration: "GetAccelerateConfiguration",
  ListObjectsV2: "ListObjects",
});

const s3ControlNames: Readonly<Record<string, string>> = named({
  PutPublicAccessBlock: "PutAccountPublicAccessBlock",
  GetPublicAccessBlock: "GetAccountPublicAccessBlock",
  DeletePublicAccessBlock: "DeleteAccountPublicAccessBlock",
});

export function eventNameOf(row: CatalogueRow, operation: Operation): string {
  if (row.name === "s3") return s3Names[operation.name] ?? operation.name;
  if (row.name === "s3control") return s3ControlNames[operation.name] ?? operation.name;
  if (row.name === "lambda") return lambdaName(operation);
  return operation.name;
}

/** Lambda's management operations up to 2018 carry the date of their path. */
function lambdaName({ name, uri }: Operation): string {
  const match = /^\/(201[4-8])-(\d\d)-(\d\d)\//.exec(uri);
  if (!match || name === "Invoke") return name;
  const [, year = "", month = "", day = ""] = match;
  return `${name}${year}${month}${day}${secondLambdaVersions.has(name) ? "v2" : ""}`;
}
