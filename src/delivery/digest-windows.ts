// The windows of digests (formats.md §3.4): where they end, and which files fall into one. Pure arithmetic.
// Times are milliseconds since the epoch. Ends are whole seconds, because keys are made of them, and a chain's ends
// strictly increase whatever the clock does.
import { assert } from "../model/assert.ts";

const secondMs = 1_000;

/** Regular windows of a period end at `anchorMs + n · intervalMs`; both are whole seconds. */
export interface Rhythm {
  readonly anchorMs: number;
  readonly intervalMs: number;
}

/** The rhythm of a period that began at `sinceMs`: anchored to its second, not to the clock hour. */
export function rhythmOf(sinceMs: number, intervalMs: number): Rhythm {
  assert(intervalMs >= secondMs && intervalMs % secondMs === 0, "a digest's window is whole seconds");
  return { anchorMs: floorToSecond(sinceMs), intervalMs };
}

export function floorToSecond(ms: number): number {
  return Math.floor(ms / secondMs) * secondMs;
}

/**
 * End of a chain's starting digest: the last regular end at or before `firstMs`, when the chain's first file came, but
 * not before the period began and always after `afterMs`, the last end of the chain before.
 */
export function firstEndMs(rhythm: Rhythm, firstMs: number, afterMs: number | undefined): number {
  const { anchorMs, intervalMs } = rhythm;
  const count = Math.max(0, Math.floor((firstMs - anchorMs) / intervalMs));
  const endMs = anchorMs + count * intervalMs;
  return afterMs !== undefined && endMs <= afterMs ? afterMs + secondMs : endMs;
}

/** The first regular end after `startMs`. */
export function nextEndMs({ anchorMs, intervalMs }: Rhythm, startMs: number): number {
  return anchorMs + (Math.floor((startMs - anchorMs) / intervalMs) + 1) * intervalMs;
}

/**
 * End of the window that begins at `startMs` and is over at `horizonMs`; undefined when none is. When more than
 * `windowsMax` windows are missing, one long window ends where the last of them would.
 */
export function regularEndMs(
  rhythm: Rhythm,
  { startMs, horizonMs, windowsMax }: { startMs: number; horizonMs: number; windowsMax: number },
): number | undefined {
  const endMs = nextEndMs(rhythm, startMs);
  if (endMs > horizonMs) return undefined;
  const laterWindows = Math.floor((horizonMs - endMs) / rhythm.intervalMs);
  return laterWindows < windowsMax ? endMs : endMs + laterWindows * rhythm.intervalMs;
}

/** End of a chain's last window: the second in which its period ended. */
export function lastEndMs(startMs: number, untilMs: number): number {
  return Math.max(floorToSecond(untilMs), startMs + secondMs);
}

export interface WindowToFill {
  readonly startMs: number;
  readonly endMs: number;
  /** `nothing`: a starting digest. `before-end`: files delivered before its end. `all`: the last digest. */
  readonly takes: "nothing" | "before-end" | "all";
}

/** How many files a digest names, and where its window ends. */
export interface FilledWindow {
  readonly count: number;
  readonly endMs: number;
  /** More files wait than one digest may name: the window was ended early, and another one follows. */
  readonly isCutShort: boolean;
}

/**
 * Fills a window with the first of the files that are in no digest yet. `timesMs`: when they were delivered, never
 * decreasing; the first `filesMax + 1` of them are enough.
 */
export function fillWindow(window: WindowToFill, timesMs: readonly number[], filesMax: number): FilledWindow {
  const { startMs, endMs, takes } = window;
  const whole = { nothing: 0, all: timesMs.length, "before-end": countBefore(timesMs, endMs) };
  const count = whole[takes];
  if (count <= filesMax) return { count, endMs, isCutShort: false };
  const cutMs = floorToSecond(timesMs[filesMax] ?? endMs);
  if (cutMs > startMs) return { count: countBefore(timesMs, cutMs), endMs: cutMs, isCutShort: true };
  // All of them were delivered within this second, or before the window began: time cannot tell them apart.
  return { count: filesMax, endMs: startMs + secondMs, isCutShort: true };
}

function countBefore(timesMs: readonly number[], ms: number): number {
  const at = timesMs.findIndex((timeMs) => timeMs >= ms);
  return at < 0 ? timesMs.length : at;
}
