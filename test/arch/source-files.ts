// Lists the repository's own source files for the architecture tests.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface SourceFile {
  /** Path from the repository's root, with '/'. */
  readonly path: string;
  readonly text: string;
}

/** Every .ts file under `folder`, tests included. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** Paths (from the root) of what a file imports by a relative specifier, and the bare names of packages. */
export function importsOf(file: SourceFile): { own: string[]; packages: string[] } {
  const specifiers = [
    ...file.text.matchAll(/^(?:import|export)\s[^"'`;]*?from\s+["']([^"']+)["']/gm),
    ...file.text.matchAll(/^import\s+["']([^"']+)["']/gm),
    ...file.text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g),
  ].map((match) => match[1] ?? "");
  return {
    own: specifiers
      .filter((name) => name.startsWith("."))
      .map((name) => relative(root, resolve(root, dirname(file.path), name)).replaceAll("\\", "/")),
    packages: specifiers.filter((name) => !name.startsWith(".")),
  };
}
