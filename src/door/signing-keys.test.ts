// Signing keys: the same signatures as an ordinary HMAC, and a cache that only ever answers for its own secret and day.
import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSigningKeys } from "./signing-keys.ts";

const scope = {
  accessKeyId: "AKIAMARY",
  date: "20260110",
  region: "us-east-1",
  service: "cloudtrail",
  terminator: "aws4_request",
};

function ordinary(secret: string, parts: typeof scope, text: string): string {
  const key = [parts.date, parts.region, parts.service, "aws4_request"].reduce<string | Buffer>(
    (previous, part) => createHmac("sha256", previous).update(part).digest(),
    `AWS4${secret}`,
  );
  return createHmac("sha256", key).update(text, "latin1").digest("hex");
}

test("a key signs as createHmac does, texts of every length and byte, in any order", () => {
  const key = createSigningKeys().derive("secret", scope);
  const text = fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 600 }),
    fc
      .array(fc.integer({ min: 0, max: 255 }), { maxLength: 600 })
      .map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.constantFrom("", "a".repeat(512), "a".repeat(513)),
  );
  fc.assert(
    fc.property(text, (signed) => {
      expect(key.sign(signed)).toBe(ordinary("secret", scope, signed));
    }),
    { seed: 4_577, numRuns: 500 },
  );
});

describe("the cache", () => {
  test("gives the same key for the same secret and scope, and another one for any other", () => {
    const keys = createSigningKeys();
    const known = keys.derive("secret", scope);
    expect(keys.derive("secret", { ...scope })).toBe(known);
    const others = [
      { ...scope, date: "20260111" },
      { ...scope, region: "us-east-2" },
      { ...scope, service: "cairn" },
      { ...scope, accessKeyId: "AKIABOB" },
    ];
    for (const other of others) {
      const key = keys.derive("secret", other);
      expect(key).not.toBe(known);
      expect(key.sign("text")).toBe(ordinary("secret", other, "text"));
    }
    expect(keys.derive("secret", scope)).toBe(known);
  });

  test("never answers for another secret: a rotated one counts at once, and the old one is gone", () => {
    const keys = createSigningKeys();
    for (const secret of ["old", "new", "old", "wrong", "new"]) {
      expect(keys.derive(secret, scope).sign("text")).toBe(ordinary(secret, scope, "text"));
    }
  });

  test("is bounded: of 1024 scopes the one not used for longest goes first", () => {
    const keys = createSigningKeys();
    const scopeOf = (index: number) => ({ ...scope, accessKeyId: `AKIA${index}` });
    const first = keys.derive("secret", scopeOf(0));
    const second = keys.derive("secret", scopeOf(1));
    for (let index = 2; index < 1024; index++) keys.derive("secret", scopeOf(index));
    expect(keys.derive("secret", scopeOf(0))).toBe(first);
    keys.derive("secret", scopeOf(1024));
    expect(keys.derive("secret", scopeOf(0))).toBe(first);
    expect(keys.derive("secret", scopeOf(1))).not.toBe(second);
  });
});
