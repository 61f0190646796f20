// What an SNS topic hears of log files (formats.md §4.1): the text of a message and how many files fit into one. Pure.
// Must not: know topics, lanes or tries.

/** Files in one message, at most. */
export const keysPerMessageMax = 100;
/** UTF-8 bytes of one message, at most. SNS takes 256 KiB; what stands around a message at its way is not ours. */
export const messageBytesMax = 200 * 1024;

/** Compact JSON with exactly two members. Keys are raw, never URL-encoded; always an array, also of one. */
export function noticeMessage(bucket: string, keys: readonly string[]): string {
  return JSON.stringify({ s3Bucket: bucket, s3ObjectKey: keys });
}

/** Bytes of a message without any key. */
export function emptyMessageBytes(bucket: string): number {
  return Buffer.byteLength(noticeMessage(bucket, []));
}

/** Bytes that one more key adds to a message, its comma included. */
export function keyBytes(key: string): number {
  return Buffer.byteLength(JSON.stringify(key)) + 1;
}
