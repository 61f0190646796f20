// May this caller do this: policies asked for each resource of a call, with the exact texts of a refusal (api.md §1.6).
import { type ApiError, apiError } from "../model/errors.ts";
import {
  evaluate,
  type PolicyContext,
  type PolicyDecision,
  type PolicyDocument,
  type PolicyStatement,
} from "../model/policy.ts";

/** What a caller may do. `everything`: authentication is off, or the account's root asks. */
export type Permissions =
  | { readonly kind: "everything" }
  | {
      readonly kind: "policies";
      readonly policies: readonly PolicyDocument[];
      /** Condition keys, as far as the door knows them. */
      readonly context: PolicyContext | (() => PolicyContext);
    };

/** One action on one resource: an ARN, or `*` where an operation has none. */
export interface Deed {
  /** `cloudtrail:GetTrail` */
  readonly action: string;
  readonly resource: string;
}

/** Explicit deny wins; nothing said is a denial too. */
export function decide(permissions: Permissions, deed: Deed): PolicyDecision {
  if (permissions.kind === "everything") return "allowed";
  const { action, resource } = deed;
  return evaluate(permissions.policies, { action, resource, context: permissions.context });
}

/** Throws AccessDeniedException for the first deed that is not allowed. */
export function authorize(permissions: Permissions, callerArn: string, deeds: readonly Deed[]): void {
  for (const deed of deeds) {
    const decision = decide(permissions, deed);
    if (decision !== "allowed") throw denied(decision, callerArn, deed);
  }
}

/** `(action, resource) → allowed`, for doors that find their resources on the way. */
export function permissionCheck(permissions: Permissions): (action: string, resource: string) => boolean {
  return (action, resource) => decide(permissions, { action, resource }) === "allowed";
}

/**
 * Whether the caller is denied the action on some resource: what a call is about cannot always be told. Nor can its action
 * where it is one like `s3:*`: then whatever is denied of the service counts. Conditions are about who calls, from where and
 * when; that is told of every call, so a denial whose conditions do not hold denies nothing.
 */
export function isDeniedSomewhere(permissions: Permissions, action: string): boolean {
  if (permissions.kind === "everything") return false;
  const { policies, context } = permissions;
  const denials = policies.map((policy) => denialsAnywhere(policy, action.endsWith(":*") ? "any" : "told"));
  return evaluate(denials, { action, resource: "*", context }) === "explicitDeny";
}

const anywhere = { told: new WeakMap<PolicyDocument, PolicyDocument>(), any: new WeakMap() };

/** The policy's denials as if each were about everything; of `any` action as if each were about its whole service. */
function denialsAnywhere(policy: PolicyDocument, whose: keyof typeof anywhere): PolicyDocument {
  const known = anywhere[whose].get(policy);
  if (known) return known;
  const statements = policy.statements
    .filter(({ effect }) => effect === "Deny")
    .map(({ resources: _resources, notResources: _notResources, ...others }) => ({
      ...(whose === "any" ? ofWholeServices(others) : others),
      resources: ["*"],
    }));
  const denials = { ...policy, statements };
  anywhere[whose].set(policy, denials);
  return denials;
}

/** Services of which one action is denied; with NotAction all but those that are excepted whole. */
function ofWholeServices(statement: PolicyStatement): PolicyStatement {
  const { actions, notActions } = statement;
  return {
    ...statement,
    ...(actions && { actions: actions.map((pattern) => pattern.replace(/:.*$/s, ":*")) }),
    ...(notActions && { notActions: notActions.filter((pattern) => /^\*$|^[^:]*:\*$/.test(pattern)) }),
  };
}

/** The refusal of a deed that a policy denies. */
export function explicitlyDenied(callerArn: string, deed: Deed): ApiError {
  return denied("explicitDeny", callerArn, deed);
}

/** Lookups name no resource in their refusal; every other operation does. */
function denied(decision: "explicitDeny" | "implicitDeny", callerArn: string, deed: Deed): ApiError {
  const { action, resource } = deed;
  const isLookup = action === "cloudtrail:LookupEvents";
  if (decision === "explicitDeny") {
    return isLookup
      ? apiError("AccessDeniedException.explicitNoResource", { callerArn, action })
      : apiError("AccessDeniedException.explicit", { callerArn, action, arn: resource });
  }
  return isLookup
    ? apiError("AccessDeniedException.implicitNoResource", { callerArn, action })
    : apiError("AccessDeniedException.implicit", { callerArn, action, arn: resource });
}
