// What an access key id alone tells: the account that its bits carry. Pure.
// The vendor has made keys so since 2019: after the prefix of four letters come ten bytes in base32; the first bit is set,
// and the 40 bits from the second bit on are the account. Older keys begin with another letter there and tell nothing.
import { type AccountId, parseAccountId } from "../model/arn.ts";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** AKIA: long-term keys; ASIA: temporary ones. The first letter after it has its highest bit set. */
const form = /^A[KS]IA([Q-Z2-7][A-Z2-7]{8})[A-Z2-7]{7}$/;

/** Undefined when the key is not of this form, or its bits are no account. */
export function accountOfKey(accessKeyId: string): AccountId | undefined {
  const carrying = form.exec(accessKeyId)?.[1];
  if (carrying === undefined) return undefined;
  let bits = 0n;
  for (const letter of carrying) bits = bits * 32n + BigInt(letters.indexOf(letter));
  // 45 bits are read; below the highest one lie 40 of the account and 4 that mean something else.
  const account = (bits >> 4n) & ((1n << 40n) - 1n);
  return parseAccountId(String(account).padStart(12, "0"));
}
