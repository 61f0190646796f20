// The Condition element of a policy: operators, set qualifiers, …IfExists. Pure.
import type { Conditions } from "./policy-document.ts";
import { compilePattern, expandVariables, matchesPattern, type Variables } from "./policy-pattern.ts";
import { parseDateValue, parseIpRange, parseNumberValue, rangeContains } from "./policy-values.ts";

export interface ConditionScope {
  /** Keys in lower case. */
  readonly context: ReadonlyMap<string, readonly string[]>;
  readonly variables: Variables | undefined;
  /** What an operator that is not known counts as. */
  readonly whenUnknown: "holds" | "fails";
}

/** Every operator and every key in it must hold. */
export function conditionsHold(conditions: Conditions, scope: ConditionScope): boolean {
  return Object.entries(conditions).every(([operator, keys]) => operatorHolds(operator, keys, scope));
}

/** Compares one value of the request with one value of the policy. */
type Comparison = (actual: string, wanted: string, variables: Variables | undefined) => boolean;

interface Operator {
  readonly test: Comparison;
  /** A …Not… operator: true when no value of the policy fits, and when the key is absent. */
  readonly negated?: true;
}

const sameText: Comparison = (actual, wanted, variables) => actual === expandVariables(wanted, variables);
const sameTextAnyCase: Comparison = (actual, wanted, variables) =>
  actual.toLowerCase() === expandVariables(wanted, variables)?.toLowerCase();
const likeText: Comparison = (actual, wanted, variables) =>
  matchesPattern(compilePattern(wanted, variables), actual);
const sameBool: Comparison = (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase();
const inRange: Comparison = (actual, wanted) => rangeContains(parseIpRange(wanted), actual);

const operators: Readonly<Record<string, Operator>> = {
  stringequals: { test: sameText },
  stringnotequals: { test: sameText, negated: true },
  stringequalsignorecase: { test: sameTextAnyCase },
  stringnotequalsignorecase: { test: sameTextAnyCase, negated: true },
  stringlike: { test: likeText },
  stringnotlike: { test: likeText, negated: true },
  arnequals: { test: likeArn },
  arnlike: { test: likeArn },
  arnnotequals: { test: likeArn, negated: true },
  arnnotlike: { test: likeArn, negated: true },
  bool: { test: sameBool },
  binaryequals: { test: sameText },
  ipaddress: { test: inRange },
  notipaddress: { test: inRange, negated: true },
  ...orderedOperators("numeric", parseNumberValue),
  ...orderedOperators("date", parseDateValue),
};

function orderedOperators(
  family: string,
  parse: (text: string) => number | undefined,
): Readonly<Record<string, Operator>> {
  const compare =
    (holds: (actual: number, wanted: number) => boolean): Comparison =>
    (actual, wanted) => {
      const [left, right] = [parse(actual), parse(wanted)];
      return left !== undefined && right !== undefined && holds(left, right);
    };
  const equal = compare((actual, wanted) => actual === wanted);
  return {
    [`${family}equals`]: { test: equal },
    [`${family}notequals`]: { test: equal, negated: true },
    [`${family}lessthan`]: { test: compare((actual, wanted) => actual < wanted) },
    [`${family}lessthanequals`]: { test: compare((actual, wanted) => actual <= wanted) },
    [`${family}greaterthan`]: { test: compare((actual, wanted) => actual > wanted) },
    [`${family}greaterthanequals`]: { test: compare((actual, wanted) => actual >= wanted) },
  };
}

interface OperatorName {
  readonly base: string;
  readonly quantifier: "one" | "any" | "all";
  readonly ifExists: boolean;
}

function readOperatorName(written: string): OperatorName {
  const lower = written.toLowerCase();
  const quantifier = lower.startsWith("forallvalues:")
    ? "all"
    : lower.startsWith("foranyvalue:")
      ? "any"
      : "one";
  const name = quantifier === "one" ? lower : lower.slice(lower.indexOf(":") + 1);
  const ifExists = name.endsWith("ifexists");
  return { base: ifExists ? name.slice(0, -"ifexists".length) : name, quantifier, ifExists };
}

function operatorHolds(
  written: string,
  keys: Readonly<Record<string, readonly string[]>>,
  scope: ConditionScope,
): boolean {
  const name = readOperatorName(written);
  if (name.base === "null" && name.quantifier === "one" && !name.ifExists) {
    return Object.entries(keys).every(([key, wanted]) => nullHolds(scope.context.has(key), wanted));
  }
  const operator = Object.hasOwn(operators, name.base) ? operators[name.base] : undefined;
  if (!operator) return scope.whenUnknown === "holds";
  return Object.entries(keys).every(([key, wanted]) =>
    keyHolds({ operator, name, wanted, actual: scope.context.get(key), variables: scope.variables }),
  );
}

/** `Null: {key: "true"}` asks for an absent key, `"false"` for a present one. */
function nullHolds(isPresent: boolean, wanted: readonly string[]): boolean {
  return wanted.some((value) => value.toLowerCase() === (isPresent ? "false" : "true"));
}

interface KeyQuestion {
  readonly operator: Operator;
  readonly name: OperatorName;
  readonly wanted: readonly string[];
  readonly actual: readonly string[] | undefined;
  readonly variables: Variables | undefined;
}

function keyHolds({ operator, name, wanted, actual, variables }: KeyQuestion): boolean {
  if (!actual) {
    if (name.ifExists || name.quantifier === "all") return true;
    return name.quantifier === "one" && operator.negated === true;
  }
  const fits = (value: string) => wanted.some((candidate) => operator.test(value, candidate, variables));
  const holds = (value: string) => fits(value) !== (operator.negated === true);
  // Without a quantifier a key has one value, as it should be; with several, `not` must hold for each of them.
  const every = name.quantifier === "all" || (name.quantifier === "one" && operator.negated === true);
  return every ? actual.every(holds) : actual.some(holds);
}

/** The six parts of an ARN are compared one by one, so that a `*` does not reach over a colon (except in the last). */
function likeArn(actual: string, wanted: string, variables: Variables | undefined): boolean {
  const [left, right] = [cutArn(actual), cutArn(wanted)];
  if (!left || !right) return wanted === "*";
  return right.every((part, index) => matchesPattern(compilePattern(part, variables), left[index] ?? ""));
}

function cutArn(text: string): readonly string[] | undefined {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length && parts.length < 5; at++) {
    // A variable such as ${aws:username} has colons of its own; they do not separate parts.
    const variableEnd = text.startsWith("${", at) ? text.indexOf("}", at) : -1;
    if (variableEnd > 0) at = variableEnd;
    else if (text.charAt(at) === ":") {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return parts.length === 5 ? [...parts, text.slice(from)] : undefined;
}
