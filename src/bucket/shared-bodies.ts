// Bodies that are put under several keys, as the log files of trails that log the same are: hashed once, and written once
// for all but the first of these keys, which get links (one file, several names) to what was written.
//
// A body that comes for the second time is written aside and kept as a temporary file, to which nobody but us has the
// name: what is linked to is always what was written. A body is known by its identity, not by its content.
// Limits: the last few are kept, until others take their place or the next start empties the folder of temporary files.
import type { DurableFiles } from "./durable-files.ts";
import { md5Hex } from "./directory-reader.ts";

const keptMax = 8;

interface Known {
  readonly etag: string;
  puts: number;
  /** Path of the temporary file. */
  kept?: Promise<string> | undefined;
  /** A link failed: it is written each time. */
  isUnlinkable: boolean;
}

export class SharedBodies {
  private readonly files: DurableFiles;
  private readonly isSharing: boolean;
  private readonly known = new WeakMap<Uint8Array, Known>();
  private kept: Known[] = [];

  /** With `isSharing` off bodies are only hashed once. */
  constructor(files: DurableFiles, isSharing: boolean) {
    this.files = files;
    this.isSharing = isSharing;
  }

  etagOf(body: Uint8Array): string {
    return this.of(body).etag;
  }

  /** A synced temporary file with this body, to link to; undefined when the body comes for the first time: most come once. */
  async source(body: Uint8Array): Promise<string | undefined> {
    if (!this.isSharing) return undefined;
    const known = this.of(body);
    known.puts += 1;
    if (known.puts === 1 || known.isUnlinkable) return undefined;
    known.kept ??= this.keep(known, body);
    return known.kept;
  }

  /** The file system knows no links, or not so many, or somebody removed the file: from now on the body is written each time. */
  async cannotLink(body: Uint8Array): Promise<void> {
    const known = this.of(body);
    known.isUnlinkable = true;
    this.kept = this.kept.filter((one) => one !== known);
    await this.drop(known);
  }

  private async keep(known: Known, body: Uint8Array): Promise<string> {
    this.kept.push(known);
    const leaving = this.kept.length > keptMax ? this.kept.shift() : undefined;
    if (leaving) await this.drop(leaving);
    try {
      return await this.files.writeTemporary(body);
    } catch (error) {
      known.kept = undefined;
      this.kept = this.kept.filter((one) => one !== known);
      throw error;
    }
  }

  private async drop(known: Known): Promise<void> {
    const path = await known.kept?.catch(() => undefined);
    known.kept = undefined;
    if (path !== undefined) await this.files.discard(path);
  }

  private of(body: Uint8Array): Known {
    const found = this.known.get(body);
    if (found) return found;
    const known = { etag: md5Hex(body), puts: 0, isUnlinkable: false };
    this.known.set(body, known);
    return known;
  }
}
