// Whether an operation only reads (formats.md §1.7): what is known of single operations, then the verb of its name. Pure.
import { named } from "./named.ts";

/** Event source's short name → operations that only read although their names do not say so. */
const readingOperations: Readonly<Record<string, readonly string[]>> = named({
  sts: ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "DecodeAuthorizationMessage"],
  kms: [
    ...[
      "Encrypt",
      "Decrypt",
      "GenerateDataKey",
      "GenerateDataKeyPair",
      "GenerateDataKeyPairWithoutPlaintext",
    ],
    ...[
      "GenerateDataKeyWithoutPlaintext",
      "GenerateRandom",
      "GenerateMac",
      "ReEncrypt",
      "Sign",
      "DeriveSharedSecret",
    ],
  ],
  cloudtrail: ["StartQuery"],
  cloudformation: ["DetectStackDrift", "DetectStackResourceDrift", "DetectStackSetDrift"],
  codecommit: ["GitPull"],
  logs: ["StartQuery", "StartLiveTail"],
  bedrock: ["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"],
});

/** Operations that change something although their names begin like those that read. */
const writingOperations: Readonly<Record<string, readonly string[]>> = named({
  sts: ["GetFederationToken", "GetSessionToken"],
  dynamodb: ["ExportTableToPointInTime"],
});

const readingVerbs =
  /^(Get|List|Describe|Head|BatchGet|BatchDescribe|BatchCheck|BatchDetect|Lookup|Search|Query|Scan|Select|Check|Validate|Verify|Test|Simulate|Preview|Estimate|Export(?!.*(Task|Job|ToPointInTime|Server|Image))|Detect|Discover|Filter|View|Download|Poll|Receive|TransactGet|Is[A-Z]|BatchIs|Options(?![a-z])|Resolve|Retrieve)/;

/** `source` is the short name of the event source: `dynamodb` of `dynamodb.amazonaws.com`. */
export function isReadOnly(source: string, operation: string): boolean {
  if (readingOperations[source]?.includes(operation)) return true;
  if (writingOperations[source]?.includes(operation)) return false;
  return readingVerbs.test(operation);
}
