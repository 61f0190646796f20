// The CRC-32 of two texts side by side, from theirs (as zlib's crc32_combine): what compresses a text once and puts it
// into many files needs no second look at it. Pure.
//
// A CRC is a remainder of polynomials over GF(2), modulo that of RFC 1952 §8. Text B behind text A shifts A's remainder
// by 8 bits for each byte of B, which is a product with x^(8n). Bits are in the CRC's own order: bit 31 is x^0.

const polynomial = 0xedb88320;
const one = 0x80000000;

/** x^(2^k) for k = 0, 1, 2 …: lengths up to 2^53 bytes need 56 of them. */
const powersOfTwo = powers(56);

/** `lengthBytes` is that of the second text. */
export function combineCrc32(first: number, second: number, lengthBytes: number): number {
  return (multiply(first, shiftBy(lengthBytes)) ^ second) >>> 0;
}

/** x^(8n) modulo the polynomial. */
function shiftBy(lengthBytes: number): number {
  let shift = one;
  // The three lowest powers are bits, not bytes.
  for (let rest = lengthBytes, k = 3; rest > 0; rest = Math.floor(rest / 2), k += 1) {
    if (rest % 2 === 1) shift = multiply(shift, powersOfTwo[k] ?? 0);
  }
  return shift;
}

function multiply(a: number, b: number): number {
  let product = 0;
  let term = b;
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= term;
    term = (term & 1) === 1 ? (term >>> 1) ^ polynomial : term >>> 1;
  }
  return product >>> 0;
}

function powers(count: number): readonly number[] {
  // x^1
  let power = one >>> 1;
  return Array.from({ length: count }, () => {
    const current = power;
    power = multiply(power, power);
    return current;
  });
}
