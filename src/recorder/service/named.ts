// Tables that are asked by names out of requests. Pure.

/** The table without what every object inherits: a request may name `constructor`. */
export function named<Value>(table: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  const bare = { ...table };
  Object.setPrototypeOf(bare, null);
  return bare;
}
