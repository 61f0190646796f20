// How object keys become paths below the folder of a bucket in a directory, and back: for the store that writes there, and
// for the verifier that reads a copy of it without the store. Pure.
//
// - A key is cut at `/`; every segment is a name. Ordinary names ([ -~] without `%`) stay as they are, so that a
//   log file lies where its key says.
// - Every other byte of the UTF-8 text, `%` itself, and the names `.` and `..` are written `%XX`. The empty segment is `%_`.
// - A name that would be longer than `nameLengthMax` is cut into nested folders `part%+`, the rest being the last name.
// - An object that shares its name with a folder is `name%object`. What describes the object `name` is `name%meta`.
// None of the markers can come out of a segment, since a `%` from a key is always followed by two hex digits.
//
// Keys are handled as byte strings: one character (0-255) per byte of UTF-8. Comparing them with `<` is byte order.

/** Linux allows 255 bytes; the markers need room. */
export const nameLengthMax = 240;
export const keyBytesMax = 1024;

const emptyName = "%_";
const continuedMark = "%+";
export const asideMark = "%object";
export const describingMark = "%meta";

/** The UTF-8 bytes of a text, one character each. */
export function toByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function fromByteString(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

export type KeyProblem = { readonly code: string; readonly message: string };

/** Why a key cannot be stored: too long, empty, or not a well-formed text. */
export function keyProblem(key: string): KeyProblem | undefined {
  const bytes = Buffer.from(key, "utf8");
  if (bytes.length > keyBytesMax) return { code: "KeyTooLongError", message: "Your key is too long." };
  if (bytes.length === 0) return { code: "InvalidArgument", message: "The key must not be empty." };
  if (bytes.toString("utf8") !== key) {
    return { code: "InvalidURI", message: "The key is not well-formed Unicode." };
  }
  return undefined;
}

export interface KeyPath {
  readonly folders: readonly string[];
  readonly name: string;
}

/** Where the object of a key (as a byte string) lies. */
export function keyPath(key: string): KeyPath {
  const parts = key.split("/").map(segmentNames);
  const all = parts.flat();
  return { folders: all.slice(0, -1), name: all.at(-1) ?? emptyName };
}

/** The folders of a prefix that ends in `/` or is empty. */
export function folderPath(prefix: string): readonly string[] {
  return prefix === "" ? [] : prefix.slice(0, -1).split("/").flatMap(segmentNames);
}

export interface DecodedName {
  readonly form: "whole" | "aside" | "continued";
  readonly bytes: string;
}

/** Reads one name of a folder; undefined when it is none of ours. */
export function decodeName(name: string): DecodedName | undefined {
  if (name.endsWith(continuedMark)) return decoded("continued", name.slice(0, -continuedMark.length));
  if (name.endsWith(asideMark)) return decoded("aside", name.slice(0, -asideMark.length));
  return decoded("whole", name);
}

function decoded(form: DecodedName["form"], text: string): DecodedName | undefined {
  if (text === emptyName) return { form, bytes: "" };
  if (!/^(?:[ -$&-.0-~]|%[0-9A-F]{2})+$/.test(text)) return undefined;
  const bytes = text.replace(/%([0-9A-F]{2})/g, (_all, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return { form, bytes };
}

function segmentNames(segment: string): readonly string[] {
  const names: string[] = [];
  let name = "";
  for (const byte of segment) {
    const escaped = escapeByte(byte);
    if (name.length + escaped.length > nameLengthMax) {
      names.push(name + continuedMark);
      name = "";
    }
    name += escaped;
  }
  return [...names, lastName(name)];
}

function lastName(name: string): string {
  if (name === "") return emptyName;
  return name === "." || name === ".." ? name.replaceAll(".", "%2E") : name;
}

function escapeByte(byte: string): string {
  if (byte >= " " && byte <= "~" && byte !== "%") return byte;
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
