// Members whose values stand in a tree of texts (parameters of a Query, XML) as a record writes them: the steps that are the
// same in every tree. How members are found in a structure differs, so each reader brings that. Pure.
import type { JsonValue } from "../../model/json.ts";
import { conceal } from "./json-members.ts";
import { depthMax, type Members, put, type Reading, scalarFromText } from "./record-values.ts";
import { hidden, isSecretName } from "./secrecy.ts";
import type { MapShape, Member, Shape, Structure } from "./service-table.ts";

export interface Way {
  readonly reading: Reading;
  readonly depth: number;
}

/** How a kind of tree is walked. */
export interface Tree<Node> {
  text(node: Node): string | undefined;
  child(node: Node, name: string): Node | undefined;
  children(node: Node): Iterable<Node>;
  /** Of a list or a map, in their order. */
  items(node: Node): readonly Node[];
  structure(shape: Structure, node: Node, way: Way): Members;
}

/** Reads members out of trees of one kind. */
export class TreeReader<Node> {
  readonly #tree: Tree<Node>;

  constructor(tree: Tree<Node>) {
    this.#tree = tree;
  }

  /** A member's value, or what stands in its place. */
  member(member: Member, node: Node, way: Way): JsonValue | undefined {
    if (member.secrecy.kind === "shown") return this.#value(member.shape, node, way);
    return conceal(member.secrecy, this.textsIn(node), way.reading);
  }

  /** Every text in it, for what must be remembered as secret. */
  textsIn(node: Node, depth = 0): readonly string[] {
    const text = this.#tree.text(node) ?? "";
    const below = depth > depthMax ? [] : [...this.#tree.children(node)];
    return [...(text.trim() === "" ? [] : [text]), ...below.flatMap((part) => this.textsIn(part, depth + 1))];
  }

  #value(shape: Shape, node: Node, { reading, depth }: Way): JsonValue | undefined {
    if (depth > depthMax) return undefined;
    const below = { reading, depth: depth + 1 };
    switch (shape.kind) {
      case "structure":
        return this.#tree.structure(shape, node, below);
      case "list":
        return this.#tree
          .items(node)
          .map((item) => this.#value(shape.item.shape, item, below))
          .filter((item) => item !== undefined);
      case "map":
        return this.#map(shape, node, below);
      case "blob":
        return undefined;
      case "string":
      case "integer":
      case "float":
      case "boolean":
      case "timestamp":
      case "document":
      default: {
        const text = this.#tree.text(node);
        return text === undefined ? undefined : scalarFromText(shape.kind, text);
      }
    }
  }

  /** Entries of a key and a value, by whatever names. */
  #map(shape: MapShape, node: Node, way: Way): Members {
    const tree = this.#tree;
    const members: Members = {};
    for (const entry of tree.items(node)) {
      const named = tree.child(entry, shape.key.hasWireName ? shape.key.wireName : "key");
      const key = named && tree.text(named);
      const value = tree.child(entry, shape.value.hasWireName ? shape.value.wireName : "value");
      if (key === undefined || value === undefined) continue;
      if (isSecretName(key))
        put(members, key, conceal({ kind: "replaced", by: hidden }, this.textsIn(value), way.reading));
      else put(members, key, this.#value(shape.value.shape, value, way));
    }
    return members;
  }
}
