// Reads policy documents: JSON or parsed values in, a normalised document or the problem out. Pure; never throws.
import type { Conditions, PolicyDocument, PolicyStatement, Principals } from "./policy-document.ts";

/** The largest bucket policy S3 accepts; longer texts are refused unread. */
export const policyTextBytesMax = 20_480;

const statementsMax = 1000;

/** Why a document was refused, as a sentence. */
export interface PolicyProblem {
  readonly problem: string;
}

/** Reads a policy as JSON text. */
export function parsePolicy(text: string): PolicyDocument | PolicyProblem {
  if (new TextEncoder().encode(text).length > policyTextBytesMax) {
    return { problem: `The policy is longer than ${policyTextBytesMax} bytes.` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "The policy is not valid JSON." };
  }
  return parsePolicyValue(value);
}

/** Reads a policy that was already parsed, from JSON or YAML. */
export function parsePolicyValue(value: unknown): PolicyDocument | PolicyProblem {
  try {
    return readDocument(value);
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message };
    throw error;
  }
}

/** Carries the problem from the depth of a document to parsePolicyValue, and no further. */
class Unreadable extends Error {}

function readDocument(value: unknown): PolicyDocument {
  const document = members(value, "The policy", ["Version", "Id", "Statement"]);
  const version = document["Version"];
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") {
    throw new Unreadable("Version must be 2012-10-17 or 2008-10-17.");
  }
  if (document["Id"] !== undefined && typeof document["Id"] !== "string") {
    throw new Unreadable("Id must be a string.");
  }
  const written = document["Statement"];
  if (written === undefined) throw new Unreadable("The policy has no Statement.");
  const statements = Array.isArray(written) ? written : [written];
  if (statements.length > statementsMax) {
    throw new Unreadable(`The policy has more than ${statementsMax} statements.`);
  }
  const read = statements.map((statement: unknown, index) => readStatement(statement, index));
  return { ...(version !== undefined && { version }), statements: read };
}

const statementMembers = [
  ...["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"],
  ...["Resource", "NotResource", "Condition"],
];

function readStatement(value: unknown, index: number): PolicyStatement {
  const what = `Statement ${index + 1}`;
  const statement = members(value, what, statementMembers);
  const { Sid: sid, Effect: effect } = statement;
  if (sid !== undefined && typeof sid !== "string") throw new Unreadable(`${what}: Sid must be a string.`);
  if (effect !== "Allow" && effect !== "Deny") {
    throw new Unreadable(`${what}: Effect must be Allow or Deny.`);
  }
  return {
    ...(sid !== undefined && { sid }),
    effect,
    ...readActions(statement, what),
    ...readResources(statement, what),
    ...readPrincipals(statement, what),
    ...(statement["Condition"] !== undefined && {
      conditions: readConditions(statement["Condition"], `${what}: Condition`),
    }),
  };
}

type Members = Readonly<Record<string, unknown>>;

function readActions(statement: Members, what: string): Pick<PolicyStatement, "actions" | "notActions"> {
  const { name, value } = oneOf(statement, ["Action", "NotAction"], what);
  const values = texts(value, `${what}: ${name}`);
  const bad = values.find((action) => action !== "*" && !/^[A-Za-z0-9-]+:.+$/s.test(action));
  if (bad !== undefined) throw new Unreadable(`${what}: ${name} has the invalid action ${quote(bad)}.`);
  return name === "Action" ? { actions: values } : { notActions: values };
}

function readResources(
  statement: Members,
  what: string,
): Pick<PolicyStatement, "resources" | "notResources"> {
  const { name, value } = oneOf(statement, ["Resource", "NotResource"], what);
  const values = texts(value, `${what}: ${name}`);
  const bad = values.find((resource) => resource !== "*" && !resource.startsWith("arn:"));
  if (bad !== undefined) throw new Unreadable(`${what}: ${name} has the invalid resource ${quote(bad)}.`);
  return name === "Resource" ? { resources: values } : { notResources: values };
}

function readPrincipals(
  statement: Members,
  what: string,
): Pick<PolicyStatement, "principals" | "notPrincipals"> {
  const { Principal: named, NotPrincipal: excepted } = statement;
  if (named !== undefined && excepted !== undefined) {
    throw new Unreadable(`${what} has both Principal and NotPrincipal.`);
  }
  if (named !== undefined) return { principals: readPrincipal(named, `${what}: Principal`) };
  if (excepted !== undefined) return { notPrincipals: readPrincipal(excepted, `${what}: NotPrincipal`) };
  return {};
}

function readPrincipal(value: unknown, what: string): Principals {
  if (value === "*") return "*";
  const types = members(value, what, ["AWS", "Service", "Federated", "CanonicalUser"]);
  return Object.fromEntries(
    Object.entries(types).map(([type, values]) => [type, texts(values, `${what}.${type}`)]),
  );
}

function readConditions(value: unknown, what: string): Conditions {
  const operators = Object.entries(members(value, what)).map(([operator, keys]) => {
    const inside = `${what}.${operator.slice(0, 64)}`;
    const read = new Map<string, readonly string[]>();
    for (const [key, values] of Object.entries(members(keys, inside))) {
      const name = key.toLowerCase();
      if (read.has(name)) throw new Unreadable(`${inside} names the key ${quote(key)} twice.`);
      read.set(name, texts(values, `${inside} ${quote(key)}`));
    }
    return [operator, Object.fromEntries(read)] as const;
  });
  return Object.fromEntries(operators);
}

function members(value: unknown, what: string, allowed?: readonly string[]): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Unreadable(`${what} must be an object.`);
  }
  const entries = Object.entries(value);
  const unknown = entries.find(([name]) => allowed && !allowed.includes(name));
  if (unknown) throw new Unreadable(`${what} has the unknown member ${quote(unknown[0])}.`);
  return Object.fromEntries(entries);
}

function oneOf(
  statement: Members,
  names: readonly [string, string],
  what: string,
): { name: string; value: unknown } {
  const present = names.filter((name) => statement[name] !== undefined);
  const [name] = present;
  if (name === undefined || present.length > 1) {
    throw new Unreadable(`${what} must have exactly one of ${names.join(" and ")}.`);
  }
  return { name, value: statement[name] };
}

/** One string, or a list of at least one; numbers and booleans are taken as their text, as in conditions. */
function texts(value: unknown, what: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new Unreadable(`${what} must not be empty.`);
  return list.map((item) => {
    if (typeof item === "string") return item;
    if (typeof item === "number" || typeof item === "boolean") return String(item);
    throw new Unreadable(`${what} must be a string or a list of strings.`);
  });
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 128));
}
