// GET /statusz: what every trail delivered and what waits, as JSON, for operators and for `cairn status`.
// Must not: find anything out; the report comes by a port. The size of the answer is bounded here.
import { type DoorAnswer, type DoorRequest, queryParameter } from "./exchange.ts";
import { refuseStranger } from "./health.ts";
import type { DestinationReport, DoorPorts, TrailReport } from "./ports.ts";

const trailsMax = 10_000;
/** A trail is one or two thousand characters, many times that when it delivers in all Regions. */
const trailCharactersMax = 32 * 1024 * 1024;

/**
 * 200 with the members of StatusReport and `isCut`: whether there are more trails than are listed. The query
 * parameter `trail`, a name or an ARN, narrows the list. Deleted trails are listed while there is something to tell of
 * them. Guarded like /metrics.
 */
export function answerStatus(
  request: DoorRequest,
  parts: Pick<DoorPorts, "configuration" | "status">,
): DoorAnswer {
  const refusal = refuseStranger(request, parts, "The status");
  if (refusal) return refusal;
  const { trails: all, ...report } = parts.status();
  const { trails, isCut } = writeTrails(all, queryParameter(request.query, "trail"));
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  const head = JSON.stringify({ ...report, isCut }).slice(0, -1);
  return { status: 200, headers, body: `${head},"trails":[${trails.join(",")}]}` };
}

/** The trails as JSON, as many as fit. */
function writeTrails(
  all: Iterable<TrailReport>,
  wanted: string | undefined,
): { readonly trails: readonly string[]; readonly isCut: boolean } {
  const trails: string[] = [];
  let characters = 0;
  for (const trail of all) {
    if (trail.isDeleted && trail.destinations.every(isDone)) continue;
    if (wanted !== undefined && trail.arn !== wanted && !trail.arn.endsWith(`:trail/${wanted}`)) continue;
    const written = JSON.stringify(trail);
    characters += written.length;
    if (trails.length === trailsMax || characters > trailCharactersMax) return { trails, isCut: true };
    trails.push(written);
  }
  return { trails, isCut: false };
}

function isDone({ failing, waiting, givenUp }: DestinationReport): boolean {
  return failing === undefined && waiting.files === 0 && givenUp.files === 0;
}
