// How Cairn's own bucket directory names files after keys (model/key-path.ts), and the side files that hold metadata.
// Reads, never writes. The side files are those of src/bucket/object-description.ts, which the command line does not
// import: a verifier believes less of them and stumbles over nothing.
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { decodeName, keyPath, nameLengthMax, toByteString } from "../../model/key-path.ts";

/** A name that stands for itself. */
const ordinaryName = /^(?!\.\.?$)[ -$&-.0-~]+$/;
export const sideFileBytesMax = 1024 * 1024;

const descriptionsMax = 16;

/** Where Cairn keeps what it knows of the objects of a bucket's folder; undefined when the folder is no bucket of Cairn's. */
export function sideFolderOf(bucketFolder: string): string | undefined {
  const folder = join(dirname(bucketFolder), ".cairn", "buckets", basename(bucketFolder), "objects");
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? folder : undefined;
}

/** The names, folder by folder, of the file that holds an object. */
export function cairnNames(key: string): readonly string[] {
  const segments = key.split("/");
  // Nearly every key.
  if (segments.every((segment) => segment.length <= nameLengthMax && ordinaryName.test(segment)))
    return segments;
  const { folders, name } = keyPath(toByteString(key));
  return [...folders, name];
}

export type CairnName =
  | { readonly form: "whole"; readonly bytes: string }
  /** The name goes on in the files of this folder. */
  | { readonly form: "continued"; readonly bytes: string };

/** What a name in a bucket's folder stands for, as UTF-8 bytes, one character each; undefined when it is none of Cairn's. */
export function readCairnName(name: string): CairnName | undefined {
  const read = decodeName(name);
  return read && { form: read.form === "continued" ? "continued" : "whole", bytes: read.bytes };
}

/** The user metadata that a side file says of an object; none when it describes another one or is damaged. */
export function describedMetadata(
  sideFile: Uint8Array,
  object: Uint8Array,
): Readonly<Record<string, string>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(sideFile).toString("utf8"));
  } catch {
    return {};
  }
  const list = isRecord(value) && value["version"] === 1 ? value["descriptions"] : undefined;
  const descriptions = Array.isArray(list) ? list.slice(0, descriptionsMax).filter(isRecord) : [];
  const fitting = descriptions.filter(({ sizeBytes }) => sizeBytes === object.length);
  const found = fitting.length > 1 ? fitting.find(({ etag }) => etag === md5Hex(object)) : fitting[0];
  const user = isRecord(found?.["metadata"]) ? found["metadata"]["user"] : undefined;
  const entries = Object.entries(isRecord(user) ? user : {});
  return Object.fromEntries(
    entries.flatMap(([name, text]) => (typeof text === "string" ? [[name, text]] : [])),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function md5Hex(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
