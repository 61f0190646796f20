// The fields of a record where they lie: the scanner's row says where, and a value is made when it is asked for. Pure.
// Texts that many records share are made once (equal ones are the same string); long or individual ones (ids, times,
// ARNs) at every asking.
import type { PlacedFields, RecordFields, RecordResource } from "./record.ts";
import { filledBits, rangeEnd, flag, resourceWord, word } from "./scanner-keys.ts";
import type { ReadableRecord } from "./scanned-record.ts";

/** What one call of the scanner found. */
export interface ScannedRows {
  readonly rows: Int32Array;
  readonly resources: Int32Array;
  /** Where in `resources` the first one of the rows stands. */
  readonly firstResource: number;
  /** Interned texts by number, the first being 1; only ever grows. */
  readonly texts: readonly (string | undefined)[];
  readonly body: Buffer;
  /** Where in the body the offsets of the rows count from. */
  readonly offset: number;
}

export const rowWords = 29;
export const resourceWords = 5;

/** A record that the scanner affirmed: `row` is the first word of its row. */
export class AffirmedRecord implements ReadableRecord {
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly #scanned: ScannedRows;
  readonly #row: number;

  constructor(scanned: ScannedRows, row: number, index: number) {
    const { rows, offset } = scanned;
    this.index = index;
    this.start = offset + (rows[row + word.start] ?? 0);
    this.end = offset + (rows[row + word.end] ?? 0);
    this.#scanned = scanned;
    this.#row = row;
  }

  /** Whether scan-record.ts has to read the record after all. */
  get isOdd(): boolean {
    return ((this.#scanned.rows[this.#row + word.flags] ?? 0) & flag.isOdd) !== 0;
  }

  get inPlace(): PlacedFields {
    return new InPlaceFields(this.#scanned, this.#row);
  }

  get fields(): RecordFields {
    return plainFields(this.inPlace);
  }

  get isValid(): boolean {
    const { rows } = this.#scanned;
    const filled = rows[this.#row + word.filled] ?? 0;
    if ((filled & requiredOfCall) !== requiredOfCall || !this.#isOfCallCategory()) return false;
    // What may be absent must not be there with a value that is not valid.
    return spliceable.every(({ bit, place }) => (filled & bit) !== 0 || rows[this.#row + place] === 0);
  }

  get isComplete(): boolean {
    const filled = this.#scanned.rows[this.#row + word.filled] ?? 0;
    return (filled & completeCall) === completeCall && this.#isOfCallCategory();
  }

  /** Absent, the category is Management or Data. */
  #isOfCallCategory(): boolean {
    const category = this.#scanned.texts[this.#scanned.rows[this.#row + word.eventCategory] ?? 0];
    return (
      category === undefined ||
      category === "Management" ||
      category === "Data" ||
      category === "NetworkActivity"
    );
  }

  get mayHaveLineBreak(): boolean {
    return ((this.#scanned.rows[this.#row + word.flags] ?? 0) & flag.hasLineBreak) !== 0;
  }
}

/** What the categories of calls must have (required.ts). */
const requiredOfCall = filledBits([
  ...(["eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion"] as const),
]);
const spliceable = (["eventID", "eventType", "eventCategory", "recipientAccountId"] as const).map((name) => ({
  bit: filledBits([name]),
  place: word[name],
}));
const completeCall = spliceable.reduce((bits, { bit }) => bits | bit, requiredOfCall);
const userIdentityBit = filledBits(["userIdentity"]);
const eventTimeBit = filledBits(["eventTime"]);
const eventIdBit = filledBits(["eventID"]);

class InPlaceFields implements PlacedFields {
  readonly #scanned: ScannedRows;
  readonly #row: number;
  #resources: readonly RecordResource[] | undefined;

  constructor(scanned: ScannedRows, row: number) {
    this.#scanned = scanned;
    this.#row = row;
  }

  get eventVersion(): string | undefined {
    return this.#text(word.eventVersion);
  }
  get eventSource(): string | undefined {
    return this.#text(word.eventSource);
  }
  get eventName(): string | undefined {
    return this.#text(word.eventName);
  }
  get awsRegion(): string | undefined {
    return this.#text(word.awsRegion);
  }
  get eventType(): string | undefined {
    return this.#text(word.eventType);
  }
  get eventCategory(): string | undefined {
    return this.#text(word.eventCategory);
  }
  get recipientAccountId(): string | undefined {
    return this.#text(word.recipientAccountId);
  }
  get errorCode(): string | undefined {
    return this.#text(word.errorCode);
  }
  get vpcEndpointId(): string | undefined {
    return this.#text(word.vpcEndpointId);
  }
  get sessionCredentialFromConsole(): string | undefined {
    return this.#text(word.sessionCredentialFromConsole);
  }
  get insightType(): string | undefined {
    return this.#text(word.insightType);
  }
  get readOnly(): boolean | undefined {
    return this.#truth(word.readOnly);
  }
  get managementEvent(): boolean | undefined {
    return this.#truth(word.managementEvent);
  }
  get eventTime(): string | undefined {
    return textAt(this.#scanned, this.#scanned.rows, this.#row + word.eventTime);
  }
  get eventID(): string | undefined {
    return textAt(this.#scanned, this.#scanned.rows, this.#row + word.eventID);
  }
  get userIdentityArn(): string | undefined {
    return textAt(this.#scanned, this.#scanned.rows, this.#row + word.userIdentityArn);
  }
  get hasUserIdentity(): boolean {
    return this.#isFilled(userIdentityBit);
  }
  get resources(): readonly RecordResource[] {
    this.#resources ??= resourcesOf(this.#scanned, this.#row);
    return this.#resources;
  }
  get userIdentityAt(): number {
    return this.#place(word.userIdentity);
  }
  get requestParametersAt(): number {
    return this.#place(word.requestParameters);
  }
  get responseElementsAt(): number {
    return this.#place(word.responseElements);
  }
  get resourcesAt(): number {
    return this.#place(word.resources);
  }
  get eventTimeAt(): number {
    return this.#isFilled(eventTimeBit) ? this.#place(word.eventTime) : 0;
  }
  get eventIdAt(): number {
    return this.#isFilled(eventIdBit) ? this.#place(word.eventID) : 0;
  }

  get hasSpace(): boolean {
    return ((this.#scanned.rows[this.#row + word.flags] ?? 0) & flag.hasSpace) !== 0;
  }

  #text(place: number): string | undefined {
    return this.#scanned.texts[this.#scanned.rows[this.#row + place] ?? 0];
  }

  #isFilled(bit: number): boolean {
    return ((this.#scanned.rows[this.#row + word.filled] ?? 0) & bit) !== 0;
  }

  #place(place: number): number {
    const start = this.#scanned.rows[this.#row + place] ?? 0;
    return start === 0 ? 0 : this.#scanned.offset + start;
  }

  #truth(place: number): boolean | undefined {
    const value = this.#scanned.rows[this.#row + place];
    return value === 0 ? undefined : value === 2;
  }
}

const noResources: readonly RecordResource[] = [];

function resourcesOf(scanned: ScannedRows, row: number): readonly RecordResource[] {
  const count = scanned.rows[row + word.resourceCount] ?? 0;
  if (count === 0) return noResources;
  const first = scanned.rows[row + word.firstResource] ?? 0;
  const resources: RecordResource[] = [];
  for (let index = first; index < first + count; index += 1) {
    resources.push(new InPlaceResource(scanned, scanned.firstResource + index * resourceWords));
  }
  return resources;
}

class InPlaceResource implements RecordResource {
  readonly #scanned: ScannedRows;
  readonly #cell: number;

  constructor(scanned: ScannedRows, cell: number) {
    this.#scanned = scanned;
    this.#cell = cell;
  }

  get type(): string | undefined {
    return this.#scanned.texts[this.#scanned.resources[this.#cell + resourceWord.type] ?? 0];
  }

  get arn(): string | undefined {
    const { resources } = this.#scanned;
    return (
      textAt(this.#scanned, resources, this.#cell + resourceWord.arn) ??
      textAt(this.#scanned, resources, this.#cell + resourceWord.arnPrefix)
    );
  }
}

/** The text of the range whose two words begin at `place`. */
function textAt({ body, offset }: ScannedRows, words: Int32Array, place: number): string | undefined {
  const start = words[place] ?? 0;
  const end = words[place + 1] ?? 0;
  if (start === 0) return undefined;
  if (end >= 0) return body.toString("utf8", offset + start, offset + end);
  // With its quotes it is a JSON text of its own.
  const quoted = body.toString("utf8", offset + start - 1, offset + (end & rangeEnd) + 1);
  return String(JSON.parse(quoted));
}

/** The same fields as an object of its own; what is absent is undefined there. */
function plainFields(fields: RecordFields): RecordFields {
  return {
    eventVersion: fields.eventVersion,
    eventTime: fields.eventTime,
    eventSource: fields.eventSource,
    eventName: fields.eventName,
    awsRegion: fields.awsRegion,
    eventID: fields.eventID,
    eventType: fields.eventType,
    eventCategory: fields.eventCategory,
    recipientAccountId: fields.recipientAccountId,
    readOnly: fields.readOnly,
    managementEvent: fields.managementEvent,
    errorCode: fields.errorCode,
    vpcEndpointId: fields.vpcEndpointId,
    sessionCredentialFromConsole: fields.sessionCredentialFromConsole,
    userIdentityArn: fields.userIdentityArn,
    insightType: fields.insightType,
    hasUserIdentity: fields.hasUserIdentity,
    resources: fields.resources.map(({ type, arn }) => ({ type, arn })),
  };
}
