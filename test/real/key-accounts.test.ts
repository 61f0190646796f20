// The account that an access key's bits carry, over the keys of a real account whose number nobody replaced.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { accountOfKey } from "../../src/recorder/key-account.ts";

const folder = fileURLToPath(new URL("../../../shared/data/events/real/sans504-s3-lab/", import.meta.url));
const isThere = existsSync(folder);
if (!isThere) process.stdout.write("skipped: needs ../shared/data/events\n");

interface Signed {
  readonly userIdentity?: { readonly accessKeyId?: string; readonly accountId?: string };
}

describe.skipIf(!isThere)("the keys of real records", () => {
  test("carry the account that the records name", () => {
    const pairs = new Map<string, string>();
    for (const name of readdirSync(folder)) {
      const text = gunzipSync(readFileSync(`${folder}${name}`)).toString("utf8");
      const { Records: records }: { Records: readonly Signed[] } = JSON.parse(text);
      for (const { userIdentity } of records) {
        const { accessKeyId, accountId } = userIdentity ?? {};
        if (accessKeyId && accountId) pairs.set(accessKeyId, accountId);
      }
    }
    expect(pairs.size).toBeGreaterThan(0);
    for (const [key, account] of pairs) expect(accountOfKey(key) ?? account).toBe(account);
    expect([...pairs.keys()].some((key) => accountOfKey(key) !== undefined)).toBe(true);
  });
});
