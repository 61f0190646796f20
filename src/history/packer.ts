// The host of the WebAssembly packer (assembly/packer.ts, compiled by tools/setup.mjs), which packs blocks of records as LZ4
// blocks: a third larger than Brotli's at its second fastest level, packed in a third of the time and unpacked in a tenth, so
// that a lookup of fifty scattered events unpacks fifty blocks in the time of a few. All here and now, in a memory of its
// own that never grows.
import { assert } from "../model/assert.ts";
import { packerCode } from "./generated/packer-code.ts";

/** A block as it stands in a file. One that did not become shorter is stored as it was. */
export interface PackedBlock {
  /** Tells it from all other blocks of this process. */
  readonly key: number | object;
  readonly packed: Uint8Array;
  readonly rawBytes: number;
}

const lineFeed = 0x0a;

class Packer {
  readonly #code: PackerExports;
  readonly #memory: Buffer;
  readonly #rawAt: number;
  readonly #rawBytesMax: number;
  readonly #packedAt: number;
  /** The block that was unpacked last: the records of one answer often lie in the same. */
  #heldKey: number | object | undefined;

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(packerCode, "base64"));
    this.#code = new WebAssembly.Instance(module, {}).exports;
    this.#memory = Buffer.from(this.#code.memory.buffer);
    this.#rawAt = this.#code.rawAt.value;
    this.#rawBytesMax = this.#code.rawBytesMax.value;
    this.#packedAt = this.#code.packedAt.value;
    assert(this.#code.memoryEnd.value <= this.#memory.length, "what the packer needs fits its memory");
  }

  pack(raw: Uint8Array): Uint8Array {
    if (raw.length > this.#rawBytesMax) return raw;
    this.#heldKey = undefined;
    this.#memory.set(raw, this.#rawAt);
    const length = this.#code.pack(raw.length);
    return length < raw.length ? this.#memory.subarray(this.#packedAt, this.#packedAt + length) : raw;
  }

  lineOf(block: PackedBlock, start: number): Buffer | undefined {
    const { packed, rawBytes } = block;
    if (packed.length === rawBytes) return lineIn(packed, start);
    if (this.#heldKey !== block.key && !this.#unpack(block)) return undefined;
    return lineIn(this.#memory.subarray(this.#rawAt, this.#rawAt + rawBytes), start);
  }

  #unpack({ key, packed, rawBytes }: PackedBlock): boolean {
    this.#heldKey = undefined;
    if (packed.length > this.#code.packedBytesMax.value) return false;
    this.#memory.set(packed, this.#packedAt);
    if (this.#code.unpack(packed.length, rawBytes) === 0) return false;
    this.#heldKey = key;
    return true;
  }
}

// Compiled when the first block is packed or read.
let packer: Packer | undefined;

/** The packed block, to be copied before the next call. */
export function pack(raw: Uint8Array): Uint8Array {
  packer ??= new Packer();
  return packer.pack(raw);
}

/** A copy of the line that begins at `start`, without its line feed; undefined when the block is damaged or has none there. */
export function lineOf(block: PackedBlock, start: number): Buffer | undefined {
  packer ??= new Packer();
  return packer.lineOf(block, start);
}

function lineIn(raw: Uint8Array, start: number): Buffer | undefined {
  const end = raw.indexOf(lineFeed, start);
  return start >= raw.length || end === -1 ? undefined : Buffer.from(raw.subarray(start, end));
}

/** What the module exports. */
type PackerExports = Readonly<
  Record<"rawAt" | "rawBytesMax" | "packedAt" | "packedBytesMax" | "memoryEnd", { readonly value: number }>
> & {
  readonly memory: { readonly buffer: ArrayBuffer };
  pack(rawBytes: number): number;
  unpack(packedBytes: number, rawBytes: number): number;
};

/** The global that Node has and the configured type library lacks, as far as it is used here. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: PackerExports };
};
