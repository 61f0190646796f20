// The IAM policy language: documents and their evaluation. Pure. Used for callers' policies and bucket policies.

export interface PolicyDocument {
  readonly statements: readonly PolicyStatement[];
}

/** Lists are normalised: a single string is a list of one. Exactly one of each pair with not… is present. */
export interface PolicyStatement {
  readonly sid?: string;
  readonly effect: "Allow" | "Deny";
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly resources?: readonly string[];
  readonly notResources?: readonly string[];
  /** Resource policies only: `*`, or type → values. */
  readonly principals?: Principals;
  readonly notPrincipals?: Principals;
  /** operator → condition key (lower case) → values */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export type Principals = "*" | Readonly<Record<string, readonly string[]>>;
