// Tags as S3 takes and gives them: in a header, in XML. Pure. All errors are BucketErrors.
import { BucketError } from "./contract.ts";
import type { Tag } from "./object-contract.ts";
import { element, malformedXml, memberText, members, parseXml, textElement } from "./s3-xml.ts";

const tagKeyCharactersMax = 128;
const tagValueCharactersMax = 256;
const tagBodyBytesMax = 256 * 1024;

export interface TagLimits {
  readonly countMax: number;
  /** The sentence for more of them. */
  readonly tooMany: string;
}

export const objectTagLimits: TagLimits = {
  countMax: 10,
  tooMany: "Object tags cannot be greater than 10",
};

export const bucketTagLimits: TagLimits = {
  countMax: 50,
  tooMany: "Bucket tag count cannot be greater than 50",
};

/** The tags of an `x-amz-tagging` header: a query string. */
export function headerTags(header: string): readonly Tag[] {
  const pairs = header.split("&").filter((pair) => pair !== "");
  const tags = pairs.map((pair) => {
    const [key = "", value = "", ...more] = pair.split("=");
    if (more.length > 0) throw malformedHeader();
    return { key: decoded(key), value: decoded(value) };
  });
  if (new Set(tags.map(({ key }) => key)).size < tags.length) throw malformedHeader();
  return checkedTags(tags, objectTagLimits);
}

/** The tags of a `Tagging` document. */
export function bodyTags(body: Uint8Array, limits: TagLimits): readonly Tag[] {
  const tagging = parseXml(body, { root: "Tagging", bytesMax: tagBodyBytesMax });
  const [set, ...more] = members(tagging, "TagSet");
  if (set === undefined || more.length > 0) throw malformedXml();
  const tags = members(set, "Tag").map((tag) => {
    const [key, value] = [memberText(tag, "Key"), memberText(tag, "Value")];
    if (key === undefined || value === undefined) throw malformedXml();
    return { key, value };
  });
  return checkedTags(tags, limits);
}

export function taggingContent(tags: readonly Tag[]): readonly string[] {
  const listed = tags.map(({ key, value }) =>
    element("Tag", [textElement("Key", key), textElement("Value", value)]),
  );
  return [element("TagSet", listed)];
}

function checkedTags(tags: readonly Tag[], limits: TagLimits): readonly Tag[] {
  if (tags.length > limits.countMax) throw new BucketError("BadRequest", limits.tooMany);
  const seen = new Set<string>();
  for (const { key, value } of tags) {
    if (key === "" || key.length > tagKeyCharactersMax || !isTagText(key)) {
      throw invalidTag("The TagKey you have provided is invalid", key);
    }
    if (value.length > tagValueCharactersMax || !isTagText(value)) {
      throw invalidTag("The TagValue you have provided is invalid", key, value);
    }
    if (/^aws:/i.test(key)) throw invalidTag("System tags cannot be added/updated by requester", key);
    if (seen.has(key)) throw invalidTag("Cannot provide multiple Tags with the same key", key);
    seen.add(key);
  }
  return tags;
}

/** Letters, digits and spaces of any script, and `+ - = . _ : / @`. */
function isTagText(text: string): boolean {
  return /^[\p{L}\p{N}\p{Z}+\-=._:/@]*$/u.test(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw malformedHeader();
  }
}

function malformedHeader(): BucketError {
  return new BucketError(
    "InvalidArgument",
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
  );
}

function invalidTag(message: string, key: string, value?: string): BucketError {
  return new BucketError("InvalidTag", message, {
    TagKey: key,
    ...(value !== undefined && { TagValue: value }),
  });
}
