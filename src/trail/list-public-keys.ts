// ListPublicKeys (api.md §6.4, formats.md §3.5): the keys that digest files of the Region were and are signed with, all
// in one page: `aws cloudtrail validate-logs` asks once.
import { apiError } from "../model/errors.ts";
import type { Handler } from "../model/operations.ts";
import type { TrailContext } from "./trail-context.ts";

/** Asking makes no key: the list is empty for a Region that has signed nothing. NextToken is reserved and not looked at. */
export function listPublicKeys({ ports }: Pick<TrailContext, "ports">): Handler<"ListPublicKeys"> {
  return async (input, call) => {
    const nowMs = ports.clock.nowMs();
    const startMs = input.StartTime?.getTime() ?? nowMs;
    const endMs = input.EndTime?.getTime() ?? nowMs;
    if (startMs > endMs) throw apiError("InvalidTimeRangeException");
    const keys = ports.keys.publicKeys(call.region, { startMs, endMs });
    return {
      PublicKeyList: keys.map(({ der, sinceMs, untilMs, fingerprint }) => ({
        Value: der,
        ValidityStartTime: timestamp(sinceMs),
        ValidityEndTime: timestamp(untilMs),
        Fingerprint: fingerprint,
      })),
    };
  };
}

function timestamp(epochMs: number): Date {
  // oxlint-disable-next-line no-restricted-globals -- the form of a timestamp in the SDK's types, not a look at the clock
  return new Date(epochMs);
}
