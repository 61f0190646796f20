// Tells for each trail whether it logs an event, and why: the answer behind `explain`. Pure data for people.
// It asks the same conditions and the same scope as the index, so what it says is what happens.
import { categoryOf, type RecordFields } from "../event/record.ts";
import type { AccountId } from "../model/arn.ts";
import { conditionsOf } from "./compile.ts";
import { isDecidedBySelectors } from "./conditions.ts";
import type { Destination, TrailScope } from "./match-set.ts";
import { type EventPlace, outOfScope, scopedPlace, scopeSentence } from "./scope.ts";
import { logsInsight } from "./selector-index.ts";
import type { TrailSelectors } from "./selectors.ts";

export interface Explanation {
  readonly destination: Destination;
  readonly isLogged: boolean;
  /** Sentences: the selector that matched; or, for each selector, what failed first; or what is out of scope. */
  readonly why: readonly string[];
}

export interface ExplainedPlace extends EventPlace {
  /** Every account of the organization; empty without one. */
  readonly organizationMembers: ReadonlySet<AccountId>;
}

/** One explanation per trail, in the order given. */
export function explain(
  scopes: readonly TrailScope[],
  event: RecordFields,
  place: ExplainedPlace,
): Explanation[] {
  const scoped = scopedPlace(event, place);
  return scopes.map((trail) => {
    const { destination } = trail;
    const reason = outOfScope(trail, scoped);
    if (reason) return { destination, isLogged: false, why: [scopeSentence(reason, trail, place)] };
    if (categoryOf(event) === "Insight") return { destination, ...explainInsight(trail, event) };
    return { destination, ...explainSelectors(trail.selectors, event) };
  });
}

type Verdict = Omit<Explanation, "destination">;

function explainInsight(trail: TrailScope, event: RecordFields): Verdict {
  const type = event.insightType ?? "any type";
  return logsInsight(trail, event)
    ? { isLogged: true, why: [`Insights events of ${type} are enabled on the trail.`] }
    : { isLogged: false, why: [`Insights events of ${type} are not enabled on the trail.`] };
}

function explainSelectors(selectors: TrailSelectors, event: RecordFields): Verdict {
  if (!isDecidedBySelectors(event)) {
    return { isLogged: false, why: [`Trails do not log events of category ${categoryOf(event)}.`] };
  }
  const refusals: string[] = [];
  for (const [index, conditions] of conditionsOf(selectors).entries()) {
    const failed = conditions.find(({ holds }) => !holds(event));
    const label = selectorLabel(selectors, index);
    if (!failed) return { isLogged: true, why: [`${label} matches.`] };
    refusals.push(`${label} does not match. ${failed.refusal(event)}`);
  }
  return { isLogged: false, why: refusals };
}

function selectorLabel({ kind, selectors }: TrailSelectors, index: number): string {
  const name = kind === "advanced" ? selectors[index]?.name : undefined;
  return name === undefined ? `Selector ${index + 1}` : `Selector ${index + 1} ("${name}")`;
}
