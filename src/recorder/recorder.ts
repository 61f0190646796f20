// The recorder: calls to the services behind Cairn pass, and each becomes a record. `Recorder.#cross` is the pipeline of
// one passing call, top to bottom. Must not: know the forms of services (ServiceBook) or who callers are (CallBook).
//
// What lives in this folder: forwarding (crossing.ts), what a call was (service-book.ts), who made it (identity-book.ts),
// its record (record-calls.ts); contract.ts says how they talk. Must not live here: doors, signatures, policies.
import type { Caller } from "../model/call.ts";
import { groupHeaders } from "../model/headers.ts";
import type { CallRoom, PassedCall, UnderstoodHead } from "./contract.ts";
import { type AnsweredCrossing, type Crossed, Crossing, type CrossingPlan } from "./crossing.ts";
import { addressFor, endpointOf, isForwarded } from "./endpoints.ts";
import { headersToService } from "./passed-headers.ts";
import type { Passing, RecorderPorts, ServiceEndpoint } from "./ports.ts";
import { refusalOf, type Refusal, refusals } from "./refusals.ts";
import { prepareResigned, type ResignedCall } from "./resigned-call.ts";
import { Unrecorded, type UnrecordedCalls } from "./unrecorded.ts";
import { createUpstreamConnections, type UpstreamAddress } from "./upstream-connections.ts";
import { hasPassedHere, viaEntry } from "./via.ts";

export interface Recorder {
  /** Whether calls to this service go to an endpoint behind Cairn. */
  isForwarded(service: string): boolean;
  /** Lets one call pass and records it; resolves when both are done. Never rejects. */
  pass(passing: Passing): Promise<void>;
  /** Calls that passed without a record since the start. */
  unrecorded(): UnrecordedCalls;
  /** Waits for the records of calls that have passed, and closes the connections. */
  close(): Promise<void>;
}

const connectMsMax = 5_000;
/** How often what stands still is looked for. */
const checkIntervalMs = 500;
/** Calls that have passed and whose records are not yet made, at most; more pass unrecorded and are counted. */
const recordingMax = 10_000;

export function createRecorder(ports: RecorderPorts): Recorder {
  return new PassingRecorder(ports);
}

/** A call on its way. */
interface PassingCall {
  readonly passing: Passing;
  readonly understood: UnderstoodHead;
  readonly startedMs: number;
  readonly room?: CallRoom | undefined;
  /** Cairn's own delivery: passes, leaves no record. */
  readonly isOwn: boolean;
  /** Its record was made, or tried, before its answer ended. */
  hasRecord?: boolean;
}

/** What came of it, as far as a record tells. */
type Outcome = Pick<PassedCall, "request" | "bytesIn" | "bytesOut" | "answer" | "failure">;

class PassingRecorder implements Recorder {
  readonly #ports: RecorderPorts;
  readonly #upstreams = createUpstreamConnections();
  readonly #unrecorded: Unrecorded;
  readonly #open = new Set<Crossing>();
  readonly #recording = new Set<Promise<boolean>>();
  readonly #closing = new AbortController();
  readonly #via: string;
  #isChecking = false;

  constructor(ports: RecorderPorts) {
    this.#ports = ports;
    this.#unrecorded = new Unrecorded(ports);
    this.#via = viaEntry(ports.installationId);
  }

  isForwarded(service: string): boolean {
    return isForwarded(this.#ports.configuration(), service);
  }

  unrecorded(): UnrecordedCalls {
    return this.#unrecorded.report();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    while (this.#recording.size > 0) await Promise.all(this.#recording);
    this.#upstreams.close();
  }

  async pass(passing: Passing): Promise<void> {
    const { clock, services, metrics, calls } = this.#ports;
    const { service, headers } = passing.head;
    const [startedMs, begunMs] = [clock.nowMs(), clock.monotonicMs()];
    const understood = await services.understand(passing.head);
    const isOwn = this.#ports.isOwnDelivery(headers);
    if (hasPassedHere(headers, this.#ports.installationId)) {
      this.#refuse({ passing, understood, startedMs, isOwn }, refusals.loop);
      return;
    }
    const isStrict = this.#ports.configuration().policy === "record-or-refuse" && !isOwn;
    const room = isStrict ? calls.reserve() : undefined;
    if (isStrict && !room) {
      this.#refuse({ passing, understood, startedMs, isOwn }, refusals.noRoom);
      return;
    }
    try {
      await this.#cross({ passing, understood, startedMs, isOwn, room });
    } finally {
      room?.release();
      metrics.observe("recorder_seconds", (clock.monotonicMs() - begunMs) / 1000, { service });
    }
  }

  /** Where to, whose signature, over, and what became of it. */
  async #cross(call: PassingCall): Promise<void> {
    const { service, region } = call.passing.head;
    const endpoint = endpointOf(this.#ports.configuration().endpoints, service);
    const address = endpoint && addressFor(endpoint, service, region);
    if (!endpoint || !address) {
      await this.#answer(call, refusals.unknownHost, nothingMoved);
      return;
    }
    const resigned = await this.#resigned(call, endpoint, address);
    if (resigned === "refused") return;
    const { passing } = call;
    const known = resigned ? withCaller(call, resigned.caller) : call;
    const plan = resigned ? this.#planOf(known, resigned, address) : this.#planAsSent(known, address);
    const crossed = await this.#run(new Crossing(passing, plan, this.#ports.clock), passing);
    if (crossed.kind === "unanswered") await this.#answer(known, refusalOf(crossed.why), crossed);
    else if (crossed.end === "withheld") this.#withheld(known, crossed);
    else {
      this.#count(passing, crossed.status);
      // What ended before its end came by `beforeEnd` has no record yet.
      if (!known.hasRecord) await this.#record(known, outcomeOf(crossed));
    }
  }

  /** Verifies the caller and signs again where the endpoint wants that; a caller who may not is answered here. */
  async #resigned(
    call: PassingCall,
    endpoint: ServiceEndpoint,
    address: UpstreamAddress,
  ): Promise<ResignedCall | undefined | "refused"> {
    const { passing, understood } = call;
    if (!endpoint.resign) return undefined;
    const { host, basePath } = address;
    const to = { credentials: endpoint.resign, via: this.#via, host, basePath };
    const bodyBytesMax = this.#ports.configuration().resignedBodyBytesMax;
    const prepared = await prepareResigned(passing, { understood, to, bodyBytesMax });
    if (prepared.kind === "ready") return prepared.call;
    const { refusal, caller, request } = prepared;
    if (!refusal) return "refused";
    const known = caller ? withCaller(call, caller) : call;
    // Who is not known leaves no record, as at the other doors.
    if (caller) await this.#answer(known, refusal, { request, bytesIn: request.bytes.length, bytesOut: 0 });
    else this.#refuse(known, refusal);
    return "refused";
  }

  #planAsSent(call: PassingCall, address: UpstreamAddress): CrossingPlan {
    const { incoming, head } = call.passing;
    const { method } = head;
    const headers = headersToService({
      ...{ method, rawHeaders: incoming.rawHeaders, via: this.#via },
      host: address.host,
    });
    const target = incoming.url ?? "/";
    return {
      open: () => this.#upstreams.open(address, { method, target, headers }),
      body: announcesBody(incoming.headers) ? { kind: "stream" } : { kind: "none" },
      ...this.#common(call),
    };
  }

  #planOf(call: PassingCall, resigned: ResignedCall, address: UpstreamAddress): CrossingPlan {
    const { method } = call.passing.head;
    const { target, headers, body } = resigned;
    return {
      open: () => this.#upstreams.open(address, { method, target, headers }),
      body,
      ...this.#common(call),
    };
  }

  #common(call: PassingCall): Pick<CrossingPlan, "capture" | "beforeEnd"> {
    const { room, passing, understood } = call;
    // The framing of a streamed upload is not undone: nothing of such a body is kept.
    const isFramed = passing.head.headers.get("x-amz-content-sha256")?.[0]?.startsWith("STREAMING-") === true;
    const capture = isFramed ? { ...understood.capture, requestBytes: 0 } : understood.capture;
    if (!room) return { capture };
    const beforeEnd = (soFar: AnsweredCrossing) => {
      call.hasRecord = true;
      return this.#record(call, outcomeOf(soFar));
    };
    return { capture, beforeEnd };
  }

  async #run(crossing: Crossing, { outgoing }: Passing): Promise<Crossed> {
    this.#open.add(crossing);
    // Beyond the end of the crossing itself: its last bytes may still wait for the client.
    outgoing.once("close", () => this.#open.delete(crossing));
    if (!this.#isChecking) void this.#check();
    return crossing.run();
  }

  async #check(): Promise<void> {
    this.#isChecking = true;
    while (this.#open.size > 0 && !this.#closing.signal.aborted) {
      await this.#ports.clock.sleep(checkIntervalMs, this.#closing.signal);
      const { clientTimeoutMs, upstreamTimeoutMs } = this.#ports.configuration();
      const patience = { clientMs: clientTimeoutMs, serviceMs: upstreamTimeoutMs, connectMs: connectMsMax };
      const nowMs = this.#ports.clock.monotonicMs();
      for (const crossing of this.#open) {
        crossing.check(nowMs, patience);
        if (crossing.isOver) this.#open.delete(crossing);
      }
    }
    this.#isChecking = false;
  }

  /** A refusal that leaves no record. */
  #refuse(call: PassingCall, refusal: Refusal): void {
    this.#ports.metrics.count("recorder_refused_total", { reason: refusal.reason });
    if (refusal.reason === "loop") {
      this.#ports.log.warn(
        { service: call.passing.head.service },
        "A call that had passed here before was refused.",
      );
    }
    this.#write(call, refusal);
  }

  /** A refusal, or the word that nobody answered: the client gets it in the form of the service, and it is recorded. */
  async #answer(
    call: PassingCall,
    refusal: Refusal,
    moved: Pick<Outcome, "request" | "bytesIn" | "bytesOut">,
  ) {
    const { service } = call.passing.head;
    this.#ports.metrics.count("recorder_failures_total", { service, reason: refusal.reason });
    this.#count(call.passing, refusal.status);
    const { code, message } = refusal;
    const isDurable = call.hasRecord
      ? Promise.resolve(true)
      : this.#record(call, {
          ...{ request: moved.request, bytesIn: moved.bytesIn, bytesOut: moved.bytesOut },
          answer: { status: refusal.status, headers: new Map(), body: nothing },
          failure: { code, message },
        });
    if (call.room && !(await isDurable)) this.#write(call, refusals.unrecorded);
    else this.#write(call, refusal);
    await isDurable;
  }

  #write({ passing, understood }: PassingCall, { status, code, message }: Refusal): void {
    if (passing.outgoing.destroyed) return;
    const { requestId } = passing;
    passing.answer(understood.errorAnswer({ status, code, message, requestId }));
  }

  /** The call was made, and its record could not be kept: `record-or-refuse` gives no answer that says it was done. */
  #withheld(call: PassingCall, crossed: AnsweredCrossing): void {
    this.#count(call.passing, 500);
    if (!crossed.isBegun) this.#write(call, refusals.unrecorded);
  }

  /** True when the record is in the journal, or none is due. */
  async #record(call: PassingCall, outcome: Outcome): Promise<boolean> {
    const { passing, understood, startedMs, room, isOwn } = call;
    const { head, caller, requestId } = passing;
    if (isOwn) {
      this.#ports.metrics.count("recorder_own_deliveries_total");
      return true;
    }
    if (!room && this.#recording.size >= recordingMax) {
      this.#unrecorded.add(head.service);
      return false;
    }
    const finishedMs = this.#ports.clock.nowMs();
    const passed: PassedCall = { head, caller, requestId, startedMs, finishedMs, ...outcome };
    const recorded = this.#ports.calls.record(passed, understood, room);
    this.#recording.add(recorded);
    const isDurable = await recorded;
    this.#recording.delete(recorded);
    if (!isDurable) this.#unrecorded.add(head.service);
    return isDurable;
  }

  #count({ head }: Passing, status: number): void {
    const statusClass = `${Math.floor(status / 100)}xx`;
    this.#ports.metrics.count("recorder_calls_total", { service: head.service, status: statusClass });
  }
}

function withCaller(call: PassingCall, verified: Caller): PassingCall {
  const { passing } = call;
  return { ...call, passing: { ...passing, caller: { ...passing.caller, verified } } };
}

const nothing = { kind: "whole", bytes: new Uint8Array(0) } as const;
const nothingMoved = { request: nothing, bytesIn: 0, bytesOut: 0 };

function outcomeOf(crossed: AnsweredCrossing): Outcome {
  const { request, bytesIn, bytesOut, status, rawHeaders, body } = crossed;
  return { request, bytesIn, bytesOut, answer: { status, headers: groupHeaders(rawHeaders), body } };
}

function announcesBody(headers: NodeJS.Dict<string | string[]>): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
