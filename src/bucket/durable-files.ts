// Writes small files so that they are there, whole, after a crash: temporary file, sync, rename, sync of the folder.
import { dirname } from "node:path";
import type { Disk, DiskStep } from "../disk/contract.ts";

/** How many folders are remembered as durable; beyond that the oldest are synced again when needed. */
const rememberedFoldersMax = 10_000;

export interface DurableFilesOptions {
  readonly disk: Disk;
  readonly root: string;
  /** Path below the root, emptied at the first use: one process owns the directory. */
  readonly temporaries: readonly string[];
}

export class DurableFiles {
  private readonly disk: Disk;
  private readonly root: string;
  private readonly temporaries: readonly string[];
  private readonly durable = new Set<string>();
  private count = 0;
  private ready: Promise<string> | undefined;

  constructor(options: DurableFilesOptions) {
    this.disk = options.disk;
    this.root = options.root;
    this.temporaries = options.temporaries;
  }

  /** Writes and syncs a file that nobody sees yet; returns its path, to be moved into place or discarded. */
  async writeTemporary(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
    await this.temporaryFolder();
    const path = this.temporaryPath();
    try {
      if (content instanceof Uint8Array) {
        await this.disk.inOrder([{ kind: "write", path, bytes: content, isSynced: true }]);
      } else await this.writePieces(path, content);
      return path;
    } catch (error) {
      // A full disk must not stay full of halves.
      await this.discard(path);
      throw error;
    }
  }

  /** Removes a temporary file as well as can be; the next start removes what stays. */
  async discard(path: string): Promise<void> {
    await this.disk.remove(path).catch(() => undefined);
  }

  /** Moves a temporary file to its place, replacing what is there; resolves when the name is durable. */
  async moveInto(
    place: { readonly folder: string; readonly name: string },
    temporary: string,
  ): Promise<void> {
    await this.disk.inOrder(movingSteps(place, temporary));
  }

  async write(place: { readonly folder: string; readonly name: string }, bytes: Uint8Array): Promise<void> {
    const temporary = await this.writeTemporary(bytes);
    try {
      await this.moveInto(place, temporary);
    } catch (error) {
      await this.discard(temporary);
      throw error;
    }
  }

  /** Removes a file; resolves when its absence is durable. The folder must exist. */
  async remove(folder: string, name: string): Promise<void> {
    await this.disk.remove(`${folder}/${name}`);
    await this.disk.syncDirectory(folder);
  }

  /**
   * Makes the folders `parts` below the root, each name durable before the next, and returns the path of the last.
   * `beforeCreate` may clear the way of a folder that is not known yet.
   */
  async folder(parts: readonly string[], beforeCreate?: (path: string) => Promise<void>): Promise<string> {
    await this.temporaryFolder();
    return this.knownFolder(parts) ?? this.makeFolders(parts, beforeCreate);
  }

  /** The path of a folder that was made durable and not forgotten since: nobody but a stranger has removed it. */
  knownFolder(parts: readonly string[]): string | undefined {
    const path = `${this.root}/${parts.join("/")}`;
    return this.durable.has(path) ? path : undefined;
  }

  /** A path for a file that nobody sees yet; its folder is there when any other is known. */
  temporaryPath(): string {
    this.count += 1;
    return `${this.root}/${this.temporaries.join("/")}/${this.count}`;
  }

  /** To be called before a folder is removed, so that it is made again when it is needed again. */
  forgetFolder(path: string): void {
    this.durable.delete(path);
  }

  /** Somebody removed folders by hand. */
  forgetAllFolders(): void {
    this.durable.clear();
    this.ready = undefined;
  }

  private async writePieces(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await this.disk.create(path);
    try {
      for await (const piece of pieces) await file.append([piece]);
      await file.sync();
    } catch (error) {
      // Why the write failed is what the caller needs to hear.
      await file.close().catch(() => undefined);
      throw error;
    }
    await file.close();
  }

  private async makeFolders(
    parts: readonly string[],
    beforeCreate?: (path: string) => Promise<void>,
  ): Promise<string> {
    let path = this.root;
    for (const part of parts) {
      const inside = `${path}/${part}`;
      if (!this.durable.has(inside)) {
        await beforeCreate?.(inside);
        await this.disk.makeDirectory(inside);
        await this.disk.syncDirectory(path);
        this.remember(inside);
      }
      path = inside;
    }
    return path;
  }

  private remember(path: string): void {
    this.durable.add(path);
    const [oldest] = this.durable;
    if (this.durable.size > rememberedFoldersMax && oldest !== undefined) this.durable.delete(oldest);
  }

  private temporaryFolder(): Promise<string> {
    this.ready ??= this.prepare().catch((error: unknown) => {
      this.ready = undefined;
      throw error;
    });
    return this.ready;
  }

  private async prepare(): Promise<string> {
    await this.disk.makeDirectory(this.root);
    await this.disk.syncDirectory(dirname(this.root));
    const path = await this.makeFolders(this.temporaries);
    // What this process has written since its start has a number already; it is not left over.
    if (this.count > 0) return path;
    for (const name of await this.disk.list(path)) await this.disk.remove(`${path}/${name}`);
    return path;
  }
}

/** A temporary file gets its place, whatever is there, durably. */
export function movingSteps(
  place: { readonly folder: string; readonly name: string },
  temporary: string,
): readonly DiskStep[] {
  return [
    { kind: "rename", from: temporary, to: `${place.folder}/${place.name}` },
    { kind: "syncDirectory", path: place.folder },
  ];
}
