// XML as a tree of elements, for bodies that come from outside: bounded in depth and number, no entities but the five
// of XML and characters by number, never an error: what cannot be read ends the reading. Pure.
import { named } from "./named.ts";

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** As written, prefix and all. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The text directly in it, in one piece. */
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

const elementsMax = 50_000;
const depthMax = 64;
const noAttributes: ReadonlyMap<string, string> = new Map();

/** The root element, as far as the text goes; undefined when there is none. */
export function parseXml(text: string): XmlElement | undefined {
  const top: OpenElement = { name: "", attributes: noAttributes, children: [], text: "" };
  const open: OpenElement[] = [top];
  let count = 0;
  for (let at = 0; at < text.length && count <= elementsMax; ) {
    const inner = open.at(-1) ?? top;
    const start = text.indexOf("<", at);
    if (start === -1) break;
    if (start > at) inner.text += unescape(text.slice(at, start));
    const skipped = endOfOther(text, start);
    if (skipped !== undefined) {
      if (text.startsWith("<![CDATA[", start)) inner.text += text.slice(start + 9, skipped - 3);
      at = skipped;
      continue;
    }
    const end = endOfTag(text, start);
    if (end === undefined) break;
    at = end + 1;
    if (text.charCodeAt(start + 1) === slash) {
      if (open.length > 1) open.pop();
      continue;
    }
    count++;
    const isEmpty = text.charCodeAt(end - 1) === slash;
    const element = elementOf(text.slice(start + 1, isEmpty ? end - 1 : end));
    inner.children.push(element);
    if (isEmpty) continue;
    if (open.length > depthMax) break;
    open.push(element);
  }
  return top.children[0];
}

const slash = 0x2f;

/** Where a comment, a processing instruction, CDATA or a declaration ends; undefined for a tag. */
function endOfOther(text: string, start: number): number | undefined {
  const next = text.charAt(start + 1);
  if (next !== "!" && next !== "?") return undefined;
  const close =
    next === "?"
      ? "?>"
      : text.startsWith("<!--", start)
        ? "-->"
        : text.startsWith("<![CDATA[", start)
          ? "]]>"
          : ">";
  const end = text.indexOf(close, start + 2);
  return end === -1 ? text.length : end + close.length;
}

/** The place of the `>` that ends a tag, which is not one in quotes. */
function endOfTag(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3e) return at;
    if (code !== 0x22 && code !== 0x27) continue;
    at = text.indexOf(String.fromCharCode(code), at + 1);
    if (at === -1) return undefined;
  }
  return undefined;
}

function elementOf(tag: string): OpenElement {
  const space = tag.search(/\s/);
  const name = localName(space === -1 ? tag : tag.slice(0, space));
  const attributes = space === -1 ? noAttributes : attributesOf(tag.slice(space));
  return { name, attributes, children: [], text: "" };
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  if (text.trim() === "") return noAttributes;
  const attributes = new Map<string, string>();
  for (let at = 0; ; ) {
    const equals = text.indexOf("=", at);
    const quote = text.charAt(equals + 1);
    const end = equals === -1 || (quote !== '"' && quote !== "'") ? -1 : text.indexOf(quote, equals + 2);
    if (end === -1) return attributes;
    attributes.set(text.slice(at, equals).trim(), unescape(text.slice(equals + 2, end)));
    at = end + 1;
  }
}

const entities: Readonly<Record<string, string>> = named({
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
});

function unescape(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|\w{2,4});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return entities[name] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** The first child of this name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((part) => part.name === name);
}

/** The first element of this name anywhere below. */
export function descendant(element: XmlElement | undefined, name: string): XmlElement | undefined {
  for (const part of element?.children ?? []) {
    const found = part.name === name ? part : descendant(part, name);
    if (found) return found;
  }
  return undefined;
}
