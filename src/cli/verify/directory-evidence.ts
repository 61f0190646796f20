// Evidence in a directory: a copy of a bucket with keys as paths, or one of Cairn's own bucket directories.
// Whatever a key says, nothing outside the directory is read: `..` is no name, and symbolic links are not followed.
import { realpathSync } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { asideMark, describingMark, fromByteString, toByteString } from "../../model/key-path.ts";
import { afterwards, type AtOnce } from "./at-once.ts";
import {
  cairnNames,
  describedMetadata,
  readCairnName,
  sideFileBytesMax,
  sideFolderOf,
} from "./cairn-directory.ts";
import {
  type Evidence,
  type EvidenceContent,
  type EvidenceObject,
  type Listing,
  notFound,
} from "./evidence.ts";
import { FileReader } from "./file-reader.ts";

/** Folders whose real place is remembered; a folder holds a day's files of a Region. */
const rememberedFoldersMax = 10_000;
const depthMax = 200;

/** Throws when the directory cannot be read. `bucket` says which one it is a copy of. */
export function openDirectory(folder: string, bucket?: string): Evidence {
  const root = realpathSync(folder);
  const sideFolder = sideFolderOf(root);
  return new DirectoryEvidence({
    root,
    sideFolder,
    bucket: bucket ?? (sideFolder === undefined ? undefined : basename(root)),
  });
}

class DirectoryEvidence implements Evidence {
  bucket: string | undefined;
  private readonly root: string;
  private readonly sideFolder: string | undefined;
  private readonly reader = new FileReader();
  /** Folder → whether it lies within the root. */
  private readonly insideFolders = new Map<string, boolean>();

  constructor(parts: { root: string; sideFolder: string | undefined; bucket: string | undefined }) {
    this.root = parts.root;
    this.sideFolder = parts.sideFolder;
    this.bucket = parts.bucket;
  }

  learnBucket(name: string): void {
    this.bucket ??= name;
  }

  async folders(prefix: string): Promise<readonly string[]> {
    const path = prefix === "" ? this.root : this.pathOf(prefix.slice(0, -1));
    if (path === undefined || !(await this.isInside(path + sep))) return [];
    const entries = await entriesOf(path);
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => this.nameOf(entry.name))
      .filter((name) => name?.form === "whole")
      .map((name) => textOf(name?.bytes ?? ""))
      .sort();
  }

  async *keys({ prefix }: Listing): AsyncGenerator<readonly string[]> {
    const path = this.pathOf(prefix.slice(0, -1));
    if (path === undefined || !(await this.isInside(path + sep))) return;
    yield* this.walk(path, { base: prefix, depth: 0 });
  }

  get(bucket: string | undefined, key: string): AtOnce<EvidenceObject> {
    if (bucket !== undefined && this.bucket !== undefined && bucket !== this.bucket) {
      return { kind: "elsewhere" };
    }
    const path = this.pathOf(key);
    if (path === undefined) return notFound;
    return afterwards(this.isInside(path), (isInside) =>
      isInside ? afterwards(this.read(path), (content) => this.objectOf(key, content)) : notFound,
    );
  }

  close(): void {
    this.insideFolders.clear();
  }

  private read(path: string): AtOnce<EvidenceContent | undefined> {
    return afterwards(this.reader.read(path), (content) =>
      content === undefined && this.sideFolder !== undefined ? this.reader.read(path + asideMark) : content,
    );
  }

  private objectOf(key: string, content: EvidenceContent | undefined): EvidenceObject {
    if (content === undefined) return notFound;
    return { kind: "present", content, metadata: async () => this.metadata(key, content) };
  }

  private async metadata(
    key: string,
    object: unknown,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    // Digests are small; of a large object there is no metadata that anybody asks for.
    if (this.sideFolder === undefined || !(object instanceof Uint8Array)) return undefined;
    const sideFile = await this.reader.read(`${join(this.sideFolder, ...cairnNames(key))}${describingMark}`);
    const isReadable = sideFile instanceof Uint8Array && sideFile.length <= sideFileBytesMax;
    // As Cairn's bucket door answers: an object that nothing describes has no metadata, hence no signature.
    return isReadable ? describedMetadata(sideFile, object) : {};
  }

  /** Where the file of a key lies; undefined for keys that no file of a copy can have. */
  private pathOf(key: string): string | undefined {
    if (key.includes("\0")) return undefined;
    const names = this.sideFolder === undefined ? key.split("/") : cairnNames(key);
    const isPath = names.every(
      (name) => name !== "" && name !== "." && name !== ".." && (sep === "/" || !name.includes(sep)),
    );
    return isPath ? [this.root, ...names].join(sep) : undefined;
  }

  /** Whether the folder of a path is where its name says, with no link on the way that leads outside. */
  private isInside(path: string): AtOnce<boolean> {
    const folder = path.slice(0, path.lastIndexOf(sep));
    return this.insideFolders.get(folder) ?? this.findInside(folder);
  }

  private async findInside(folder: string): Promise<boolean> {
    if (this.insideFolders.size >= rememberedFoldersMax) this.insideFolders.clear();
    const place = await realpath(folder).catch(() => undefined);
    const isInside = place !== undefined && (place === this.root || place.startsWith(this.root + sep));
    this.insideFolders.set(folder, isInside);
    return isInside;
  }

  /** A page per folder. */
  private async *walk(
    path: string,
    { base, depth }: { base: string; depth: number },
  ): AsyncGenerator<readonly string[]> {
    if (depth > depthMax) return;
    const entries = await entriesOf(path);
    const page: string[] = [];
    for (const entry of entries) {
      const name = entry.isFile() ? this.nameOf(entry.name) : undefined;
      if (name?.form === "whole" && name.bytes !== "") page.push(base + textOf(name.bytes));
    }
    if (page.length > 0) yield page;
    for (const entry of entries) {
      const name = entry.isDirectory() ? this.nameOf(entry.name) : undefined;
      if (!name) continue;
      const inside = base + textOf(name.bytes) + (name.form === "whole" ? "/" : "");
      yield* this.walk(`${path}${sep}${entry.name}`, { base: inside, depth: depth + 1 });
    }
  }

  private nameOf(name: string) {
    if (this.sideFolder !== undefined) return readCairnName(name);
    return { form: "whole", bytes: bytesOf(name) } as const;
  }
}

async function entriesOf(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

function bytesOf(text: string): string {
  return /[^ -~]/.test(text) ? toByteString(text) : text;
}

function textOf(bytes: string): string {
  return /[^ -~]/.test(bytes) ? fromByteString(bytes) : bytes;
}
