// Puts objects into a bucket directory: the one way in which a finished temporary file becomes an object, whatever made it.
// The order that makes it atomic stands in directory.ts. Must not: know what the content is.
import type { Disk, DiskStep } from "../disk/contract.ts";
import { asideMark } from "../model/key-path.ts";
import { BucketError } from "./contract.ts";
import type { DirectoryPlaces, NewRoom, ObjectName } from "./directory-places.ts";
import type { DirectoryReader } from "./directory-reader.ts";
import type { DurableFiles } from "./durable-files.ts";
import type { WriteConditions } from "./object-contract.ts";
import { contentMd5Of, encodeDescriptions, isDefault, type ObjectDescription } from "./object-description.ts";
import { systemCode } from "./object-tree.ts";
import type { Turns } from "./turns.ts";

/** Where two objects of the same size may be meant, reading hashes the file; from this size on that is too dear. */
const hashedBytesMax = 1024 * 1024;
/** Others wait for the turn of their bucket while such a body is written: no longer than for a few files of the usual size. */
const bodyInTurnBytesMax = 8 * 1024 * 1024;

export interface WriterParts {
  readonly disk: Disk;
  readonly files: DurableFiles;
  readonly places: DirectoryPlaces;
  readonly reader: DirectoryReader;
  readonly turns: Turns;
  readonly bucketExists: (bucket: string) => Promise<boolean>;
}

/** A synced temporary file, and what it is to become. */
export interface FinishedObject extends ObjectName, WriteConditions {
  readonly temporary: string;
  readonly description: ObjectDescription;
  readonly signal?: AbortSignal;
}

/** An object to come. */
export interface ObjectToPut extends ObjectName, WriteConditions {
  readonly description: ObjectDescription;
  readonly body: Uint8Array;
  readonly signal?: AbortSignal;
}

export class DirectoryWriter {
  private readonly parts: WriterParts;

  constructor(parts: WriterParts) {
    this.parts = parts;
  }

  /**
   * Moves the file to its key; resolves when that is durable. Throws BucketError when the bucket is gone or a condition
   * does not hold. The temporary file is gone either way.
   */
  async place(object: FinishedObject): Promise<void> {
    const { files, places, turns } = this.parts;
    let isInPlace = false;
    try {
      await turns.take(object.bucket, async () => {
        await this.refuseNow(object);
        isInPlace = await this.nameNew(object, "rename");
        if (isInPlace) return;
        const isAmbiguous = await this.writeDescription(object, object.description);
        const place = await places.makeRoom(object);
        await files.moveInto(place, object.temporary);
        isInPlace = true;
        // The object is there; a description that says more than is needed is none the worse for it.
        if (isAmbiguous) await this.describeAlone(object, object.description).catch(() => undefined);
      });
    } finally {
      if (!isInPlace) await files.discard(object.temporary);
    }
  }

  /**
   * Makes a new object a link to `temporary`, which stays. `written`: it has to be written, as an object has that replaces
   * one; `unlinkable`: so has everything with this content. Throws as `place` does.
   */
  async link(object: FinishedObject): Promise<"linked" | "written" | "unlinkable"> {
    return this.parts.turns.take(object.bucket, async () => {
      await this.refuseNow(object);
      try {
        if (isDefault(object.key, object.description)) {
          return (await this.nameNew(object, "link")) ? "linked" : "written";
        }
        return (await this.linkDescribed(object)) ? "linked" : "written";
      } catch (error) {
        return systemCode(error) === "EEXIST" ? "written" : "unlinkable";
      }
    });
  }

  /**
   * Puts a new object that says of itself what its name says, as every log file does, into a folder that is known: the whole
   * way in one go. False when it has to go the long way, through `place`; nothing is changed then but perhaps a description
   * of no object. Throws when its signal is aborted, and what the disk throws.
   */
  async putNew(object: ObjectToPut): Promise<boolean> {
    const { disk, files, places, turns } = this.parts;
    const { bucket, key, description, body, ifAbsent, ifMatch, signal } = object;
    const isPlain = !ifAbsent && ifMatch === undefined && body.length <= bodyInTurnBytesMax;
    if (!isPlain || !isDefault(key, description)) return false;
    return turns.take(bucket, async () => {
      refuseAborted(signal);
      const room = places.knownRoom(object);
      if (!room) return false;
      const temporary = files.temporaryPath();
      const [free, alsoFree, ...naming] = namingSteps({ ...object, temporary }, room, "rename");
      const write = { kind: "write", path: temporary, bytes: body, isSynced: true } as const;
      try {
        await disk.inOrder([free, alsoFree, write, ...naming]);
        return true;
      } catch (error) {
        await files.discard(temporary);
        if (systemCode(error) === "EEXIST") return false;
        throw error;
      }
    });
  }

  /** Gives a temporary file the name of a new object as `putNew` does; false when it has to be placed with more care. */
  private async nameNew(object: FinishedObject, how: "rename" | "link"): Promise<boolean> {
    const { disk, places } = this.parts;
    if (!isDefault(object.key, object.description)) return false;
    try {
      const room = places.knownRoom(object) ?? (await this.newRoom(object));
      await disk.inOrder(namingSteps(object, room, how));
      return true;
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      throw error;
    }
  }

  private async newRoom(object: ObjectName): Promise<NewRoom> {
    const { places } = this.parts;
    const description = await places.makeDescriptionRoom(object);
    const place = await places.newRoom(object);
    return { ...place, descriptionPath: `${description.folder}/${description.name}` };
  }

  /** The same with a description that must not be lost. */
  private async linkDescribed(object: FinishedObject): Promise<boolean> {
    const { disk, files, places } = this.parts;
    const { key, description, temporary } = object;
    if (await places.find(object)) return false;
    await files.write(await places.makeDescriptionRoom(object), encodeDescriptions(key, [description]));
    const { folder, name } = await places.newRoom(object);
    await disk.inOrder([
      { kind: "link", from: temporary, to: `${folder}/${name}` },
      { kind: "syncDirectory", path: folder },
    ]);
    return true;
  }

  /** Replaces the description of the object that is there. Whoever calls holds the bucket's turn. */
  async describeAlone(object: ObjectName, description: ObjectDescription): Promise<void> {
    const place = await this.parts.places.makeDescriptionRoom(object);
    await this.parts.files.write(place, encodeDescriptions(object.key, [description]));
  }

  /** Sees to it that the name of an object that is there survives: whoever put it may have failed to. */
  async confirm(object: ObjectName): Promise<void> {
    const found = await this.parts.places.find(object);
    if (found) await this.parts.disk.syncDirectory(found.path.slice(0, found.path.lastIndexOf("/")));
  }

  /** What may have changed while the object was written aside. */
  private async refuseNow(object: FinishedObject): Promise<void> {
    const { ifAbsent, ifMatch, signal } = object;
    refuseAborted(signal);
    const { bucketExists, places } = this.parts;
    if (!places.knownRoom(object) && !(await bucketExists(object.bucket))) throw noSuchBucket();
    if (ifAbsent && (await this.parts.places.find(object))) throw preconditionFailed();
    if (ifMatch !== undefined) await this.refuseUnlessMatching(object, ifMatch);
  }

  /** Throws unless the object that is there has this ETag. */
  async refuseUnlessMatching(object: ObjectName, ifMatch: string): Promise<void> {
    const present = await this.parts.reader.head(object);
    if (!present) throw new BucketError("NoSuchKey", "The specified key does not exist.");
    if (ifMatch !== "*" && ifMatch !== present.etag) throw preconditionFailed();
  }

  /** Describes the object to come beside the one that is there, if it is another; true when their sizes are the same. */
  private async writeDescription(object: ObjectName, coming: ObjectDescription): Promise<boolean> {
    const present = await this.parts.reader.describe(object);
    const isOther = present !== undefined && contentMd5Of(present) !== contentMd5Of(coming);
    const place = await this.parts.places.makeDescriptionRoom(object);
    const descriptions = isOther ? [coming, present] : [coming];
    await this.parts.files.write(place, encodeDescriptions(object.key, descriptions));
    return isOther && present.sizeBytes === coming.sizeBytes && coming.sizeBytes > hashedBytesMax;
  }
}

/**
 * What makes a new object of a finished file when its name says all there is to say. The order: there is nothing of this
 * name, aside neither; its description, not synced, for that only saves the reader an MD5; its name; the sync of its
 * folder, after which it is an object for good. A file becomes one when it is synced, never before.
 */
function namingSteps(
  { key, description, temporary }: FinishedObject,
  { folder, name, descriptionPath }: NewRoom,
  how: "rename" | "link",
): readonly [DiskStep, DiskStep, ...DiskStep[]] {
  const path = `${folder}/${name}`;
  const bytes = encodeDescriptions(key, [description]);
  return [
    { kind: "expectNothing", path },
    { kind: "expectNothing", path: `${path}${asideMark}` },
    { kind: "write", path: descriptionPath, bytes, isSynced: false },
    { kind: how, from: temporary, to: path },
    { kind: "syncDirectory", path: folder },
  ];
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Error("The request was aborted.");
}

function noSuchBucket(): BucketError {
  return new BucketError("NoSuchBucket", "The specified bucket does not exist");
}

function preconditionFailed(): BucketError {
  return new BucketError(
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
  );
}
