// From typed inputs and outputs to the JSON of the wire: timestamps as seconds, blobs as base64, modelled members
// only (api.md §1.2, §1.3). Pure. Which lists are present when empty is the handlers' business.
import { assert, unreachable } from "./assert.ts";
import { operationShapes, shapes } from "./generated/shapes.ts";
import { isObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Input, OperationName, Output } from "./operations.ts";
import type { Shape } from "./shape.ts";

/** The output of an operation as the JSON object of its answer. Undefined and null members are left out. */
export function encodeOutput<Name extends OperationName>(operation: Name, output: Output<Name>): JsonObject {
  return writeStructure(operationShapes[operation].output, output);
}

/** The input of an operation as JSON again, for the record of the call. */
export function inputAsJson<Name extends OperationName>(operation: Name, input: Input<Name>): JsonObject {
  return writeStructure(operationShapes[operation].input, input);
}

function writeStructure(shapeName: string, value: unknown): JsonObject {
  const json = writerOf(shapeName)(value);
  assert(isJsonObject(json), "inputs and outputs are structures");
  return json;
}

function isJsonObject(json: JsonValue): json is JsonObject {
  return isObject(json);
}

/** Turns a value (never null or undefined) into its JSON; a value of another type is our own bug. */
type Writer = (value: unknown) => JsonValue;

const writers = new Map<string, Writer>();

function writerOf(shapeName: string): Writer {
  const known = writers.get(shapeName);
  if (known) return known;
  const shape = shapes[shapeName];
  assert(shape, `the model has the shape ${shapeName}`);
  const writer = makeWriter(shape, shapeName);
  writers.set(shapeName, writer);
  return writer;
}

function makeWriter(shape: Shape, name: string): Writer {
  switch (shape.type) {
    case "structure":
      return structureWriter(shape.members, name);
    case "list":
      return listWriter(writerOf(shape.member), name);
    case "map":
      return mapWriter(writerOf(shape.value), name);
    case "string":
      return (value) => (typeof value === "string" ? value : misfit(name));
    case "boolean":
      return (value) => (typeof value === "boolean" ? value : misfit(name));
    case "integer":
    case "number":
      return (value) => (Number.isFinite(value) ? Number(value) : misfit(name));
    case "timestamp":
      return (value) => secondsOf(value, name);
    case "blob":
      return (value) => (value instanceof Uint8Array ? base64(value) : misfit(name));
    default:
      return unreachable(shape);
  }
}

function structureWriter(members: Readonly<Record<string, string>>, name: string): Writer {
  const plan = Object.entries(members).map(([member, shape]) => [member, writerOf(shape)] as const);
  return (value) => {
    if (!isObject(value)) return misfit(name);
    const json: Record<string, JsonValue> = {};
    for (const [member, write] of plan) {
      const found = value[member];
      if (found !== undefined && found !== null) json[member] = write(found);
    }
    return json;
  };
}

function listWriter(write: Writer, name: string): Writer {
  return (value) => (Array.isArray(value) ? value.map((entry) => write(entry)) : misfit(name));
}

function mapWriter(write: Writer, name: string): Writer {
  return (value) => {
    if (!isObject(value)) return misfit(name);
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, write(entry)]));
  };
}

/** Seconds since the epoch with up to three decimals. */
function secondsOf(value: unknown, name: string): number {
  // oxlint-disable-next-line no-restricted-globals -- recognises a Date that was given, does not look at the clock
  if (!(value instanceof Date)) return misfit(name);
  const milliseconds = value.getTime();
  return Number.isNaN(milliseconds) ? misfit(name) : milliseconds / 1000;
}

function base64(bytes: Uint8Array): string {
  let characters = "";
  for (const byte of bytes) characters += String.fromCharCode(byte);
  return btoa(characters);
}

function misfit(name: string): never {
  throw new Error(`Assertion failed: the value fits the shape ${name}`);
}
