// Judges the digest chains of one trail that logged once, from a to z: links, signatures, log files (formats.md §3). Small
// and slow on purpose, and written apart from `cairn verify`. Pure.
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { parseDigestKey } from "../../src/model/digest-key.ts";
import { chainsOf, type Delivered, type DigestFile, namedFiles } from "./digest-files.ts";

export interface Chains extends Delivered {
  /** Lower-case hex, by the key of the digest. */
  readonly signatures: ReadonlyMap<string, string>;
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
}

/** One sentence for everything that is wrong; [] when all is as it should be. */
export function chainProblems(chains: Chains): readonly string[] {
  return [
    ...[...chainsOf(chains.digests).values()].flatMap((digests) => linkProblems(digests, chains)),
    ...chains.digests.flatMap((file) => digestProblems(file, chains)),
    ...logFileProblems(chains),
  ];
}

/** The keys of a ListPublicKeys answer, by fingerprint. */
export function publicKeysByFingerprint(
  list: readonly { readonly Fingerprint?: string | undefined; readonly Value?: Uint8Array | undefined }[],
): ReadonlyMap<string, KeyObject> {
  return new Map(
    list.map(({ Fingerprint = "", Value = new Uint8Array() }) => [
      Fingerprint,
      createPublicKey({ key: Buffer.from(Value), format: "der", type: "pkcs1" }),
    ]),
  );
}

function linkProblems(digests: readonly DigestFile[], { signatures }: Chains): readonly string[] {
  return digests.flatMap((file, index) => {
    const { digest, key } = file;
    const before = digests[index - 1];
    const said = {
      bucket: digest.previousDigestS3Bucket,
      key: digest.previousDigestS3Object,
      hash: digest.previousDigestHashValue,
      algorithm: digest.previousDigestHashAlgorithm,
      signature: digest.previousDigestSignature,
      end: before ? digest.digestStartTime : null,
    };
    const is = {
      bucket: before?.bucket ?? null,
      key: before?.key ?? null,
      hash: before?.hash ?? null,
      algorithm: before ? "SHA-256" : null,
      signature: before ? signatures.get(before.key) : null,
      end: before?.digest.digestEndTime ?? null,
    };
    const problems = Object.entries(said)
      .filter(([member, value]) => value !== is[member as keyof typeof is])
      .map(([member, value]) => `${key} says ${String(value)} of the ${member} of the digest before it.`);
    if (digest.digestEndTime <= digest.digestStartTime) problems.push(`${key} ends before it begins.`);
    if (before && digest.digestEndTime <= before.digest.digestEndTime) {
      problems.push(`${key} ends at ${digest.digestEndTime}, not after the digest before it.`);
    }
    if (!before && digest.logFiles.length > 0) problems.push(`${key} is a starting digest with log files.`);
    return problems;
  });
}

function digestProblems(file: DigestFile, { signatures, publicKeys }: Chains): readonly string[] {
  const { digest, bucket, key, hash } = file;
  const problems: string[] = [];
  if (digest.digestS3Bucket !== bucket || digest.digestS3Object !== key) {
    problems.push(`${key} lies in another place than it says.`);
  }
  if (parseDigestKey(key)?.endTime !== digest.digestEndTime || digest.awsAccountId !== file.account) {
    problems.push(`${key} has the name of another digest.`);
  }
  const publicKey = publicKeys.get(digest.digestPublicKeyFingerprint);
  const previous = digest.previousDigestSignature ?? "null";
  const signed = `${digest.digestEndTime}\n${bucket}/${key}\n${hash}\n${previous}`;
  const signature = Buffer.from(signatures.get(key) ?? "", "hex");
  if (!publicKey || !verify("sha256", Buffer.from(signed), publicKey, signature)) {
    problems.push(`${key} is not signed with ${digest.digestPublicKeyFingerprint}.`);
  }
  return problems;
}

function logFileProblems({ digests, logFiles }: Chains): readonly string[] {
  const problems: string[] = [];
  const named = namedFiles(digests);
  const hashes = new Map(
    logFiles.map(({ bucket, key, text }) => [
      `s3://${bucket}/${key}`,
      createHash("sha256").update(text).digest("hex"),
    ]),
  );
  for (const place of new Set(named)) {
    const times = named.filter((other) => other === place).length;
    if (times > 1) problems.push(`${place} is named ${times} times.`);
  }
  for (const place of hashes.keys()) if (!named.includes(place)) problems.push(`${place} is in no digest.`);
  for (const { digest, key } of digests) {
    for (const { s3Bucket, s3Object, hashValue } of digest.logFiles) {
      const place = `s3://${s3Bucket}/${s3Object}`;
      if (hashes.get(place) !== hashValue) problems.push(`${place} is not what ${key} says.`);
      if (!s3Object.includes(`/${digest.awsAccountId}/`)) problems.push(`${place} is of another account.`);
    }
  }
  return problems;
}
