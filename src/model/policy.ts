// The IAM policy language: documents and their evaluation. Pure. Used for callers' policies and bucket policies.
import { conditionsHold } from "./policy-conditions.ts";
import type { PolicyDocument, PolicyStatement, Principals } from "./policy-document.ts";
import { compilePattern, foldCase, matchesPattern, type Variables } from "./policy-pattern.ts";

export type { PolicyDocument } from "./policy-document.ts";
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
  /** Condition keys and their values; the case of the keys does not matter. An empty list means absent. */
  readonly context?: Readonly<Record<string, readonly string[]>>;
}

export type PolicyDecision = "allowed" | "explicitDeny" | "implicitDeny";

/**
 * Decides a request by all policies together: a matching Deny wins, else a matching Allow, else `implicitDeny`.
 * A statement without Principal (identity policies) is for whoever the policy was given to; a statement with
 * one matches only a request whose `principal` it names.
 */
export function evaluate(policies: readonly PolicyDocument[], request: PolicyRequest): PolicyDecision {
  const context = lowerCaseKeys(request.context ?? {});
  let decision: PolicyDecision = "implicitDeny";
  for (const policy of policies) {
    const variables = policy.version === "2012-10-17" ? context : undefined;
    for (const statement of policy.statements) {
      if (!statementMatches({ statement, request, context, variables })) continue;
      if (statement.effect === "Deny") return "explicitDeny";
      decision = "allowed";
    }
  }
  return decision;
}

interface Question {
  readonly statement: PolicyStatement;
  readonly request: PolicyRequest;
  readonly context: ReadonlyMap<string, readonly string[]>;
  readonly variables: Variables | undefined;
}

function statementMatches(question: Question): boolean {
  return (
    actionMatches(question) &&
    resourceMatches(question) &&
    principalMatches(question) &&
    conditionsMatch(question)
  );
}

function actionMatches({ statement, request }: Question): boolean {
  const names = (patterns: readonly string[]) =>
    patterns.some((pattern) =>
      matchesPattern(foldCase(compilePattern(pattern)), request.action.toLowerCase()),
    );
  if (statement.actions) return names(statement.actions);
  return statement.notActions !== undefined && !names(statement.notActions);
}

function resourceMatches({ statement, request, variables }: Question): boolean {
  const names = (patterns: readonly string[]) =>
    patterns.some((pattern) => matchesPattern(compilePattern(pattern, variables), request.resource));
  if (statement.resources) return names(statement.resources);
  return statement.notResources !== undefined && !names(statement.notResources);
}

function principalMatches({ statement, request }: Question): boolean {
  const { principals, notPrincipals } = statement;
  if (principals !== undefined) {
    return request.principal !== undefined && namesPrincipal(principals, request.principal);
  }
  if (notPrincipals !== undefined) {
    return request.principal !== undefined && !namesPrincipal(notPrincipals, request.principal);
  }
  return true;
}

function conditionsMatch({ statement, context, variables }: Question): boolean {
  const { conditions } = statement;
  if (!conditions) return true;
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

function lowerCaseKeys(
  context: NonNullable<PolicyRequest["context"]>,
): ReadonlyMap<string, readonly string[]> {
  const entries = Object.entries(context).filter(([, values]) => values.length > 0);
  return new Map(entries.map(([name, values]) => [name.toLowerCase(), values]));
}
