// The few file operations that durable code is built from, so that a test can lose what was not synced and
// fail any single call. Types only. Implementations: node-disk.ts here, test/sim/simulated-disk.ts.
//
// Durability rules every implementation keeps:
// - file content survives a crash only up to the last successful `sync` of that file;
// - a created, linked, renamed or removed name survives only after `syncDirectory` of its folder;
// - after a failed `sync` nothing may be assumed about the unsynced content, and it is never retried.

export interface Disk {
  /** Creates a folder and its parents (mode 0700), durable when it resolves; no error when it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a folder, unsorted; [] when it does not exist. */
  list(path: string): Promise<string[]>;
  /** Creates an empty file for appending (mode 0600); fails when it exists. */
  create(path: string): Promise<AppendFile>;
  /** Opens an existing file for reading at offsets; undefined when it does not exist. */
  openForReading(path: string): Promise<ReadFile | undefined>;
  /** The whole content, or undefined when the file does not exist. */
  readWhole(path: string): Promise<Uint8Array | undefined>;
  /** Cuts an existing file to `length` bytes and syncs it. */
  truncate(path: string, length: number): Promise<void>;
  /** Gives an existing file a second name; fails when that is taken, and where the file system knows no such names. */
  link(from: string, to: string): Promise<void>;
  /** Atomic within one file system; replaces the target. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; no error when it does not exist. */
  remove(path: string): Promise<void>;
  /** Makes created, linked, renamed and removed names in this folder durable. */
  syncDirectory(path: string): Promise<void>;
  /**
   * Does the steps one after the other, up to the first that fails, whose error it rejects with; those before it are done.
   * They are the calls of the same names, all of them for little more than one costs: for what is done for every log file.
   * Bytes may be written again as they were when they came in the same object before.
   */
  inOrder(steps: readonly DiskStep[]): Promise<void>;
}

export type DiskStep =
  /** Creates a file with these bytes; synced or not. */
  | {
      readonly kind: "write";
      readonly path: string;
      readonly bytes: Uint8Array;
      readonly isSynced: boolean;
    }
  | { readonly kind: "link" | "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "syncDirectory"; readonly path: string }
  /** Changes nothing; fails with EEXIST when there is something of this name. */
  | { readonly kind: "expectNothing"; readonly path: string };

export interface AppendFile {
  /** Appends all chunks in order; on an error any prefix may have been written. */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  /** fdatasync. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface ReadFile {
  readonly sizeBytes: number;
  /** Reads up to `length` bytes at `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * Reads all ranges for little more than one read costs. `take` gets what `read` would give of each, in order and lent: it is
   * something else when `take` has returned. Rejects with the error of a read, or with what `take` throws; some may be taken.
   */
  readMany(ranges: readonly ByteRange[], take: (bytes: Uint8Array, index: number) => void): Promise<void>;
  close(): Promise<void>;
}
