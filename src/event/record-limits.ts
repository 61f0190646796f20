// How large the members of a record may be (formats.md §1.6), and what stands in place of what is larger. Pure.

// 1 KB = 1024 bytes of the UTF-8 JSON text of the value.
const textBytesMax = 1024;
export const objectBytesMax = 100 * 1024;
export const additionalDataBytesMax = 28 * 1024;
/** A whole record. */
export const recordBytesMax = 256 * 1024;

/** Cuts text so that its UTF-8 form stays within 1 KB, at a code-point boundary. */
export function cutText(text: string): string {
  const clean = text.toWellFormed();
  if (bytesOf(clean, textBytesMax) <= textBytesMax) return clean;
  const bytes = new TextEncoder().encode(clean);
  return new TextDecoder().decode(bytes.subarray(0, textBytesMax)).replace(/\uFFFD+$/, "");
}

/**
 * The JSON text of a member that is an object; above the cap a marker, so that the key stays. Takes the text, for it may
 * be at hand.
 */
export function cappedObject(member: string, text: string, bytesMax: number): string {
  const originalSize = bytesOf(text, bytesMax);
  return originalSize <= bytesMax ? text : omission(member, originalSize);
}

/** What stands in place of an object that is too large. */
export function omission(member: string, originalSize: number): string {
  return JSON.stringify({ reason: `${member} too large`, omitted: true, originalSize });
}

/** The length of the text in UTF-8; no more than `enough` when it is certain to be no more. */
export function bytesOf(text: string, enough: number): number {
  // A UTF-16 unit is at most three bytes.
  return text.length * 3 <= enough ? text.length : new TextEncoder().encode(text).length;
}
