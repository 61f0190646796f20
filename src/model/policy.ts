// The IAM policy language: documents and their evaluation. Pure. Used for callers' policies and bucket policies.
import { conditionsHold } from "./policy-conditions.ts";
import type { PolicyDocument, PolicyStatement, Principals } from "./policy-document.ts";
import { compilePattern, foldCase, matchesPattern } from "./policy-pattern.ts";

export type { PolicyDocument, PolicyStatement } from "./policy-document.ts";
export { parsePolicy, parsePolicyValue, policyTextBytesMax } from "./policy-parse.ts";
export { policyLiteral } from "./policy-pattern.ts";

/** Who asks, as far as a resource policy can name it. */
interface PolicyPrincipal {
  /** `cloudtrail.amazonaws.com` */
  readonly service?: string;
  readonly accountId?: string;
  readonly arn?: string;
}

export interface PolicyRequest {
  /** `s3:PutObject`; the case does not matter. */
  readonly action: string;
  readonly resource: string;
  readonly principal?: PolicyPrincipal;
  /** A function is asked only when a statement looks at the context. */
  readonly context?: PolicyContext | (() => PolicyContext);
}

/** Condition keys and their values; the case of the keys does not matter. An empty list means absent. */
export type PolicyContext = Readonly<Record<string, readonly string[]>>;

export type PolicyDecision = "allowed" | "explicitDeny" | "implicitDeny";

/**
 * Decides a request by all policies together: a matching Deny wins, else a matching Allow, else `implicitDeny`.
 * A statement without Principal (identity policies) is for whoever the policy was given to; a statement with
 * one matches only a request whose `principal` it names.
 */
export function evaluate(policies: readonly PolicyDocument[], request: PolicyRequest): PolicyDecision {
  const action = request.action.toLowerCase();
  let known: ContextByKey | undefined;
  const question = { request, action, context: () => (known ??= lowerCaseKeys(request.context)) };
  let decision: PolicyDecision = "implicitDeny";
  for (const policy of policies) {
    for (const statement of preparedStatements(policy)) {
      if (!statementMatches(statement, question)) continue;
      if (statement.effect === "Deny") return "explicitDeny";
      decision = "allowed";
    }
  }
  return decision;
}

type ContextByKey = ReadonlyMap<string, readonly string[]>;

interface Question {
  readonly request: PolicyRequest;
  /** In lower case. */
  readonly action: string;
  /** Made when it is asked for: few statements look at it. */
  readonly context: () => ContextByKey;
}

/** Whether a text is named by a pattern, variables of the request filled in. */
type Names = (text: string, question: Question) => boolean;

/** A statement whose patterns have been read. */
interface PreparedStatement
  extends Pick<PolicyStatement, "effect" | "principals" | "notPrincipals" | "conditions"> {
  readonly hasVariables: boolean;
  readonly isForAction: Names;
  readonly isForResource: Names;
}

// Policies are read once, when a configuration is, and asked with every call; what was prepared goes with them.
const prepared = new WeakMap<PolicyDocument, readonly PreparedStatement[]>();

function preparedStatements(policy: PolicyDocument): readonly PreparedStatement[] {
  const known = prepared.get(policy);
  if (known) return known;
  const hasVariables = policy.version === "2012-10-17";
  const statements = policy.statements.map((statement) => {
    const { effect, actions, notActions, resources, notResources } = statement;
    const { principals, notPrincipals, conditions } = statement;
    const resourceNames = (pattern: string) => namesResource(pattern, hasVariables);
    return {
      ...{ effect, hasVariables },
      ...(principals !== undefined && { principals }),
      ...(notPrincipals !== undefined && { notPrincipals }),
      ...(conditions !== undefined && { conditions }),
      isForAction: anyOrNone(actions?.map(namesAction), notActions?.map(namesAction)),
      isForResource: anyOrNone(resources?.map(resourceNames), notResources?.map(resourceNames)),
    };
  });
  prepared.set(policy, statements);
  return statements;
}

/** True when one of `wanted` names the text; without them, when none of `unwanted` does. */
function anyOrNone(wanted: readonly Names[] | undefined, unwanted: readonly Names[] | undefined): Names {
  if (wanted) return (text, question) => wanted.some((names) => names(text, question));
  if (!unwanted) return () => false;
  return (text, question) => !unwanted.some((names) => names(text, question));
}

function namesAction(written: string): Names {
  const pattern = foldCase(compilePattern(written));
  return (action) => matchesPattern(pattern, action);
}

function namesResource(written: string, hasVariables: boolean): Names {
  if (hasVariables && written.includes("${")) {
    return (resource, { context }) => matchesPattern(compilePattern(written, context()), resource);
  }
  const pattern = compilePattern(written);
  return (resource) => matchesPattern(pattern, resource);
}

function statementMatches(statement: PreparedStatement, question: Question): boolean {
  return (
    statement.isForAction(question.action, question) &&
    statement.isForResource(question.request.resource, question) &&
    principalMatches(statement, question.request) &&
    conditionsMatch(statement, question)
  );
}

function principalMatches(statement: PreparedStatement, request: PolicyRequest): boolean {
  const { principals, notPrincipals } = statement;
  if (principals !== undefined) {
    return request.principal !== undefined && namesPrincipal(principals, request.principal);
  }
  if (notPrincipals !== undefined) {
    return request.principal !== undefined && !namesPrincipal(notPrincipals, request.principal);
  }
  return true;
}

function conditionsMatch(statement: PreparedStatement, question: Question): boolean {
  const { conditions } = statement;
  if (!conditions) return true;
  const context = question.context();
  const variables = statement.hasVariables ? context : undefined;
  // What cannot be understood must neither grant nor lift a prohibition.
  const whenUnknown = statement.effect === "Deny" ? "holds" : "fails";
  return conditionsHold(conditions, { context, variables, whenUnknown });
}

/** `*` and `{"AWS":"*"}` both name everybody, services included. */
function namesPrincipal(principals: Principals, asking: PolicyPrincipal): boolean {
  if (principals === "*") return true;
  return Object.entries(principals).some(([type, values]) => {
    if (type === "Service") return values.some((value) => value === "*" || value === asking.service);
    if (type === "AWS") return values.some((value) => namesAwsPrincipal(value, asking));
    return false;
  });
}

/** `*`, an account (12 digits or the ARN of its root) or exactly one ARN; wildcards inside an ARN are not allowed here. */
function namesAwsPrincipal(value: string, asking: PolicyPrincipal): boolean {
  if (value === "*" || (asking.arn !== undefined && value === asking.arn)) return true;
  if (asking.accountId === undefined) return false;
  const root = /^arn:[^:]+:iam::(\d{12}):root$/.exec(value)?.[1];
  return value === asking.accountId || root === asking.accountId;
}

function lowerCaseKeys(context: PolicyRequest["context"] = {}): ContextByKey {
  const values = typeof context === "function" ? context() : context;
  const entries = Object.entries(values).filter(([, list]) => list.length > 0);
  return new Map(entries.map(([name, list]) => [name.toLowerCase(), list]));
}
