// Percent-encoding as AWS does it, in signatures and in answers of S3. Pure.

/** The text with everything but the unreserved characters of RFC 3986 encoded, as UTF-8. Throws for half a surrogate pair. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
