// The steps of a digest chain, each from one document to the next; and random lives of a chain.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  begunChain,
  type ChainDocument,
  endedChain,
  isSealed,
  isUnfinished,
  type Moment,
  nextStep,
  parseChain,
  parseChainKey,
  type SealedDigest,
  sealedChain,
  writtenChain,
} from "./digest-chain.ts";

const hourMs = 3_600_000;
const sinceMs = Date.UTC(2026, 0, 10, 9, 17, 28, 640);
const anchorMs = Date.UTC(2026, 0, 10, 9, 17, 28);
const previous = { bucket: "logs", key: "before", hash: "00", signature: "11" };
const open: ChainDocument = { sinceMs, covered: 7, phase: { kind: "open", startMs: anchorMs, previous } };

function moment(changes: Partial<Moment> = {}): Moment {
  return {
    ...{ nowMs: anchorMs + 60_000, intervalMs: hourMs, settleMs: 5_000, windowsMax: 744, hasNotes: true },
    ...changes,
  };
}

function digest(changes: Partial<SealedDigest> = {}): SealedDigest {
  return {
    ...{ startMs: anchorMs, endMs: anchorMs + hourMs, upTo: 9, isLast: false },
    ...{ bucket: "logs", key: "this", fingerprint: "22", hash: "33", signature: "44", outcome: "unknown" },
    ...changes,
  };
}

describe("the next step", () => {
  const untilMs = anchorMs + 1_800_500;
  const ends = { startMs: anchorMs, endMs: anchorMs + 1_800_000, takes: "all" };

  test.each([
    [
      "of a chain that begins is an empty digest of the hour before",
      begun({}),
      moment(),
      { start: -1, end: 0, takes: "nothing" },
    ],
    ["of an open chain is to wait for its hour", open, moment({ nowMs: anchorMs + hourMs + 4_999 }), "wait"],
    [
      "of an open chain after its hour",
      open,
      moment({ nowMs: anchorMs + hourMs + 5_000 }),
      { start: 0, end: 1, takes: "before-end" },
    ],
    [
      "while files of an ended period may come is to wait",
      open,
      moment({ nowMs: anchorMs + 9 * hourMs, end: { untilMs, isDrained: false } }),
      "wait",
    ],
  ] as const)("%s", (_what, chain, now, expected) => {
    const step = nextStep(chain, now);
    if (expected === "wait") expect(step).toEqual({ kind: "wait" });
    else {
      const { start, end, takes } = expected;
      const window = { startMs: anchorMs + start * hourMs, endMs: anchorMs + end * hourMs, takes };
      expect(step).toEqual({ kind: "seal", window, isLast: false });
    }
  });

  test("when no more can come is the last digest, up to the second of the stop", () => {
    const step = nextStep(open, moment({ end: { untilMs, isDrained: true } }));
    expect(step).toEqual({ kind: "seal", window: ends, isLast: true });
  });

  test("is the hours before the stop first, whatever the clock says", () => {
    const end = { untilMs: anchorMs + 2.5 * hourMs, isDrained: true };
    const step = nextStep(open, moment({ nowMs: anchorMs - hourMs, end }));
    const window = { startMs: anchorMs, endMs: anchorMs + hourMs, takes: "before-end" };
    expect(step).toEqual({ kind: "seal", window, isLast: false });
  });

  test("is no digest when nothing is left and the last one ended with the stop", () => {
    const end = { untilMs: anchorMs + 500, isDrained: true };
    expect(nextStep(open, moment({ end, hasNotes: false }))).toEqual({ kind: "end" });
    expect(nextStep(open, moment({ end, hasNotes: true })).kind).toBe("seal");
    expect(endedChain(open).phase).toEqual({ kind: "ended", lastEndMs: anchorMs });
  });

  test("of a sealed chain is to write it, whatever happens around it", () => {
    const sealed = sealedChain(open, digest());
    expect(nextStep(sealed, moment({ end: { untilMs, isDrained: true } }))).toEqual({ kind: "write" });
  });
});

describe("a written digest", () => {
  test("is what the next one links to", () => {
    const { phase, covered } = writtenChain(sealedChain(open, digest()), false);
    const link = { bucket: "logs", key: "this", hash: "33", signature: "44" };
    expect(phase).toEqual({ kind: "open", startMs: anchorMs + hourMs, previous: link });
    expect(covered).toBe(9);
  });

  test("is not the last when a file came after it was sealed", () => {
    const last = sealedChain(open, digest({ isLast: true }));
    expect(writtenChain(last, false).phase).toEqual({ kind: "ended", lastEndMs: anchorMs + hourMs });
    expect(writtenChain(last, true).phase.kind).toBe("open");
  });

  test("keeps its link when it is sealed anew for another place", () => {
    const anew = sealedChain(sealedChain(open, digest()), digest({ bucket: "other" }));
    expect(anew.phase.previous).toEqual(previous);
  });
});

test("a chain that begins again goes on counting, and ends later", () => {
  const ended: ChainDocument = { sinceMs: 1, covered: 41, phase: { kind: "ended", lastEndMs: anchorMs } };
  expect(begunChain(ended, { sinceMs, firstMs: sinceMs, intervalMs: hourMs })).toEqual({
    ...{ sinceMs, covered: 41 },
    phase: { kind: "starting", endMs: anchorMs + 1_000 },
  });
});

test("a chain whose first file comes long after the stop begins before the stop", () => {
  const { phase } = begun({ untilMs: anchorMs + hourMs, firstMs: anchorMs + 9.5 * hourMs });
  expect(phase).toEqual({ kind: "starting", endMs: anchorMs + hourMs });
});

test("only the key of a chain names one", () => {
  const name = { incarnation: "i", account: "123456789012", region: "us-east-1" };
  expect(parseChainKey("delivery/chain/i/123456789012/us-east-1")).toEqual(name);
  expect(() => parseChainKey("delivery/chain/i/1/us-east-1")).toThrow("names a digest chain");
});

test("every life of a chain: links, contiguous windows, ends that increase, each file named once", () => {
  const event = fc.record({
    laterMs: fc.integer({ min: -10 * hourMs, max: 10 * hourMs }),
    what: fc.constantFrom("file", "file", "look", "look", "look", "stop", "start"),
  });
  fc.assert(
    fc.property(fc.array(event, { minLength: 5, maxLength: 60 }), (events) => {
      const life = new Life();
      for (const { laterMs, what } of events) life.take(what, laterMs);
      life.finish();
      life.check();
    }),
    { seed: 7_021_994, numRuns: 300 },
  );
});

function begun(changes: { untilMs?: number; firstMs?: number }): ChainDocument {
  return begunChain(undefined, { sinceMs, firstMs: sinceMs + 1, intervalMs: hourMs, ...changes });
}

/** One chain name through periods and clock steps, without I/O: what its digests say. */
class Life {
  readonly digests: {
    readonly sealed: SealedDigest;
    readonly isStarting: boolean;
    readonly previousKey?: string;
  }[] = [];
  readonly #notedMs: number[] = [];
  #chain: ChainDocument | undefined;
  #nowMs = sinceMs;
  #period: { sinceMs: number; untilMs?: number } = { sinceMs };

  take(what: string, laterMs: number): void {
    this.#nowMs += laterMs;
    if (what === "file") this.#note();
    if (what === "look") this.#look();
    if (what === "stop") this.#period.untilMs ??= Math.max(this.#nowMs, this.#period.sinceMs);
    if (what === "start" && this.#period.untilMs !== undefined && !isUnfinished(this.#chain)) {
      this.#period = { sinceMs: Math.max(this.#nowMs, this.#period.untilMs + 1) };
    }
  }

  finish(): void {
    this.take("stop", 0);
    for (let look = 0; look < 5_000 && isUnfinished(this.#chain); look += 1) this.#look();
  }

  check(): void {
    expect(isUnfinished(this.#chain)).toBe(false);
    expect(this.digests.at(-1)?.sealed.upTo ?? 0).toBe(this.#notedMs.length);
    for (const [at, { sealed, isStarting, previousKey }] of this.digests.entries()) {
      const before = this.digests[at - 1];
      expect(sealed.endMs % 1_000).toBe(0);
      expect(sealed.endMs).toBeGreaterThan(before?.sealed.endMs ?? 0);
      if (before?.sealed.isLast ?? true) expect(isStarting).toBe(true);
      expect(previousKey).toBe(isStarting ? undefined : before?.sealed.key);
      if (!isStarting) expect(sealed.startMs).toBe(before?.sealed.endMs);
      expect(sealed.upTo).toBeGreaterThanOrEqual(before?.sealed.upTo ?? 0);
    }
  }

  #note(): void {
    if (!isUnfinished(this.#chain)) {
      if (this.#period.untilMs !== undefined) return;
      const { sinceMs: begin } = this.#period;
      this.#chain = begunChain(this.#chain, { sinceMs: begin, firstMs: this.#nowMs, intervalMs: hourMs });
    }
    this.#notedMs.push(Math.max(this.#nowMs, this.#notedMs.at(-1) ?? 0));
  }

  #look(): void {
    const chain = this.#chain;
    if (!chain) return;
    const waiting = this.#notedMs.slice(chain.covered);
    const { untilMs } = this.#period;
    const end = untilMs === undefined ? undefined : { untilMs, isDrained: true };
    const now = moment({ nowMs: this.#nowMs, hasNotes: waiting.length > 0, end });
    const step = nextStep(chain, now);
    if (step.kind === "end") this.#chain = endedChain(chain);
    if (step.kind !== "seal") return;
    const { startMs, endMs, takes } = step.window;
    const count = waiting.filter((ms) => takes === "all" || (takes === "before-end" && ms < endMs)).length;
    const sealed = digest({
      startMs,
      endMs,
      upTo: chain.covered + count,
      isLast: step.isLast,
      key: String(endMs),
    });
    const next = parseChain(sealedChain(chain, sealed));
    expect(isSealed(next)).toBe(true);
    const { phase } = chain;
    const previousKey = phase.kind === "open" ? phase.previous.key : undefined;
    this.digests.push({
      ...{ sealed, isStarting: phase.kind === "starting" },
      ...(previousKey !== undefined && { previousKey }),
    });
    if (isSealed(next)) this.#chain = writtenChain(next, false);
  }
}
