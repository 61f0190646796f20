// Reads objects of a bucket directory together with what describes them, while they may be replaced. Never writes.
import { createHash } from "node:crypto";
import type { Disk, ReadFile } from "../disk/contract.ts";
import { BucketError, type ObjectBody } from "./contract.ts";
import type { DirectoryPlaces, ObjectName } from "./directory-places.ts";
import type { ByteRange, OpenObject, StoredObject } from "./object-contract.ts";
import {
  contentMd5Of,
  decodeDescriptions,
  defaultMetadata,
  type ObjectDescription,
} from "./object-description.ts";
import type { ObjectTree } from "./object-tree.ts";
import { filePieces, openObject, wholeRange } from "./open-object.ts";

/** How often a read starts again when the object was replaced or moved under it. */
const attemptsMax = 4;

export class DirectoryReader {
  private readonly disk: Disk;
  private readonly tree: ObjectTree;
  private readonly places: DirectoryPlaces;

  constructor(parts: { readonly disk: Disk; readonly tree: ObjectTree; readonly places: DirectoryPlaces }) {
    this.disk = parts.disk;
    this.tree = parts.tree;
    this.places = parts.places;
  }

  async head(object: ObjectName): Promise<StoredObject | undefined> {
    return this.withFile(object, (_file, head) => head(undefined));
  }

  /** Holds the object open; the caller closes it. */
  async open(object: ObjectName): Promise<OpenObject | undefined> {
    return this.findFile(object, async (file, head) => openObject(await head(undefined), file));
  }

  /** Throws BucketError `InvalidRange` for a range that begins at or after the end. */
  async get(object: ObjectName, range?: ByteRange): Promise<ObjectBody | undefined> {
    return this.withFile(object, async (file, head) => {
      if (!range) {
        const body = await file.read(0, file.sizeBytes);
        return { head: await head(body), body };
      }
      if (range.first < 0 || range.first >= file.sizeBytes || range.last < range.first) {
        throw new BucketError("InvalidRange", "The requested range is not satisfiable");
      }
      const last = Math.min(range.last, file.sizeBytes - 1);
      return { head: await head(undefined), body: await file.read(range.first, last - range.first + 1) };
    });
  }

  /** The description of the object that is in place now, for the one that will replace it. */
  async describe(object: ObjectName): Promise<ObjectDescription | undefined> {
    const head = await this.head(object);
    if (!head) return undefined;
    const { key: _key, ...description } = head;
    return description;
  }

  private async withFile<Result>(object: ObjectName, use: FileUse<Result>): Promise<Result | undefined> {
    return this.findFile(object, async (file, head) => {
      const result = await use(file, head);
      await file.close();
      return result;
    });
  }

  /** The file stays open when `use` succeeds. */
  private async findFile<Result>(object: ObjectName, use: FileUse<Result>): Promise<Result | undefined> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const found = await this.places.find(object);
      if (!found) return undefined;
      const file = await this.disk.openForReading(found.path);
      // Moved aside or deleted since it was found: look again.
      if (!file) continue;
      try {
        const isLast = attempt === attemptsMax;
        const { modifiedMs } = found.node;
        return await use(file, (body) => this.headOf({ object, file, body, isLast, modifiedMs }));
      } catch (error) {
        await file.close();
        if (!(error instanceof Replaced)) throw error;
      }
    }
    return undefined;
  }

  private async headOf(open: FoundFile): Promise<StoredObject> {
    const { object, file, body } = open;
    const descriptions = await this.descriptions(object);
    const fitting = descriptions?.filter(({ sizeBytes }) => sizeBytes === file.sizeBytes) ?? [];
    const [only] = fitting;
    if (only && !body && descriptions?.length === 1) return { key: object.key, ...only };
    if (only && !body && fitting.length === 1) return { key: object.key, ...only };
    const md5 = body ? md5Hex(body) : await md5OfFile(file);
    const described = fitting.find((description) => contentMd5Of(description) === md5);
    if (described) return { key: object.key, ...described };
    // Either somebody else wrote this file, or it was replaced twice while we read it.
    if (descriptions && !open.isLast) throw new Replaced();
    const defaults = { lastModifiedMs: open.modifiedMs, metadata: defaultMetadata(object.key) };
    return { key: object.key, sizeBytes: file.sizeBytes, etag: md5, ...defaults };
  }

  private async descriptions(object: ObjectName): Promise<readonly ObjectDescription[] | undefined> {
    const path = this.places.descriptionPath(object);
    if ((await this.tree.look(path))?.kind !== "file") return undefined;
    const bytes = await this.disk.readWhole(path);
    return bytes && decodeDescriptions(bytes);
  }
}

/** The object is not the one that was described; read again. */
class Replaced extends Error {}

type FileUse<Result> = (
  file: ReadFile,
  head: (body: Uint8Array | undefined) => Promise<StoredObject>,
) => Promise<Result>;

interface FoundFile {
  readonly object: ObjectName;
  readonly file: ReadFile;
  /** The whole content, when it was read anyway. */
  readonly body: Uint8Array | undefined;
  readonly isLast: boolean;
  readonly modifiedMs: number;
}

export function md5Hex(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

async function md5OfFile(file: ReadFile): Promise<string> {
  const md5 = createHash("md5");
  for await (const piece of filePieces(file, wholeRange(file.sizeBytes))) md5.update(piece);
  return md5.digest("hex");
}
