// One count of the bytes that all requests together keep in memory, received and inflated.
import type { ByteLease } from "./exchange.ts";

export interface OwnedLease extends ByteLease {
  /** Gives everything back; afterwards nothing can be taken. */
  release(): void;
}

export interface ByteBudget {
  /** A lease for one request. */
  open(): OwnedLease;
  /** Bytes taken at this moment. */
  readonly bytesTaken: number;
}

/** `bytesMax` is asked at every take: the configuration may have been reloaded. */
export function createByteBudget(bytesMax: () => number, onChange: (bytesTaken: number) => void): ByteBudget {
  let taken = 0;
  const change = (count: number): void => {
    taken += count;
    onChange(taken);
  };
  return {
    get bytesTaken() {
      return taken;
    },
    open() {
      let own = 0;
      let isOpen = true;
      return {
        take(count) {
          if (!isOpen || taken + count > bytesMax()) return false;
          own += count;
          change(count);
          return true;
        },
        release() {
          if (isOpen && own > 0) change(-own);
          isOpen = false;
        },
      };
    },
  };
}
