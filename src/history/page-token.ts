// The NextToken of LookupEvents: where the next page begins, and what it belongs to. Opaque to clients: signed with a key of
// this installation, so that nobody makes one of his own or uses one with other parameters.
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Random } from "../model/environment.ts";
import type { StateStore } from "../state/contract.ts";
import type { Row } from "./top-rows.ts";

/** All numbers are whole. */
export interface PagePlace {
  /** The times of the first page: they do not move while pages are asked for. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly endOrdinal: number;
  /** The last event of the page before. */
  readonly last: Row;
}

export interface PageTokens {
  /** `request` is everything that the pages of one lookup have in common. */
  write(place: PagePlace, request: string): string;
  /** Undefined for what was not written here for this request. */
  read(token: string, request: string): PagePlace | undefined;
}

const stateKey = "history/token-key";
const keyCharacters = 43;

/** The key is made once and kept in the state store, whose files only this process reads. */
export async function openPageTokens(state: StateStore, random: Random): Promise<PageTokens> {
  return pageTokens(await keyOf(state, random));
}

async function keyOf(state: StateStore, random: Random): Promise<string> {
  const stored = await state.get(stateKey);
  if (typeof stored?.value === "string") return stored.value;
  const key = random.alphanumeric(keyCharacters);
  const outcome = await state.put(stateKey, key, stored ? stored.version : "absent");
  return outcome.kind === "stored" ? key : keyOf(state, random);
}

const version = 1;
const numbers = 5;
const bodyBytes = 1 + numbers * 8;
const signatureBytes = 16;

function pageTokens(key: string): PageTokens {
  const signatureOf = (body: Buffer, request: string): Buffer => {
    const digest = createHash("sha256").update(request).digest();
    return createHmac("sha256", key).update(body).update(digest).digest().subarray(0, signatureBytes);
  };
  return {
    write({ fromSeconds, toSeconds, endOrdinal, last }, request) {
      const body = Buffer.alloc(bodyBytes);
      body[0] = version;
      for (const [at, number] of [fromSeconds, toSeconds, endOrdinal, last.seconds, last.ordinal].entries()) {
        body.writeDoubleBE(number, 1 + at * 8);
      }
      return Buffer.concat([body, signatureOf(body, request)]).toString("base64url");
    },
    read(token, request) {
      const bytes = Buffer.from(token, "base64url");
      // Other texts of the same bytes are not what was written.
      if (bytes.length !== bodyBytes + signatureBytes || bytes.toString("base64url") !== token)
        return undefined;
      const body = bytes.subarray(0, bodyBytes);
      if (!timingSafeEqual(bytes.subarray(bodyBytes), signatureOf(body, request)) || body[0] !== version) {
        return undefined;
      }
      const [fromSeconds = 0, toSeconds = 0, endOrdinal = 0, seconds = 0, ordinal = 0] = Array.from(
        { length: numbers },
        (_, at) => body.readDoubleBE(1 + at * 8),
      );
      return { fromSeconds, toSeconds, endOrdinal, last: { seconds, ordinal } };
    },
  };
}
