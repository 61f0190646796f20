// XML as S3 writes and reads it. Pure. Must not: resolve entities beyond the five of XML and character references.
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { BucketError } from "./contract.ts";

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** A whole document; `content` is XML made by `element` and `textElement`. */
export function xmlDocument(name: string, content: readonly string[]): string {
  return `${declaration}<${name} xmlns="${namespace}">${content.join("")}</${name}>`;
}

/** Error documents have no namespace. */
export function errorDocument(fields: Readonly<Record<string, string>>): string {
  const content = Object.entries(fields).map(([name, value]) => textElement(name, value));
  return `${declaration}<Error>${content.join("")}</Error>`;
}

const declaration = `<?xml version="1.0" encoding="UTF-8"?>\n`;

export function element(name: string, content: readonly string[]): string {
  return `<${name}>${content.join("")}</${name}>`;
}

export function textElement(name: string, value: string | number | boolean): string {
  return `<${name}>${escapeText(String(value))}</${name}>`;
}

// XML 1.0 has no place for most control characters; S3 writes them as references all the same.
// oxlint-disable-next-line no-control-regex -- these are the characters meant
const controlCharacters = /[\u0000-\u001f\u007f]/g;

function escapeText(text: string): string {
  const named = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return named
    .replaceAll('"', "&quot;")
    .replace(controlCharacters, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}

/** What was read: text, or members by name, each possibly several times. */
export type XmlValue = string | { readonly [name: string]: readonly XmlValue[] };

/** Reads a body whose root is `root`. Throws BucketError `MalformedXML` for anything else. */
export function parseXml(
  body: Uint8Array,
  limits: { readonly root: string; readonly bytesMax: number },
): XmlValue {
  const text = Buffer.from(body).toString("utf8");
  if (body.length > limits.bytesMax || /<!(DOCTYPE|ENTITY)/i.test(text)) throw malformedXml();
  if (XMLValidator.validate(text) !== true) throw malformedXml();
  let parsed: unknown;
  try {
    parsed = parser.parse(text);
  } catch {
    throw malformedXml();
  }
  const root = members(normalise(parsed), limits.root)[0];
  if (root === undefined) throw malformedXml();
  return root;
}

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  // Entities are replaced below: those of XML alone, and character references also of control characters.
  processEntities: false,
});

/** The values of all members of this name; [] when there are none. */
export function members(value: XmlValue, name: string): readonly XmlValue[] {
  return typeof value === "string" || !Object.hasOwn(value, name) ? [] : (value[name] ?? []);
}

/** The text of the first member of this name. */
export function memberText(value: XmlValue, name: string): string | undefined {
  const first = members(value, name)[0];
  return typeof first === "string" ? first : undefined;
}

export function malformedXml(): BucketError {
  const text = "The XML you provided was not well-formed or did not validate against our published schema";
  return new BucketError("MalformedXML", text);
}

function normalise(value: unknown): XmlValue {
  if (typeof value !== "object" || value === null)
    return typeof value === "string" ? unescapeText(value) : "";
  return Object.fromEntries(
    Object.entries(value).map(([name, inside]: [string, unknown]) => [
      name,
      (Array.isArray(inside) ? inside : [inside]).map(normalise),
    ]),
  );
}

const namedEntities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeText(text: string): string {
  return text.replace(/&(?:#(?:x[0-9a-fA-F]{1,6}|\d{1,7})|\w+);/g, (entity) => {
    const name = entity.slice(1, -1);
    if (!name.startsWith("#"))
      return Object.hasOwn(namedEntities, name) ? (namedEntities[name] ?? entity) : entity;
    const code = Number(name.startsWith("#x") ? `0${name.slice(1)}` : name.slice(1));
    return code <= 0x10_ffff ? String.fromCodePoint(code) : entity;
  });
}
