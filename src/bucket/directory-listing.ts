// Lists the objects of a bucket's folder in key order, reading only the folders that a listing touches.
// All keys here are byte strings (key-path.ts), so `<` is UTF-8 byte order. Must not: read objects.
import {
  asideMark,
  decodeName,
  folderPath,
  fromByteString,
  keyBytesMax,
  keyPath,
  toByteString,
} from "../model/key-path.ts";
import type { ObjectTree } from "./object-tree.ts";

export interface Listing {
  readonly prefix: string;
  /** "" for none. */
  readonly delimiter: string;
  /** "" for the beginning. */
  readonly startAfter: string;
}

export type ListedItem =
  | { readonly kind: "object"; readonly key: string }
  | { readonly kind: "prefix"; readonly prefix: string };

/** Objects and common prefixes after `startAfter`, in order. Names that no key could have made are passed over. */
export function listObjects(
  tree: ObjectTree,
  bucketFolder: string,
  listing: Listing,
): AsyncGenerator<ListedItem> {
  const base = listing.prefix.slice(0, listing.prefix.lastIndexOf("/") + 1);
  const walk: Walk = { tree, bucketFolder, listing, lastPrefix: "" };
  return walkFolder(walk, [bucketFolder, ...folderPath(base)].join("/"), base);
}

interface Walk {
  readonly tree: ObjectTree;
  readonly bucketFolder: string;
  readonly listing: Listing;
  /** The common prefix given last: the keys that share one follow each other. */
  lastPrefix: string;
}

interface Child {
  readonly kind: "object" | "folder";
  /** The key below its folder; a folder's ends in `/`. */
  readonly name: string;
  readonly path: string;
}

async function* walkFolder(walk: Walk, path: string, base: string): AsyncGenerator<ListedItem> {
  for (const child of await sortedChildren(walk.tree, path)) {
    const full = base + child.name;
    if (child.kind === "object") {
      const item = objectItem(walk, full, child.path);
      if (item) yield item;
    } else if (mayHoldListed(walk.listing, full)) {
      const shared = commonPrefix(walk.listing, full);
      if (shared === undefined) yield* walkFolder(walk, child.path, full);
      else if (isNewPrefix(walk, shared) && (await holdsObject(walk, child.path, full))) {
        walk.lastPrefix = shared;
        yield { kind: "prefix", prefix: shared };
      }
    }
  }
}

function objectItem(walk: Walk, key: string, path: string): ListedItem | undefined {
  const { listing } = walk;
  if (key <= listing.startAfter || !key.startsWith(listing.prefix) || !isPlaceOf(walk, key, path))
    return undefined;
  const shared = commonPrefix(listing, key);
  if (shared === undefined) return { kind: "object", key };
  if (!isNewPrefix(walk, shared)) return undefined;
  walk.lastPrefix = shared;
  return { kind: "prefix", prefix: shared };
}

/** A file that somebody put here under a name we would write otherwise could not be read by its key. */
function isPlaceOf(walk: Walk, key: string, path: string): boolean {
  if (key.length > keyBytesMax || toByteString(fromByteString(key)) !== key) return false;
  const { folders, name } = keyPath(key);
  const place = [walk.bucketFolder, ...folders, name].join("/");
  return path === place || path === place + asideMark;
}

/** `folder` ends in `/`: whether any key that begins with it can be in the listing. */
function mayHoldListed({ prefix, startAfter }: Listing, folder: string): boolean {
  if (!folder.startsWith(prefix) && !prefix.startsWith(folder)) return false;
  return folder > startAfter || startAfter.startsWith(folder);
}

function commonPrefix({ prefix, delimiter }: Listing, text: string): string | undefined {
  if (delimiter === "") return undefined;
  const at = text.indexOf(delimiter, prefix.length);
  return at < 0 || !text.startsWith(prefix) ? undefined : text.slice(0, at + delimiter.length);
}

function isNewPrefix(walk: Walk, shared: string): boolean {
  return shared !== walk.lastPrefix && shared > walk.listing.startAfter;
}

async function holdsObject(walk: Walk, path: string, base: string): Promise<boolean> {
  const everything: Walk = {
    ...walk,
    listing: { prefix: base, delimiter: "", startAfter: "" },
    lastPrefix: "",
  };
  const first = await walkFolder(everything, path, base).next();
  return first.done !== true;
}

async function sortedChildren(tree: ObjectTree, path: string): Promise<readonly Child[]> {
  const children = await childrenOf(tree, path);
  children.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
  // An object may lie plain and aside after a crash; it is one object.
  return children.filter((child, index) => child.name !== children[index - 1]?.name);
}

/** A folder whose name is continued adds nothing to the depth of keys: its content belongs to the folder above. */
async function childrenOf(tree: ObjectTree, path: string): Promise<Child[]> {
  const children: Child[] = [];
  for (const entry of await tree.entries(path)) {
    const decoded = decodeName(entry.name);
    if (!decoded || entry.kind === "other") continue;
    const inside = `${path}/${entry.name}`;
    if (entry.kind === "file") {
      if (decoded.form !== "continued") children.push({ kind: "object", name: decoded.bytes, path: inside });
    } else if (decoded.form === "whole") {
      children.push({ kind: "folder", name: `${decoded.bytes}/`, path: inside });
    } else if (decoded.form === "continued") {
      for (const child of await childrenOf(tree, inside)) {
        children.push({ ...child, name: decoded.bytes + child.name });
      }
    }
  }
  return children;
}
