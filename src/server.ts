// The only file that chooses implementations and wires the parts. Read it to see what Cairn is made of.
// Order matters twice: what acknowledges starts after what stores, and stops before it.
import { join } from "node:path";
import type { Services } from "./aws/contract.ts";
import { openServices } from "./aws/services.ts";
import type { BucketStore } from "./bucket/contract.ts";
import { openDirectoryBuckets } from "./bucket/directory.ts";
import type { DirectoryStore } from "./bucket/object-contract.ts";
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
import { trustedProxiesOf } from "./door/source-address.ts";
import { createOperations } from "./door/operations.ts";
import type { DoorConfiguration, Health, SigningIdentity, TrailReport } from "./door/ports.ts";
import { type EventHistory, noHistory, openEventHistory } from "./history/open-history.ts";
import { createCallRecorder } from "./intake/call-recorder.ts";
import { createEventIntake } from "./intake/event-intake.ts";
import type { IntakePorts } from "./intake/ports.ts";
import { createRecordedCalls } from "./intake/recorded-calls.ts";
import { frameBytesMax, type Journal } from "./journal/contract.ts";
import { openSegmentJournal } from "./journal/segment-journal.ts";
import type { Log, Metrics } from "./model/environment.ts";
import { partitionOf, type Region } from "./model/regions.ts";
import { isoSeconds } from "./model/timestamp.ts";
import { createDeliveryMark, type DeliveryMark } from "./recorder/delivery-mark.ts";
import { type IdentityConfiguration, openIdentityBook } from "./recorder/identity-book.ts";
import { openInstallation } from "./recorder/installation.ts";
import { createMinioAudit, type MinioAudit } from "./recorder/minio-audit.ts";
import type { RecorderConfiguration, ServiceEndpoint } from "./recorder/ports.ts";
import { type CallBookConfiguration, createCallBook } from "./recorder/record-calls.ts";
import { type AnsweredCalls, createAnsweredCalls } from "./recorder/answered-calls.ts";
import { createRecorder, type Recorder } from "./recorder/recorder.ts";
import { bothUnrecorded } from "./recorder/unrecorded.ts";
import { createServiceBook } from "./recorder/service-book.ts";
import { eventBusDestination } from "./selector/match-set.ts";
import type { StateStore } from "./state/contract.ts";
import { openLmdbState } from "./state/lmdb-state.ts";
import { createTails } from "./tail/tails.ts";
import { createTrailExplainer } from "./trail/explain-events.ts";
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
  const world = { clock: realClock, random: realRandom, log, metrics };

  const { disk, state, journal } = await openStores(first, { ...world, closing });
  // Before delivery, which frees the journal.
  const historyParts = { journal, state, disk, closing, ...world };
  const history = await openHistory(first, historyParts, () => current.lookupsPerSecond);
  const mark = createDeliveryMark(realRandom.alphanumeric(43), realClock);
  const { bucket, directory, close } = await openBuckets(first, mark);
  closing(close);
  const registry = await openTrailRegistry({ state, ...world, configuration: () => current.trails });
  const keys = await openKeys(first, { disk, log });
  const services = openEndpoints(first, mark);
  closing(async () => services.close());
  const places = { journal, bucket, state, disk, services, places: registry, signer: keys };
  const delivery = createDelivery({ ...places, ...world }, deliveryOptions(first));
  await delivery.start();
  closing(() => delivery.stop());

  const intake = {
    ...{ journal, ...world },
    index: () => registry.index(),
    isLive: (incarnation: string) => registry.isLive(incarnation),
    regions: () => current.regions,
  };
  const passingParts = { configuration: first, state, intake, mark };
  const passing = await openPassingCalls(passingParts, { configured: () => current, closing });
  const trailPorts = {
    ...{ state, bucket, services, delivery, keys, ...world },
    configuration: () => current.trails,
  };
  const trails = createTrailOperations(registry, trailPorts);
  const health = () => healthOf(first, { journal, delivery, history, passing });
  const reports = () => trailReports(registry, delivery, current.trails.eventBus !== "off");
  const door = createDoor({
    ...world,
    configuration: () => current.door,
    identity: (accessKeyId) => current.identities.get(accessKeyId),
    operations: createOperations(trails, history.operations),
    calls: createCallRecorder(intake),
    events: createEventIntake(intake, { takesNotes: first.historyRetentionMs > 0 }),
    tails: createTails({ journal, ...world }),
    explainer: createTrailExplainer({ registry, ports: trailPorts }),
    ...(directory && { bucketDoor: createBucketDoor(directory, { log }), bucketCalls: passing.answered }),
    ...{ recorder: passing.recorder, minioAudit: passing.minioAudit },
    health,
    status: () => ({
      ...{ startedMs, nowMs: realClock.nowMs(), health: health() },
      journal: journal.usage(),
      trails: reports(),
    }),
    metricsText: () => {
      gaugeWaiting(metrics, journal, delivery);
      history.gauge();
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

async function openHistory(
  first: Configuration,
  { closing, ...parts }: Parameters<typeof openEventHistory>[0] & Pick<Surroundings, "closing">,
  lookupsPerSecond: () => number,
): ReturnType<typeof openEventHistory> {
  const retentionMs = first.historyRetentionMs;
  if (retentionMs === 0) return noHistory;
  const options = { directory: join(first.dataDir, "history"), retentionMs };
  const history = await openEventHistory(parts, { ...options, lookupsPerSecond });
  closing(() => history.stop());
  return history;
}

interface Stores {
  readonly disk: Disk;
  readonly state: StateStore;
  readonly journal: Journal;
}

/** The data directory, locked, and what acknowledges are kept in. */
async function openStores(
  first: Configuration,
  parts: Pick<Surroundings, "closing"> & Omit<Parameters<typeof openJournal>[1], "disk">,
): Promise<Stores> {
  const { closing, ...world } = parts;
  const disk = nodeDisk();
  await disk.makeDirectory(first.dataDir);
  const lock = await lockDirectory(first.dataDir);
  closing(() => lock.release());
  const state = await openLmdbState({ directory: join(first.dataDir, "state"), clock: realClock });
  closing(() => state.close());
  const journal = await openJournal(first, { disk, ...world });
  closing(() => journal.close());
  return { disk, state, journal };
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

function openEndpoints(configuration: Configuration, { appId }: DeliveryMark): Services {
  const { snsEndpoint, logsEndpoint, eventsEndpoint, kmsEndpoint, stsEndpoint } = configuration;
  const endpoints = {
    ...(snsEndpoint && { sns: { ...snsEndpoint, appId } }),
    ...(logsEndpoint && { logs: { ...logsEndpoint, appId } }),
    ...(eventsEndpoint && { events: { ...eventsEndpoint, appId } }),
    ...(kmsEndpoint && { kms: { ...kmsEndpoint, appId } }),
    ...(stsEndpoint && { sts: { ...stsEndpoint, appId } }),
  };
  return openServices({ ...endpoints, eventBusName: configuration.eventBusName }, realClock);
}

interface PassingCalls {
  readonly recorder: Recorder;
  /** The embedded buckets' calls. */
  readonly answered: AnsweredCalls;
  readonly minioAudit: MinioAudit;
}

interface PassingParts {
  readonly configuration: Configuration;
  readonly state: StateStore;
  readonly intake: IntakePorts;
  readonly mark: DeliveryMark;
}

/** The recorder and what makes its records. */
async function openPassingCalls(
  { configuration, state, intake, mark }: PassingParts,
  { configured, closing }: { readonly configured: () => Configured } & Pick<Surroundings, "closing">,
): Promise<PassingCalls> {
  const { clock, random, log, metrics } = intake;
  const identities = await openIdentityBook({
    ...{ state, clock, log },
    configuration: () => configured().identityBook,
  });
  closing(() => identities.settled());
  const recorded = createRecordedCalls(intake, {
    defaultAccount: () => configuration.accountId,
    ownCallReserveBytes: configuration.journalReserveBytes,
  });
  const calls = createCallBook({
    ...{ identities, random, log },
    intake: recorded,
    configuration: () => configured().callBook,
  });
  const services = createServiceBook();
  const recorder = createRecorder({
    ...{ services, calls, clock, log, metrics },
    configuration: () => configured().recorder,
    installationId: await openInstallation(state, random),
    isOwnDelivery: (headers) => mark.isOn(headers),
  });
  closing(() => recorder.close());
  const policy = () => configured().recorder.policy;
  const answered = createAnsweredCalls({ services, calls, policy, clock, log, metrics });
  closing(() => answered.settled());
  const minioAudit = createMinioAudit({
    ...{ services, calls, clock, random },
    place: () => ({ account: configuration.accountId, region: configuration.defaultRegion }),
    isOwnDelivery: (headers, sentMs) => mark.isOn(headers, sentMs),
  });
  return { recorder, answered, minioAudit };
}

interface Buckets {
  readonly bucket: BucketStore;
  /** Present without an S3 endpoint: the buckets are folders here and the bucket door serves them. */
  readonly directory?: DirectoryStore;
  readonly close: () => Promise<void>;
}

async function openBuckets(configuration: Configuration, { appId }: DeliveryMark): Promise<Buckets> {
  const { s3Endpoint, s3Region, s3PathStyle, dataDir } = configuration;
  if (s3Endpoint === undefined) {
    const shareBodies = configuration.sharedLogFiles === "on";
    const directory = openDirectoryBuckets({ root: join(dataDir, "buckets"), clock: realClock, shareBodies });
    return { bucket: directory, directory, close: async () => {} };
  }
  // The S3 client is large and slow to load; only those who use it pay for it.
  const { openS3Buckets } = await import("./bucket/s3.ts");
  const s3 = { endpoint: s3Endpoint, region: s3Region, forcePathStyle: s3PathStyle, appId };
  const bucket = await openS3Buckets(s3);
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
  readonly identityBook: IdentityConfiguration;
  readonly callBook: CallBookConfiguration;
  readonly recorder: RecorderConfiguration;
  /** Calls of LookupEvents per second, of an account in a Region; 0 for any number. */
  readonly lookupsPerSecond: number;
}

function configured(configuration: Configuration): Configured {
  const { regions, organization, quotas, accounts, vpcEndpoints, defaultRegion } = configuration;
  const identities = identitiesOf(accounts, partitionOf(defaultRegion));
  const known = new Set(accounts.map(({ id }) => id));
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
    identities,
    identityBook: {
      auth: configuration.auth,
      defaultAccount: configuration.accountId,
      callerOf: (accessKeyId) => identities.get(accessKeyId)?.caller,
      hasAccount: (account) => known.has(account),
    },
    callBook: {
      ...{ regions: new Set(regions), defaultRegion },
      vpcEndpointAccount: (wanted) => {
        const endpoint = vpcEndpoints.find(({ id }) => id === wanted);
        return endpoint && (endpoint.accountId ?? configuration.accountId);
      },
    },
    recorder: recorderConfiguration(configuration),
    lookupsPerSecond: configuration.lookupEventsRate ?? (configuration.auth === "off" ? 0 : 2),
  };
}

function recorderConfiguration(configuration: Configuration): RecorderConfiguration {
  const { s3Endpoint, snsEndpoint, logsEndpoint, eventsEndpoint, kmsEndpoint, stsEndpoint } = configuration;
  const own = Object.entries({
    s3: s3Endpoint === undefined ? undefined : ({ kind: "url", url: s3Endpoint } as const),
    ...{ sns: snsEndpoint, logs: logsEndpoint, events: eventsEndpoint, kms: kmsEndpoint, sts: stsEndpoint },
  });
  const others = configuration.endpoints.map(({ service, endpoint }) => [service, endpoint] as const);
  const endpoints = [...own, ...others].flatMap(([service, target]): [string, ServiceEndpoint][] => {
    const resign = configuration.resigns.get(service);
    // What goes to AWS itself needs a signature made for it.
    if (!target || (target.kind === "aws" && !resign)) return [];
    return [[service, { target, ...(resign && { resign }) }]];
  });
  return {
    policy: configuration.recorderPolicy,
    endpoints: new Map(endpoints),
    upstreamTimeoutMs: configuration.upstreamTimeoutMs,
    clientTimeoutMs: configuration.requestTimeoutMs,
    resignedBodyBytesMax: configuration.bodyBytesMax,
    // Buckets that lie here have a door of their own.
    withEmbeddedBuckets: s3Endpoint === undefined,
  };
}

function doorConfiguration(configuration: Configuration): DoorConfiguration {
  const { auth, regions, defaultRegion, hosts, host, port, tls, metricsToken, organization } = configuration;
  const { auditWebhookToken, trustedProxies, vpcEndpoints } = configuration;
  return {
    ...{ auth, regions, defaultRegion, hosts, host, port, s3Domains: configuration.s3Domains },
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
    ...(auditWebhookToken !== undefined && { auditWebhookToken }),
    ...{ trustedProxies: trustedProxiesOf(trustedProxies), vpcEndpoints },
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

interface HealthParts {
  readonly journal: Journal;
  readonly delivery: Delivery;
  readonly history: EventHistory;
  readonly passing: Pick<PassingCalls, "recorder" | "answered">;
}

function healthOf(
  configuration: Configuration,
  { journal, delivery, history, passing }: HealthParts,
): Health {
  const { recorder, answered } = passing;
  const { count, latestMs } = bothUnrecorded(recorder.unrecorded(), answered.unrecorded());
  const { bytes, bytesMax } = journal.usage();
  // Ready is who takes events: one more frame must fit before the room that is kept for own calls.
  const journalOk = bytes + frameBytesMax <= bytesMax - configuration.journalReserveBytes;
  const parts = {
    journal: { ok: journalOk, ...(!journalOk && { detail: "The journal is full: deliveries are behind." }) },
    delivery: delivery.health(),
    history: history.health(),
    // Something to look at, but no reason to send callers elsewhere.
    recorder: {
      ok: true,
      ...(latestMs !== undefined && {
        detail: `${count} calls passed without a record, the last one at ${isoSeconds(latestMs)}.`,
      }),
    },
  };
  return { ready: Object.values(parts).every(({ ok }) => ok), parts };
}
