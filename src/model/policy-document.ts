// What a policy is once it has been read: the normalised document. Types only; policy.ts is the way in.

export interface PolicyDocument {
  /** As written. Policy variables (`${aws:username}`) exist only in version 2012-10-17. */
  readonly version?: "2008-10-17" | "2012-10-17";
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
  readonly conditions?: Conditions;
}

export type Principals = "*" | Readonly<Record<string, readonly string[]>>;

export type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
