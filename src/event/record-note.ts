// What a door notes of a record that it scanned anyway, so that event history need not scan it again. Pure. A note is a
// convenience: records without one are scanned by whoever needs to know.
import { categoryOf, isPlaced, type RecordFields, type RecordResource } from "./record.ts";

/** Where members of a management event lie that it is looked up by. Places count from its first byte. */
export interface LookupPlaces {
  readonly eventSource: string;
  readonly eventName: string;
  readonly readOnly: boolean | undefined;
  /** Of an object its brace; 0 when the member is none. */
  readonly userIdentityAt: number;
  readonly requestParametersAt: number;
  readonly responseElementsAt: number;
  /** The first of 20 and of 36 bytes. */
  readonly eventTimeAt: number;
  readonly eventIdAt: number;
  readonly resources: readonly RecordResource[];
}

/** Of a valid event of another category than those that are looked up. */
export const notLookedUp = "not looked up";

export type RecordNote = LookupPlaces | typeof notLookedUp;

const noResources: readonly RecordResource[] = [];

/** Takes the fields of a valid record that begins at `start` of what was scanned. Undefined where a note would not tell all. */
export function noteOf(fields: RecordFields, start: number): RecordNote | undefined {
  const category = categoryOf(fields);
  if (category === "Data" || category === "NetworkActivity") return notLookedUp;
  if (category !== "Management" || !isPlaced(fields)) return undefined;
  const { eventSource, eventName, eventTimeAt, eventIdAt, resources } = fields;
  const from = (place: number) => (place === 0 ? 0 : place - start);
  if (eventSource === undefined || eventName === undefined || eventTimeAt === 0 || eventIdAt === 0)
    return undefined;
  return {
    eventSource,
    eventName,
    readOnly: fields.readOnly,
    userIdentityAt: from(fields.userIdentityAt),
    requestParametersAt: from(fields.requestParametersAt),
    responseElementsAt: from(fields.responseElementsAt),
    eventTimeAt: eventTimeAt - start,
    eventIdAt: eventIdAt - start,
    // Those of the scan would keep its body alive.
    resources: resources.length === 0 ? noResources : resources.map(({ type, arn }) => ({ type, arn })),
  };
}
