// Members of a request or an answer whose body is XML, as a record writes them: by the shapes of the tables (Query
// answers, REST XML), or as they stand where a service's records do so (S3's configurations, newer EC2 calls). Pure.
import type { JsonValue } from "../../model/json.ts";
import { conceal, hideNamedValue, unknownMember } from "./json-members.ts";
import { depthMax, type Members, put, type Reading, shownText } from "./record-values.ts";
import { isSecretName, hidden } from "./secrecy.ts";
import { lowerFirst, type Member, type Shape, type Structure } from "./service-table.ts";
import { TreeReader, type Way } from "./tree-members.ts";
import { child, type XmlElement } from "./xml-tree.ts";

const xml = new TreeReader<XmlElement>({
  text: ({ text }) => text,
  child,
  children: ({ children }) => children,
  items: ({ children }) => children,
  structure,
});

export function structureFromXml(shape: Structure, element: XmlElement, reading: Reading): Members {
  return structure(shape, element, { reading, depth: 0 });
}

function structure(shape: Structure, element: XmlElement, way: Way): Members {
  const members: Members = {};
  const lists = new Map<Member, XmlElement[]>();
  for (const part of element.children) {
    const member = memberOf(shape, part.name);
    if (!member)
      put(
        members,
        lowerFirst(part.name),
        part.children.length > 0 ? undefined : unknownMember(part.name, part.text, way.reading),
      );
    else if (isFlattenedList(member)) addTo(lists, member, part);
    else put(members, member.recordName, xml.member(member, part, way));
  }
  for (const [member, items] of lists) {
    const all: XmlElement = { name: member.wireName, attributes: new Map(), children: items, text: "" };
    put(members, member.recordName, xml.member(member, all, way));
  }
  return hideNamedValue(members, way.reading);
}

function addTo(lists: Map<Member, XmlElement[]>, member: Member, part: XmlElement): void {
  const list = lists.get(member);
  if (list) list.push(part);
  else lists.set(member, [part]);
}

function memberOf(shape: Structure, name: string): Member | undefined {
  return (
    shape.byWireName.get(name) ??
    shape.byName.get(name) ??
    shape.members.find(
      (member) =>
        isFlattenedList(member) && member.shape.kind === "list" && member.shape.item.wireName === name,
    )
  );
}

function isFlattenedList({ shape, isFlattened }: Member): boolean {
  return (shape.kind === "list" || shape.kind === "map") && (isFlattened || shape.isFlattened);
}

interface Standing extends Way {
  /** What is known of the element: which of its members are secret. */
  readonly shape?: Shape | undefined;
}

/**
 * An element as S3's and newer EC2 records write it: attributes beside children, a child that comes twice as a list,
 * texts that look like numbers or truths as such, an empty element as "".
 */
export function asItStands(element: XmlElement, way: Standing): JsonValue {
  if (way.depth > depthMax) return "";
  const members: Members = {};
  const repeated = new Map<string, JsonValue[]>();
  for (const [name, value] of element.attributes) put(members, name, shownText(value));
  for (const part of element.children) {
    const value = childAsItStands(part, way);
    const others = repeated.get(part.name);
    if (others) others.push(value ?? "");
    else if (Object.hasOwn(members, part.name)) {
      const list: JsonValue[] = [members[part.name] ?? "", value ?? ""];
      repeated.set(part.name, list);
      put(members, part.name, list);
    } else put(members, part.name, value);
  }
  const text = element.text.trim();
  if (element.children.length === 0 && element.attributes.size === 0) return guessed(text);
  if (element.children.length === 0 && text !== "") put(members, "content", guessed(text));
  return hideNamedValue(members, way.reading);
}

function childAsItStands(part: XmlElement, { reading, depth, shape }: Standing): JsonValue | undefined {
  const member =
    shape?.kind === "structure"
      ? memberOf(shape, part.name)
      : shape?.kind === "list"
        ? shape.item
        : undefined;
  if (member && member.secrecy.kind !== "shown") return conceal(member.secrecy, xml.textsIn(part), reading);
  if (isSecretName(part.name) && part.children.length === 0) {
    return conceal({ kind: "replaced", by: hidden }, xml.textsIn(part), reading);
  }
  return asItStands(part, { reading, depth: depth + 1, shape: member?.shape });
}

function guessed(text: string): JsonValue {
  if (text === "true" || text === "false") return text === "true";
  return /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : shownText(text);
}
