// Texts, found by the texts that begin with them: a radix trie, each edge labelled with as many characters as it can
// have. Reading from the end, the same holds for what texts end with. Grows only. Pure.
// A part that nothing has asked for yet is a heap of texts; it unfolds, level by level, when a text first comes that way.
// So adding hundreds of thousands of texts costs hardly more than keeping them, and most of them nobody ever asks for.
// Characters are UTF-16 units, as startsWith and endsWith compare them.

export interface Entry<Item> {
  readonly text: string;
  /** What is said of the text. */
  readonly item: Item;
  /** Whether it is said of the text alone, or of all texts that begin with it. */
  readonly isWhole: boolean;
}

/** All that is said of one text, either alone or as a beginning. */
export interface Found<Item> {
  /** Positive, another one for each text; one for the text alone, one for the beginning. */
  readonly id: number;
  readonly items: readonly Item[];
}

class Node<Item> {
  /** What leads here from the parent, as a piece of the text in reading order; never empty but at the root. */
  label: string;
  /** The length of the text that leads here from the root. */
  readonly depth: number;
  alone: { readonly id: number; readonly items: Item[] } | undefined;
  beginning: { readonly id: number; readonly items: Item[] } | undefined;
  /** By the first character of their labels. */
  children: Map<number, Node<Item>> | undefined;
  /** What would be children, had anybody asked for them. */
  heaps: Map<number, Entry<Item>[]> | undefined;

  constructor(label: string, depth: number) {
    this.label = label;
    this.depth = depth;
  }
}

export class TextTrie<Item> {
  readonly #isFromEnd: boolean;
  readonly #root = new Node<Item>("", 0);
  #ids = 0;

  /** Whether texts are found by their beginnings ("start") or by their endings ("end"). */
  constructor(from: "start" | "end") {
    this.#isFromEnd = from === "end";
  }

  add(entry: Entry<Item>): void {
    const { text } = entry;
    let node = this.#root;
    while (node.depth < text.length) {
      const child = node.children?.get(this.#codeAt(text, node.depth));
      if (child === undefined) break;
      const shared = this.#sharedLength(text, child.label, node.depth);
      node = shared < child.label.length ? this.#split(node, child, shared) : child;
    }
    this.#put(node, entry);
  }

  /** What is said of the text alone; else of the longest of its beginnings; undefined when there is neither. */
  longest(text: string): Found<Item> | undefined {
    let node = this.#root;
    let found = node.beginning;
    while (node.depth < text.length) {
      const child = this.#child(node, this.#codeAt(text, node.depth));
      if (child === undefined || !this.#continues(text, child.label, node.depth)) return found;
      node = child;
      if (node.beginning !== undefined) found = node.beginning;
    }
    return node.alone ?? found;
  }

  /** What is said of each beginning of the text, and of the text alone. */
  all(text: string): Found<Item>[] {
    const found: (Found<Item> | undefined)[] = [];
    let node: Node<Item> | undefined = this.#root;
    while (node !== undefined) {
      found.push(node.beginning);
      if (node.depth === text.length) found.push(node.alone);
      const child: Node<Item> | undefined =
        node.depth < text.length ? this.#child(node, this.#codeAt(text, node.depth)) : undefined;
      node = child && this.#continues(text, child.label, node.depth) ? child : undefined;
    }
    return found.filter((one) => one !== undefined);
  }

  #child(node: Node<Item>, code: number): Node<Item> | undefined {
    const child = node.children?.get(code);
    if (child !== undefined) return child;
    const heap = node.heaps?.get(code);
    return heap && this.#unfold(node, code, heap);
  }

  /** Makes a child of a heap, its label as long as all the texts agree. */
  #unfold(node: Node<Item>, code: number, heap: readonly Entry<Item>[]): Node<Item> {
    const { depth } = node;
    const [{ text } = { text: "" }] = heap;
    let label = this.#piece(text, depth, text.length);
    for (const entry of heap) label = this.#piece(label, 0, this.#sharedLength(entry.text, label, depth));
    const child = new Node<Item>(label, depth + label.length);
    this.#setChild(node, code, child);
    node.heaps?.delete(code);
    for (const entry of heap) this.#put(child, entry);
    return child;
  }

  /** Puts an entry at the node, or below it where there is no child for it. */
  #put(node: Node<Item>, entry: Entry<Item>): void {
    const { text, item, isWhole } = entry;
    if (node.depth < text.length) {
      node.heaps ??= new Map();
      const code = this.#codeAt(text, node.depth);
      const heap = node.heaps.get(code);
      if (heap) heap.push(entry);
      else node.heaps.set(code, [entry]);
      return;
    }
    const said = isWhole ? node.alone : node.beginning;
    if (said) said.items.push(item);
    else {
      this.#ids += 1;
      node[isWhole ? "alone" : "beginning"] = { id: this.#ids, items: [item] };
    }
  }

  /** Puts a node into the edge that leads to `child`, after `length` characters. */
  #split(parent: Node<Item>, child: Node<Item>, length: number): Node<Item> {
    const { label } = child;
    const middle = new Node<Item>(this.#piece(label, 0, length), parent.depth + length);
    this.#setChild(parent, this.#codeAt(label, 0), middle);
    child.label = this.#piece(label, length, label.length);
    this.#setChild(middle, this.#codeAt(label, length), child);
    return middle;
  }

  #setChild(node: Node<Item>, code: number, child: Node<Item>): void {
    node.children ??= new Map();
    node.children.set(code, child);
  }

  /** How many characters of the label the text has from that depth on. */
  #sharedLength(text: string, label: string, depth: number): number {
    if (this.#continues(text, label, depth)) return label.length;
    let length = 0;
    while (this.#codeAt(text, depth + length) === this.#codeAt(label, length)) length += 1;
    return length;
  }

  /** NaN beyond the end. */
  #codeAt(text: string, depth: number): number {
    return text.charCodeAt(this.#isFromEnd ? text.length - 1 - depth : depth);
  }

  #continues(text: string, label: string, depth: number): boolean {
    return this.#isFromEnd ? text.endsWith(label, text.length - depth) : text.startsWith(label, depth);
  }

  #piece(text: string, from: number, to: number): string {
    return this.#isFromEnd ? text.slice(text.length - to, text.length - from) : text.slice(from, to);
  }
}
