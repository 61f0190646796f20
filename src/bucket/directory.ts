// Buckets in a directory: every object is a plain file whose path is its key (key-path.ts), for any program to read.
//
//   {root}/{bucket}/AWSLogs/…/file.json.gz                       the object, its bytes as they were put
//   {root}/.cairn/buckets/{bucket}/objects/…/file.json.gz%meta   what describes it (object-description.ts)
//   {root}/.cairn/buckets/{bucket}/policy.json, bucket.json      the bucket's policy; when and where it was made
//   {root}/.cairn/tmp/                                           unfinished writes and what links were made to last
//                                                                (shared-bodies.ts), removed at the first use
//
// One body under several keys is one file with several names (hard links), but for the first.
// Limits: objects are handled whole in memory, and so are the names of one folder. Keys that differ only in case
// need a file system that tells them apart.
// Invariants: a bucket exists when its folder does. An object is renamed into place after its description is
// durable (or says what would be said without it), and an object whose name a folder needs is moved aside first: at no moment is there none, or half of it.
// Recovery: none is needed. A description without an object is passed over; an object without a description, such
// as a file that somebody copied here, gets defaults by its name, and its MD5 when asked.
import type { Disk } from "../disk/contract.ts";
import { nodeDisk } from "../disk/node-disk.ts";
import type { Clock } from "../model/environment.ts";
import { isBucketName } from "./bucket-name.ts";
import {
  type BucketAdministration,
  BucketError,
  type BucketInfo,
  type BucketPresence,
  type BucketStore,
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
import { DirectoryPlaces, type ObjectName, sideFolder } from "./directory-places.ts";
import { type ByteRange, DirectoryReader } from "./directory-reader.ts";
import { DurableFiles } from "./durable-files.ts";
import { fromByteString, keyProblem, toByteString } from "../model/key-path.ts";
import { encodeDescriptions, isDefault, type ObjectDescription } from "./object-description.ts";
import { nodeObjectTree, type ObjectTree, systemCode } from "./object-tree.ts";
import { SharedBodies } from "./shared-bodies.ts";
import { createTurns, type Turns } from "./turns.ts";

export interface DirectoryBucketsOptions {
  readonly root: string;
  readonly clock: Clock;
  /** Default: the real disk, with the tree that belongs to it. */
  readonly disk?: Disk;
  readonly tree?: ObjectTree;
}

const keysPerPageMax = 1000;
const policyFile = "policy.json";
const bucketFile = "bucket.json";

/** Opens the buckets below `root`, which is made when something is first written. One process may do so at a time. */
export function openDirectoryBuckets(options: DirectoryBucketsOptions): BucketStore & BucketAdministration {
  return new DirectoryBuckets(options);
}

class DirectoryBuckets implements BucketStore, BucketAdministration {
  private readonly clock: Clock;
  private readonly root: string;
  private readonly disk: Disk;
  private readonly tree: ObjectTree;
  private readonly files: DurableFiles;
  private readonly places: DirectoryPlaces;
  private readonly reader: DirectoryReader;
  private readonly turns: Turns = createTurns();
  private readonly bodies: SharedBodies;

  constructor({ root, clock, disk = nodeDisk(), tree = nodeObjectTree() }: DirectoryBucketsOptions) {
    this.clock = clock;
    this.root = root;
    this.disk = disk;
    this.tree = tree;
    this.files = new DurableFiles({ disk, root, temporaries: [sideFolder, "tmp"] });
    this.bodies = new SharedBodies(this.files);
    this.places = new DirectoryPlaces({ files: this.files, tree, root });
    this.reader = new DirectoryReader({ disk, tree, places: this.places });
  }

  async put(request: PutRequest): Promise<PutOutcome> {
    const problem = keyProblem(request.key);
    if (problem) return { kind: "refused", ...problem };
    try {
      return await this.putObject(request);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") return failedPut(error);
    }
    try {
      // Somebody removed folders by hand: make them again.
      this.files.forgetAllFolders();
      return await this.putObject(request);
    } catch (error) {
      return failedPut(error);
    }
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
      // A bucket of the same name that was removed by hand may have left its policy.
      await this.files.remove(about, policyFile);
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

  async deleteObject(bucket: string, key: string): Promise<void> {
    if (keyProblem(key)) return this.mustExist(bucket);
    await this.turns.take(bucket, async () => {
      await this.mustExist(bucket);
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

  private async putObject(request: PutRequest): Promise<PutOutcome> {
    const { bucket, body } = request;
    const source = await this.bodies.source(body);
    // Before anything is written. A link costs nothing, and what comes first in its turn is to look.
    if (source === undefined && !(await this.exists(bucket))) return noSuchBucketRefusal;
    const description = {
      etag: this.bodies.etagOf(body),
      sizeBytes: body.length,
      lastModifiedMs: this.clock.nowMs(),
      metadata: request.metadata,
    };
    const linked = source === undefined ? "written" : await this.linkObject(request, description, source);
    return linked === "written" ? this.writeObject(request, description) : linked;
  }

  /**
   * Puts a new object that is a link to `source`. `written`: it has to be written, as an object has that replaces one.
   * Each look at the disk counts here: it is done for every log file that trails share.
   */
  private async linkObject(
    request: PutRequest,
    description: ObjectDescription,
    source: string,
  ): Promise<PutOutcome | "written"> {
    return this.turns.take(request.bucket, async () => {
      const refusal = await this.refusalNow(request);
      if (refusal) return refusal;
      const isSaidByName = isDefault(request.key, request.metadata);
      if (isSaidByName ? await this.places.isAside(request) : await this.places.find(request))
        return "written";
      try {
        const described = await this.places.makeDescriptionRoom(request);
        const descriptions = encodeDescriptions(request.key, [description]);
        // Fails where there is one: then there is an object too, or was one.
        if (isSaidByName) await this.files.writeUnsynced(described, descriptions);
        else await this.files.write(described, descriptions);
        await this.files.linkInto(await this.places.newRoom(request), source);
        return { kind: "stored", etag: description.etag };
      } catch (error) {
        if (systemCode(error) !== "EEXIST") await this.bodies.cannotLink(request.body);
        return "written";
      }
    });
  }

  private async writeObject(request: PutRequest, description: ObjectDescription): Promise<PutOutcome> {
    const temporary = await this.files.writeTemporary(request.body);
    let isInPlace = false;
    try {
      return await this.turns.take(request.bucket, async () => {
        const refusal = await this.refusalNow(request);
        if (refusal) return refusal;
        // Beside that of the object that is there, if it is another.
        const present = await this.reader.describe(request);
        const others = present && present.etag !== description.etag ? [present] : [];
        await this.writeDescriptions(request, [description, ...others], present ? "another" : "none");
        const place = await this.places.makeRoom(request);
        await this.files.moveInto(place, temporary);
        isInPlace = true;
        return { kind: "stored", etag: description.etag };
      });
    } finally {
      if (!isInPlace) await this.files.discard(temporary);
    }
  }

  /** What may have changed while the object was written aside. */
  private async refusalNow({ bucket, key, ifAbsent, signal }: PutRequest): Promise<PutOutcome | undefined> {
    if (signal?.aborted) return { kind: "unknown", message: "The request was aborted." };
    if (!(await this.exists(bucket))) return noSuchBucketRefusal;
    if (!ifAbsent || !(await this.places.find({ bucket, key }))) return undefined;
    const message = "At least one of the pre-conditions you specified did not hold";
    return { kind: "refused", code: "PreconditionFailed", message };
  }

  private async writeDescriptions(
    object: ObjectName,
    descriptions: readonly [ObjectDescription, ...ObjectDescription[]],
    there: "none" | "another" = "none",
  ): Promise<void> {
    const place = await this.places.makeDescriptionRoom(object);
    const bytes = encodeDescriptions(object.key, descriptions);
    if (there === "none" && isDefault(object.key, descriptions[0].metadata)) {
      try {
        return await this.files.writeUnsynced(place, bytes);
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw error;
      }
    }
    await this.files.write(place, bytes);
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
