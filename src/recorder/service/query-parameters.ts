// Requests of the Query protocols: `Action=…&Tags.member.1.Key=…` as a tree, and its members as a record writes them. Pure.
import { hideNamedValue, unknownMember } from "./json-members.ts";
import { depthMax, type Members, put, type Reading } from "./record-values.ts";
import { lowerFirst, type Member, type Structure } from "./service-table.ts";
import { TreeReader } from "./tree-members.ts";

/** A parameter's value and the parameters below it, by the parts of their names between the dots. */
export interface ParameterNode {
  text?: string;
  children?: Map<string, ParameterNode>;
}

/** More parameters than that are not looked at. */
const parametersMax = 20_000;

/** Reads `a.1.b=…&…`, percent-encoded. What cannot be decoded stays as it is. */
export function parseParameters(text: string): ParameterNode {
  const root: ParameterNode = {};
  let count = 0;
  for (let start = 0; start < text.length && count < parametersMax; count++) {
    const found = text.indexOf("&", start);
    const end = found === -1 ? text.length : found;
    if (end > start) addParameter(root, text.slice(start, end));
    start = end + 1;
  }
  return root;
}

function addParameter(root: ParameterNode, pair: string): void {
  const equals = pair.indexOf("=");
  const name = decodeForm(equals === -1 ? pair : pair.slice(0, equals));
  let node = root;
  for (const part of name.split(".", depthMax)) {
    node.children ??= new Map();
    let next = node.children.get(part);
    if (!next) node.children.set(part, (next = {}));
    node = next;
  }
  node.text = equals === -1 ? "" : decodeForm(pair.slice(equals + 1));
}

export function decodeForm(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** The text of a parameter at the top. */
export function parameter(root: ParameterNode, name: string): string | undefined {
  return root.children?.get(name)?.text;
}

/** Parameters of every request, which are no members. */
const ofTheProtocol =
  /^(Action|Version|AWSAccessKeyId|Signature|SignatureMethod|SignatureVersion|Timestamp|SecurityToken|X-Amz-.*)$/i;

export function structureFromParameters(
  shape: Structure | undefined,
  root: ParameterNode,
  reading: Reading,
): Members {
  const members: Members = {};
  const left = new Map(root.children);
  for (const name of left.keys()) if (ofTheProtocol.test(name)) left.delete(name);
  for (const member of shape?.members ?? []) {
    const [name, node] = nodeOf(member, left);
    if (!node) continue;
    left.delete(name);
    put(members, member.recordName, parameters.member(member, node, { reading, depth: 0 }));
  }
  for (const [name, node] of left) {
    if (node.text !== undefined) put(members, lowerFirst(name), unknownMember(name, node.text, reading));
  }
  return members;
}

/** Reads members out of parameters. */
export const parameters = new TreeReader<ParameterNode>({
  text: ({ text }) => text,
  child: ({ children }, name) => children?.get(name),
  children: ({ children }) => children?.values() ?? [],
  items: itemsOf,
  structure(shape, node, way) {
    const members: Members = {};
    for (const member of shape.members) {
      const [, child] = nodeOf(member, node.children ?? new Map());
      if (child) put(members, member.recordName, parameters.member(member, child, way));
    }
    return hideNamedValue(members, way.reading);
  },
});

/** Flattened lists stand under the name of their items. */
function nodeOf(
  member: Member,
  nodes: ReadonlyMap<string, ParameterNode>,
): readonly [string, ParameterNode | undefined] {
  const { shape } = member;
  const names = [member.wireName, member.name];
  if (shape.kind === "list" && shape.item.hasWireName) names.push(shape.item.wireName);
  for (const name of names) {
    const node = nodes.get(name);
    if (node) return [name, node];
  }
  return ["", undefined];
}

/** `X.1`, `X.2` … or `X.member.1` …, in the order of their numbers. */
export function itemsOf(node: ParameterNode): readonly ParameterNode[] {
  const children = [...(node.children ?? [])];
  const numbered = children.filter(([name]) => /^\d{1,6}$/.test(name));
  if (numbered.length > 0)
    return numbered.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child);
  const [only] = children;
  if (children.length !== 1 || !only?.[1].children) return [];
  return [...only[1].children]
    .filter(([name]) => /^\d{1,6}$/.test(name))
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child);
}
