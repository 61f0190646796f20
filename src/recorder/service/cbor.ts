// CBOR (RFC 8949) as plain values, for bodies of Smithy's RPC v2 that come from outside: bounded in depth; undefined
// when the bytes are no CBOR. Pure.

const depthMax = 64;

/** A decoded value: as JSON has them, byte strings as Uint8Array, times (tag 1) as seconds. */
export function parseCbor(bytes: Uint8Array): unknown {
  const reader = new CborReader(bytes);
  try {
    return reader.value(0);
  } catch (error) {
    if (error instanceof NotCbor) return undefined;
    throw error;
  }
}

class NotCbor extends Error {}

class CborReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(depth: number): unknown {
    if (depth > depthMax) throw new NotCbor();
    const first = this.#take(1)[0] ?? 0;
    const [major, info] = [first >> 5, first & 31];
    if (major === 7) return this.#simple(info);
    const length = info === 31 ? undefined : this.#argument(info);
    switch (major) {
      case 0:
        return plain(length);
      case 1:
        return plain(length === undefined ? undefined : -1n - BigInt(length));
      case 2:
        return length === undefined ? joined(this.#chunks(2)) : this.#take(Number(length));
      case 3:
        return new TextDecoder().decode(
          length === undefined ? joined(this.#chunks(3)) : this.#take(Number(length)),
        );
      case 4:
        return this.#list(length, depth);
      case 5:
        return this.#map(length, depth);
      default:
        // A tag: only what it stands before counts here.
        return this.value(depth + 1);
    }
  }

  #list(length: bigint | number | undefined, depth: number): unknown[] {
    const items: unknown[] = [];
    for (let n = 0; length === undefined ? !this.#isBreak() : n < length; n++)
      items.push(this.value(depth + 1));
    return items;
  }

  #map(length: bigint | number | undefined, depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (let n = 0; length === undefined ? !this.#isBreak() : n < length; n++) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw new NotCbor();
      entries.push([key, this.value(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  *#chunks(major: number): Generator<Uint8Array> {
    while (!this.#isBreak()) {
      const first = this.#take(1)[0] ?? 0;
      if (first >> 5 !== major || (first & 31) === 31) throw new NotCbor();
      yield this.#take(Number(this.#argument(first & 31)));
    }
  }

  /** Steps over the end of an indefinite length when it stands here. */
  #isBreak(): boolean {
    if (this.#at >= this.#bytes.length) throw new NotCbor();
    if (this.#bytes[this.#at] !== 0xff) return false;
    this.#at += 1;
    return true;
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    const at = this.#at;
    this.#take(
      info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : this.#bytes.length + 1,
    );
    if (info === 24) return this.#view.getUint8(at);
    if (info === 25) return this.#view.getUint16(at);
    return info === 26 ? this.#view.getUint32(at) : this.#view.getBigUint64(at);
  }

  #simple(info: number): unknown {
    if (info === 20 || info === 21) return info === 21;
    if (info === 22 || info === 23) return null;
    const at = this.#at;
    this.#take(
      info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : this.#bytes.length + 1,
    );
    if (info === 25) return half(this.#view.getUint16(at));
    if (info === 26) return this.#view.getFloat32(at);
    return info === 27 ? this.#view.getFloat64(at) : null;
  }

  #take(count: number): Uint8Array {
    if (!(count <= this.#bytes.length - this.#at)) throw new NotCbor();
    const part = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return part;
  }
}

function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction
          ? Number.NaN
          : Infinity
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return sign ? -size : size;
}

function plain(number: bigint | number | undefined): number | bigint {
  if (number === undefined) throw new NotCbor();
  const small = Number(number);
  return Number.isSafeInteger(small) ? small : number;
}

function joined(chunks: Iterable<Uint8Array>): Uint8Array {
  return Buffer.concat([...chunks]);
}
