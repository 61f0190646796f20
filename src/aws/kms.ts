// Keys in KMS or what speaks its language, by the vendor's client.
import type { DescribeKeyCommandOutput, KMSClient } from "@aws-sdk/client-kms";
import { regionOfArn } from "./arn-region.ts";
import type { KeyDescription, Keys } from "./contract.ts";
import { ClientPool, clientOptions, type Endpoint } from "./endpoint.ts";
import { abortBy, answerOf, outcomeOf } from "./service-answer.ts";

/** No request is made before the first question; `close` closes idle connections. */
export function openKeys(endpoint: Endpoint): Keys & { close(): void } {
  const clients = new ClientPool<KMSClient>();
  const load = async (keyArn: string) => {
    const sdk = await import("@aws-sdk/client-kms");
    const region = regionOfArn(keyArn);
    return { sdk, client: clients.of(region, () => new sdk.KMSClient(clientOptions(endpoint, region))) };
  };
  return {
    async describe(keyId, signal) {
      const answer = await answerOf(async () => {
        const { sdk, client } = await load(keyId);
        return client.send(new sdk.DescribeKeyCommand({ KeyId: keyId }), abortBy(signal));
      }, signal);
      if (answer.kind === "refused" && answer.code === "NotFoundException") return { kind: "missing" };
      if (answer.kind !== "answer") return answer;
      const key = descriptionOf(answer.answer);
      return key ? { kind: "key", key } : { kind: "unknown", message: "The answer of KMS names no key." };
    },
    async probe(keyArn, trailArn, signal) {
      const answer = await answerOf(async () => {
        const { sdk, client } = await load(keyArn);
        const { Plaintext } = await client.send(
          new sdk.GenerateDataKeyCommand({
            KeyId: keyArn,
            KeySpec: "AES_256",
            EncryptionContext: { "aws:cloudtrail:arn": trailArn },
          }),
          abortBy(signal),
        );
        Plaintext?.fill(0);
      }, signal);
      return outcomeOf(answer);
    },
    close: () => clients.close(),
  };
}

function descriptionOf({ KeyMetadata: key }: DescribeKeyCommandOutput): KeyDescription | undefined {
  if (key?.Arn === undefined) return undefined;
  return {
    arn: key.Arn,
    isEnabled: key.KeyState === undefined ? key.Enabled === true : key.KeyState === "Enabled",
    // Smaller KMSs leave the usual values out; the probe says whether such a key really encrypts.
    isUsable:
      (key.KeySpec ?? key.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT") === "SYMMETRIC_DEFAULT" &&
      (key.KeyUsage ?? "ENCRYPT_DECRYPT") === "ENCRYPT_DECRYPT",
  };
}
