// The last stage of a decision: which demands are met by the event's resources. One and the same resource must pass all
// tests of a demand on resources, so resources are taken one after the other, and a state knows which demands those
// before have met. Edges are made when first taken: by the resource's type, and by its ARN's class where a demand asks
// for ARNs of that type. A resource that nobody asks for leads nowhere. Pure.
import type { RecordResource } from "../event/record.ts";
import { canonicalResourceType } from "../model/resource-types.ts";
import { bytesOf, type DecisionMemo, sortedById, type Verdict } from "./decision-memo.ts";
import type { Alternative, Demand, DemandCatalog } from "./demands.ts";
import { TestedThings } from "./tested-things.ts";

interface State {
  readonly verdict: Verdict;
  /** By the number of the resource's kind, then by the class of its ARN (0 where that is not asked). */
  readonly edges: Map<number, State>[];
}

/** What resources of one class of types can do for the demands. */
interface Kind {
  readonly number: number;
  /** Demands that the type alone meets. */
  readonly met: readonly Demand[];
  /** The other demands, where the ARN decides. */
  readonly open: TestedThings<Demand> | undefined;
}

/** What the answers of an event have left of the demands. */
export interface Rest {
  /** What is met already. */
  readonly verdict: Verdict;
  /** What may still be met, of demands that are not met yet. */
  readonly open: readonly Alternative[];
}

/** What a record without resources is asked instead: it lacks both values. */
const noResource: readonly RecordResource[] = [{}];

/** Events with more resources than this are decided without states: few are, and callers choose the combinations. */
const walkedMax = 8;
const typesMax = 64;
const typeLengthMax = 128;

export class ResourceStage {
  readonly #open: readonly Alternative[];
  readonly #catalog: DemandCatalog;
  readonly #memo: DecisionMemo;
  /** By the class of the type. */
  readonly #kinds = new Map<number, Kind>();
  /** Those of the types that came first: a short cut, for callers can invent types. */
  readonly #kindsByType = new Map<string | undefined, Kind>();
  readonly #states = new Map<Verdict, State>();
  readonly #first: State;
  /** How many demands are met when no resource can add any. */
  readonly #metMax: number;

  /** For a rest that asks for resources only. */
  constructor({ verdict, open }: Rest, catalog: DemandCatalog, memo: DecisionMemo) {
    this.#open = open;
    this.#catalog = catalog;
    this.#memo = memo;
    this.#first = this.#state(verdict);
    this.#metMax = verdict.met.length + new Set(open.map(({ demand }) => demand)).size;
  }

  decide(resources: readonly RecordResource[]): Verdict {
    if (resources.length > walkedMax) return this.#decideAtOnce(resources);
    let state = this.#first;
    for (const resource of resources.length > 0 ? resources : noResource) {
      const { type } = resource;
      const kind = this.#kindsByType.get(type) ?? this.#kindOf(type);
      if (kind.open === undefined && kind.met.length === 0) continue;
      const arn = kind.open === undefined ? undefined : resource.arn;
      const answer = kind.open === undefined ? 0 : this.#catalog.arnWords.classOf(arn);
      state = state.edges[kind.number]?.get(answer) ?? this.#grow(state, kind, { arn, answer });
      if (state.verdict.met.length === this.#metMax) break;
    }
    return state.verdict;
  }

  /** The same without states, which would be as many as there are combinations of resources. */
  #decideAtOnce(resources: readonly RecordResource[]): Verdict {
    const { verdict } = this.#first;
    const met = new Set(verdict.met);
    const kindsSeen = new Set<Kind>();
    for (const { type, arn } of resources) {
      const kind = this.#kindsByType.get(type) ?? this.#kindOf(type);
      if (!kindsSeen.has(kind)) for (const demand of kind.met) met.add(demand);
      kindsSeen.add(kind);
      if (kind.open !== undefined) this.#meetByArn(met, kind.open, arn);
      if (met.size === this.#metMax) break;
    }
    return this.#memo.verdict(verdict.category, sortedById(met));
  }

  #meetByArn(met: Set<Demand>, open: TestedThings<Demand>, arn: string | undefined): void {
    this.#catalog.arnWords.inspect(arn);
    for (const demand of open.passing()) met.add(demand);
  }

  #kindOf(type: string | undefined): Kind {
    const { typeWords } = this.#catalog;
    const spelled = type === undefined ? undefined : canonicalResourceType(type);
    const answer = typeWords.classOf(spelled);
    const kind = this.#kinds.get(answer) ?? this.#newKind(answer, spelled);
    const isKept = this.#kindsByType.size < typesMax && (type === undefined || type.length <= typeLengthMax);
    if (!isKept) return kind;
    this.#kindsByType.set(type, kind);
    this.#memo.note(bytesOf.edge);
    return kind;
  }

  #newKind(answer: number, type: string | undefined): Kind {
    const { typeWords } = this.#catalog;
    typeWords.inspect(type);
    const candidates = this.#open.flatMap(({ demand, resourceTests = [] }) =>
      resourceTests
        .filter(({ typeTests }) => typeTests.every((test) => typeWords.holds(test)))
        .map(({ arnTests }) => ({ thing: demand, tests: arnTests })),
    );
    const met = new Set(candidates.filter(({ tests }) => tests.length === 0).map(({ thing }) => thing));
    const open = candidates.filter(({ thing }) => !met.has(thing));
    const kind: Kind = {
      number: this.#kinds.size,
      met: [...met],
      open: open.length > 0 ? new TestedThings(this.#catalog.arnWords, open) : undefined,
    };
    this.#kinds.set(answer, kind);
    this.#memo.note(bytesOf.node + bytesOf.tested * open.length);
    return kind;
  }

  #grow(state: State, kind: Kind, to: { arn: string | undefined; answer: number }): State {
    const met = new Set([...state.verdict.met, ...kind.met]);
    if (kind.open !== undefined) this.#meetByArn(met, kind.open, to.arn);
    const isMore = met.size > state.verdict.met.length;
    const next = isMore ? this.#state(this.#memo.verdict(state.verdict.category, sortedById(met))) : state;
    const edges = (state.edges[kind.number] ??= new Map());
    edges.set(to.answer, next);
    this.#memo.note(bytesOf.edge);
    return next;
  }

  #state(verdict: Verdict): State {
    const known = this.#states.get(verdict);
    if (known) return known;
    const state = { verdict, edges: [] };
    this.#states.set(verdict, state);
    this.#memo.note(bytesOf.node);
    return state;
  }
}
