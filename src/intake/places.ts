// Where the records of a batch belong, and whether their caller may put them there: asked per record, answered once per
// account and Region. Pure.
import { type AccountId, parseAccountId } from "../model/arn.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import type { EventPlace } from "../selector/scope.ts";

/** Codes are those PutAuditEvents uses for its entries (api.md §1.8), plus AccessDenied and InvalidRegion. */
export interface Refusal {
  readonly code:
    | "InvalidData"
    | "FieldTooLong"
    | "FieldNotFound"
    | "InvalidRegion"
    | "InvalidRecipient"
    | "AccessDenied"
    | "Throttling";
  readonly message: string;
}

export interface PlaceRules {
  readonly regions: ReadonlySet<Region>;
  readonly mayPut: (account: AccountId) => boolean;
}

/** A caller may invent accounts: at this many the answers, or the places, are forgotten. */
const placesMax = 10_000;

/** Equal places are one object, whatever batch they are in: the selector index may go by identity. */
export class KnownPlaces {
  readonly #places = new ByPlace<EventPlace>();

  of(region: Region, account: AccountId): EventPlace {
    return this.#places.get(region, account) ?? this.#places.set(region, account, { account, region });
  }
}

/** Of one batch: at the next, Regions and permissions may be others. */
export class Places {
  readonly #rules: PlaceRules;
  readonly #known: KnownPlaces;
  readonly #answers = new ByPlace<EventPlace | Refusal>();

  constructor(rules: PlaceRules, known: KnownPlaces) {
    this.#rules = rules;
    this.#known = known;
  }

  /** Takes awsRegion and recipientAccountId as the record has them. */
  of(region: string, account: string): EventPlace | Refusal {
    return (
      this.#answers.get(region, account) ?? this.#answers.set(region, account, this.#decide(region, account))
    );
  }

  #decide(regionText: string, accountText: string): EventPlace | Refusal {
    const region = parseRegion(regionText);
    if (region === undefined || !this.#rules.regions.has(region)) {
      const value = JSON.stringify(regionText);
      return {
        code: "InvalidRegion",
        message: `The member awsRegion is ${value}, which is not a configured Region.`,
      };
    }
    const account = parseAccountId(accountText);
    if (account === undefined) {
      return {
        code: "InvalidRecipient",
        message: "The member recipientAccountId is not a 12-digit account id.",
      };
    }
    if (!this.#rules.mayPut(account)) {
      return {
        code: "AccessDenied",
        message: `The caller is not allowed to put events of account ${account} (cairn:PutEvents).`,
      };
    }
    return this.#known.of(region, account);
  }
}

/** One value per Region and account; the last one asked for is at hand, for records of one place come together. */
class ByPlace<Value> {
  #regions = new Map<string, Map<string, Value>>();
  #size = 0;
  #lastRegion: string | undefined;
  #lastAccount: string | undefined;
  #lastValue: Value | undefined;

  get(region: string, account: string): Value | undefined {
    if (region === this.#lastRegion && account === this.#lastAccount) return this.#lastValue;
    const value = this.#regions.get(region)?.get(account);
    if (value !== undefined) this.#remember(region, account, value);
    return value;
  }

  set(region: string, account: string, value: Value): Value {
    if (this.#size >= placesMax) {
      this.#regions = new Map();
      this.#size = 0;
    }
    let accounts = this.#regions.get(region);
    if (!accounts) {
      accounts = new Map();
      this.#regions.set(region, accounts);
    }
    accounts.set(account, value);
    this.#size += 1;
    this.#remember(region, account, value);
    return value;
  }

  #remember(region: string, account: string, value: Value): void {
    this.#lastRegion = region;
    this.#lastAccount = account;
    this.#lastValue = value;
  }
}
