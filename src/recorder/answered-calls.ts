// Records of the calls that Cairn answers itself in the place of a service: those to the embedded buckets. The policy is
// the recorder's. Must not: know how such a call is answered.
import type { Clock, Log, Metrics } from "../model/environment.ts";
import type { CallBook, PassedCall, PassingHead, ServiceBook, UnderstoodHead } from "./contract.ts";
import type { RecorderPolicy } from "./ports.ts";
import { Unrecorded, type UnrecordedCalls } from "./unrecorded.ts";

export interface AnsweredCalls {
  /** Before anything is done; undefined while the policy is `record-or-refuse` and the journal takes nothing. */
  begin(head: PassingHead): Promise<AnsweredCall | undefined>;
  /** Calls that were answered without a record since the start. */
  unrecorded(): UnrecordedCalls;
  /** Waits for the records of calls that have been answered. */
  settled(): Promise<void>;
}

export interface AnsweredCall {
  readonly capture: UnderstoodHead["capture"];
  /** The end of the answer waits for the record; without it, it must not be given. */
  readonly isAwaited: boolean;
  /** True when the record is in the journal. Never rejects. */
  record(outcome: AnsweredOutcome): Promise<boolean>;
  /** To be called when no record is due after all; harmless otherwise. */
  release(): void;
}

export type AnsweredOutcome = Pick<
  PassedCall,
  "request" | "bytesIn" | "bytesOut" | "answer" | "failure" | "caller" | "requestId"
>;

export interface AnsweredCallsPorts {
  readonly services: ServiceBook;
  readonly calls: CallBook;
  readonly policy: () => RecorderPolicy;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Answered calls whose records are not yet made, at most; more stay without one and are counted. */
const recordingMax = 10_000;

export function createAnsweredCalls(ports: AnsweredCallsPorts): AnsweredCalls {
  const { services, calls, clock } = ports;
  const unrecorded = new Unrecorded(ports);
  const recording = new Set<Promise<boolean>>();
  return {
    async begin(head) {
      const startedMs = clock.nowMs();
      const understood = await services.understand(head);
      const isAwaited = ports.policy() === "record-or-refuse";
      const room = isAwaited ? calls.reserve() : undefined;
      if (isAwaited && !room) return undefined;
      return {
        ...{ capture: understood.capture, isAwaited },
        release: () => room?.release(),
        async record(outcome) {
          const isTooMuch = !room && recording.size >= recordingMax;
          const passed = { head, startedMs, finishedMs: clock.nowMs(), ...outcome };
          const recorded = isTooMuch ? Promise.resolve(false) : calls.record(passed, understood, room);
          recording.add(recorded);
          const isDurable = await recorded;
          recording.delete(recorded);
          if (!isDurable) unrecorded.add(head.service);
          return isDurable;
        },
      };
    },
    unrecorded: () => unrecorded.report(),
    async settled() {
      while (recording.size > 0) await Promise.all(recording);
    },
  };
}
