// An object's file held open: its bytes in pieces, for answers, copies and parts. Must not: know keys or descriptions.
import type { ReadFile } from "../disk/contract.ts";
import type { ByteRange, OpenObject, StoredObject } from "./object-contract.ts";

/** So much is read at once; a body of up to this size needs no stream. */
export const pieceBytes = 128 * 1024;

export function openObject(head: StoredObject, file: ReadFile): OpenObject {
  return { head, pieces: (range) => filePieces(file, range), close: () => file.close() };
}

/** The bytes of a range. Throws when the file ends before it does. */
export async function* filePieces(file: ReadFile, { first, last }: ByteRange): AsyncGenerator<Uint8Array> {
  for (let at = first; at <= last; ) {
    const piece = await file.read(at, Math.min(pieceBytes, last - at + 1));
    if (piece.length === 0) throw new Error("A file of the bucket directory is shorter than it was.");
    at += piece.length;
    yield piece;
  }
}

/** The whole object. */
export function wholeRange(sizeBytes: number): ByteRange {
  return { first: 0, last: sizeBytes - 1 };
}

/** The pieces of an answer's body: the object is closed when they are read, or when nobody wants more of them. */
export function closingPieces(object: OpenObject, range: ByteRange): AsyncIterable<Uint8Array> {
  const pieces = object.pieces(range)[Symbol.asyncIterator]();
  let isOver = false;
  const over = async (): Promise<IteratorResult<Uint8Array>> => {
    if (!isOver) {
      isOver = true;
      await object.close();
    }
    return { done: true, value: undefined };
  };
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      if (isOver) return over();
      try {
        const piece = await pieces.next();
        return piece.done === true || isOver ? await over() : piece;
      } catch (error) {
        await over();
        throw error;
      }
    },
    return: over,
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
