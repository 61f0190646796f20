// What of a record filters ask and readers are told, read from its bytes as it is asked for; what costs most comes last.
import { type LookupAttribute, type LookupFields, hasAttribute } from "../event/lookup-fields.ts";
import { type DerivedFields, LookupScan, parsedFieldsOf } from "../event/lookup-scan.ts";
import type { RecordFields } from "../event/record.ts";
import { scanBatch } from "../event/scan.ts";

/** Insights records name their source and event inside. */
const insightDetails = Buffer.from('"insightDetails"');

const scannedAttributes: ReadonlyMap<LookupAttribute, (fields: RecordFields) => string | undefined> = new Map(
  [
    ["EventId", ({ eventID }) => eventID],
    ["EventName", ({ eventName }) => eventName],
    ["EventSource", ({ eventSource }) => eventSource],
    ["ReadOnly", ({ readOnly }) => (readOnly === undefined ? undefined : String(readOnly))],
  ],
);

export class RecordLookups {
  readonly #scan = new LookupScan();

  /** Undefined for what is no record; the journal has none of that. */
  of(bytes: Uint8Array): LookedUp | undefined {
    const scan = scanBatch(bytes);
    const [record] = scan.kind === "records" ? scan.records : [];
    if (!record || !("fields" in record)) return undefined;
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return new LookedUp(body, record.inPlace, this.#scan);
  }
}

class LookedUp {
  readonly #body: Buffer;
  readonly #fields: RecordFields;
  readonly #scan: LookupScan;
  #parsed: LookupFields | undefined;
  #derived: DerivedFields | undefined;

  constructor(body: Buffer, fields: RecordFields, scan: LookupScan) {
    this.#body = body;
    this.#fields = fields;
    this.#scan = scan;
    if (body.includes(insightDetails)) this.#parsed = parsedFieldsOf(this.#range);
  }

  get errorCode(): string | undefined {
    return this.#fields.errorCode;
  }

  get derived(): DerivedFields {
    this.#derived ??= this.#parsed ?? this.#scan.derivedFieldsOf(this.#range, this.#fields);
    return this.#derived;
  }

  /** As LookupEvents has it, which knows no data events: theirs are also found by what they list themselves. */
  has(attribute: LookupAttribute, value: string): boolean {
    if (this.#parsed) return hasAttribute(this.#parsed, attribute, value);
    const scanned = scannedAttributes.get(attribute);
    if (scanned) return scanned(this.#fields) === value;
    return hasAttribute(this.derived, attribute, value) || this.#lists(attribute, value);
  }

  #lists(attribute: LookupAttribute, value: string): boolean {
    const { resources } = this.#fields;
    switch (attribute) {
      case "ResourceName":
        return resources.some(({ arn }) => arn === value || arn?.slice(arn.lastIndexOf(":") + 1) === value);
      case "ResourceType":
        return resources.some(({ type }) => type === value);
      case "AccessKeyId":
      case "EventId":
      case "EventName":
      case "EventSource":
      case "ReadOnly":
      case "Username":
      default:
        return false;
    }
  }

  get #range() {
    return { body: this.#body, start: 0, end: this.#body.length };
  }
}
