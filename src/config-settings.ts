// The one table of settings: names, forms, defaults, and what a reload may change. The reference page, the help
// text, the flags, the environment variables and the YAML keys all come from it.
// File-only settings (accounts, organization) stand in config-schema.ts.
import { endpointList } from "./config-endpoint-values.ts";
import type { Setting } from "./config-setting.ts";
import { networks, vpcEndpoints } from "./config-network-values.ts";
import {
  accountId,
  choice,
  duration,
  durationOrOff,
  endpointUrl,
  host,
  hostNames,
  integer,
  path,
  regions,
  resourceTypes,
  secret,
  serviceEndpoint,
  size,
  text,
  trueOrFalse,
  type ValueKind,
  wholeSeconds,
} from "./config-values.ts";

/** Settings without a default may be absent from the configuration. */
interface SettingWithDefault<Value> extends Setting<Value> {
  readonly fallback: string;
}

/** Member of the configuration → its setting. */
export const settings = {
  config: {
    name: "config",
    kind: path("the YAML file"),
    example: "cairn.yaml",
    reload: "restart",
    about: "The configuration file. Only as flag or environment variable.",
  },
  port: {
    name: "port",
    kind: integer({ min: 0, max: 65_535 }),
    fallback: "4577",
    example: "5000",
    reload: "restart",
    about: "TCP port to listen on; 0 takes a free one.",
  },
  host: {
    name: "host",
    kind: host,
    fallback: "127.0.0.1",
    example: "0.0.0.0",
    reload: "restart",
    about: "Address to listen on. With auth off it must be a loopback address.",
  },
  dataDir: {
    name: "dataDir",
    kind: path("a folder"),
    fallback: "./data",
    example: "/var/lib/cairn",
    reload: "restart",
    about: "Where journal, state and the embedded buckets live. One process at a time.",
  },
  deliveryIntervalMs: {
    name: "deliveryInterval",
    kind: duration("100ms", "1h"),
    fallback: "60s",
    example: "5s",
    reload: "restart",
    about: "How often each trail's log files are cut.",
  },
  digestIntervalMs: {
    name: "digestInterval",
    kind: wholeSeconds("1s", "24h"),
    fallback: "1h",
    example: "5s",
    reload: "restart",
    about: "How long the window of one digest file is, for trails with log file validation.",
  },
  digestKeyRotationMs: {
    name: "digestKeyRotation",
    kind: wholeSeconds("1s", "3650d"),
    fallback: "20d",
    example: "10d",
    reload: "restart",
    about: "How long a Region's key signs digest files before a new one is made.",
  },
  digestKeyValidityMs: {
    name: "digestKeyValidity",
    kind: wholeSeconds("2s", "3650d"),
    fallback: "30d",
    example: "60d",
    reload: "restart",
    about: "How long a digest key is valid; longer than `digestKeyRotation`, so that two keys overlap.",
  },
  accountId: {
    name: "accountId",
    kind: accountId(),
    fallback: "123456789012",
    example: "210987654321",
    reload: "restart",
    about: "With auth off: the account of every access key that is not itself an account id.",
  },
  auth: {
    name: "auth",
    kind: choice("on", "off"),
    fallback: "on",
    example: "off",
    reload: "restart",
    about: "`on`: signatures and policies are checked. `off`: nothing is; loopback only.",
  },
  insecure: {
    name: "insecure",
    kind: trueOrFalse(),
    fallback: "false",
    example: "true",
    reload: "restart",
    about: "Allow auth off beyond loopback, and secret files that everybody may read.",
  },
  s3Endpoint: {
    name: "s3Endpoint",
    group: ["endpoints", "s3"],
    kind: endpointUrl(),
    reload: "restart",
    example: "https://minio.internal:9000",
    about:
      "S3 store for log files, and where calls to S3 are passed on. Without it, buckets are folders under the data directory.",
  },
  s3Region: {
    name: "s3Region",
    fallback: "us-east-1",
    example: "eu-west-1",
    reload: "restart",
    kind: text({ what: "a Region name", pattern: /^[a-z0-9-]{1,64}$/, right: "for example us-east-1" }),
    about: "Region with which requests to the S3 store are signed.",
  },
  s3PathStyle: {
    name: "s3PathStyle",
    kind: trueOrFalse(),
    fallback: "true",
    example: "false",
    reload: "restart",
    about: "Name the bucket in the path, not in the host name.",
  },
  snsEndpoint: {
    name: "snsEndpoint",
    group: ["endpoints", "sns"],
    kind: serviceEndpoint(),
    reload: "restart",
    example: "https://sns.internal:9000",
    about: "SNS: topics hear of new log files. Without it the service is not used.",
  },
  logsEndpoint: {
    name: "logsEndpoint",
    group: ["endpoints", "logs"],
    kind: serviceEndpoint(),
    reload: "restart",
    example: "https://logs.internal:9000",
    about: "CloudWatch Logs: log groups get every record. Without it the service is not used.",
  },
  eventsEndpoint: {
    name: "eventsEndpoint",
    group: ["endpoints", "events"],
    kind: serviceEndpoint(),
    reload: "restart",
    example: "https://events.internal:9000",
    about: "EventBridge: a bus gets events (`eventBus`). Without it the service is not used.",
  },
  kmsEndpoint: {
    name: "kmsEndpoint",
    group: ["endpoints", "kms"],
    kind: serviceEndpoint(),
    reload: "restart",
    example: "https://kms.internal:9000",
    about: "KMS: the keys of trails are checked. Without it the service is not used.",
  },
  stsEndpoint: {
    name: "stsEndpoint",
    group: ["endpoints", "sts"],
    kind: serviceEndpoint(),
    reload: "restart",
    example: "https://sts.internal:9000",
    about: "STS: the roles of log groups are assumed. Without it Cairn's own credentials write there.",
  },
  endpoints: {
    name: "endpoints",
    kind: endpointList,
    fallback: "",
    example: "dynamodb=http://127.0.0.1:8000,default=http://127.0.0.1:5000",
    reload: "at once",
    about:
      "Services behind Cairn, to which calls are passed on and recorded: by the name that signatures carry; `default` stands for every other one. The settings of single endpoints (`s3Endpoint` …) count here too.",
  },
  s3Domains: {
    name: "s3Domains",
    kind: hostNames,
    fallback: "",
    example: "s3.example.com",
    reload: "at once",
    about:
      "Domains whose subdomains are buckets (virtual-host style S3); requests may name them as their host. `bucket.localhost` always is one.",
  },
  recorderPolicy: {
    name: "recorderPolicy",
    kind: choice("pass-and-count", "record-or-refuse"),
    fallback: "pass-and-count",
    example: "record-or-refuse",
    reload: "at once",
    about:
      "What becomes of a call whose record the journal refuses. `pass-and-count`: it passes, and is counted. `record-or-refuse`: it is refused, and no answer is whole before its record is durable.",
  },
  upstreamTimeoutMs: {
    name: "upstreamTimeout",
    kind: duration("1s", "1d"),
    fallback: "16m",
    example: "90s",
    reload: "at once",
    about:
      "How long a service behind Cairn may be silent before its caller is answered 504. A Lambda function may run for 15 minutes.",
  },
  eventBus: {
    name: "eventBus",
    kind: choice("off", "write", "all"),
    fallback: "off",
    example: "write",
    reload: "restart",
    about:
      "What goes to EventBridge. `off`: nothing; `write`: management writes, data and network events, as default rules get; `all`: read-only management events too.",
  },
  eventBusName: {
    name: "eventBusName",
    kind: text({
      what: "the name of an event bus",
      pattern: /^[\w./-]{1,256}$/,
      right: "1 to 256 of A-Z a-z 0-9 . _ / -",
    }),
    fallback: "default",
    example: "audit",
    reload: "restart",
    about: "The bus that gets the events, in the Region of each event.",
  },
  tlsCertificateFile: {
    name: "tlsCertificateFile",
    group: ["tls", "certificateFile"],
    kind: path("a PEM file"),
    reload: "at once",
    example: "/etc/cairn/tls.crt",
    about: "Certificate chain of the listener. Needs the key too. A reload reads both files again.",
  },
  tlsKeyFile: {
    name: "tlsKeyFile",
    group: ["tls", "keyFile"],
    kind: path("a PEM file"),
    reload: "at once",
    example: "/etc/cairn/tls.key",
    about: "Private key of the listener; others must not be able to read the file.",
  },
  regions: {
    name: "regions",
    kind: regions,
    example: "us-east-1,eu-west-1",
    reload: "at once",
    about: "Regions that calls and records may name. Default: every public one.",
  },
  hosts: {
    name: "hosts",
    kind: hostNames,
    fallback: "",
    example: "cairn.example.com,cairn",
    reload: "at once",
    about: "Host names that requests may name, beside loopback names and the listening address.",
  },
  logLevel: {
    name: "logLevel",
    kind: choice("debug", "info", "warn", "error"),
    fallback: "info",
    reload: "at once",
    example: "debug",
    about: "Least level of the structured log on standard error.",
  },
  metricsToken: {
    name: "metricsToken",
    kind: secret("a token"),
    example: "prometheus-scrapes-us",
    reload: "at once",
    about: "Bearer token for /metrics and /statusz. Without it only loopback clients may read them.",
  },
  metricsTokenFile: {
    name: "metricsTokenFile",
    kind: path("a file"),
    example: "/run/secrets/metrics-token",
    reload: "at once",
    about: "File that holds the metrics token, instead of the token itself.",
  },
  trustedProxies: {
    name: "trustedProxies",
    kind: networks,
    fallback: "",
    example: "10.0.0.0/8,fd00::/8",
    reload: "at once",
    about:
      "Proxies whose X-Forwarded-For is believed: the source address of a request is the last one that is none of them.",
  },
  vpcEndpoints: {
    name: "vpcEndpoints",
    kind: vpcEndpoints,
    fallback: "",
    example: "vpce-1a2b3c4d=4578",
    reload: "restart",
    about:
      "More ports to listen on, each standing for a VPC endpoint: calls that come in there bear its id, and leave network activity events.",
  },
  auditWebhookToken: {
    name: "auditWebhookToken",
    kind: secret("a token"),
    example: "minio-reports-here",
    reload: "at once",
    about:
      "Token that MinIO's audit webhook bears at /audit/minio. Without it only loopback clients may post.",
  },
  auditWebhookTokenFile: {
    name: "auditWebhookTokenFile",
    kind: path("a file"),
    example: "/run/secrets/audit-webhook-token",
    reload: "at once",
    about: "File that holds the audit webhook's token, instead of the token itself.",
  },
  historyRetentionMs: {
    name: "historyRetention",
    kind: durationOrOff("1h", "3650d"),
    fallback: "90d",
    example: "365d",
    reload: "restart",
    about:
      "How long management events can be looked up (LookupEvents), from their eventTime on; off keeps none.",
  },
  lookupEventsRate: {
    name: "lookupEventsRate",
    kind: integer({ min: 0, max: 1_000_000 }),
    example: "50",
    reload: "at once",
    about:
      "Calls of LookupEvents per second, of one account in one Region; more are throttled. 0: any number. Default: 2, as the real service; 0 with auth off.",
  },
  bucketPolicy: {
    name: "bucketPolicy",
    kind: choice("strict", "when-present", "off"),
    fallback: "when-present",
    example: "strict",
    reload: "at once",
    about:
      "Whether a trail's bucket policy must allow delivery: always, only when the bucket has a policy, or never.",
  },
  clockSkewMs: {
    name: "clockSkew",
    kind: duration("1s", "1d"),
    fallback: "5m",
    example: "15m",
    reload: "at once",
    about: "How far a request's signing time may be off.",
  },
  journalBytesMax: {
    name: "journalBytesMax",
    kind: size("16MB", "1000TB"),
    fallback: "10GB",
    example: "512MB",
    reload: "restart",
    about: "Limit of the journal on disk. Beyond it new events are refused until delivery catches up.",
  },
  journalReserveBytes: {
    name: "journalReserve",
    kind: size("1MB", "1TB"),
    fallback: "64MB",
    example: "8MB",
    reload: "restart",
    about: "Part of the journal kept for the records of calls to Cairn itself.",
  },
  retentionMs: {
    name: "retention",
    kind: duration("1h", "3650d"),
    fallback: "30d",
    example: "7d",
    reload: "restart",
    about: "How long a log file that cannot be delivered is kept and tried again.",
  },
  outboxBytesMax: {
    name: "outboxBytesMax",
    kind: size("16MB", "1000TB"),
    fallback: "10GB",
    example: "1GB",
    reload: "restart",
    about: "Limit of the log files that wait for a bucket that is down.",
  },
  bodyBytesMax: {
    name: "bodyBytesMax",
    kind: size("1MB", "1GB"),
    fallback: "64MB",
    example: "16MB",
    reload: "at once",
    about: "Largest body of the events door and the bucket door, before and after inflating.",
  },
  callBodyBytesMax: {
    name: "callBodyBytesMax",
    kind: size("64KB", "64MB"),
    fallback: "1MB",
    example: "2MB",
    reload: "at once",
    about: "Largest body of an API call.",
  },
  bytesInFlightMax: {
    name: "bytesInFlightMax",
    kind: size("1MB", "64GB"),
    fallback: "128MB",
    example: "256MB",
    reload: "at once",
    about: "Plain and inflated bytes of all requests together; beyond it new bodies are answered 503.",
  },
  headerBytesMax: {
    name: "headerBytesMax",
    kind: size("4KB", "1MB"),
    fallback: "32KB",
    example: "16KB",
    reload: "restart",
    about: "Largest header section of a request.",
  },
  connectionsMax: {
    name: "connectionsMax",
    kind: integer({ min: 1, max: 1_000_000 }),
    fallback: "10000",
    reload: "at once",
    example: "500",
    about: "Open connections, at most.",
  },
  headersTimeoutMs: {
    name: "headersTimeout",
    kind: duration("1s", "1h"),
    fallback: "20s",
    example: "10s",
    reload: "at once",
    about: "Time for a request's headers to arrive.",
  },
  requestTimeoutMs: {
    name: "requestTimeout",
    kind: duration("1s", "1d"),
    fallback: "60s",
    example: "5m",
    reload: "at once",
    about: "Time for a whole request to arrive.",
  },
  keepAliveTimeoutMs: {
    name: "keepAliveTimeout",
    kind: duration("1s", "1h"),
    fallback: "65s",
    example: "30s",
    reload: "at once",
    about: "How long an idle connection stays open.",
  },
  logFileBytesMax: {
    name: "logFileBytesMax",
    kind: size("2MB", "1GB"),
    fallback: "50MB",
    example: "10MB",
    reload: "restart",
    about: "JSON in one log file, at most, before it is compressed.",
  },
  compressionLevel: {
    name: "compressionLevel",
    kind: integer({ min: 1, max: 9 }),
    fallback: "6",
    example: "1",
    reload: "restart",
    about: "How hard log files are compressed: 1 is fastest, 9 smallest. From 7 on by zlib.",
  },
  sharedLogFiles: {
    name: "sharedLogFiles",
    kind: choice("on", "off"),
    fallback: "off",
    example: "on",
    reload: "restart",
    about:
      "In directory buckets: log files with the same content are one file with several names (hard links). Cheaper with many equal trails; but who changes one in place changes all.",
  },
  putTimeoutMs: {
    name: "putTimeout",
    kind: duration("1s", "1h"),
    fallback: "30s",
    example: "10s",
    reload: "restart",
    about: "Time for one attempt to write an object.",
  },
  quotaTrailsPerRegion: {
    name: "quotaTrailsPerRegion",
    group: ["quotas", "trailsPerRegion"],
    kind: quota(),
    reload: "at once",
    fallback: "5",
    example: "20",
    about: "Trails per Region, multi-Region trails of other Regions among them.",
  },
  quotaBasicSelectorsPerTrail: {
    name: "quotaBasicSelectorsPerTrail",
    group: ["quotas", "basicSelectorsPerTrail"],
    kind: quota(),
    fallback: "5",
    example: "10",
    reload: "at once",
    about: "Basic event selectors per trail.",
  },
  quotaDataResourceValuesPerTrail: {
    name: "quotaDataResourceValuesPerTrail",
    group: ["quotas", "dataResourceValuesPerTrail"],
    kind: quota(),
    fallback: "250",
    example: "500",
    reload: "at once",
    about: "Data resource values over all basic selectors of a trail.",
  },
  quotaAdvancedValuesPerTrail: {
    name: "quotaAdvancedValuesPerTrail",
    group: ["quotas", "advancedValuesPerTrail"],
    kind: quota(),
    fallback: "500",
    example: "1000",
    reload: "at once",
    about: "Condition values over all advanced selectors of a trail.",
  },
  quotaTagsPerResource: {
    name: "quotaTagsPerResource",
    group: ["quotas", "tagsPerResource"],
    kind: quota(),
    reload: "at once",
    fallback: "50",
    example: "100",
    about: "Tags per resource.",
  },
  extraResourceTypes: {
    name: "extraResourceTypes",
    kind: resourceTypes,
    fallback: "",
    example: "AWS::New::Thing",
    reload: "at once",
    about: "Data event resource types accepted beyond the built-in list.",
  },
} as const satisfies Readonly<Record<string, Setting>>;

function quota(): ValueKind<number> {
  return integer({ min: 1, max: 100_000 });
}

type Settings = typeof settings;
type ValueOf<Of> = Of extends Setting<infer Value> ? Value : never;
type Defaulted = {
  [Member in keyof Settings]: Settings[Member] extends SettingWithDefault<unknown> ? Member : never;
}[keyof Settings];

/** The values of all settings, read and resolved: durations in milliseconds, sizes in bytes. */
export type SettingValues = {
  readonly [Member in Defaulted]: ValueOf<Settings[Member]>;
} & {
  readonly [Member in Exclude<keyof Settings, Defaulted>]?: ValueOf<Settings[Member]>;
};

export type SettingMember = keyof Settings;

/** Every setting with the member of the configuration that it fills. */
export const settingList: readonly (Setting & { readonly member: SettingMember })[] = membersOf(settings).map(
  (member) => ({ ...settings[member], member }),
);

function membersOf<Table extends object>(table: Table): (keyof Table)[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table is a constant: its keys are exactly its own
  return Object.keys(table) as (keyof Table)[];
}
