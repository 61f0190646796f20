// What a service's table says, unpacked: its operations, and the shapes of what goes in and comes out. Shapes are built
// when they are first looked at. This folder understands passing calls: it reads bytes that others hand to it and never
// asks for any; no sockets, no clock, no state.
//
// A table is JSON, deflated: { operations: { Name: [input, output, method, uri] }, shapes: [row, …] }. A reference is
// the number of a row, from 1; 0 is nothing; below zero it is a scalar (-1 - type, another -100 when it is sensitive).
// Rows: [0, flags, members, payload, wrapper] a structure, [1, flags, item, itemName] a list,
// [2, flags, key, value, keyName, valueName] a map, [3, flags] free JSON. A member is a reference or
// [reference, place, name on the wire, flags]. Flags: 1 sensitive, 2 flattened, 4 streaming.
import { inflateRawSync } from "node:zlib";
import { type MemberPlace, type Secrecy, secrecyOf } from "./secrecy.ts";

export type Scalar = "string" | "integer" | "float" | "boolean" | "timestamp" | "blob" | "document";
export type Place = "body" | "uri" | "query" | "header" | "headers" | "status";

export type Shape = ScalarShape | Structure | ListShape | MapShape;

export interface ScalarShape {
  readonly kind: Scalar;
  readonly isSensitive: boolean;
}

export interface Structure {
  readonly kind: "structure";
  readonly isSensitive: boolean;
  readonly members: readonly Member[];
  /** By the name on the wire, in the body. */
  readonly byWireName: ReadonlyMap<string, Member>;
  readonly byName: ReadonlyMap<string, Member>;
  /** The member that is the whole body (REST). */
  readonly payload?: Member;
  /** The element around the members of a Query answer. */
  readonly wrapper?: string;
}

export interface ListShape {
  readonly kind: "list";
  readonly isSensitive: boolean;
  readonly isFlattened: boolean;
  readonly item: Member;
}

export interface MapShape {
  readonly kind: "map";
  readonly isSensitive: boolean;
  readonly isFlattened: boolean;
  readonly key: Member;
  readonly value: Member;
}

/** A member of a structure; also the item of a list, and the key and value of a map. */
export interface Member {
  readonly name: string;
  /** As a record writes it: the first letter lowered. */
  readonly recordName: string;
  readonly wireName: string;
  readonly hasWireName: boolean;
  readonly place: Place;
  readonly isStreaming: boolean;
  readonly isFlattened: boolean;
  readonly shape: Shape;
  readonly secrecy: Secrecy;
}

export interface Operation {
  readonly name: string;
  readonly input?: Structure;
  readonly output?: Structure;
  readonly method: string;
  readonly uri: string;
}

export interface CatalogueRow {
  /** Of the model's file: `dynamodb`, `streams-dynamodb`. */
  readonly name: string;
  readonly signingName: string;
  readonly endpointPrefix: string;
  readonly protocol: "json" | "query" | "ec2" | "rest-json" | "rest-xml";
  readonly apiVersion: string;
  readonly serviceId: string;
  readonly jsonVersion?: string;
  readonly targetPrefix?: string;
  readonly namespace?: string;
}

export interface ServiceTable {
  readonly row: CatalogueRow;
  readonly operationNames: readonly string[];
  operation(name: string): Operation | undefined;
}

type Reference = number;
type MemberRow = Reference | readonly [Reference, number?, (string | 0)?, number?];
type ShapeRow =
  | readonly [0, number, Readonly<Record<string, MemberRow>>, (string | 0)?, (string | 0)?]
  | readonly [1, number, Reference, (string | 0)?]
  | readonly [2, number, Reference, Reference, (string | 0)?, (string | 0)?]
  | readonly [3, number];
interface TableData {
  readonly operations: Readonly<Record<string, readonly [Reference, Reference, string?, string?]>>;
  readonly shapes: readonly ShapeRow[];
}

const scalars: readonly Scalar[] = [
  ...(["string", "integer", "float", "boolean", "timestamp", "blob", "document"] as const),
  ...(["timestamp", "timestamp", "timestamp"] as const),
];
const places: readonly Place[] = ["body", "uri", "query", "header", "headers", "status"];

/** Reads a packed table, as tools/generate-service-tables.mjs made it. */
export function unpackTable(row: CatalogueRow, packed: string): ServiceTable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own generator wrote it
  const data = JSON.parse(inflateRawSync(Buffer.from(packed, "base64")).toString()) as TableData;
  return new UnpackedTable(row, data);
}

class UnpackedTable implements ServiceTable {
  readonly row: CatalogueRow;
  readonly operationNames: readonly string[];
  readonly #data: TableData;
  readonly #shapes: (Shape | undefined)[] = [];
  readonly #operations = new Map<string, Operation>();

  constructor(row: CatalogueRow, data: TableData) {
    this.row = row;
    this.#data = data;
    this.operationNames = Object.keys(data.operations);
  }

  operation(name: string): Operation | undefined {
    const known = this.#operations.get(name);
    if (known || !Object.hasOwn(this.#data.operations, name)) return known;
    const [input = 0, output = 0, method = "POST", uri = "/"] = this.#data.operations[name] ?? [];
    const [inputShape, outputShape] = [this.shape(input), this.shape(output)];
    const operation: Operation = {
      name,
      method,
      uri,
      ...(inputShape?.kind === "structure" && { input: inputShape }),
      ...(outputShape?.kind === "structure" && { output: outputShape }),
    };
    this.#operations.set(name, operation);
    return operation;
  }

  /** The shape behind a reference; undefined for 0. */
  shape(reference: Reference): Shape | undefined {
    if (reference < 0) return scalarShape(reference);
    const row = this.#data.shapes[reference - 1];
    return row && (this.#shapes[reference] ??= this.#shapeOf(row));
  }

  #shapeOf(row: ShapeRow): Shape {
    const isSensitive = (row[1] & 1) !== 0;
    const isFlattened = (row[1] & 2) !== 0;
    switch (row[0]) {
      case 0:
        return this.#structure(row, isSensitive);
      case 1:
        return { kind: "list", isSensitive, isFlattened, item: this.#member("", [row[2], 0, row[3] ?? 0]) };
      case 2: {
        const key = this.#member("", [row[2], 0, row[4] ?? 0]);
        return {
          kind: "map",
          isSensitive,
          isFlattened,
          key,
          value: this.#member("", [row[3], 0, row[5] ?? 0]),
        };
      }
      case 3:
      default:
        return { kind: "document", isSensitive };
    }
  }

  #structure(row: Extract<ShapeRow, readonly [0, ...unknown[]]>, isSensitive: boolean): Structure {
    const names = Object.keys(row[2]);
    const isTag = names.length === 2 && /^key,value$/i.test(names.toSorted().join());
    const members = Object.entries(row[2]).map(([name, member]) => this.#member(name, member, isTag));
    const payload = members.find(({ name }) => name === row[3]);
    return {
      kind: "structure",
      isSensitive,
      members,
      byWireName: new Map(members.filter(({ place }) => place === "body").map((m) => [m.wireName, m])),
      byName: new Map(members.map((member) => [member.name, member])),
      ...(payload && { payload }),
      ...(row[4] && { wrapper: row[4] }),
    };
  }

  #member(name: string, row: MemberRow, isTag = false): Member {
    return new LazyMember(
      { table: this, service: this.row.name, isTag },
      name,
      typeof row === "number" ? [row] : row,
    );
  }
}

interface Owner extends MemberPlace {
  readonly table: UnpackedTable;
}

class LazyMember implements Member {
  readonly name: string;
  readonly recordName: string;
  readonly wireName: string;
  readonly hasWireName: boolean;
  readonly place: Place;
  readonly isStreaming: boolean;
  readonly isFlattened: boolean;
  readonly #owner: Owner;
  readonly #reference: Reference;
  #secrecy: Secrecy | undefined;

  constructor(
    owner: Owner,
    name: string,
    [reference, place = 0, wireName = 0, flags = 0]: Exclude<MemberRow, number>,
  ) {
    this.name = name;
    this.recordName = keepingNames.has(owner.service) ? name : lowerFirst(name);
    this.hasWireName = wireName !== 0;
    this.wireName = wireName === 0 ? name : wireName;
    this.place = places[place] ?? "body";
    this.isFlattened = (flags & 2) !== 0;
    this.isStreaming = (flags & 4) !== 0;
    this.#owner = owner;
    this.#reference = reference;
  }

  get shape(): Shape {
    return this.#owner.table.shape(this.#reference) ?? { kind: "string", isSensitive: false };
  }

  get secrecy(): Secrecy {
    this.#secrecy ??= secrecyOf(this.#owner, this.name, this.shape);
    return this.#secrecy;
  }
}

/** Services whose records keep the names of the API as they are. */
const keepingNames: ReadonlySet<string> = new Set(["ce", "devops-guru", "account", "resource-explorer-2"]);

/** `BucketName` → `bucketName`, `UUID` → `uUID` (formats.md §1.5). */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

const scalarShapes = new Map<Reference, ScalarShape>();

function scalarShape(reference: Reference): ScalarShape {
  const known = scalarShapes.get(reference);
  if (known) return known;
  const isSensitive = reference <= -100;
  const shape: ScalarShape = {
    kind: scalars[-reference - 1 - (isSensitive ? 100 : 0)] ?? "string",
    isSensitive,
  };
  scalarShapes.set(reference, shape);
  return shape;
}
