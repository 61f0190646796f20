// The objects of a DeleteObjects: which the request names, and what the answer says of each. Pure.
import type { DescribedPart, DescribedResource } from "../contract.ts";
import type { ReadBody } from "./read-body.ts";
import { child, parseXml, type XmlElement } from "./xml-tree.ts";

/** S3 takes no more in one request. */
const objectsMax = 1000;
/** A thousand keys of 1 KB and what stands around each, in the request or in its answer. */
export const deletionsBytesMax = 2 * 1024 * 1024;

export interface Deletions {
  /** Empty unless all is there. */
  readonly keys: readonly string[];
  /** How many objects it names. */
  readonly count: number;
  /** How many of them name a version. */
  readonly versions: number;
  /** The keys are all that a store would act on, whichever reader of XML it has. */
  readonly isWhole: boolean;
}

/** What the request asks to delete. */
export function deletionsOf(request: ReadBody): Deletions {
  const hasEntities = /<!DOCTYPE/i.test(request.text());
  const root = request.isCut || hasEntities ? undefined : parseXml(request.text());
  const objects = root?.children.filter(({ name }) => name === "Object") ?? [];
  const keys = objects.flatMap((object) => keyOf(object) ?? []);
  const count = objects.length;
  const isWhole = count > 0 && keys.length === count && count <= objectsMax;
  return {
    ...{ keys: isWhole ? keys : [], count, isWhole },
    versions: objects.filter((object) => child(object, "VersionId") !== undefined).length,
  };
}

/** Of two keys some readers take the first, others the last. */
function keyOf({ children }: XmlElement): string | undefined {
  const [key, ...others] = children.filter(({ name }) => name === "Key");
  return others.length === 0 && key?.children.length === 0 ? key.text : undefined;
}

/**
 * A part per object that was deleted or that the answer says was not. Empty when the request or its answer was not read
 * whole, or is not in order.
 */
export function deletedParts(
  { keys, isWhole }: Deletions,
  answer: ReadBody,
  resourcesOf: (key: string) => readonly DescribedResource[],
): readonly DescribedPart[] {
  const root = isWhole && !answer.isCut ? parseXml(answer.text()) : undefined;
  if (root?.name !== "DeleteResult") return [];
  const errors = new Map(
    root.children
      .filter(({ name }) => name === "Error")
      .map((error) => [child(error, "Key")?.text ?? "", error] as const),
  );
  return keys.map((key) => {
    const error = errors.get(key);
    const code = error && child(error, "Code")?.text;
    const message = error && child(error, "Message")?.text;
    return {
      eventName: "DeleteObject",
      resources: resourcesOf(key),
      ...(error && { errorCode: code ?? "InternalError" }),
      ...(message !== undefined && { errorMessage: message }),
    };
  });
}
