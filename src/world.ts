// The real clock, real randomness and new keys. Given to everything else as arguments by server.ts.
import { generateKeyPair, randomInt, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import type { Clock, Random } from "./model/environment.ts";

export const realClock: Clock = {
  // oxlint-disable-next-line no-restricted-globals -- the one place that looks at the clock
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  // By hand, as it is done for every object that is put: the sleep of node:timers/promises makes two errors to end one early.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end, { once: true });
    }),
};

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export const realRandom: Random = {
  uuid: () => randomUUID(),
  alphanumeric: (length) =>
    Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join(""),
  // oxlint-disable-next-line no-restricted-properties -- jitter only
  fraction: () => Math.random(),
};

const generateKeyPairAsync = promisify(generateKeyPair);

/** A new RSA pair of 2048 bits: the private key as PEM (PKCS#8), the public key as DER (PKCS#1 RSAPublicKey). */
export async function makeRsaKey(): Promise<{ readonly privatePem: string; readonly publicDer: Uint8Array }> {
  const { privateKey, publicKey } = await generateKeyPairAsync("rsa", { modulusLength: 2048 });
  return {
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicDer: new Uint8Array(publicKey.export({ type: "pkcs1", format: "der" })),
  };
}
