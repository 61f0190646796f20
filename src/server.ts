// The only file that chooses implementations and wires the parts. Read it to see what Cairn is made of.
// Order matters twice: what acknowledges starts after what stores, and stops before it.
import { join } from "node:path";
import type { Services } from "./aws/contract.ts";
import { openServices } from "./aws/services.ts";
import type { BucketAdministration, BucketStore } from "./bucket/contract.ts";
import { openDirectoryBuckets } from "./bucket/directory.ts";
import { createBucketDoor } from "./bucket/s3-door.ts";
import type { Configuration } from "./config.ts";
import { createDelivery, type Delivery } from "./delivery/delivery.ts";
import { openDigestKeys, type DigestKeys } from "./delivery/digest-keys.ts";
import type { Disk } from "./disk/contract.ts";
import { lockDirectory } from "./disk/directory-lock.ts";
import { nodeDisk } from "./disk/node-disk.ts";
import { identitiesOf } from "./door/identities.ts";
import { createDoor } from "./door/listener.ts";
import { createMetrics } from "./door/metrics.ts";
import { createOperations } from "./door/operations.ts";
import type { DoorConfiguration, Health, SigningIdentity, TrailReport } from "./door/ports.ts";
import { createCallRecorder } from "./intake/call-recorder.ts";
import { createEventIntake } from "./intake/event-intake.ts";
import { frameBytesMax, type Journal } from "./journal/contract.ts";
import { openSegmentJournal } from "./journal/segment-journal.ts";
import type { Log, Metrics } from "./model/environment.ts";
import { partitionOf, type Region } from "./model/regions.ts";
import { eventBusDestination } from "./selector/match-set.ts";
import { openLmdbState } from "./state/lmdb-state.ts";
import type { TrailConfiguration } from "./trail/ports.ts";
import { createTrailOperations } from "./trail/trail-operations.ts";
import { openTrailRegistry, type TrailRegistry } from "./trail/trail-registry.ts";
import { makeRsaKey, realClock, realRandom } from "./world.ts";

export interface RunningServer {
  /** `http://127.0.0.1:4577` */
  readonly url: string;
  /** Takes over what a reload may change (config-settings.ts says which). */
  reload(configuration: Configuration): void;
  /** Stops accepting, syncs, and leaves what is not yet delivered to the next start. */
  stop(): Promise<void>;
}

// Requests under way get this long to finish: a DeleteTrail waits 5 s for its last files, and its record comes after.
// With delivery's own time (stopMsMax in delivery/limits.ts) the whole stop stays under the promised 10 s.
const doorGraceMs = 5_500;
const deletedGraceMs = 3_600_000;

/** Opens everything below `dataDir` and listens. Throws with a sentence for the operator when something does not open. */
export async function startServer(configuration: Configuration, log: Log): Promise<RunningServer> {
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of opened.toReversed()) await close();
  };
  try {
    return await open(configuration, { log, closing: (close) => opened.push(close), closeAll });
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Surroundings {
  readonly log: Log;
  readonly closing: (close: () => Promise<void>) => void;
  readonly closeAll: () => Promise<void>;
}

async function open(first: Configuration, { log, closing, closeAll }: Surroundings): Promise<RunningServer> {
  let current = configured(first);
  const startedMs = realClock.nowMs();
  const { metrics, text: metricsText } = createMetrics();
  const disk = nodeDisk();
  const world = { clock: realClock, random: realRandom, log, metrics };

  await disk.makeDirectory(first.dataDir);
  const lock = await lockDirectory(first.dataDir);
  closing(() => lock.release());
  const state = await openLmdbState({ directory: join(first.dataDir, "state"), clock: realClock });
  closing(() => state.close());
  const journal = await openJournal(first, { disk, ...world });
  closing(() => journal.close());

  const { bucket, directory, close } = await openBuckets(first);
  closing(close);
  const registry = await openTrailRegistry({ state, ...world, configuration: () => current.trails });
  const keys = await openKeys(first, { disk, log });
  const services = openEndpoints(first);
  closing(async () => services.close());
  const delivery = createDelivery(
    { journal, bucket, state, disk, services, places: registry, signer: keys, ...world },
    deliveryOptions(first),
  );
  await delivery.start();
  closing(() => delivery.stop());

  const intake = {
    ...{ journal, ...world },
    index: () => registry.index(),
    isLive: (incarnation: string) => registry.isLive(incarnation),
    regions: () => current.regions,
  };
  const trails = createTrailOperations(registry, {
    ...{ state, bucket, services, delivery, keys, ...world },
    configuration: () => current.trails,
  });
  const door = createDoor({
    ...world,
    configuration: () => current.door,
    identity: (accessKeyId) => current.identities.get(accessKeyId),
    operations: createOperations(trails),
    calls: createCallRecorder(intake),
    events: createEventIntake(intake),
    ...(directory && { bucketDoor: createBucketDoor(directory, { log }) }),
    health: () => healthOf(first, journal, delivery),
    status: () => ({
      ...{ startedMs, nowMs: realClock.nowMs(), health: healthOf(first, journal, delivery) },
      journal: journal.usage(),
      trails: trailReports(registry, delivery, current.trails.eventBus !== "off"),
    }),
    metricsText: () => {
      gaugeWaiting(metrics, journal, delivery);
      return metricsText();
    },
  });
  const { url } = await door.listen();
  closing(() => door.close(doorGraceMs));
  return {
    url,
    reload(next) {
      current = configured(next);
      registry.reconfigure();
      door.reload();
    },
    stop: closeAll,
  };
}

/** What a scrape of the metrics reads at that moment, rather than counting along. */
function gaugeWaiting(metrics: Metrics, journal: Journal, delivery: Delivery): void {
  const waiting = delivery.waiting();
  metrics.gauge("journal_bytes", journal.usage().bytes);
  metrics.gauge("outbox_bytes", waiting.outboxBytes);
  metrics.gauge("outbox_files", waiting.outboxFiles);
  metrics.gauge("plans_waiting", waiting.journalFiles + waiting.outboxFiles);
  metrics.gauge("delivery_lanes_failing", waiting.lanesFailing);
  metrics.gauge("delivery_memory_bytes", waiting.memoryBytes);
}

function openJournal(
  configuration: Configuration,
  parts: { readonly disk: Disk } & Pick<
    Parameters<typeof openSegmentJournal>[0],
    "clock" | "log" | "metrics"
  >,
): Promise<Journal> {
  return openSegmentJournal({
    ...parts,
    directory: join(configuration.dataDir, "journal"),
    bytesMax: configuration.journalBytesMax,
    ownCallReserveBytes: configuration.journalReserveBytes,
  });
}

function openKeys(
  configuration: Configuration,
  parts: { readonly disk: Disk; readonly log: Log },
): Promise<DigestKeys> {
  return openDigestKeys({
    ...parts,
    ...{ clock: realClock, newKey: makeRsaKey },
    directory: join(configuration.dataDir, "digest-keys"),
    rotationMs: configuration.digestKeyRotationMs,
    validityMs: configuration.digestKeyValidityMs,
  });
}

function openEndpoints(configuration: Configuration): Services {
  const { snsEndpoint, logsEndpoint, eventsEndpoint, kmsEndpoint, stsEndpoint } = configuration;
  const endpoints = {
    ...(snsEndpoint && { sns: snsEndpoint }),
    ...(logsEndpoint && { logs: logsEndpoint }),
    ...(eventsEndpoint && { events: eventsEndpoint }),
    ...(kmsEndpoint && { kms: kmsEndpoint }),
    ...(stsEndpoint && { sts: stsEndpoint }),
  };
  return openServices({ ...endpoints, eventBusName: configuration.eventBusName }, realClock);
}

interface Buckets {
  readonly bucket: BucketStore;
  /** Present without an S3 endpoint: the buckets are folders here and the bucket door serves them. */
  readonly directory?: BucketStore & BucketAdministration;
  readonly close: () => Promise<void>;
}

async function openBuckets(configuration: Configuration): Promise<Buckets> {
  const { s3Endpoint, s3Region, s3PathStyle, dataDir } = configuration;
  if (s3Endpoint === undefined) {
    const directory = openDirectoryBuckets({ root: join(dataDir, "buckets"), clock: realClock });
    return { bucket: directory, directory, close: async () => {} };
  }
  // The S3 client is large and slow to load; only those who use it pay for it.
  const { openS3Buckets } = await import("./bucket/s3.ts");
  const bucket = await openS3Buckets({ endpoint: s3Endpoint, region: s3Region, forcePathStyle: s3PathStyle });
  return { bucket, close: async () => bucket.close() };
}

function deliveryOptions(configuration: Configuration): Parameters<typeof createDelivery>[1] {
  const { deliveryIntervalMs, logFileBytesMax, retentionMs, outboxBytesMax, putTimeoutMs, dataDir } =
    configuration;
  return {
    digestIntervalMs: configuration.digestIntervalMs,
    compressionLevel: configuration.compressionLevel,
    ...{ deliveryIntervalMs, logFileBytesMax, retentionMs, outboxBytesMax, putTimeoutMs, deletedGraceMs },
    outboxDirectory: join(dataDir, "outbox"),
  };
}

/** What the parts see of the configuration; replaced as a whole by a reload. */
interface Configured {
  readonly door: DoorConfiguration;
  readonly trails: TrailConfiguration;
  readonly regions: ReadonlySet<Region>;
  readonly identities: ReadonlyMap<string, SigningIdentity>;
}

function configured(configuration: Configuration): Configured {
  const { regions, organization, quotas, accounts } = configuration;
  return {
    door: doorConfiguration(configuration),
    trails: {
      ...{ regions, quotas },
      bucketPolicyCheck: configuration.bucketPolicy,
      eventBus:
        configuration.eventBus === "off" || !configuration.eventsEndpoint ? "off" : configuration.eventBus,
      extraResourceTypes: configuration.extraResourceTypes,
      ...(organization && { organization }),
    },
    regions: new Set(regions),
    identities: identitiesOf(accounts, partitionOf(configuration.defaultRegion)),
  };
}

function doorConfiguration(configuration: Configuration): DoorConfiguration {
  const { auth, regions, defaultRegion, hosts, host, port, tls, metricsToken, organization } = configuration;
  return {
    ...{ auth, regions, defaultRegion, hosts, host, port },
    defaultAccount: configuration.accountId,
    clockSkewMsMax: configuration.clockSkewMs,
    limits: {
      callBodyBytesMax: configuration.callBodyBytesMax,
      eventsBodyBytesMax: configuration.bodyBytesMax,
      bytesInFlightMax: configuration.bytesInFlightMax,
      headerBytesMax: configuration.headerBytesMax,
      connectionsMax: configuration.connectionsMax,
      headersTimeoutMs: configuration.headersTimeoutMs,
      requestTimeoutMs: configuration.requestTimeoutMs,
      keepAliveTimeoutMs: configuration.keepAliveTimeoutMs,
    },
    ...(tls && { tls }),
    ...(metricsToken !== undefined && { metricsToken }),
    ...(organization && { organization }),
  };
}

/** One by one: there may be thousands. */
function* trailReports(
  registry: TrailRegistry,
  delivery: Delivery,
  hasEventBus: boolean,
): Generator<TrailReport, void> {
  for (const { arn, logging, incarnation } of registry.live()) {
    const destinations = delivery.report(incarnation);
    yield { arn, isLogging: logging.isLogging, isDeleted: false, destinations };
  }
  for (const incarnation of registry.deleted()) {
    const arn = registry.place(incarnation)?.trailArn ?? incarnation;
    yield { arn, isLogging: false, isDeleted: true, destinations: delivery.report(incarnation) };
  }
  const { incarnation } = eventBusDestination;
  if (!hasEventBus) return;
  yield {
    arn: incarnation,
    isLogging: true,
    isDeleted: false,
    destinations: delivery.report(incarnation),
  };
}

function healthOf(configuration: Configuration, journal: Journal, delivery: Delivery): Health {
  const { bytes, bytesMax } = journal.usage();
  // Ready is who takes events: one more frame must fit before the room that is kept for own calls.
  const journalOk = bytes + frameBytesMax <= bytesMax - configuration.journalReserveBytes;
  const parts = {
    journal: { ok: journalOk, ...(!journalOk && { detail: "The journal is full: deliveries are behind." }) },
    delivery: delivery.health(),
  };
  return { ready: Object.values(parts).every(({ ok }) => ok), parts };
}
