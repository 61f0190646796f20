// Buckets in a directory: every object is a plain file whose path is its key (key-path.ts), for any program to read.
//
//   {root}/{bucket}/AWSLogs/…/file.json.gz                       the object, its bytes as they were put
//   {root}/.cairn/buckets/{bucket}/objects/…/file.json.gz%meta   what describes it (object-description.ts)
//   {root}/.cairn/buckets/{bucket}/policy.json, bucket.json      the bucket's policy; when and where it was made
//   {root}/.cairn/buckets/{bucket}/tags.json                     the bucket's tags
//   {root}/.cairn/buckets/{bucket}/uploads/                      multipart uploads under way (directory-uploads.ts)
//   {root}/.cairn/tmp/                                           unfinished writes and what links were made to last
//                                                                (shared-bodies.ts), removed at the first use
//
// With `shareBodies` one body under several keys is one file with several names (hard links), but for the first.
// Limits: what `put` and `get` handle is whole in memory, and so are the names of one folder; `open`, `copy` and uploads
// stream. Keys that differ only in case need a file system that tells them apart.
// Invariants: a bucket exists when its folder does. An object is renamed into place after its description is
// durable (or says what would be said without it), and an object whose name a folder needs is moved aside first: at no moment is there none, or half of it.
// Recovery: none is needed. A description without an object is passed over; an object without a description, such
// as a file that somebody copied here, gets defaults by its name, and its MD5 when asked.
import type { Disk } from "../disk/contract.ts";
import { nodeDisk } from "../disk/node-disk.ts";
import type { Clock } from "../model/environment.ts";
import { isBucketName } from "./bucket-name.ts";
import {
  BucketError,
  type BucketInfo,
  type BucketPresence,
  type ListPage,
  type ListRequest,
  type ObjectBody,
  type ObjectHead,
  type ObjectSummary,
  type PolicyAnswer,
  type PutOutcome,
  type PutRequest,
} from "./contract.ts";
import { type ListedItem, listObjects } from "./directory-listing.ts";
import { DirectoryPlaces, sideFolder } from "./directory-places.ts";
import { DirectoryReader } from "./directory-reader.ts";
import { copyInDirectory } from "./directory-copy.ts";
import { DirectoryUploads } from "./directory-uploads.ts";
import { DirectoryWriter } from "./directory-writer.ts";
import { DurableFiles } from "./durable-files.ts";
import { fromByteString, keyProblem, toByteString } from "../model/key-path.ts";
import type {
  ByteRange,
  CopyRequest,
  DescribedPut,
  DirectoryStore,
  OpenObject,
  StoredObject,
  Tag,
} from "./object-contract.ts";
import { nodeObjectTree, type ObjectTree, systemCode } from "./object-tree.ts";
import { parseRecord, readTags } from "./read-traits.ts";
import { SharedBodies } from "./shared-bodies.ts";
import { createTurns, type Turns } from "./turns.ts";

export interface DirectoryBucketsOptions {
  readonly root: string;
  readonly clock: Clock;
  /** Default: the real disk, with the tree that belongs to it. */
  readonly disk?: Disk;
  readonly tree?: ObjectTree;
  /** The least size of a part that is not the last; default 5 MiB. */
  readonly partBytesMin?: number;
  /** Multipart uploads under way in one bucket; default 10,000. */
  readonly uploadsMax?: number;
  /**
   * One body under several keys becomes one file with several names. Default: off, for who changes one of them in place
   * changes all, and evidence should not hang together.
   */
  readonly shareBodies?: boolean;
}

const keysPerPageMax = 1000;
const policyFile = "policy.json";
const bucketFile = "bucket.json";
const tagsFile = "tags.json";

/** Opens the buckets below `root`, which is made when something is first written. One process may do so at a time. */
export function openDirectoryBuckets(options: DirectoryBucketsOptions): DirectoryStore {
  return new DirectoryBuckets(options);
}

class DirectoryBuckets implements DirectoryStore {
  private readonly clock: Clock;
  private readonly root: string;
  private readonly disk: Disk;
  private readonly tree: ObjectTree;
  private readonly files: DurableFiles;
  private readonly places: DirectoryPlaces;
  private readonly reader: DirectoryReader;
  private readonly writer: DirectoryWriter;
  readonly uploads: DirectoryUploads;
  private readonly turns: Turns = createTurns();
  private readonly bodies: SharedBodies;

  constructor(options: DirectoryBucketsOptions) {
    const { root, clock, disk = nodeDisk(), tree = nodeObjectTree() } = options;
    this.clock = clock;
    this.root = root;
    this.disk = disk;
    this.tree = tree;
    this.files = new DurableFiles({ disk, root, temporaries: [sideFolder, "tmp"] });
    this.bodies = new SharedBodies(this.files, options.shareBodies === true);
    this.places = new DirectoryPlaces({ files: this.files, tree, root });
    this.reader = new DirectoryReader({ disk, tree, places: this.places });
    const { files, places, reader, turns } = this;
    const bucketExists = (bucket: string) => this.exists(bucket);
    this.writer = new DirectoryWriter({ disk, files, places, reader, turns, bucketExists });
    const { writer } = this;
    const { partBytesMin = 5 * 1024 * 1024, uploadsMax = 10_000 } = options;
    this.uploads = new DirectoryUploads({
      ...{ disk, tree, clock, root, files, places, reader, writer, turns, bucketExists, partBytesMin },
      uploadsMax,
    });
  }

  async put(request: PutRequest): Promise<PutOutcome> {
    return this.putObject(request);
  }

  async putObject(request: DescribedPut): Promise<PutOutcome> {
    const problem = keyProblem(request.key);
    if (problem) return { kind: "refused", ...problem };
    try {
      return await this.write(request);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") return failedPut(error);
    }
    try {
      // Somebody removed folders by hand: make them again.
      this.files.forgetAllFolders();
      return await this.write(request);
    } catch (error) {
      return failedPut(error);
    }
  }

  async describe(bucket: string, key: string): Promise<StoredObject | undefined> {
    await this.mustExist(bucket);
    return keyProblem(key) ? undefined : this.reader.head({ bucket, key });
  }

  async open(bucket: string, key: string): Promise<OpenObject | undefined> {
    await this.mustExist(bucket);
    return keyProblem(key) ? undefined : this.reader.open({ bucket, key });
  }

  async copy(request: CopyRequest): Promise<StoredObject> {
    const problem = keyProblem(request.key);
    if (problem) throw new BucketError(problem.code, problem.message);
    await this.mustExist(request.bucket);
    return copyInDirectory(request, { clock: this.clock, files: this.files, writer: this.writer });
  }

  async setTags(bucket: string, key: string, tags: readonly Tag[]): Promise<boolean> {
    return this.turns.take(bucket, async () => {
      await this.mustExist(bucket);
      const description = keyProblem(key) ? undefined : await this.reader.describe({ bucket, key });
      if (!description) return false;
      const { tags: _before, ...kept } = description;
      await this.writer.describeAlone({ bucket, key }, { ...kept, ...(tags.length > 0 && { tags }) });
      return true;
    });
  }

  async bucketTags(bucket: string): Promise<readonly Tag[]> {
    await this.mustExist(bucket);
    const bytes = await this.disk.readWhole(`${this.places.aboutFolder(bucket)}/${tagsFile}`);
    return readTags(bytes && parseRecord(bytes)?.["tags"]) ?? [];
  }

  async setBucketTags(bucket: string, tags: readonly Tag[]): Promise<void> {
    await this.turns.take(bucket, async () => {
      await this.mustExist(bucket);
      const folder = await this.files.folder(this.places.aboutParts(bucket));
      if (tags.length === 0) await this.files.remove(folder, tagsFile);
      else await this.files.write({ folder, name: tagsFile }, Buffer.from(JSON.stringify({ tags }), "utf8"));
    });
  }

  async get(bucket: string, key: string, range?: ByteRange): Promise<ObjectBody | undefined> {
    await this.mustExist(bucket);
    return keyProblem(key) ? undefined : this.reader.get({ bucket, key }, range);
  }

  async head(bucket: string, key: string): Promise<ObjectHead | undefined> {
    if (keyProblem(key) || !(await this.exists(bucket))) return undefined;
    return this.reader.head({ bucket, key });
  }

  async list(request: ListRequest): Promise<ListPage> {
    const { bucket, prefix = "", delimiter = "", startAfter = "" } = request;
    await this.mustExist(bucket);
    const keysMax = Math.max(1, Math.min(keysPerPageMax, request.keysMax ?? keysPerPageMax));
    const items: ListedItem[] = [];
    const objects: ObjectSummary[] = [];
    const listing = {
      prefix: toByteString(prefix),
      delimiter: toByteString(delimiter),
      startAfter: toByteString(startAfter),
    };
    let isCut = false;
    for await (const item of listObjects(this.tree, this.places.bucketFolder(bucket), listing)) {
      isCut = items.length === keysMax;
      if (isCut) break;
      // An object that was deleted while we listed is not there.
      const summary = item.kind === "object" ? await this.summary(bucket, item.key) : undefined;
      if (summary) objects.push(summary);
      if (summary || item.kind === "prefix") items.push(item);
    }
    const commonPrefixes = items.flatMap((item) =>
      item.kind === "prefix" ? [fromByteString(item.prefix)] : [],
    );
    const last = items.at(-1);
    if (!isCut || !last) return { objects, commonPrefixes };
    const nextStartAfter = fromByteString(last.kind === "object" ? last.key : last.prefix);
    return { objects, commonPrefixes, nextStartAfter };
  }

  async presence(bucket: string): Promise<BucketPresence> {
    return (await this.exists(bucket)) ? "exists" : "missing";
  }

  async policy(bucket: string): Promise<PolicyAnswer> {
    if (!(await this.exists(bucket))) return { kind: "unreadable", message: noSuchBucketRefusal.message };
    const bytes = await this.disk.readWhole(`${this.places.aboutFolder(bucket)}/${policyFile}`);
    return bytes ? { kind: "policy", text: Buffer.from(bytes).toString("utf8") } : { kind: "none" };
  }

  async create(
    bucket: string,
    attributes: { readonly region?: string } = {},
  ): Promise<"created" | "existed"> {
    if (!isBucketName(bucket)) {
      throw new BucketError("InvalidBucketName", "The specified bucket is not valid.");
    }
    return this.turns.take(bucket, async () => {
      if (await this.exists(bucket)) return "existed";
      const about = await this.files.folder(this.places.aboutParts(bucket));
      // A bucket of the same name that was removed by hand, or half, may have left these.
      await this.uploads.forget(bucket);
      for (const name of [policyFile, tagsFile]) await this.files.remove(about, name);
      const { region } = attributes;
      const record = { createdMs: this.clock.nowMs(), ...(region !== undefined && { region }) };
      await this.files.write(
        { folder: about, name: bucketFile },
        Buffer.from(JSON.stringify(record), "utf8"),
      );
      this.files.forgetFolder(this.places.bucketFolder(bucket));
      await this.files.folder([bucket]);
      return "created";
    });
  }

  async remove(bucket: string): Promise<void> {
    await this.turns.take(bucket, async () => {
      await this.mustExist(bucket);
      const folder = this.places.bucketFolder(bucket);
      const about = this.places.aboutFolder(bucket);
      if (await this.places.holdsFiles(folder)) throw bucketNotEmpty();
      // The policy goes first: a bucket made again after a crash between these lines must not inherit it.
      if (await this.tree.look(about)) await this.files.remove(about, policyFile);
      if (!(await this.places.removeEmpty(folder))) throw bucketNotEmpty();
      await this.disk.syncDirectory(this.root);
      await this.places.removeDescriptions(about);
    });
  }

  async buckets(): Promise<readonly BucketInfo[]> {
    const names = (await this.tree.entries(this.root))
      .filter((entry) => entry.kind === "folder" && isBucketName(entry.name))
      .map((entry) => entry.name)
      .sort();
    const found: BucketInfo[] = [];
    for (const name of names) {
      const info = await this.info(name);
      if (info) found.push(info);
    }
    return found;
  }

  async info(bucket: string): Promise<BucketInfo | undefined> {
    const node = isBucketName(bucket) ? await this.tree.look(this.places.bucketFolder(bucket)) : undefined;
    if (node?.kind !== "folder") return undefined;
    const bytes = await this.disk.readWhole(`${this.places.aboutFolder(bucket)}/${bucketFile}`);
    return { name: bucket, createdMs: node.modifiedMs, ...(bytes && readBucketRecord(bytes)) };
  }

  async deleteObject(bucket: string, key: string, ifMatch?: string): Promise<void> {
    if (keyProblem(key)) return this.mustExist(bucket);
    await this.turns.take(bucket, async () => {
      await this.mustExist(bucket);
      if (ifMatch !== undefined) await this.writer.refuseUnlessMatching({ bucket, key }, ifMatch);
      await this.places.remove({ bucket, key });
    });
  }

  async putPolicy(bucket: string, text: string): Promise<void> {
    await this.turns.take(bucket, async () => {
      await this.mustExist(bucket);
      const folder = await this.files.folder(this.places.aboutParts(bucket));
      await this.files.write({ folder, name: policyFile }, Buffer.from(text, "utf8"));
    });
  }

  async deletePolicy(bucket: string): Promise<void> {
    await this.turns.take(bucket, async () => {
      await this.mustExist(bucket);
      await this.files.remove(await this.files.folder(this.places.aboutParts(bucket)), policyFile);
    });
  }

  private async write(request: DescribedPut): Promise<PutOutcome> {
    const { bucket, key, body, metadata, tags, checksum, otherHeaders } = request;
    const { ifAbsent, ifMatch, signal } = request;
    const source = await this.bodies.source(body);
    const etag = request.md5Hex ?? this.bodies.etagOf(body);
    const description = {
      ...{ etag, sizeBytes: body.length, lastModifiedMs: this.clock.nowMs(), metadata },
      ...(tags && { tags }),
      ...(checksum && { checksum }),
      ...(otherHeaders && { otherHeaders }),
    };
    const object = {
      ...{ bucket, key, description },
      ...(ifAbsent && { ifAbsent }),
      ...(ifMatch !== undefined && { ifMatch }),
      ...(signal && { signal }),
    };
    if (source === undefined) {
      if (await this.writer.putNew({ ...object, body })) return { kind: "stored", etag };
      // Before anything is written. A link costs nothing, and what comes first in its turn is to look.
      if (!(await this.exists(bucket))) return noSuchBucketRefusal;
    }
    const linked =
      source === undefined ? "written" : await this.writer.link({ ...object, temporary: source });
    if (linked === "linked") return { kind: "stored", etag };
    if (linked === "unlinkable") await this.bodies.cannotLink(body);
    await this.writer.place({ ...object, temporary: await this.files.writeTemporary(body) });
    return { kind: "stored", etag };
  }

  private async summary(bucket: string, keyBytes: string): Promise<ObjectSummary | undefined> {
    const head = await this.reader.head({ bucket, key: fromByteString(keyBytes) });
    if (!head) return undefined;
    const { key, sizeBytes, etag, lastModifiedMs } = head;
    return { key, sizeBytes, etag, lastModifiedMs };
  }

  private async exists(bucket: string): Promise<boolean> {
    return (
      isBucketName(bucket) && (await this.tree.look(this.places.bucketFolder(bucket)))?.kind === "folder"
    );
  }

  private async mustExist(bucket: string): Promise<void> {
    if (!(await this.exists(bucket))) throw new BucketError("NoSuchBucket", noSuchBucketRefusal.message);
  }
}

const noSuchBucketRefusal = {
  kind: "refused",
  code: "NoSuchBucket",
  message: "The specified bucket does not exist",
} as const;

function failedPut(error: unknown): PutOutcome {
  if (error instanceof BucketError) return { kind: "refused", code: error.code, message: error.message };
  if (systemCode(error) === "ENAMETOOLONG") {
    return { kind: "refused", code: "KeyTooLongError", message: "Your key is too long." };
  }
  return { kind: "unknown", message: `The object could not be written: ${messageOf(error)}` };
}

function bucketNotEmpty(): BucketError {
  return new BucketError("BucketNotEmpty", "The bucket you tried to delete is not empty");
}

function readBucketRecord(bytes: Uint8Array): Partial<BucketInfo> {
  let record: unknown;
  try {
    record = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return {};
  }
  if (typeof record !== "object" || record === null) return {};
  const createdMs =
    "createdMs" in record && typeof record.createdMs === "number" ? record.createdMs : undefined;
  const region = "region" in record && typeof record.region === "string" ? record.region : undefined;
  return { ...(createdMs !== undefined && { createdMs }), ...(region !== undefined && { region }) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
