// Work that is often done at once and sometimes later. Ten thousand small files that each wait for a dozen turns of the
// event loop take twice as long as they need.

export type AtOnce<Value> = Value | Promise<Value>;

/** `next` of the value, at once when the value is there. */
export function afterwards<Value, Result>(
  value: AtOnce<Value>,
  next: (value: Value) => AtOnce<Result>,
): AtOnce<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
