// Tells whether a trail logs an event, and why: every condition of every selector with what the event has there, and what
// would have to be otherwise. The answer behind `cairn explain`. Pure data for people.
// It asks the same conditions and the same scope as the index, so what it says is what happens.
import { categoryOf, type RecordFields } from "../event/record.ts";
import type { AccountId } from "../model/arn.ts";
import { conditionsOf } from "./compile.ts";
import { type Condition, isDecidedBySelectors, type ResourceVerdict } from "./conditions.ts";
import type { TrailScope } from "./match-set.ts";
import {
  type EventPlace,
  isWithin,
  type OutOfScope,
  type ScopedPlace,
  scopeDemands,
  scopedPlace,
  scopeSentence,
} from "./scope.ts";
import { logsInsight } from "./selector-index.ts";
import type { TrailSelectors } from "./selectors.ts";

export interface Explanation {
  /** Whether the trail logs the event while it is logging. */
  readonly isLogged: boolean;
  /** Sentences: the selector that matched; or, for each selector, what failed first; or what is out of scope. */
  readonly why: readonly string[];
  /** Sentences: what would have to be otherwise; empty when the event is logged. */
  readonly changes: readonly string[];
  readonly scope: readonly ScopeVerdict[];
  /** What decides about events of this category; of others than these no trail logs any. */
  readonly decidedBy: "selectors" | "insights" | "nothing";
  readonly selectors: readonly SelectorVerdict[];
}

export interface ScopeVerdict {
  readonly demand: OutOfScope;
  readonly holds: boolean;
  /** Why it does not hold. */
  readonly refusal?: string;
}

export interface SelectorVerdict {
  /** `Selector 1 ("puts")` */
  readonly label: string;
  readonly matches: boolean;
  readonly conditions: readonly ConditionVerdict[];
}

export interface ConditionVerdict {
  readonly field: string;
  readonly demand: string;
  readonly holds: boolean;
  /** What the event has there; absent when it has nothing. */
  readonly value?: string;
  /** Why it does not hold. */
  readonly refusal?: string;
  readonly resources?: readonly ResourceVerdict[];
}

const resourcesShown = 20;

export interface ExplainedPlace extends EventPlace {
  /** Every account of the organization; empty without one. */
  readonly organizationMembers: ReadonlySet<AccountId>;
}

/** What the trail's scope and selectors say of events; its logging state is another matter. */
export function explainerOf(trail: TrailScope): (event: RecordFields, place: ExplainedPlace) => Explanation {
  const selectors = labelledSelectors(trail.selectors);
  return (event, place) => {
    const scoped = scopedPlace(event, place);
    const scope = scopeDemands.map((demand) => scopeVerdict(demand, trail, scoped));
    return explanation({ scope, place, decision: decisionOf({ trail, selectors }, event) });
  };
}

function explanation({
  scope,
  place,
  decision,
}: {
  readonly scope: readonly ScopeVerdict[];
  readonly place: EventPlace;
  readonly decision: Decision;
}): Explanation {
  const outside = scope.find(({ holds }) => !holds);
  const isInside = outside === undefined;
  return {
    isLogged: isInside && decision.isLogged,
    why: outside?.refusal === undefined ? decision.why : [outside.refusal],
    changes: [...scopeChanges(scope, place), ...(decision.isLogged ? [] : decision.changes)],
    scope,
    decidedBy: decision.decidedBy,
    selectors: decision.selectors,
  };
}

type Decision = Omit<Explanation, "scope">;

function scopeVerdict(demand: OutOfScope, trail: TrailScope, place: ScopedPlace): ScopeVerdict {
  const holds = isWithin[demand](trail, place);
  return { demand, holds, ...(!holds && { refusal: scopeSentence(demand, trail, place) }) };
}

function scopeChanges(scope: readonly ScopeVerdict[], place: EventPlace): string[] {
  const changes: Readonly<Record<OutOfScope, string>> = {
    account: `A trail of account ${place.account} would have to log it, or an organization trail that has it as a member.`,
    region: `The trail would have to be a multi-Region trail, or another one be at home in ${place.region}.`,
    "global-service": "The trail would have to include global service events.",
  };
  const failed = scope.flatMap(({ demand, holds }) => (holds ? [] : [demand]));
  // Of a trail that has nothing to do with the account the rest does not matter.
  return (failed.includes("account") ? failed.slice(0, 1) : failed).map((demand) => changes[demand]);
}

interface LabelledSelector {
  readonly label: string;
  readonly conditions: readonly Condition[];
}

function labelledSelectors(selectors: TrailSelectors): readonly LabelledSelector[] {
  return conditionsOf(selectors).map((conditions, index) => ({
    label: selectorLabel(selectors, index),
    conditions,
  }));
}

function decisionOf(
  { trail, selectors }: { readonly trail: TrailScope; readonly selectors: readonly LabelledSelector[] },
  event: RecordFields,
): Decision {
  if (categoryOf(event) === "Insight") return insightDecision(trail, event);
  if (isDecidedBySelectors(event)) return selectorDecision(selectors, event);
  return {
    isLogged: false,
    why: [`Trails do not log events of category ${categoryOf(event)}.`],
    changes: [`No trail logs events of category ${categoryOf(event)}.`],
    decidedBy: "nothing",
    selectors: [],
  };
}

function insightDecision(trail: TrailScope, event: RecordFields): Decision {
  const type = event.insightType ?? "any type";
  const isLogged = logsInsight(trail, event);
  return {
    isLogged,
    why: [`Insights events of ${type} are ${isLogged ? "" : "not "}enabled on the trail.`],
    changes: [`Insights events of ${type} would have to be enabled on the trail.`],
    decidedBy: "insights",
    selectors: [],
  };
}

function selectorDecision(selectors: readonly LabelledSelector[], event: RecordFields): Decision {
  const verdicts = selectors.map(({ label, conditions }) => ({
    label,
    matches: conditions.every(({ holds }) => holds(event)),
    conditions: conditions.map((condition) => conditionVerdict(condition, event)),
  }));
  const matched = verdicts.find(({ matches }) => matches);
  return {
    isLogged: matched !== undefined,
    why: matched ? [`${matched.label} matches.`] : verdicts.map(refusalOf),
    changes: nearestOf(verdicts).map(changeOf),
    decidedBy: "selectors",
    selectors: verdicts,
  };
}

function conditionVerdict(condition: Condition, event: RecordFields): ConditionVerdict {
  const { field, demand } = condition;
  const holds = condition.holds(event);
  const value = condition.value(event);
  const resources = shownResources(condition.resources?.(event) ?? []);
  return {
    ...{ field, demand, holds },
    ...(value !== undefined && { value }),
    ...(!holds && { refusal: condition.refusal(event) }),
    ...(resources.length > 0 && { resources }),
  };
}

/** An event may have thousands; those that come nearest are told. */
function shownResources(resources: readonly ResourceVerdict[]): readonly ResourceVerdict[] {
  if (resources.length <= resourcesShown) return resources;
  return resources.toSorted((a, b) => a.fails.length - b.fails.length).slice(0, resourcesShown);
}

function refusalOf({ label, conditions }: SelectorVerdict): string {
  const failed = conditions.find(({ holds }) => !holds);
  return `${label} does not match. ${failed?.refusal ?? ""}`;
}

/** The selectors that fail in the fewest conditions: the ones to change, or the event that was expected to match. */
function nearestOf(verdicts: readonly SelectorVerdict[]): readonly SelectorVerdict[] {
  const failures = verdicts.map(({ conditions }) => conditions.filter(({ holds }) => !holds).length);
  const fewest = Math.min(...failures);
  return verdicts.filter((_, index) => failures[index] === fewest);
}

function changeOf({ label, conditions }: SelectorVerdict): string {
  const failed = conditions.filter(({ holds }) => !holds).map(({ refusal = "" }) => refusal);
  return `For ${label.charAt(0).toLowerCase()}${label.slice(1)} to match this would have to be otherwise: ${failed.join(" ")}`;
}

function selectorLabel({ kind, selectors }: TrailSelectors, index: number): string {
  const name = kind === "advanced" ? selectors[index]?.name : undefined;
  return name === undefined ? `Selector ${index + 1}` : `Selector ${index + 1} ("${name}")`;
}
