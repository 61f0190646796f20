// AssemblyScript. Writes bits, the lowest first (RFC 1951 §3.1.1).

let at: usize = 0;
let held: u64 = 0;
let count: u64 = 0;

export function beginBits(output: usize): void {
  at = output;
  held = 0;
  count = 0;
}

/** Up to 56 bits between two calls of `settle`. */
// @ts-ignore: decorator
@inline
export function put(bits: u64, width: u64): void {
  held |= bits << count;
  count += width;
}

/** Stores whole bytes; fewer than eight bits stay held. */
// @ts-ignore: decorator
@inline
export function settle(): void {
  store<u64>(at, held);
  at += <usize>(count >> 3);
  held >>= count & 56;
  count &= 7;
}

/** Fills the byte under way with zeros; returns where the next one goes. */
export function align(): usize {
  if (count > 0) {
    store<u8>(at, <u8>held);
    at += 1;
  }
  held = 0;
  count = 0;
  return at;
}

/** Goes on behind bytes that somebody else wrote. */
export function skipTo(output: usize): void {
  at = output;
}
