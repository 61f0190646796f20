// Intake over a real journal on the simulated disk, with one logging trail and fixed randomness.
import { SimulatedDisk } from "../../test/sim/simulated-disk.ts";
import type { Journal, StoredFrame } from "../journal/contract.ts";
import { openSegmentJournal } from "../journal/segment-journal.ts";
import { type AccountId, parseAccountId } from "../model/arn.ts";
import type { Caller } from "../model/call.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import type { TrailScope } from "../selector/match-set.ts";
import { buildSelectorIndex, type IndexOptions } from "../selector/selector-index.ts";
import { defaultSelectors } from "../selector/selectors.ts";
import type { IntakePorts } from "./ports.ts";

export const account = accountOf("123456789012");
export const region = regionOf("us-east-1");

export function accountOf(text: string): AccountId {
  const id = parseAccountId(text);
  if (!id) throw new Error(`${text} is no account.`);
  return id;
}

export function regionOf(text: string): Region {
  const parsed = parseRegion(text);
  if (!parsed) throw new Error(`${text} is no Region.`);
  return parsed;
}

export const caller: Caller = {
  accountId: account,
  kind: "user",
  arn: "arn:aws:iam::123456789012:user/mary",
  principalId: "AIDAEXAMPLE",
  userName: "mary",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
};

/** A trail that logs all management events of the account in us-east-1. */
export function trail(incarnation: string): TrailScope {
  return {
    destination: { kind: "trail", incarnation },
    account,
    homeRegion: region,
    isMultiRegion: false,
    includeGlobalServiceEvents: true,
    isOrganization: false,
    selectors: defaultSelectors,
    insightTypes: [],
  };
}

export interface IntakeWorld {
  readonly ports: IntakePorts;
  readonly journal: Journal;
  /** Trails that log from now on; the others of `live` exist without logging. */
  setTrails(logging: readonly string[], live?: readonly string[]): void;
  frames(): Promise<readonly StoredFrame[]>;
}

interface WorldOptions {
  /** Bounds the journal, of which 8 KB are the reserve for own calls. */
  readonly bytesMax?: number;
  readonly eventBus?: NonNullable<IndexOptions["eventBus"]>;
}

export async function intakeWorld(options: WorldOptions = {}): Promise<IntakeWorld> {
  const { bytesMax = 1_000_000, eventBus = "off" } = options;
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const metrics = { count() {}, gauge() {}, observe() {} };
  const clock = { nowMs: () => 1_768_036_721_500, monotonicMs: () => 0, sleep: () => Promise.resolve() };
  const journal = await openSegmentJournal({
    ...{ disk: new SimulatedDisk(), directory: "/journal", clock, log, metrics, bytesMax },
    ownCallReserveBytes: 600_000,
  });
  let drawn = 0;
  let version = 1;
  const indexOf = (scopes: readonly TrailScope[]) =>
    buildSelectorIndex(scopes, { version, organizationMembers: new Set(), eventBus });
  let index = indexOf([]);
  let live: readonly string[] = [];
  const ports: IntakePorts = {
    ...{ journal, clock, log, metrics },
    index: () => index,
    isLive: (incarnation) => live.includes(incarnation),
    regions: () => new Set([region, regionOf("eu-west-1")]),
    random: {
      uuid: () => `00000000-0000-4000-8000-${String(++drawn).padStart(12, "0")}`,
      alphanumeric: (length) => "a".repeat(length),
      fraction: () => 0.5,
    },
  };
  return {
    ports,
    journal,
    setTrails(logging, others = []) {
      version += 1;
      index = indexOf(logging.map(trail));
      live = [...logging, ...others];
    },
    async frames() {
      const start = journal.start(journal.partitions[0] ?? "0");
      return (await journal.read(start, { bytesMax: 1e9 })).frames;
    },
  };
}
