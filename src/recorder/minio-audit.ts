// MinIO's audit log as records: each entry that is a call to S3 is recorded as a call that passed. What MinIO reports twice
// is recorded once, for as long as the ids of the last entries are remembered. Must not: know HTTP.
import type { Clock, Random } from "../model/environment.ts";
import type { CallBook, PassedCall, ServiceBook } from "./contract.ts";
import { callOfEntry, type MinioPlace } from "./minio-entry.ts";

export interface MinioAuditPorts {
  readonly services: ServiceBook;
  readonly calls: CallBook;
  readonly place: () => Pick<MinioPlace, "account" | "region">;
  /** Whether these headers are those of Cairn's own delivery, sent at that time. */
  readonly isOwnDelivery: (headers: PassedCall["head"]["headers"], sentMs: number) => boolean;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Pick<Random, "uuid">;
}

/** What became of the entries of one post. */
export interface AuditOutcome {
  readonly recorded: number;
  /** Administration, Cairn's own deliveries, and what was recorded before. */
  readonly ignored: number;
  /** The journal took no more: to be sent again. */
  readonly refused: number;
}

export interface MinioAudit {
  /** Takes parsed JSON. Resolves when everything recorded is durable. */
  accept(entries: readonly unknown[]): Promise<AuditOutcome>;
}

const rememberedMax = 50_000;
const atOnceMax = 64;

type Fate = "recorded" | "ignored" | "refused";

export function createMinioAudit(ports: MinioAuditPorts): MinioAudit {
  /** Ids of entries that are recorded or about to be, oldest first. */
  const known = new Map<string, Promise<boolean>>();

  const record = async (call: PassedCall): Promise<boolean> =>
    ports.calls.record(call, await ports.services.understand(call.head));

  const recordOnce = async (call: PassedCall): Promise<Fate> => {
    const { eventId } = call;
    const before = eventId === undefined ? undefined : known.get(eventId);
    if (before && (await before)) return "ignored";
    const outcome = record(call);
    if (eventId !== undefined) remember(eventId, outcome);
    if (await outcome) return "recorded";
    if (eventId !== undefined) known.delete(eventId);
    return "refused";
  };

  const remember = (eventId: string, outcome: Promise<boolean>): void => {
    known.delete(eventId);
    known.set(eventId, outcome);
    if (known.size <= rememberedMax) return;
    const [oldest] = known.keys();
    if (oldest !== undefined) known.delete(oldest);
  };

  const take = async (entry: unknown): Promise<Fate> => {
    const call = callOfEntry(entry, {
      ...ports.place(),
      nowMs: ports.clock.nowMs(),
      requestId: ports.random.uuid(),
    });
    if (!call || ports.isOwnDelivery(call.head.headers, call.startedMs)) return "ignored";
    return recordOnce(call);
  };

  return {
    async accept(entries) {
      const counts = { recorded: 0, ignored: 0, refused: 0 };
      for (let first = 0; first < entries.length; first += atOnceMax) {
        for (const fate of await Promise.all(entries.slice(first, first + atOnceMax).map(take))) {
          counts[fate] += 1;
        }
      }
      return counts;
    },
  };
}
