// Which members of requests and answers never reach a record, and what stands in their place: the models' sensitive
// marks, bytes, and what is known to be secret though no model says so (formats.md §1.5). Pure.
import type { Shape } from "./service-table.ts";

export const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

/** `shown` as it is; `omitted` without a trace; otherwise the text that stands in its place. */
export type Secrecy = { readonly kind: "shown" } | { readonly kind: "omitted" } | Replaced;
interface Replaced {
  readonly kind: "replaced";
  readonly by: string;
}

const shown: Secrecy = { kind: "shown" };
const omitted: Secrecy = { kind: "omitted" };
const replaced: Secrecy = { kind: "replaced", by: hidden };
const removed: Secrecy = { kind: "replaced", by: "<sensitiveDataRemoved>" };
const omittedText: Secrecy = { kind: "replaced", by: "***OMITTED***" };
const starred: Secrecy = { kind: "replaced", by: "****" };

/** How services write what is secret, where it is not HIDDEN_DUE_TO_SECURITY_REASONS; by the names of the tables. */
const styles: ReadonlyMap<string, Secrecy> = new Map<string, Secrecy>([
  ["ec2", removed],
  ["kms", omitted],
  ["secretsmanager", omitted],
  ["iam", omitted],
  ["sts", omitted],
  ["lambda", omitted],
  ...["rds", "redshift", "neptune", "docdb", "elasticache", "organizations"].map(
    (name) => [name, starred] as const,
  ),
]);

/** `service.Member`, or `Member` for every service. The API's names. */
const knownSecrets: ReadonlyMap<string, Secrecy> = new Map(
  Object.entries({
    // What others are told: messages, events, items.
    "sqs.MessageBody": replaced,
    "sqs.MessageAttributes": replaced,
    "sqs.MessageSystemAttributes": replaced,
    "sns.Message": replaced,
    "sns.Subject": replaced,
    "sns.MessageAttributes": replaced,
    "eventbridge.Detail": replaced,
    "pipes.InputTemplate": replaced,
    "scheduler.Input": replaced,
    "eventbridge.Input": replaced,
    "eventbridge.InputTemplate": replaced,
    "states.input": replaced,
    "states.output": replaced,
    "states.cause": replaced,
    "kinesis.Data": replaced,
    "firehose.Data": replaced,
    "logs.message": replaced,
    "email.RawMessage": replaced,
    "email.Message": replaced,
    "email.TemplateData": replaced,
    "email.DefaultTemplateData": replaced,
    "email.ReplacementTemplateData": replaced,
    "sesv2.Content": replaced,
    "sesv2.DefaultContent": replaced,
    "lambda.Payload": omitted,
    "lambda.PayloadChunk": omitted,
    "lambda.InvokeArgs": omitted,
    "lambda.ClientContext": replaced,
    "lambda.Variables": omitted,
    "lambda.Location": replaced,
    "rds-data.sql": replaced,
    "rds-data.parameters": replaced,
    "rds-data.parameterSets": replaced,
    "athena.QueryString": omittedText,
    "athena.QueryStatement": omittedText,
    "redshift-data.Sql": replaced,
    "redshift-data.Sqls": replaced,
    "redshift-data.Parameters": replaced,
    // Keys, passwords, credentials, and what commands are given.
    "kms.Plaintext": omitted,
    "kms.CiphertextBlob": omitted,
    "kms.Message": omitted,
    "kms.Mac": omitted,
    "kms.Signature": omitted,
    "kms.GrantTokens": omitted,
    "secretsmanager.SecretString": omitted,
    "secretsmanager.SecretBinary": omitted,
    "ssm.Value": replaced,
    "ssm.Parameters": replaced,
    "ssm.TokenValue": { kind: "replaced", by: "Value hidden due to security reasons." },
    "ec2.UserData": removed,
    "ec2.KeyMaterial": removed,
    "ec2.PasswordData": removed,
    "ec2.PreSharedKey": removed,
    "ec2.CustomerGatewayConfiguration": removed,
    "autoscaling.UserData": removed,
    "cloudformation.ParameterValue": starred,
    "cloudformation.TemplateBody": omitted,
    "apigateway.credentials": shown,
    "apigateway.value": replaced,
    "bedrock-runtime.messages": omitted,
    "bedrock-runtime.system": omitted,
    "bedrock-runtime.additionalModelRequestFields": omitted,
    "bedrock-runtime.promptVariables": omitted,
    "connectparticipant.Content": replaced,
    "lightsail.userData": replaced,
    "pinpoint.Body": replaced,
    "pinpoint.HtmlBody": replaced,
    "pinpoint.JsonBody": replaced,
    "pinpoint.RawContent": replaced,
    "pinpoint.Substitutions": replaced,
    "cloudfront-keyvaluestore.Value": replaced,
    "rds.InitQuery": starred,
    // Of an option: some are passwords.
    "rds.Value": starred,
    "elasticbeanstalk.Value": replaced,
    "cognito-idp.Value": replaced,
    "cognito-idp.AuthParameters": replaced,
    "cognito-idp.ChallengeResponses": replaced,
    "cognito-idp.ClientMetadata": replaced,
    "cognito-identity.Logins": replaced,
    "cognito-identity.LoginsToRemove": replaced,
    "cognito-identity.Token": replaced,
    "ecr.authorizationToken": replaced,
    "ecr-public.authorizationToken": replaced,
    "codeartifact.authorizationToken": replaced,
    "sts.SAMLAssertion": omitted,
    "sts.WebIdentityToken": omitted,
    "sts.TokenCode": omitted,
    "sts.SessionToken": replaced,
    "iam.AuthenticationCode1": omitted,
    "iam.AuthenticationCode2": omitted,
    "iam.PrivateKey": omitted,
    "iam.QRCodePNG": omitted,
    "iam.Base32StringSeed": omitted,
    "iam.Certificates": replaced,
    "glue.ConnectionProperties": replaced,
    "glue.DefaultArguments": replaced,
    "glue.Arguments": replaced,
    // Environments and headers of what services run for their users.
    environmentVariables: replaced,
    EnvironmentVariables: replaced,
    RuntimeEnvironmentVariables: replaced,
  } satisfies Record<string, Secrecy>),
);

/**
 * Names of texts that are secrets whoever has them. Names that only speak of a secret (its id, its age, where it is
 * kept, whether one is needed) are none.
 */
const secretName = new RegExp(
  [
    ...[
      "passw(or)?d",
      "passphrase",
      "passcode",
      "secret",
      "credential",
      "authorization",
      "bearer",
      "cookie",
      "otp$",
    ],
    ...[
      "private_?-?key",
      "api_?-?key",
      "auth_?-?key",
      "pre_?shared",
      "plain_?text",
      "cipher_?text_?blob",
      "signed_?url",
    ],
    // Keys of devices (LoRaWAN), and of content.
    ...["(app|apps|nwk\\w*)_?key$", "decryption_?key$", "activation_?key"],
    "(access|auth|session|refresh|id|security|device|web_?identity|api|callback|connection|participant|work_?unit|hec|verification|view|workload_?identity|trade_?in)_?-?tokens?$",
    "(pin|activation|confirmation|verification|auth|unlock|claim|challenge|registration|device|user|accept)_?-?code$",
    ...[
      "saml_?(assertion|response)",
      "platform_?principal",
      "x-amz-signature",
      "x-amz-security-token",
      "_token$",
    ],
  ].join("|"),
  "i",
);
const speaksOfOne =
  /(id|ids|arn|arns|name|names|type|types|age|length|count|policy|date|time|status|state|source|provider|providers|version|versions|versionid|mode|config|configuration|enabled|required|require|expiration|expiry|expires|ttl|days|algorithm|location|format|list|filter|filters|prefix|key_?id|kmskey|kmskeyid|scope|scopes|method|rotation|settings|options|validity|behavior|units|resetrequired|at|strategy|parameter|stages|role|action|expression|override|specs)$/i;
/** Names that look like one of a secret, or like none. */
const noSecrets: ReadonlySet<string> = new Set([
  ...["authorizationendpoint", "authorizationurl", "authorizercredentials", "secretstringkey"],
  ...["crossaccountauthorization", "crossaccountauthorizations", "runtimeenvironmentsecrets"],
  ...["subjectfromwebidentitytoken", "authtokenupdatestrategy"],
]);

/** Longer names are none of any service's. */
const nameCharactersMax = 256;

/** Whether a text under this name is taken for a secret, in a map, in free JSON, or in a service that has no table. */
export function isSecretName(name: string): boolean {
  if (name.length > nameCharactersMax) return true;
  return secretName.test(name) && !speaksOfOne.test(name) && !noSecrets.has(name.toLowerCase());
}

export interface MemberPlace {
  /** The table's name. */
  readonly service: string;
  /** The structure is a tag: a key and its value. */
  readonly isTag: boolean;
}

/** What becomes of a member of a service's structure. */
export function secrecyOf({ service, isTag }: MemberPlace, name: string, shape: Shape): Secrecy {
  const known = knownSecrets.get(`${service}.${name}`) ?? knownSecrets.get(name);
  if (known && !isTag) return known;
  const style = styles.get(service) ?? replaced;
  if (isSensitive(shape)) return style;
  if (shape.kind === "blob") return omitted;
  if (isSecretName(name) && holdsText(shape)) return style;
  if (isEnvironment(name, shape)) return style;
  return shown;
}

function isSensitive(shape: Shape): boolean {
  if (shape.isSensitive) return true;
  if (shape.kind === "list") return isSensitive(shape.item.shape);
  if (shape.kind === "map") return isSensitive(shape.value.shape) || shape.key.shape.isSensitive;
  return false;
}

/** The variables that a program is started with. */
function isEnvironment(name: string, shape: Shape): boolean {
  return /^environment$/i.test(name) && (shape.kind === "list" || shape.kind === "map");
}

/** Numbers and switches are never secrets; structures are looked into. */
function holdsText(shape: Shape): boolean {
  if (shape.kind === "list") return holdsText(shape.item.shape);
  if (shape.kind === "map") return holdsText(shape.value.shape);
  return shape.kind === "string" || shape.kind === "document";
}
