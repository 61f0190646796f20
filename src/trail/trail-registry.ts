// All trails, in memory and in the state store, and the selector index made of them. The only writer of both.
// After every change a new index is current before the change is answered, so that what is decided next is decided
// by it. Must not: know the rules of the operations.
import type { DeliveryPlace } from "../bucket/place.ts";
import { type AccountId, type TrailArn, trailArn, type TrailIdentity } from "../model/arn.ts";
import { assert } from "../model/assert.ts";
import { apiError } from "../model/errors.ts";
import type { TrailScope } from "../selector/match-set.ts";
import { buildSelectorIndex, type IndexOptions, type SelectorIndex } from "../selector/selector-index.ts";
import type { StateStore } from "../state/contract.ts";
import { openAccountQueues, type QueueLimits } from "./account-queues.ts";
import { snsTopicArn } from "./destination-settings.ts";
import type { TrailPorts } from "./ports.ts";
import {
  decodeDeletedPlace,
  decodeTrail,
  deletedTrailKey,
  deletedTrailKeyPrefix,
  type DeletedPlace,
  encodeDeletedPlace,
  encodeTrail,
  trailKey,
  trailKeyPrefix,
} from "./stored-trail.ts";
import { scopeOfTrail } from "./trail-scope.ts";
import type { Trail } from "./trail.ts";
import { endedPeriod, isValidating, withValidation } from "./validation-period.ts";

const queueLimits: QueueLimits = { queuedMax: 256, waitMsMax: 30_000 };

/** A trail before the registry has given it its identity. */
export type NewTrail = Omit<Trail, "incarnation" | "createdMs" | "validation">;

/**
 * The changes, given only to work that has the account to itself, or the trail that it changes. All throw
 * ConflictException when the stored document is not what the registry knew.
 */
interface TrailWriter {
  /** Needs the account to itself: names and quotas are those of all its trails. */
  create(draft: NewTrail): Promise<Trail>;
  /** `next` must keep identity and incarnation of `current`; its validation period is the registry's business. */
  replace(current: Trail, next: Trail): Promise<void>;
  /** Nothing is decided for the trail any more when this resolves; its place is kept until `forget`. */
  remove(current: Trail): Promise<void>;
}

export interface TrailRegistry {
  /** The current index of the trails that log; replaced as a whole. */
  index(): SelectorIndex;
  /** Where the files of a trail go, live or deleted. */
  place(incarnation: string): DeliveryPlace | undefined;
  /** Whether the trail exists and is not deleted. */
  isLive(incarnation: string): boolean;
  /** Incarnations of the deleted trails whose place is still kept. */
  deleted(): readonly string[];
  /** Every place, of deleted trails too, that has a validation period. */
  validated(): Iterable<DeliveryPlace>;
  /** All live trails, in creation order. */
  live(): readonly Trail[];
  /** Forgets the place of a deleted trail; no effect on a live one. */
  forget(incarnation: string): Promise<void>;
  /** The live trail of that owner, home Region and name. */
  find(identity: TrailIdentity): Trail | undefined;
  /** The live trails an account owns, in creation order. */
  ofOwner(owner: AccountId): readonly Trail[];
  /** Runs `work` when it has the account's trails to itself; ConflictException for `arn` when that takes too long. */
  serialised<T>(owner: AccountId, arn: TrailArn, work: (writer: TrailWriter) => Promise<T>): Promise<T>;
  /** Runs `work` when it has the trail to itself; it must look at no other trail, which may change meanwhile. */
  serialisedByTrail<T>(
    owner: AccountId,
    arn: TrailArn,
    work: (writer: TrailWriter) => Promise<T>,
  ): Promise<T>;
  /** Builds the index anew: organization members or Regions may have changed. */
  reconfigure(): void;
}

export type RegistryPorts = Pick<TrailPorts, "state" | "configuration" | "clock" | "random" | "log">;

interface Held {
  readonly trail: Trail;
  /** Of its document. */
  readonly version: number;
}

/** Loads all trails; throws an Error that names the document when one is damaged. */
export async function openTrailRegistry(ports: RegistryPorts): Promise<TrailRegistry> {
  const trails = await loadTrails(ports);
  const deleted = await loadDeletedPlaces(ports.state, trails);
  ports.log.info({ trails: trails.all().length, deleted: deleted.size }, "The trails are loaded.");
  const queues = openAccountQueues(queueLimits, ports.clock);
  let version = 1;
  let index = buildIndex(ports, trails, { version });
  const rebuild = () => {
    index = buildIndex(ports, trails, { version: ++version, replaces: index });
  };
  const writer = openWriter(ports, { trails, deleted, rebuild });

  return {
    index: () => index,
    place(incarnation) {
      const live = trails.byIncarnation(incarnation);
      return live ? placeOf(live.trail) : deleted.get(incarnation);
    },
    isLive: (incarnation) => trails.byIncarnation(incarnation) !== undefined,
    deleted: () => [...deleted.keys()],
    *validated() {
      for (const trail of trails.all()) if (trail.validation) yield placeOf(trail);
      for (const place of deleted.values()) if (place.validation) yield place;
    },
    live: () => trails.all(),
    async forget(incarnation) {
      if (!deleted.has(incarnation)) return;
      await ports.state.delete(deletedTrailKey(incarnation), "any");
      deleted.delete(incarnation);
    },
    find: (identity) => trails.byIdentity(identity)?.trail,
    ofOwner: (owner) => trails.ofOwner(owner),
    serialised: (owner, arn, work) => queues.run(owner, arn, () => work(writer)),
    serialisedByTrail: (owner, arn, work) => queues.runForTrail(owner, arn, () => work(writer)),
    reconfigure: rebuild,
  };
}

/** The place where a live trail's objects go. */
function placeOf(trail: Trail): DeliveryPlace {
  const { keyPrefix, kmsKeyArn, snsTopicName, logGroupArn, roleArn } = trail.settings;
  return {
    incarnation: trail.incarnation,
    trailArn: trail.arn,
    owner: trail.owner,
    bucket: trail.settings.bucket,
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(trail.organizationId !== undefined && { organizationId: trail.organizationId }),
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
    ...(snsTopicName !== undefined && { topicArn: snsTopicArn(snsTopicName, trail) }),
    ...(logGroupArn !== undefined && { logGroupArn }),
    ...(roleArn !== undefined && { roleArn }),
    ...(trail.validation && { validation: trail.validation }),
  };
}

/** The place that is kept of a trail deleted now: its validation ends with it. */
function deletedPlaceOf(trail: Trail, nowMs: number): DeletedPlace {
  const validation = endedPeriod(trail.validation, nowMs);
  return { ...placeOf(trail), ...(validation && { validation }), deletedMs: nowMs };
}

interface WriterParts {
  readonly trails: TrailTable;
  readonly deleted: Map<string, DeletedPlace>;
  readonly rebuild: () => void;
}

function openWriter(ports: RegistryPorts, { trails, deleted, rebuild }: WriterParts): TrailWriter {
  const { state, clock, random } = ports;
  /** Somebody else wrote the document, or an earlier write did come through: takes what is stored. */
  const conflictOver = async (trail: Trail): Promise<Error> => {
    const { incarnation } = trail;
    const stored = await state.get(trailKey(identityOf(trail)));
    const now = stored && { trail: decodeTrail(stored), version: stored.version };
    const tombstone = await state.get(deletedTrailKey(incarnation));
    const isAlive = now?.trail.incarnation === incarnation;
    if (tombstone && isAlive) await state.delete(tombstone.key, tombstone.version);
    if (tombstone && !isAlive) deleted.set(incarnation, decodeDeletedPlace(tombstone));
    if (now) trails.hold(now);
    else trails.drop(identityOf(trail));
    rebuild();
    return apiError("ConflictException", { arn: trail.arn });
  };
  return {
    async create(draft) {
      // Creation times are all different, also within a millisecond: the order of trails is the order of creation.
      const createdMs = Math.max(clock.nowMs(), trails.lastCreatedMs() + 1);
      const made = { ...draft, incarnation: random.uuid(), createdMs };
      const trail: Trail = withValidation(made, undefined, clock.nowMs());
      trails.claim(createdMs);
      const outcome = await state.put(trailKey(identityOf(trail)), encodeTrail(trail), "absent");
      if (outcome.kind === "conflict") throw await conflictOver(trail);
      trails.hold({ trail, version: outcome.version });
      rebuild();
      return trail;
    },
    async replace(current, next) {
      assert(
        next.incarnation === current.incarnation && next.arn === current.arn,
        "a trail keeps its identity",
      );
      const trail: Trail = withValidation(next, current.validation, clock.nowMs());
      const version = trails.versionOf(current);
      const outcome = await state.put(trailKey(identityOf(trail)), encodeTrail(trail), version);
      if (outcome.kind === "conflict") throw await conflictOver(trail);
      trails.hold({ trail, version: outcome.version });
      rebuild();
    },
    async remove(current) {
      const { incarnation } = current;
      const place = deletedPlaceOf(current, clock.nowMs());
      // The tombstone first: a crash between the two leaves a live trail, whose tombstone the next start removes.
      await state.put(deletedTrailKey(incarnation), encodeDeletedPlace(place), "any");
      const outcome = await state.delete(trailKey(identityOf(current)), trails.versionOf(current));
      if (outcome.kind === "conflict") throw await conflictOver(current);
      deleted.set(incarnation, place);
      trails.drop(identityOf(current));
      rebuild();
    },
  };
}

function buildIndex(
  ports: RegistryPorts,
  trails: TrailTable,
  build: Pick<IndexOptions, "version" | "replaces">,
): SelectorIndex {
  const configuration = ports.configuration();
  const scopes = trails
    .all()
    .flatMap((trail): TrailScope[] => (trail.logging.isLogging ? [scopeOfTrail(trail, configuration)] : []));
  const organizationMembers = new Set(configuration.organization?.members);
  const { eventBus } = configuration;
  return buildSelectorIndex(scopes, { ...build, organizationMembers, ...(eventBus && { eventBus }) });
}

/** The trails in memory, by owner and by incarnation, each in creation order. */
class TrailTable {
  readonly #byOwner = new Map<AccountId, Map<TrailArn, Held>>();
  readonly #byIncarnation = new Map<string, Held>();
  #lastCreatedMs = 0;

  byIncarnation(incarnation: string): Held | undefined {
    return this.#byIncarnation.get(incarnation);
  }

  byIdentity(identity: TrailIdentity): Held | undefined {
    return this.#byOwner.get(identity.account)?.get(trailArn(identity));
  }

  ofOwner(owner: AccountId): Trail[] {
    return [...(this.#byOwner.get(owner)?.values() ?? [])].map((held) => held.trail);
  }

  all(): Trail[] {
    return [...this.#byIncarnation.values()].map((held) => held.trail);
  }

  /** The version of a trail the caller has just found: that it is still this one is the caller's promise. */
  versionOf(trail: Trail): number {
    const held = this.#byIncarnation.get(trail.incarnation);
    assert(held?.trail === trail, "a change begins from the current state of its trail");
    return held.version;
  }

  lastCreatedMs(): number {
    return this.#lastCreatedMs;
  }

  claim(createdMs: number): void {
    this.#lastCreatedMs = Math.max(this.#lastCreatedMs, createdMs);
  }

  /** Adds or replaces; a replaced trail keeps its place in the order. */
  hold(held: Held): void {
    const { trail } = held;
    const previous = this.byIdentity(identityOf(trail));
    if (previous && previous.trail.incarnation !== trail.incarnation) this.drop(identityOf(trail));
    const ofOwner = this.#byOwner.get(trail.owner) ?? new Map<TrailArn, Held>();
    this.#byOwner.set(trail.owner, ofOwner.set(trail.arn, held));
    this.#byIncarnation.set(trail.incarnation, held);
    this.claim(trail.createdMs);
  }

  drop(identity: TrailIdentity): void {
    const held = this.byIdentity(identity);
    if (!held) return;
    this.#byIncarnation.delete(held.trail.incarnation);
    const ofOwner = this.#byOwner.get(identity.account);
    ofOwner?.delete(held.trail.arn);
    if (ofOwner?.size === 0) this.#byOwner.delete(identity.account);
  }
}

function identityOf(trail: Trail): TrailIdentity {
  return { account: trail.owner, homeRegion: trail.homeRegion, name: trail.name };
}

async function loadTrails({ state, clock }: RegistryPorts): Promise<TrailTable> {
  const stored = await state.list(trailKeyPrefix);
  const held = stored.map((value) => ({ trail: decodeTrail(value), version: value.version }));
  const table = new TrailTable();
  for (const one of held.sort((a, b) => a.trail.createdMs - b.trail.createdMs)) {
    table.hold(await withStoredPeriod(state, one, clock.nowMs()));
  }
  return table;
}

/**
 * A trail that validates but has no period was written before there were digests: its period begins now. It is stored,
 * because every start would name it anew otherwise.
 */
async function withStoredPeriod(state: StateStore, held: Held, nowMs: number): Promise<Held> {
  if (held.trail.validation || !isValidating(held.trail)) return held;
  const trail: Trail = withValidation(held.trail, undefined, nowMs);
  const outcome = await state.put(trailKey(identityOf(trail)), encodeTrail(trail), held.version);
  assert(outcome.kind !== "conflict", "nobody else writes trails while they are loaded");
  return { trail, version: outcome.version };
}

async function loadDeletedPlaces(state: StateStore, trails: TrailTable): Promise<Map<string, DeletedPlace>> {
  const places = new Map<string, DeletedPlace>();
  for (const stored of await state.list(deletedTrailKeyPrefix)) {
    const place = decodeDeletedPlace(stored);
    if (trails.byIncarnation(place.incarnation)) await state.delete(stored.key, stored.version);
    else places.set(place.incarnation, place);
  }
  return places;
}
