// The decisions of an index, found by asking an event one field after the other. A node knows what is left of the
// demands after the answers that led to it, and asks the next field that anything left wants to know; each class of
// answers (field-words.ts) has an edge. When no field is left, the resources are asked (resource-stage.ts).
// Edges are made when an event first takes them: that costs a look at all demands, taking them again costs a look-up,
// however many trails there are. Nodes with the same rest are one node. Pure.
import type { RecordFields } from "../event/record.ts";
import { bytesOf, DecisionMemo, idsOf, sortedById, type Verdict } from "./decision-memo.ts";
import {
  type Alternative,
  type AskedField,
  type Demand,
  type DemandCatalog,
  type DemandedCategory,
  readField,
} from "./demands.ts";
import { type Rest, ResourceStage } from "./resource-stage.ts";
import { TestedThings } from "./tested-things.ts";

/** What the trails in some scope demand. */
export interface DemandSet {
  /** In the order of their ids. */
  readonly demands: readonly Demand[];
  readonly roots: Map<DemandedCategory, Node>;
}

interface Node {
  /** Asked next; undefined when no field is left to ask. */
  readonly field: AskedField | undefined;
  /** By the class of the answer. */
  readonly edges: Map<number, Node>;
  /** What is open, by its tests of the field; made with the first edge. */
  tested: TestedThings<Alternative> | undefined;
  /** Decides when no field is left to ask. */
  readonly stage: ResourceStage | undefined;
  readonly rest: Rest;
}

export class DecisionGraph {
  readonly memo = new DecisionMemo();
  readonly #catalog: DemandCatalog;
  readonly #sets = new Map<string, DemandSet>();
  readonly #nodes = new Map<string, Node>();

  constructor(catalog: DemandCatalog) {
    this.#catalog = catalog;
  }

  /** The set of these demands, which are given in the order of their ids. */
  setOf(demands: readonly Demand[]): DemandSet {
    const key = idsOf(demands);
    const known = this.#sets.get(key);
    if (known) return known;
    const set = { demands, roots: new Map<DemandedCategory, Node>() };
    this.#sets.set(key, set);
    this.memo.note(bytesOf.node + (bytesOf.reference + 4) * demands.length);
    return set;
  }

  /** What an event of that category meets. */
  decide(set: DemandSet, category: DemandedCategory, event: RecordFields): Verdict {
    let node = set.roots.get(category) ?? this.#newRoot(set, category);
    while (node.field !== undefined) {
      const { name, words } = node.field;
      const value = readField(event, name);
      const answer = words.classOf(value);
      node = node.edges.get(answer) ?? this.#grow(node, node.field, { value, answer });
    }
    return node.stage === undefined ? node.rest.verdict : node.stage.decide(event.resources);
  }

  #newRoot(set: DemandSet, category: DemandedCategory): Node {
    const all = set.demands.flatMap(({ alternatives }) => alternatives[category]);
    const root = this.#node(this.#restOf(this.memo.verdict(category, []), all, noRank), noRank);
    set.roots.set(category, root);
    return root;
  }

  #grow(node: Node, field: AskedField, to: { value: string | undefined; answer: number }): Node {
    const { words, rank } = field;
    node.tested ??= new TestedThings(
      words,
      node.rest.open.map((one) => testedBy(one, field)),
    );
    words.inspect(to.value);
    const left = sortedById(node.tested.passing());
    const next = this.#node(this.#restOf(node.rest.verdict, left, rank), rank);
    node.edges.set(to.answer, next);
    this.memo.note(bytesOf.edge);
    return next;
  }

  /** What is left once the fields up to that rank are asked; `verdict` knows what was met before. */
  #restOf(verdict: Verdict, left: readonly Alternative[], rank: number): Rest {
    const met = new Set(verdict.met);
    for (const { demand, fieldTests, resourceTests } of left) {
      if (resourceTests === undefined && fieldTests.every(({ field }) => field.rank <= rank)) met.add(demand);
    }
    const isMore = met.size > verdict.met.length;
    return {
      verdict: isMore ? this.memo.verdict(verdict.category, sortedById(met)) : verdict,
      open: isMore ? left.filter(({ demand }) => !met.has(demand)) : left,
    };
  }

  /** The node that asks for the rest; fields up to that rank are asked. */
  #node(rest: Rest, rank: number): Node {
    const field = nextField(rest.open, rank);
    const key = `${rest.verdict.category} ${field?.rank} ${idsOf(rest.verdict.met)} ${idsOf(rest.open)}`;
    const known = this.#nodes.get(key);
    if (known) return known;
    const stage =
      field === undefined && rest.open.length > 0
        ? new ResourceStage(rest, this.#catalog, this.memo)
        : undefined;
    const node: Node = { field, edges: new Map(), tested: undefined, stage, rest };
    this.#nodes.set(key, node);
    this.memo.note(bytesOf.node + key.length + bytesOf.tested * rest.open.length);
    return node;
  }
}

/** Before the first field. */
const noRank = -1;

function testedBy(alternative: Alternative, field: AskedField) {
  const tests = alternative.fieldTests.filter((one) => one.field === field).map(({ test }) => test);
  return { thing: alternative, tests };
}

/** The first field after that rank that any of the alternatives asks for. */
function nextField(open: readonly Alternative[], rank: number): AskedField | undefined {
  let next: AskedField | undefined;
  for (const { fieldTests } of open) {
    const first = fieldTests.find(({ field }) => field.rank > rank)?.field;
    if (first !== undefined && (next === undefined || first.rank < next.rank)) next = first;
  }
  return next;
}
