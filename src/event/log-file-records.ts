// Finds the records in the text of a log file that this house composed itself, piece by piece, as it is inflated. Pure.
// Only ends are looked for: every record was validated at the door, and its bytes are passed on as they are. Memory is
// one piece and one record. Must not: take what strangers send (scan.ts does).
import { unreachable } from "../model/assert.ts";
import { byte, valueExtent } from "./scan-bytes.ts";

/** `{"Records":[` … `]}` without white space between the parts, as formats.md §2.2 wants it. */
const head = new TextEncoder().encode('{"Records":[');

type Expecting = "head" | "record" | "separator" | "closing-brace" | "nothing";

export class LogFileRecords {
  #expecting: Expecting = "head";
  /** What came and is not part of a whole record yet. */
  #rest: Uint8Array = new Uint8Array();

  /** Takes the next piece of the text; returns the records that end in it, in order. Throws on what is no log file. */
  take(piece: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const records: Uint8Array[] = [];
    let at = 0;
    for (let next = this.#step(bytes, at); next !== undefined; next = this.#step(bytes, at)) {
      if (next.isRecord) records.push(bytes.subarray(at, next.end));
      at = next.end;
    }
    this.#rest = bytes.subarray(at);
    return records;
  }

  /** To be called after the last piece. Throws when the file ended too early. */
  end(): void {
    if (this.#expecting !== "nothing") throw new Error("The log file ends too early.");
  }

  /** One part of the file that begins at `at`; undefined when the rest of it has not come yet. */
  #step(bytes: Uint8Array, at: number): { readonly end: number; readonly isRecord: boolean } | undefined {
    const code = bytes[at];
    if (code === undefined) return undefined;
    switch (this.#expecting) {
      case "head":
        if (bytes.length - at < head.length) return undefined;
        if (!head.every((one, offset) => bytes[at + offset] === one)) throw broken("beginning");
        this.#expecting = "record";
        return { end: at + head.length, isRecord: false };
      case "record": {
        if (code !== byte.openBrace) throw broken("records");
        const extent = valueExtent({ bytes, start: at, end: bytes.length });
        if (!extent) return undefined;
        this.#expecting = "separator";
        return { end: extent.end, isRecord: true };
      }
      case "separator":
        if (code !== byte.comma && code !== byte.closeBracket) throw broken("records");
        this.#expecting = code === byte.comma ? "record" : "closing-brace";
        return { end: at + 1, isRecord: false };
      case "closing-brace":
        if (code !== byte.closeBrace) throw broken("end");
        this.#expecting = "nothing";
        return { end: at + 1, isRecord: false };
      case "nothing":
        throw broken("end");
      default:
        return unreachable(this.#expecting);
    }
  }
}

function broken(where: string): Error {
  return new Error(`The log file is not as this house writes it: look at its ${where}.`);
}
