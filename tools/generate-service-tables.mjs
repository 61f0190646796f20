// Makes the recorder's tables of services from the vendor's own models (the package aws-sdk, whose code is never run):
// per service its operations, and the shapes of their input and output, in the compact form that
// src/recorder/service/service-table.ts reads. Plain Node, started by tools/setup.mjs: [folder to write into].
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

const scalars = ["string", "integer", "float", "boolean", "timestamp", "blob", "document"];
const scalarOf = { long: "integer", double: "float", bigdecimal: "float", character: "string" };
const timestampFormats = { iso8601: 7, rfc822: 8, unixTimestamp: 9 };
const places = { uri: 1, querystring: 2, header: 3, headers: 4, statusCode: 5 };
/** Flags of shapes. */
const [sensitive, flattened, streaming] = [1, 2, 4];

/** Writes the catalogue and one module per service into `folder`. */
function generateServiceTables(modelsFolder, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "tables"), { recursive: true });
  const rows = [];
  for (const file of newestModels(modelsFolder)) {
    const model = JSON.parse(readFileSync(join(modelsFolder, file), "utf8"));
    const name = file.replace(/-\d{4}-\d\d-\d\d\.min\.json$/, "").replaceAll(".", "-");
    const packed = deflateRawSync(Buffer.from(JSON.stringify(tableOf(model))), { level: 9 });
    writeFileSync(
      join(folder, "tables", `${name}.ts`),
      `// Made by tools/generate-service-tables.mjs.\nexport const packed =\n  "${packed.toString("base64")}";\n`,
    );
    rows.push(catalogueRow(name, model.metadata));
  }
  if (rows.length < 150) throw new Error(`Only ${rows.length} services were found in ${modelsFolder}.`);
  writeFileSync(
    join(folder, "service-catalogue.ts"),
    `// Made by tools/generate-service-tables.mjs: the services that have a table, and how to load it.\n` +
      `export const catalogue = [\n${rows.join("")}] as const;\n`,
  );
}

/** Older copies of a service under another name: `events` is what is now `eventbridge`. */
const copies = new Set(["events"]);

/** The file of each service's newest version. */
function newestModels(folder) {
  const newest = new Map();
  for (const file of readdirSync(folder).sort()) {
    const match = /^(.+)-\d{4}-\d\d-\d\d\.min\.json$/.exec(file);
    if (match && !copies.has(match[1])) newest.set(match[1], file);
  }
  return [...newest.values()];
}

function catalogueRow(name, metadata) {
  const row = {
    name,
    signingName: metadata.signingName ?? metadata.endpointPrefix,
    endpointPrefix: metadata.endpointPrefix,
    protocol: metadata.protocol,
    apiVersion: metadata.apiVersion,
    serviceId: metadata.serviceId,
    ...(metadata.jsonVersion && { jsonVersion: metadata.jsonVersion }),
    ...(metadata.targetPrefix && { targetPrefix: metadata.targetPrefix }),
    ...(metadata.xmlNamespace && { namespace: metadata.xmlNamespace.uri ?? metadata.xmlNamespace }),
  };
  const text = Object.entries(row).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `  { ${text.join(", ")}, load: () => import("./tables/${name}.ts") },\n`;
}

/** `{ operations: { Name: [input, output, method, uri, wrapper] }, shapes: [row …] }`; see service-table.ts. */
function tableOf(model) {
  const shapes = new ShapeRows(model.shapes ?? {});
  const isRest = model.metadata.protocol.startsWith("rest");
  const operations = {};
  for (const [name, operation] of Object.entries(model.operations)) {
    const row = [shapes.refOf(operation.input), shapes.refOf(operation.output)];
    if (isRest) row.push(operation.http?.method ?? "POST", uriOf(operation, model.metadata));
    operations[name] = row;
  }
  return { operations, shapes: shapes.rows };
}

/**
 * The path's template with what the query must have. S3's operations differ in what they require: `uploadId` in the
 * query, `!x-amz-copy-source` for a header.
 */
function uriOf({ http, input }, metadata) {
  const uri = http?.requestUri ?? "/";
  if (metadata.serviceId !== "S3") return uri;
  const [path, query = ""] = uri.split("?");
  const wanted = query.split("&").filter((pair) => pair !== "");
  for (const name of input?.required ?? []) {
    const { location, locationName } = input.members[name];
    if (location === "querystring" && !wanted.includes(locationName)) wanted.push(locationName);
    if (location === "header") wanted.push(`!${locationName}`);
  }
  return wanted.length === 0 ? path : `${path}?${wanted.join("&")}`;
}

/** Gives each shape a number; equal shapes the same one. A reference below zero is a scalar. */
class ShapeRows {
  rows = [];
  #named;
  #numbers = new Map();
  #known = new Map();

  constructor(named) {
    this.#named = named;
  }

  /** 0 is "nothing" for an operation without input or output. */
  refOf(shape) {
    if (!shape) return 0;
    return this.#ref(shape);
  }

  #ref(shape) {
    if (shape.shape !== undefined) {
      const named = this.#named[shape.shape];
      if (named === undefined) return -1;
      const number = this.#numbers.get(shape.shape);
      if (number !== undefined) return number;
      if (!["structure", "list", "map"].includes(named.type)) return scalarRef(named);
      // Reserved before its members are looked at: shapes may hold themselves.
      const reserved = this.rows.push(null);
      this.#numbers.set(shape.shape, reserved);
      this.rows[reserved - 1] = this.#row(named);
      return reserved;
    }
    if (!["structure", "list", "map"].includes(shape.type)) return scalarRef(shape);
    const row = this.#row(shape);
    const text = JSON.stringify(row);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const number = this.rows.push(row);
    this.#known.set(text, number);
    return number;
  }

  #resolved(shape) {
    return { ...(shape.shape !== undefined && this.#named[shape.shape]), ...shape };
  }

  #row(shape) {
    const flags = flagsOf(shape);
    if (shape.type === "list") return trimmed([1, flags, this.#ref(shape.member), shape.member.locationName]);
    if (shape.type === "map") {
      const { key, value } = shape;
      return trimmed([2, flags, this.#ref(key), this.#ref(value), key.locationName, value.locationName]);
    }
    if (shape.document) return [3, flags];
    const members = {};
    for (const [name, member] of Object.entries(shape.members ?? {})) members[name] = this.#member(member);
    return trimmed([0, flags, members, shape.payload, shape.resultWrapper]);
  }

  /** A number when nothing is special, else [reference, place, name on the wire, flags]. */
  #member(member) {
    const ref = member.jsonvalue ? scalarRef(this.#resolved(member)) : this.#ref(member);
    const place = places[member.location] ?? 0;
    const name = member.queryName ? `?${member.queryName}` : member.locationName;
    const flags = flagsOf(member);
    const row = trimmed([ref, place, name, flags]);
    return row.length === 1 || (row.length === 2 && place === 0) ? ref : row;
  }
}

function scalarRef(shape) {
  const type = shape.jsonvalue ? "document" : (scalarOf[shape.type] ?? shape.type ?? "string");
  const number =
    type === "timestamp" && shape.timestampFormat !== undefined
      ? timestampFormats[shape.timestampFormat]
      : scalars.indexOf(type);
  if (number === undefined || number < 0) throw new Error(`unknown type of shape: ${JSON.stringify(shape)}`);
  return -1 - number - (shape.sensitive ? 100 : 0);
}

function flagsOf(shape) {
  return (
    (shape.sensitive ? sensitive : 0) |
    (shape.flattened ? flattened : 0) |
    (shape.streaming || shape.eventstream ? streaming : 0)
  );
}

/** Without what is absent or 0 at the end. */
function trimmed(row) {
  while (row.length > 1 && (row.at(-1) === undefined || row.at(-1) === 0)) row.pop();
  return row.map((value) => value ?? 0);
}

const models = fileURLToPath(new URL("../node_modules/aws-sdk/apis", import.meta.url));
const [, , target] = process.argv;
if (target === undefined) throw new Error("Say into which folder.");
generateServiceTables(models, target);
