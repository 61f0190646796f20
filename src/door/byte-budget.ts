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
  const account: Account = {
    hasRoomFor: (count) => taken + count <= bytesMax(),
    change(count) {
      taken += count;
      onChange(taken);
    },
  };
  return {
    get bytesTaken() {
      return taken;
    },
    open: () => new Lease(account),
  };
}

interface Account {
  hasRoomFor(count: number): boolean;
  change(count: number): void;
}

class Lease implements OwnedLease {
  readonly #account: Account;
  #own = 0;
  #isOpen = true;

  constructor(account: Account) {
    this.#account = account;
  }

  take(count: number): boolean {
    if (!this.#isOpen || !this.#account.hasRoomFor(count)) return false;
    this.#own += count;
    this.#account.change(count);
    return true;
  }

  release(): void {
    if (this.#isOpen && this.#own > 0) this.#account.change(-this.#own);
    this.#isOpen = false;
  }
}
