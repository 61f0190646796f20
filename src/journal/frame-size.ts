// How large a frame becomes on disk, before it is written. Pure.
import type { MatchSet } from "../selector/match-set.ts";
import { type Frame, frameBytesMax } from "./contract.ts";
import { matchSetText } from "./match-set-text.ts";
import { segmentLimits } from "./segment-format.ts";

const frameOverheadBytes = 128;
const recordOverheadBytes = 8;

export interface FrameSize {
  readonly recordBytes: number;
  /** At most so many bytes on disk: as if none of its match sets were defined in the segment yet. */
  readonly bytes: number;
}

/** The frame's size, or undefined when it is larger than a frame may be. */
export function measureFrame(frame: Frame): FrameSize | undefined {
  const { id, header, records } = frame;
  let recordBytes = 0;
  let definitionBytes = 0;
  let last: MatchSet | undefined;
  const seen = new Set<MatchSet>();
  for (const { bytes, matchSet } of records) {
    recordBytes += bytes.length;
    if (matchSet === last || seen.has(matchSet)) continue;
    last = matchSet;
    seen.add(matchSet);
    definitionBytes += recordOverheadBytes + Buffer.byteLength(matchSetText(matchSet));
  }
  const idBytes = Buffer.byteLength(id);
  const principalBytes = Buffer.byteLength(header.principal);
  const fits =
    recordBytes <= frameBytesMax &&
    records.length <= segmentLimits.frameRecordsMax &&
    definitionBytes <= segmentLimits.frameDefinitionBytesMax &&
    principalBytes <= segmentLimits.principalBytesMax &&
    idBytes > 0 &&
    idBytes <= segmentLimits.frameIdBytesMax;
  if (!fits) return undefined;
  const ownBytes = frameOverheadBytes + idBytes + principalBytes + recordOverheadBytes * records.length;
  return { recordBytes, bytes: ownBytes + definitionBytes + recordBytes };
}
