// How Cairn's own deliveries are known when they come by its own recorder: their requests bear a mark in the user agent
// that only this process can make. An access key would not do, since many use one key for everything.
// Must not: give the secret away.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../model/environment.ts";
import type { RequestHeaders } from "../model/headers.ts";

/** A mark that somebody saw on its way is soon worth nothing. */
const validMs = 300_000;
const signatureCharacters = 24;
const form = /\bapp\/cairn-delivery-([0-9a-z]{1,12})-([0-9a-f]{24})(?=\s|$)/;

export interface DeliveryMark {
  /** The SDK's app id of a client that delivers; asked for at each request. At most 50 characters. */
  readonly appId: () => Promise<string>;
  /** Whether a request that was sent at `sentMs` (now) bears the mark. */
  isOn(headers: RequestHeaders, sentMs?: number): boolean;
}

export function createDeliveryMark(secret: string, clock: Pick<Clock, "nowMs">): DeliveryMark {
  const sign = (time: string) =>
    createHmac("sha256", secret).update(time).digest("hex").slice(0, signatureCharacters);
  return {
    appId() {
      const time = clock.nowMs().toString(36);
      return Promise.resolve(`cairn-delivery-${time}-${sign(time)}`);
    },
    isOn(headers, sentMs = clock.nowMs()) {
      const match = form.exec(headers.get("user-agent")?.[0] ?? "");
      const [, time = "", signature = ""] = match ?? [];
      if (!match || Math.abs(sentMs - Number.parseInt(time, 36)) > validMs) return false;
      return timingSafeEqual(Buffer.from(signature), Buffer.from(sign(time)));
    },
  };
}
