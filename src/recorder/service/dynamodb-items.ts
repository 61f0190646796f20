// What records say of DynamoDB's requests: keys with their values, items by the names of their attributes, statements
// without their values (formats.md §1.5, and the examples of the vendor's guide). Pure.
import { isObject, type JsonValue } from "../../model/json.ts";
import { conceal, structureFromJson } from "./json-members.ts";
import { type Members, put, type Reading } from "./record-values.ts";
import { lowerFirst, type Operation } from "./service-table.ts";
import { named } from "./named.ts";

type Fields = Readonly<Record<string, unknown>>;
type Rewrite = (value: unknown, reading: Reading) => JsonValue | undefined;

/** Members that records write otherwise than the API does. */
const rewrites: Readonly<Record<string, Rewrite>> = named({
  Key: keyOf,
  ExclusiveStartKey: keyOf,
  Keys: (value, reading) => (Array.isArray(value) ? listOf(value, (key) => keyOf(key, reading)) : undefined),
  Item: namesOf,
  AttributeUpdates: namesOf,
  Expected: namesOf,
  KeyConditions: namesOf,
  QueryFilter: namesOf,
  ScanFilter: namesOf,
  ExpressionAttributeValues: left,
  Parameters: left,
  Statement: (value, reading) => (typeof value === "string" ? shownStatement(value, reading) : undefined),
  PutRequest: (value, reading) => (isObject(value) ? rewritten(value, reading) : undefined),
  DeleteRequest: (value, reading) => (isObject(value) ? rewritten(value, reading) : undefined),
});

/** Undefined when the body is no object. */
export function dynamoDbParameters(
  operation: Operation,
  value: unknown,
  reading: Reading,
): Members | undefined {
  if (!isObject(value) || !operation.input) return undefined;
  const plain: Record<string, unknown> = {};
  const members: Members = {};
  for (const [name, part] of Object.entries(value)) {
    if (name === "RequestItems") put(members, "requestItems", requestItemsOf(part, reading));
    else if (name === "TransactItems") put(members, "requestItems", transactItemsOf(part, reading));
    else if (name === "Statements" || name === "TransactStatements")
      put(members, "requestItems", statementsOf(part, reading));
    else if (Object.hasOwn(rewrites, name)) put(members, lowerFirst(name), rewrites[name]?.(part, reading));
    else plain[name] = part;
  }
  return { ...structureFromJson(operation.input, plain, reading), ...members };
}

/** Fields of an entry in a batch, by the same rules; other texts and switches as they are. */
function rewritten(fields: Fields, reading: Reading): Members {
  const members: Members = {};
  for (const [name, part] of Object.entries(fields)) {
    const rewrite = Object.hasOwn(rewrites, name) ? rewrites[name] : undefined;
    if (rewrite) put(members, lowerFirst(name), rewrite(part, reading));
    else if (typeof part === "string" || typeof part === "boolean" || typeof part === "number")
      put(members, lowerFirst(name), part);
    else if (name === "ExpressionAttributeNames" && isObject(part))
      put(members, lowerFirst(name), textsOf(part));
    else reading.note(part);
  }
  return members;
}

/** A batch: by table either what to read, or a list of what to write. */
function requestItemsOf(value: unknown, reading: Reading): Members | undefined {
  if (!isObject(value)) return undefined;
  const members: Members = {};
  for (const [table, part] of Object.entries(value)) {
    if (Array.isArray(part))
      put(
        members,
        table,
        listOf(part, (entry) => (isObject(entry) ? rewritten(entry, reading) : undefined)),
      );
    else if (isObject(part)) put(members, table, rewritten(part, reading));
  }
  return members;
}

/** `[{operation: "Put", tableName, key, items: [names] …}]`. */
function transactItemsOf(value: unknown, reading: Reading): JsonValue[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return listOf(value, (entry) => {
    const [operation, fields] = isObject(entry) ? (Object.entries(entry)[0] ?? []) : [];
    if (operation === undefined || !isObject(fields)) return undefined;
    const { item, ...others } = rewritten(fields, reading);
    return { operation: operation.slice(0, 32), ...others, ...(item !== undefined && { items: item }) };
  });
}

function statementsOf(value: unknown, reading: Reading): JsonValue[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return listOf(value, (entry) => (isObject(entry) ? rewritten(entry, reading) : undefined));
}

function listOf(values: readonly unknown[], read: (value: unknown) => JsonValue | undefined): JsonValue[] {
  return values.map(read).filter((value) => value !== undefined);
}

/** `{Artist: {S: "x"}}` → `{Artist: "x"}`. */
function keyOf(value: unknown, reading: Reading): JsonValue | undefined {
  if (!isObject(value)) return undefined;
  const members: Members = {};
  for (const [name, attribute] of Object.entries(value)) {
    const text = isObject(attribute) ? (attribute["S"] ?? attribute["N"]) : undefined;
    if (typeof text === "string") put(members, name, text);
    else reading.note(attribute);
  }
  return members;
}

function namesOf(value: unknown, reading: Reading): JsonValue | undefined {
  if (!isObject(value)) return undefined;
  reading.note(value);
  return Object.keys(value);
}

function left(value: unknown, reading: Reading): undefined {
  conceal({ kind: "omitted" }, value, reading);
}

function textsOf(value: Fields): Members {
  const members: Members = {};
  for (const [name, part] of Object.entries(value)) if (typeof part === "string") put(members, name, part);
  return members;
}

const redacted = "***(Redacted)";
/** DynamoDB takes 8 KB. */
const statementCharactersMax = 16 * 1024;

/** A PartiQL statement with its values redacted; names in quotes before a colon are names. */
export function shownStatement(statement: string, reading: Reading): string {
  if (statement.length > statementCharactersMax) return redacted;
  return statement.replace(
    /'((?:[^']|'')*)'(\s*:)?|"(?:[^"]|"")*"|(?<![\w#:."])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?\b|'[^']*$/gi,
    (found, text: unknown, colon: unknown) => {
      if (found.startsWith('"') || typeof colon === "string") return found;
      reading.note(text);
      return redacted;
    },
  );
}

/** The tables that statements name. */
export function tablesOfStatements(parameters: Members): readonly string[] {
  const items = parameters["requestItems"];
  const statements = [
    parameters["statement"],
    ...(Array.isArray(items)
      ? items.map((item: JsonValue) => (isObject(item) ? item["statement"] : undefined))
      : []),
  ];
  return statements.flatMap((statement) => {
    const match =
      typeof statement === "string" ? /\b(?:FROM|INTO|UPDATE)\s+"?([\w.-]{3,255})/i.exec(statement) : null;
    return match?.[1] === undefined ? [] : [match[1]];
  });
}

/** The action of a statement or a transaction; a mixed one needs them all. */
export function dynamoDbAction(operation: string, parameters: Members): string | undefined {
  const items = parameters["requestItems"];
  const entries: readonly JsonValue[] = Array.isArray(items) ? items : [];
  if (/^(ExecuteStatement|BatchExecuteStatement|ExecuteTransaction)$/.test(operation)) {
    const verbs = [
      parameters["statement"],
      ...entries.map((entry) => (isObject(entry) ? entry["statement"] : undefined)),
    ];
    return oneOf(verbs.filter((verb) => typeof verb === "string").map((verb) => partiQlAction(verb)));
  }
  if (operation !== "TransactGetItems" && operation !== "TransactWriteItems") return undefined;
  return oneOf(entries.map((entry) => transactActions[textIn(entry, "operation") ?? ""] ?? "dynamodb:*"));
}

const transactActions: Readonly<Record<string, string>> = named({
  Get: "dynamodb:GetItem",
  Put: "dynamodb:PutItem",
  Update: "dynamodb:UpdateItem",
  Delete: "dynamodb:DeleteItem",
  ConditionCheck: "dynamodb:ConditionCheckItem",
});

function partiQlAction(statement: string): string {
  const verb = /^\s*(select|insert|update|delete|exists)/i.exec(statement)?.[1]?.toLowerCase();
  const name =
    verb === undefined ? "*" : verb === "exists" ? "Select" : verb.charAt(0).toUpperCase() + verb.slice(1);
  return `dynamodb:PartiQL${name}`;
}

function textIn(value: JsonValue, name: string): string | undefined {
  const text = isObject(value) ? value[name] : undefined;
  return typeof text === "string" ? text : undefined;
}

function oneOf(actions: readonly string[]): string {
  const [only = "dynamodb:*", ...others] = [...new Set(actions)];
  return others.length === 0 ? only : "dynamodb:*";
}
