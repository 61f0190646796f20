// Members of REST requests and answers: from the path, the query, the headers and the body. Pure.
import type { JsonValue } from "../../model/json.ts";
import { isObject } from "../../model/json.ts";
import type { RequestHeaders } from "../../model/headers.ts";
import { parseCutJson } from "./cut-json.ts";
import { conceal, structureFromJson } from "./json-members.ts";
import { headerOf, type ReadBody } from "./read-body.ts";
import { type Members, put, type Reading, scalarFromText, shownText } from "./record-values.ts";
import type { Member, Structure } from "./service-table.ts";
import { structureFromXml } from "./xml-members.ts";
import { parseXml } from "./xml-tree.ts";

export interface RestMessage {
  readonly labels: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  readonly headers: RequestHeaders;
  readonly body: ReadBody;
  readonly bodyForm: "json" | "xml";
  /** The members of the body stand below this name. */
  readonly bodyMember?: string;
}

/** A body that is text is not kept whole beyond this; policies are longer than most. */
const textPayloadCharactersMax = 64 * 1024;

export function structureFromRest(shape: Structure, message: RestMessage, reading: Reading): Members {
  const members: Members = {};
  for (const member of shape.members) {
    if (member === shape.payload) put(members, member.recordName, payload(member, message, reading));
    else if (member.place !== "body") put(members, member.recordName, atPlace(member, message, reading));
  }
  if (shape.payload) return members;
  const inBody = bodyMembers(shape, message, reading);
  const { bodyMember } = message;
  if (bodyMember === undefined) Object.assign(members, inBody);
  else if (Object.keys(inBody).length > 0) put(members, bodyMember, inBody);
  return members;
}

function atPlace(member: Member, message: RestMessage, reading: Reading): JsonValue | undefined {
  const texts = textsAt(member, message);
  if (texts === undefined || texts.length === 0) return undefined;
  if (member.secrecy.kind !== "shown") return conceal(member.secrecy, texts, reading);
  const { shape } = member;
  if (shape.kind === "list") {
    const item = shape.item.shape;
    return texts.map((text) =>
      "members" in item ? shownText(text) : scalarFromText(kindOf(item.kind), text),
    );
  }
  return scalarFromText(kindOf(shape.kind), texts[0] ?? "");
}

function kindOf(kind: Member["shape"]["kind"]): Parameters<typeof scalarFromText>[0] {
  return kind === "structure" || kind === "list" || kind === "map" ? "string" : kind;
}

/** Maps in headers and queries (metadata, free parameters) are not kept: nobody knows what is in them. */
function textsAt(
  { place, wireName, shape }: Member,
  { labels, query, headers }: RestMessage,
): readonly string[] | undefined {
  if (shape.kind === "map") return undefined;
  if (place === "uri") return optional(labels.get(wireName));
  if (place === "query") return query.getAll(wireName);
  return place === "header" ? optional(headerOf(headers, wireName.toLowerCase())) : undefined;
}

function optional(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}

function payload(member: Member, message: RestMessage, reading: Reading): JsonValue | undefined {
  const { shape } = member;
  const { body, bodyForm } = message;
  if (member.isStreaming || shape.kind === "blob" || body.bytes.length === 0 || body.isCut) return undefined;
  if (member.secrecy.kind !== "shown") return conceal(member.secrecy, body.text(), reading);
  if (shape.kind !== "structure")
    return body.bytes.length <= textPayloadCharactersMax ? shownText(body.text()) : undefined;
  if (bodyForm === "json") return structureFromJson(shape, jsonOf(body), reading);
  const element = parseXml(body.text());
  return element && structureFromXml(shape, element, reading);
}

function bodyMembers(shape: Structure, { body, bodyForm }: RestMessage, reading: Reading): Members {
  if (body.bytes.length === 0) return {};
  if (bodyForm === "xml") {
    const element = parseXml(body.text());
    return element ? structureFromXml(shape, element, reading) : {};
  }
  const value = jsonOf(body);
  return isObject(value) ? (structureFromJson(shape, value, reading) ?? {}) : {};
}

/** The JSON of a body, as far as it was captured; undefined when it is none. */
export function jsonOf(body: ReadBody): unknown {
  if (body.bytes.length === 0) return undefined;
  if (body.isCut) return parseCutJson(body.text());
  try {
    return JSON.parse(body.text());
  } catch {
    return undefined;
  }
}
