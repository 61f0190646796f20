// What a key of the state store may look like. Pure; both implementations check with it.
import { assert } from "../model/assert.ts";

const keyBytesMax = 500;
/** A stored document, as JSON text. Far above any resource: a trail with 500 condition values has about 1 MB. */
const valueBytesMax = 16 * 1024 * 1024;

const printable = /^[\x20-\x7e]*$/;

/** Keys are made by us, never by a client: a bad one is a bug. */
export function assertKey(key: string): void {
  assert(key.length > 0, "a state key is not empty");
  assertPrefix(key);
}

/** A prefix obeys the rules of a key, but may be empty. */
export function assertPrefix(prefix: string): void {
  assert(prefix.length <= keyBytesMax, `a state key has at most ${keyBytesMax} bytes`);
  assert(printable.test(prefix), "a state key is printable ASCII");
}

/** The JSON text of a value; asserts its size. */
export function encodeValue(key: string, value: unknown): string {
  const text = JSON.stringify(value);
  assert(typeof text === "string", `the value of ${key} is JSON`);
  assert(text.length <= valueBytesMax, `the value of ${key} has at most ${valueBytesMax} bytes`);
  return text;
}
