// Where the files of a bucket directory lie: finding an object, making room for one, clearing up after one.
// The layout stands in directory.ts. Whoever changes a bucket here holds its turn.
import type { DurableFiles } from "./durable-files.ts";
import { asideMark, describingMark, type KeyPath, keyPath, toByteString } from "../model/key-path.ts";
import type { ObjectTree, TreeNode } from "./object-tree.ts";

export const sideFolder = ".cairn";

export interface Place {
  readonly folder: string;
  readonly name: string;
}

/** Of an object that does not lie aside. */
export interface NewRoom extends Place {
  readonly descriptionPath: string;
}

export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

export class DirectoryPlaces {
  private readonly files: DurableFiles;
  private readonly tree: ObjectTree;
  private readonly root: string;

  constructor(parts: { readonly files: DurableFiles; readonly tree: ObjectTree; readonly root: string }) {
    this.files = parts.files;
    this.tree = parts.tree;
    this.root = parts.root;
  }

  bucketFolder(bucket: string): string {
    return `${this.root}/${bucket}`;
  }

  /** The folder of what is known about a bucket, as parts below the root. */
  aboutParts(bucket: string): readonly string[] {
    return [sideFolder, "buckets", bucket];
  }

  aboutFolder(bucket: string): string {
    return [this.root, ...this.aboutParts(bucket)].join("/");
  }

  descriptionPath({ bucket, key }: ObjectName): string {
    const { folders, name } = keyPath(toByteString(key));
    return [this.aboutFolder(bucket), "objects", ...folders, name + describingMark].join("/");
  }

  /** The path of an object that exists, and what is there. */
  async find(object: ObjectName): Promise<{ path: string; node: TreeNode & { kind: "file" } } | undefined> {
    const plain = this.plainPath(object);
    for (const path of [plain, plain + asideMark]) {
      const node = await this.tree.look(path);
      if (node?.kind === "file") return { path, node };
    }
    return undefined;
  }

  /** Makes the folders that a new object needs and says where it goes: aside, when its name is a folder's. */
  async makeRoom({ bucket, key }: ObjectName): Promise<Place> {
    const { folder, name } = await this.newRoom({ bucket, key });
    const isAside =
      (await this.tree.look(`${folder}/${name}`))?.kind === "folder" ||
      (await this.tree.look(`${folder}/${name}${asideMark}`)) !== undefined;
    return { folder, name: isAside ? name + asideMark : name };
  }

  /** The same for an object that does not lie aside: where it goes unless something is there. */
  async newRoom({ bucket, key }: ObjectName): Promise<Place> {
    const { folders, name } = keyPath(toByteString(key));
    const folder = await this.files.folder([bucket, ...folders], (path) => this.moveAside(path));
    return { folder, name };
  }

  /** Where a new object and its description go when the folders of both are there for all we know: then so is the bucket. */
  knownRoom({ bucket, key }: ObjectName): NewRoom | undefined {
    const { folders, name } = keyPath(toByteString(key));
    const folder = this.files.knownFolder([bucket, ...folders]);
    const about = this.files.knownFolder([...this.aboutParts(bucket), "objects", ...folders]);
    if (folder === undefined || about === undefined) return undefined;
    return { folder, name, descriptionPath: `${about}/${name}${describingMark}` };
  }

  async makeDescriptionRoom({ bucket, key }: ObjectName): Promise<Place> {
    const { folders, name } = keyPath(toByteString(key));
    const folder = await this.files.folder([...this.aboutParts(bucket), "objects", ...folders]);
    return { folder, name: name + describingMark };
  }

  /** Removes an object wherever it lies; resolves when that is durable. Then its description and the empty folders. */
  async remove(object: ObjectName): Promise<void> {
    const { folders, name } = keyPath(toByteString(object.key));
    const folder = [this.bucketFolder(object.bucket), ...folders].join("/");
    if ((await this.tree.look(folder))?.kind !== "folder") return;
    for (const file of [name, name + asideMark]) {
      // Also when nothing is there: an earlier attempt may have removed it and failed to make that durable.
      const kind = (await this.tree.look(`${folder}/${file}`))?.kind ?? "file";
      if (kind === "file") await this.files.remove(folder, file);
    }
    await this.prune([object.bucket], folders);
    const about = [...this.aboutParts(object.bucket), "objects"];
    const described = [this.root, ...about, ...folders].join("/");
    if (await this.tree.look(`${described}/${name}${describingMark}`)) {
      await this.files.remove(described, name + describingMark);
    }
    await this.prune(about, folders);
  }

  /** Whether a folder holds any file, at any depth; empty folders do not count. */
  async holdsFiles(path: string): Promise<boolean> {
    for (const entry of await this.tree.entries(path)) {
      if (entry.kind !== "folder" || (await this.holdsFiles(`${path}/${entry.name}`))) return true;
    }
    return false;
  }

  /** Removes a folder in which only folders are left; false when it holds something after all. */
  async removeEmpty(path: string): Promise<boolean> {
    for (const entry of await this.tree.entries(path)) {
      if (entry.kind !== "folder" || !(await this.removeEmpty(`${path}/${entry.name}`))) return false;
    }
    this.files.forgetFolder(path);
    return this.tree.removeFolder(path);
  }

  /** Removes descriptions that no object is left for, with their folders. */
  async removeDescriptions(path: string): Promise<void> {
    for (const entry of await this.tree.entries(path)) {
      if (entry.kind === "folder") await this.removeDescriptions(`${path}/${entry.name}`);
      else await this.files.remove(path, entry.name);
    }
    this.files.forgetFolder(path);
    await this.tree.removeFolder(path);
  }

  private plainPath({ bucket, key }: ObjectName): string {
    const { folders, name } = keyPath(toByteString(key));
    return [this.bucketFolder(bucket), ...folders, name].join("/");
  }

  /** An object whose name is now needed for a folder goes aside, durably, before the folder is made. */
  private async moveAside(path: string): Promise<void> {
    if ((await this.tree.look(path))?.kind !== "file") return;
    const cut = path.lastIndexOf("/");
    const folder = path.slice(0, cut);
    await this.files.moveInto({ folder, name: path.slice(cut + 1) + asideMark }, path);
  }

  private async prune(base: readonly string[], folders: KeyPath["folders"]): Promise<void> {
    for (let depth = folders.length; depth > 0; depth--) {
      const path = [this.root, ...base, ...folders.slice(0, depth)].join("/");
      this.files.forgetFolder(path);
      if (!(await this.tree.removeFolder(path))) return;
    }
  }
}
