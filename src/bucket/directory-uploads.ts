// Multipart uploads beside the buckets of a directory: parts are files, completing writes them one after the other aside.
//
//   {root}/.cairn/buckets/{bucket}/uploads/{uploadId}/upload.json    what was asked for when it was begun
//   {root}/.cairn/buckets/{bucket}/uploads/{uploadId}/00001 …        the parts (upload-files.ts)
//
// Limits: `uploadsMax` in a bucket under way; what is older than `uploadAgeMsMax` is gone, and its files are removed when the
// next one is begun.
// Invariants: an upload exists while its upload.json does. Completing is atomic as any put is; the object's description
// names its upload, so that a completion repeated after a crash, or after its answer was lost, answers the same.
// Recovery: none is needed; folders without upload.json are passed over and go with the old ones.
import type { Disk } from "../disk/contract.ts";
import type { Clock } from "../model/environment.ts";
import { keyProblem } from "../model/key-path.ts";
import { BucketError } from "./contract.ts";
import { type ContentDigest, type DigestedContent, openContentDigest } from "./content-digest.ts";
import { digested } from "./directory-copy.ts";
import { type DirectoryPlaces, sideFolder } from "./directory-places.ts";
import type { DirectoryReader } from "./directory-reader.ts";
import type { DirectoryWriter } from "./directory-writer.ts";
import type { DurableFiles } from "./durable-files.ts";
import type {
  Completion,
  MultipartUploads,
  PartRequest,
  StoredObject,
  StoredPart,
  UploadDescription,
  UploadName,
  WantedPart,
} from "./object-contract.ts";
import type { ObjectDescription } from "./object-description.ts";
import { type ObjectTree, systemCode } from "./object-tree.ts";
import { filePieces, wholeRange } from "./open-object.ts";
import { createTurns, type Turns } from "./turns.ts";
import {
  decodePartTrailer,
  decodeUpload,
  encodePartTrailer,
  encodeUpload,
  inUploadOrder,
  makeUploadId,
  partFileName,
  partNumberOf,
  trailerBytes,
  uploadFile,
  uploadTimeMs,
} from "./upload-files.ts";
import {
  checkPartSizes,
  checkSaidSize,
  completedChecksum,
  compositeEtag,
  matchedPart,
  runsOfSizes,
} from "./upload-parts.ts";

const uploadsFolder = "uploads";
const uploadAgeMsMax = 7 * 86_400_000;
const sliceBytes = 4 * 1024 * 1024;
const sweepEveryMs = 3_600_000;

export interface UploadsDirectory {
  readonly disk: Disk;
  readonly tree: ObjectTree;
  readonly clock: Clock;
  readonly root: string;
  readonly files: DurableFiles;
  readonly places: DirectoryPlaces;
  readonly reader: DirectoryReader;
  readonly writer: DirectoryWriter;
  /** The turns of the buckets. */
  readonly turns: Turns;
  readonly bucketExists: (bucket: string) => Promise<boolean>;
  readonly partBytesMin: number;
  readonly uploadsMax: number;
}

export class DirectoryUploads implements MultipartUploads {
  private readonly directory: UploadsDirectory;
  /** By upload: its parts are put in place, completed and removed one after the other. */
  private readonly turns: Turns = createTurns();
  private nextSweepMs = 0;

  constructor(directory: UploadsDirectory) {
    this.directory = directory;
  }

  async create(upload: Omit<UploadDescription, "initiatedMs" | "uploadId">, unique: string): Promise<string> {
    const { clock, files, places, turns } = this.directory;
    const problem = keyProblem(upload.key);
    if (problem) throw new BucketError(problem.code, problem.message);
    await this.sweepWhenDue();
    return turns.take(upload.bucket, async () => {
      await this.mustExist(upload.bucket);
      await this.refuseTooMany(upload.bucket);
      const initiatedMs = clock.nowMs();
      const uploadId = makeUploadId(initiatedMs, unique);
      const folder = await files.folder([...places.aboutParts(upload.bucket), uploadsFolder, uploadId]);
      await files.write({ folder, name: uploadFile }, encodeUpload({ ...upload, initiatedMs }));
      return uploadId;
    });
  }

  async find(upload: UploadName): Promise<UploadDescription> {
    await this.mustExist(upload.bucket);
    const found = await this.read(upload.bucket, upload.uploadId);
    if (found?.key !== upload.key) throw noSuchUpload(upload.uploadId);
    return found;
  }

  async putPart(upload: UploadName, part: PartRequest): Promise<StoredPart> {
    await this.find(upload);
    const { clock, files } = this.directory;
    const digest = await openContentDigest(part.checksumAlgorithm);
    let stored: StoredPart | undefined;
    const content = async function* () {
      yield* digested(part.pieces instanceof Uint8Array ? slices(part.pieces) : part.pieces, digest);
      const { md5Hex, sizeBytes, checksum } = await finished(digest, part);
      const algorithm = part.checksumAlgorithm;
      const described = {
        ...{ etag: md5Hex, sizeBytes, lastModifiedMs: clock.nowMs() },
        ...(algorithm && checksum !== undefined && { checksum: { algorithm, value: checksum } }),
      };
      stored = { number: part.number, ...described };
      yield encodePartTrailer(described);
    };
    const temporary = await files.writeTemporary(content());
    await this.movePart(upload, part.number, temporary);
    if (!stored) throw new Error("A part was put without a description.");
    return stored;
  }

  async parts(
    upload: UploadName,
    page: { readonly after: number; readonly count: number },
  ): Promise<readonly StoredPart[]> {
    await this.find(upload);
    const names = await this.directory.disk.list(this.folderOf(upload.bucket, upload.uploadId));
    const numbers = names
      .flatMap((name) => partNumberOf(name) ?? [])
      .filter((number) => number > page.after)
      .sort((left, right) => left - right);
    const parts: StoredPart[] = [];
    for (const number of numbers.slice(0, page.count)) {
      const part = await this.readPart(upload, number);
      if (part) parts.push(part);
    }
    return parts;
  }

  async list(bucket: string): Promise<readonly UploadDescription[]> {
    await this.mustExist(bucket);
    const uploads: UploadDescription[] = [];
    for (const uploadId of await this.ids(bucket)) {
      const upload = await this.read(bucket, uploadId);
      if (upload) uploads.push(upload);
    }
    return uploads.sort(inUploadOrder);
  }

  async complete(upload: UploadName, completion: Completion): Promise<StoredObject> {
    return this.turns.take(upload.uploadId, async () => {
      await this.mustExist(upload.bucket);
      const present = await this.completedBefore(upload, completion.parts);
      const completed = present ?? (await this.compose(await this.find(upload), completion));
      // The object is there: what is left of its upload goes now, or with the old ones.
      await this.removeUpload(upload.bucket, upload.uploadId).catch(() => undefined);
      return completed;
    });
  }

  async abort(upload: UploadName): Promise<void> {
    await this.turns.take(upload.uploadId, async () => {
      await this.findForGood(upload);
      await this.removeUpload(upload.bucket, upload.uploadId);
    });
  }

  /** Who is told that there is no such upload is told so for good: its removal may have failed half way. */
  private async findForGood(upload: UploadName): Promise<void> {
    try {
      await this.find(upload);
    } catch (error) {
      const folder = this.folderOf(upload.bucket, upload.uploadId);
      const isOurs = uploadTimeMs(upload.uploadId) !== undefined;
      if (isOurs && (await this.directory.tree.look(folder))) await this.directory.disk.syncDirectory(folder);
      throw error;
    }
  }

  /** Removes all uploads of a bucket that is about to be made. */
  async forget(bucket: string): Promise<void> {
    for (const uploadId of await this.ids(bucket)) await this.removeUpload(bucket, uploadId);
  }

  /** The object that this upload made, when the same completion was carried out before. */
  private async completedBefore(
    { bucket, key, uploadId }: UploadName,
    wanted: readonly WantedPart[],
  ): Promise<StoredObject | undefined> {
    if (uploadTimeMs(uploadId) === undefined || keyProblem(key)) return undefined;
    const present = await this.directory.reader.head({ bucket, key });
    const isSame =
      present?.uploadId === uploadId && present.etag === compositeEtag(wanted.map(({ etag }) => etag));
    if (!isSame) return undefined;
    await this.directory.writer.confirm({ bucket, key });
    return present;
  }

  /** Writes the parts one after the other aside, and puts the whole in place. */
  private async compose(upload: UploadDescription, completion: Completion): Promise<StoredObject> {
    const { files, writer, partBytesMin } = this.directory;
    const parts: StoredPart[] = [];
    for (const wanted of completion.parts) {
      parts.push(matchedPart(wanted, await this.readPart(upload, wanted.number), upload.uploadId));
    }
    checkPartSizes(parts, partBytesMin);
    checkSaidSize(parts, completion.sizeBytes);
    const isWhole = upload.checksum?.type === "FULL_OBJECT";
    const digest = await openContentDigest(isWhole ? upload.checksum.algorithm : undefined);
    const temporary = await files.writeTemporary(digested(this.contentOf(upload, parts), digest));
    const { bucket, key } = upload;
    const { ifAbsent, ifMatch } = completion;
    try {
      const { md5Hex, checksum } = await digest.finish();
      const sum = await completedChecksum(upload, parts, {
        ...completion,
        ...(checksum !== undefined && { whole: checksum }),
      });
      const description = this.describe(upload, parts, { contentMd5: md5Hex, ...(sum && { checksum: sum }) });
      await writer.place({
        ...{ bucket, key, temporary, description },
        ...(ifAbsent && { ifAbsent }),
        ...(ifMatch !== undefined && { ifMatch }),
      });
      return { key, ...description };
    } catch (error) {
      await files.discard(temporary);
      throw error;
    }
  }

  private describe(
    upload: UploadDescription,
    parts: readonly StoredPart[],
    known: Pick<ObjectDescription, "contentMd5" | "checksum">,
  ): ObjectDescription {
    const { metadata, tags, otherHeaders, uploadId } = upload;
    return {
      etag: compositeEtag(parts.map(({ etag }) => etag)),
      sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      lastModifiedMs: this.directory.clock.nowMs(),
      ...{ metadata, uploadId, parts: runsOfSizes(parts) },
      ...known,
      ...(tags && { tags }),
      ...(otherHeaders && { otherHeaders }),
    };
  }

  private async *contentOf(upload: UploadName, parts: readonly StoredPart[]): AsyncGenerator<Uint8Array> {
    for (const { number, sizeBytes } of parts) {
      const file = await this.directory.disk.openForReading(this.partPath(upload, number));
      if (!file) throw noSuchUpload(upload.uploadId);
      try {
        yield* filePieces(file, wholeRange(sizeBytes));
      } finally {
        await file.close();
      }
    }
  }

  private async movePart(upload: UploadName, number: number, temporary: string): Promise<void> {
    const { files } = this.directory;
    try {
      await this.turns.take(upload.uploadId, async () => {
        await this.find(upload);
        const folder = this.folderOf(upload.bucket, upload.uploadId);
        await files.moveInto({ folder, name: partFileName(number) }, temporary);
      });
    } catch (error) {
      await files.discard(temporary);
      throw systemCode(error) === "ENOENT" ? noSuchUpload(upload.uploadId) : error;
    }
  }

  private async readPart(upload: UploadName, number: number): Promise<StoredPart | undefined> {
    const file = await this.directory.disk.openForReading(this.partPath(upload, number));
    if (!file) return undefined;
    try {
      const sizeBytes = file.sizeBytes - trailerBytes;
      if (sizeBytes < 0) return undefined;
      return decodePartTrailer(await file.read(sizeBytes, trailerBytes), { number, sizeBytes });
    } finally {
      await file.close();
    }
  }

  /** The upload of this id while it is under way. */
  private async read(bucket: string, uploadId: string): Promise<UploadDescription | undefined> {
    const beganMs = uploadTimeMs(uploadId);
    if (beganMs === undefined || this.isOld(beganMs)) return undefined;
    const bytes = await this.directory.disk.readWhole(`${this.folderOf(bucket, uploadId)}/${uploadFile}`);
    return bytes && decodeUpload(bytes, uploadId);
  }

  private isOld(beganMs: number): boolean {
    return beganMs < this.directory.clock.nowMs() - uploadAgeMsMax;
  }

  private async refuseTooMany(bucket: string): Promise<void> {
    const { uploadsMax } = this.directory;
    if ((await this.ids(bucket)).length < uploadsMax) return;
    throw new BucketError(
      "SlowDown",
      `${uploadsMax} multipart uploads are under way in this bucket. Complete or abort some of them.`,
    );
  }

  /** Of all uploads that have left a folder, also of those that are over. */
  private async ids(bucket: string): Promise<readonly string[]> {
    const path = `${this.directory.places.aboutFolder(bucket)}/${uploadsFolder}`;
    const entries = await this.directory.tree.entries(path);
    return entries.flatMap(({ kind, name }) =>
      kind === "folder" && uploadTimeMs(name) !== undefined ? [name] : [],
    );
  }

  /** Removes what was begun long ago and never ended. What fails is tried again an hour later. */
  private async sweepWhenDue(): Promise<void> {
    const { clock, tree, root } = this.directory;
    if (clock.nowMs() < this.nextSweepMs) return;
    this.nextSweepMs = clock.nowMs() + sweepEveryMs;
    for (const { name: bucket } of await tree.entries(`${root}/${sideFolder}/buckets`)) {
      for (const uploadId of await this.ids(bucket)) {
        if (!this.isOld(uploadTimeMs(uploadId) ?? Number.POSITIVE_INFINITY)) continue;
        await this.turns.take(uploadId, () => this.removeUpload(bucket, uploadId).catch(() => undefined));
      }
    }
  }

  /** Its description goes first, durably: from then on there is no such upload. */
  private async removeUpload(bucket: string, uploadId: string): Promise<void> {
    const { disk, files, tree } = this.directory;
    const folder = this.folderOf(bucket, uploadId);
    const names = await disk.list(folder);
    if (names.includes(uploadFile)) await files.remove(folder, uploadFile);
    for (const name of names) await disk.remove(`${folder}/${name}`);
    files.forgetFolder(folder);
    await tree.removeFolder(folder);
  }

  private folderOf(bucket: string, uploadId: string): string {
    return `${this.directory.places.aboutFolder(bucket)}/${uploadsFolder}/${uploadId}`;
  }

  private partPath({ bucket, uploadId }: UploadName, number: number): string {
    return `${this.folderOf(bucket, uploadId)}/${partFileName(number)}`;
  }

  private async mustExist(bucket: string): Promise<void> {
    if (await this.directory.bucketExists(bucket)) return;
    throw new BucketError("NoSuchBucket", "The specified bucket does not exist");
  }
}

async function finished(digest: ContentDigest, { verify }: PartRequest): Promise<DigestedContent> {
  const content = await digest.finish();
  verify?.(content);
  return content;
}

/** Large bodies are digested in turns with other work. */
function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sliceBytes) yield bytes.subarray(at, at + sliceBytes);
}

function noSuchUpload(uploadId: string): BucketError {
  return new BucketError(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { UploadId: uploadId },
  );
}
