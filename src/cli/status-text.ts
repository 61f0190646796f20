// How a status report reads: a block per trail, and what in it needs attention. Pure; times are the server's.
import { isoSeconds } from "../model/timestamp.ts";
import { printable } from "./printable.ts";
import type { ReadDestination, ReadReport, ReadTrail } from "./status-report.ts";

/** What waits longer than this without a known failure is stuck; CloudTrail itself takes some 5 minutes. */
const waitMsMax = 15 * 60_000;
/** What was given up is trouble for so long; later it is shown, but an alarm on the exit code ends. */
const givenUpFreshMs = 24 * 3_600_000;

/** The whole report; lines joined by line breaks. */
export function statusText(report: ReadReport, where: string): string {
  return [
    ...serverLines(report, where),
    ...report.trails.flatMap((trail) => ["", ...trailLines(trail, report.nowMs)]),
    "",
    summary(report),
  ].join("\n");
}

/** Whether anything fails, waits too long or was given up within a day, or the server is not ready. */
export function needsAttention(report: ReadReport): boolean {
  return !report.health.ready || report.trails.some((trail) => isTroubled(trail, report.nowMs));
}

function isTroubled({ destinations }: ReadTrail, nowMs: number): boolean {
  return destinations.some(
    (destination) =>
      destination.failing !== undefined || isStuck(destination, nowMs) || hasFreshLoss(destination, nowMs),
  );
}

function isStuck({ waiting }: ReadDestination, nowMs: number): boolean {
  return waiting.files > 0 && waiting.oldestMs !== undefined && nowMs - waiting.oldestMs > waitMsMax;
}

function hasFreshLoss({ givenUp }: ReadDestination, nowMs: number): boolean {
  return givenUp.files > 0 && nowMs - (givenUp.latestMs ?? nowMs) < givenUpFreshMs;
}

function serverLines({ health, journal, nowMs, startedMs }: ReadReport, where: string): string[] {
  const parts = Object.entries(health.parts).filter(([, { ok, detail }]) => !ok || detail !== undefined);
  return [
    `${printable(where)} is ${health.ready ? "ready" : "NOT READY"}, running since ${moment(startedMs, nowMs)}.`,
    ...parts.map(([name, { detail }]) => `  ${printable(name)}: ${printable(detail ?? "It does not work.")}`),
    `Its journal holds ${size(journal.bytes)} of at most ${size(journal.bytesMax)}.`,
  ];
}

function summary({ trails, isCut, health, nowMs }: ReadReport): string {
  const cut = isCut ? " There are more trails than are listed; ask for one with --trail." : "";
  const troubled = trails.filter((trail) => isTroubled(trail, nowMs)).length;
  if (trails.length === 0 && health.ready) return `There are no trails.${cut}`;
  if (troubled > 0)
    return `${troubled} of ${counted(trails.length, "trail")} ${troubled === 1 ? "needs" : "need"} attention.${cut}`;
  return `${health.ready ? "All is well." : "The server needs attention."}${cut}`;
}

function trailLines({ arn, isLogging, isDeleted, destinations }: ReadTrail, nowMs: number): string[] {
  const state = isDeleted ? "is deleted and delivers the rest" : isLogging ? "is logging" : "is not logging";
  return [
    `${printable(arn)} ${state}.`,
    ...destinations.flatMap((destination) => destinationLines(destination, nowMs)),
  ];
}

/** How each kind of destination is introduced, and what goes there. */
const kinds: ReadonlyMap<string, { readonly title: string; readonly unit: string }> = new Map([
  ["bucket", { title: "Log files to", unit: "file" }],
  ["digest", { title: "Digests to", unit: "digest" }],
  ["notification", { title: "Notifications to", unit: "notification" }],
  ["log-group", { title: "Records to log group", unit: "file" }],
  ["event-bus", { title: "Events to", unit: "file" }],
]);

function destinationLines(destination: ReadDestination, nowMs: number): string[] {
  const { kind, target, delivered, note, regions = [] } = destination;
  const { title, unit } = kinds.get(kind) ?? { title: `${printable(kind)} to`, unit: "file" };
  return [
    `  ${title} ${printable(target)}`,
    row("delivered", delivered ? `last ${moment(delivered.latestMs, nowMs)}` : "nothing yet"),
    ...waitingRows(destination, { unit, nowMs }),
    ...failingRows(destination, nowMs),
    ...givenUpRows(destination, { unit, nowMs }),
    ...(note === undefined ? [] : [row("note", printable(note))]),
    ...regions.map(({ region, latestMs, latestError }) => {
      const last = latestMs === undefined ? "nothing yet" : `last ${moment(latestMs, nowMs)}`;
      const error = latestError === undefined ? "" : `; ${printable(latestError)}`;
      return row("in Region", `${printable(region)}: ${last}${error}`);
    }),
  ];
}

interface Telling {
  readonly unit: string;
  readonly nowMs: number;
}

function waitingRows(destination: ReadDestination, { unit, nowMs }: Telling): string[] {
  const { files, records, bytes, oldestMs } = destination.waiting;
  if (files === 0) return [];
  const contents = [
    counted(files, unit),
    records > 0 && counted(records, "record"),
    bytes > 0 && size(bytes),
  ];
  const since = oldestMs === undefined ? "" : `, the oldest since ${moment(oldestMs, nowMs)}`;
  const isUnexplained = isStuck(destination, nowMs) && destination.failing === undefined;
  const alarm = isUnexplained ? "; that is too long" : "";
  return [row("waiting", `${contents.filter((content) => content !== false).join(", ")}${since}${alarm}`)];
}

function failingRows({ failing }: ReadDestination, nowMs: number): string[] {
  if (!failing) return [];
  const { sinceMs, code, message, attempts, nextTryMs } = failing;
  const reason = message ? `${printable(code)}: ${printable(message)}` : printable(code);
  const next =
    nextTryMs === undefined
      ? "being tried right now"
      : `next try ${nextTryMs > nowMs ? `in ${duration(nextTryMs - nowMs)}` : "now"}`;
  return [
    row("FAILING", `since ${moment(sinceMs, nowMs)}, ${counted(attempts, "attempt")}; ${next}`),
    row("", reason),
  ];
}

function givenUpRows({ givenUp }: ReadDestination, { unit, nowMs }: Telling): string[] {
  const { files, records, latestMs } = givenUp;
  if (files === 0) return [];
  const contents = counted(files, unit) + (records > 0 ? ` with ${counted(records, "record")}` : "");
  const last = latestMs === undefined ? "" : `, last ${moment(latestMs, nowMs)}`;
  return [row("GIVEN UP", `${contents} since the start${last}; they will not be delivered`)];
}

function row(label: string, text: string): string {
  return `    ${label.padEnd(10)} ${text}`;
}

/** `2026-01-10T09:18:41Z (5 min ago)` */
function moment(epochMs: number, nowMs: number): string {
  return `${isoSeconds(epochMs)} (${duration(Math.max(0, nowMs - epochMs))} ago)`;
}

/** In its two largest units: `12 s`, `5 min`, `3 h 12 min`, `4 d 3 h`. */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`;
}

function counted(count: number, unit: string): string {
  return `${count.toLocaleString("en-US")} ${unit}${count === 1 ? "" : "s"}`;
}
