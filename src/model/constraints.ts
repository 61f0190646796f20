// Modelled constraints of an input: required members, lengths, list sizes, ranges, patterns, enums (api.md §1.5,
// last paragraph). Pure. Which error a broken constraint becomes stands in constraints-by-member.ts.
import { unreachable } from "./assert.ts";
import {
  type Violation,
  errorOf,
  leftToHandler,
  looserLimits,
  shapesLeftToHandlers,
} from "./constraints-by-member.ts";
import { operationShapes, shapes } from "./generated/shapes.ts";
import { isObject } from "./json.ts";
import type { OperationName } from "./operations.ts";
import type { Shape } from "./shape.ts";

/** No more broken constraints than these are looked for and told, as on the real service. */
const violationsMax = 10;

/** Throws the error for the broken constraints of a decoded input; returns when there are none. */
export function checkConstraints(operation: OperationName, input: unknown): void {
  const violations: Violation[] = [];
  checkerOf(operationShapes[operation].input, "all")(input, "", (violation) => {
    if (violation.value !== null || !leftToHandler(operation, violation.path)) violations.push(violation);
    return violations.length < violationsMax;
  });
  if (violations.length > 0) throw errorOf(operation, violations);
}

/** Takes a broken constraint; answers whether to look for more. */
type Report = (violation: Violation) => boolean;
/** Answers whether to look for more. Never sees undefined. */
type Checker = (value: unknown, path: string, report: Report) => boolean;
/** `nulls`: only that no entry of a list is null; the rest is checked by the part that owns the shape. */
type Extent = "all" | "nulls";

const checkers = new Map<string, Checker>();

function checkerOf(shapeName: string, extent: Extent): Checker {
  const key = `${extent} ${shapeName}`;
  const known = checkers.get(key);
  if (known) return known;
  const shape = shapes[shapeName];
  if (!shape) throw new Error(`The model has no shape ${shapeName}.`);
  const inner = shapesLeftToHandlers.has(shapeName) ? "nulls" : extent;
  const checker = makeChecker({ ...shape, ...looserLimits[shapeName] }, inner);
  checkers.set(key, checker);
  return checker;
}

function makeChecker(shape: Shape, extent: Extent): Checker {
  switch (shape.type) {
    case "structure":
      return structureChecker(shape, extent);
    case "list":
      return listChecker(shape, extent);
    case "map":
      return extent === "all" ? mapChecker(shape) : satisfied;
    case "string":
    case "integer":
    case "number":
      return extent === "all" ? scalarChecker(shape) : satisfied;
    case "boolean":
    case "timestamp":
    case "blob":
      return satisfied;
    default:
      return unreachable(shape);
  }
}

const satisfied: Checker = () => true;

function structureChecker(shape: Shape & { type: "structure" }, extent: Extent): Checker {
  const members = Object.entries(shape.members).map(([name, member]) => ({
    name,
    field: `${name.charAt(0).toLowerCase()}${name.slice(1)}`,
    required: extent === "all" && shape.required.includes(name),
    check: checkerOf(member, extent),
  }));
  return (value, path, report) => {
    const prefix = path === "" ? "" : `${path}.`;
    for (const { name, field, required, check } of members) {
      const member = memberOf(value, name);
      const more =
        member !== undefined
          ? check(member, prefix + field, report)
          : !required || report({ path: prefix + field, value: null, constraint: mustNotBeNull });
      if (!more) return false;
    }
    return true;
  };
}

function listChecker(shape: Shape & { type: "list" }, extent: Extent): Checker {
  const check = checkerOf(shape.member, extent);
  const limits = extent === "all" ? shape : {};
  return (value, path, report) => {
    const entries: readonly unknown[] = Array.isArray(value) ? value : [];
    for (const constraint of brokenLengths(limits, entries.length)) {
      if (!report({ path, value: printed(value), constraint })) return false;
    }
    return entries.every((entry, index) => {
      const entryPath = `${path}.${index + 1}.member`;
      return entry === null
        ? report({ path: entryPath, value: null, constraint: mustNotBeNull })
        : check(entry, entryPath, report);
    });
  };
}

/** Broken keys and values of a map are told of the map as a whole, as the real service does. */
function mapChecker(shape: Shape & { type: "map" }): Checker {
  const checkKey = checkerOf(shape.key, "all");
  const checkValue = checkerOf(shape.value, "all");
  return (value, path, report) => {
    const entries = Object.entries(isObject(value) ? value : {});
    const broken = brokenLengths(shape, entries.length);
    const collect =
      (part: string): Report =>
      ({ constraint }) => {
        broken.push(`${part} must satisfy constraint: [${constraint}]`);
        return false;
      };
    entries.every(([key]) => checkKey(key, path, collect("Map keys")));
    entries.every(([, entry]) => checkValue(entry, path, collect("Map value")));
    return broken.every((constraint) => report({ path, value: printed(value), constraint }));
  };
}

function scalarChecker(shape: ScalarShape): Checker {
  const pattern = shape.pattern === undefined ? undefined : wholePattern(shape.pattern);
  if (!pattern && !shape.enum && shape.min === undefined && shape.max === undefined) return satisfied;
  return (value, path, report) => {
    const broken =
      typeof value === "string"
        ? [
            ...brokenLengths(shape, codePoints(value)),
            ...(pattern?.test(value) === false ? [patternConstraint(shape.pattern)] : []),
            ...(shape.enum?.includes(value) === false ? [enumConstraint(shape.enum)] : []),
          ]
        : brokenRange(shape, Number(value));
    const { min, max } = shape;
    const limits = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    return broken.every((constraint) => report({ path, value: printed(value), constraint, ...limits }));
  };
}

type ScalarShape = Exclude<Shape, { type: "structure" | "list" | "map" }>;

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

const mustNotBeNull = "Member must not be null";

function brokenLengths({ min, max }: Bounds, length: number): string[] {
  if (max !== undefined && length > max) return [`Member must have length less than or equal to ${max}`];
  if (min !== undefined && length < min) return [`Member must have length greater than or equal to ${min}`];
  return [];
}

function brokenRange({ min, max }: Bounds, value: number): string[] {
  if (max !== undefined && value > max) return [`Member must have value less than or equal to ${max}`];
  if (min !== undefined && value < min) return [`Member must have value greater than or equal to ${min}`];
  return [];
}

function patternConstraint(pattern = ""): string {
  return `Member must satisfy regular expression pattern: ${pattern}`;
}

function enumConstraint(values: readonly string[]): string {
  return `Member must satisfy enum value set: [${values.join(", ")}]`;
}

/** A pattern of the model must match the whole text; its only inline flag is Java's `(?s)`. */
function wholePattern(pattern: string): RegExp {
  const dotMatchesAll = pattern.startsWith("(?s)");
  return new RegExp(`^(?:${dotMatchesAll ? pattern.slice(4) : pattern})$`, dotMatchesAll ? "su" : "u");
}

/** Lengths in the model are Unicode characters, not UTF-16 units. */
function codePoints(text: string): number {
  return text.length - (text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);
}

/** A value as the real service prints it: lists `[a, b]`, structures and maps `{key=value}`. */
function printed(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printed).join(", ")}]`;
  if (!isObject(value)) return String(value);
  const members = Object.entries(value).map(([name, member]) => `${name}=${printed(member)}`);
  return `{${members.join(", ")}}`;
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
