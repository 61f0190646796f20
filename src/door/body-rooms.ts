// Rooms that large bodies are received in, used again and again: a buffer made anew for each would keep the garbage collector
// busy and the system busy with clearing pages. Must not: be given a room back that somebody may still look into.

/** A larger body gets a buffer of its own, and so does one that small garbage is made for anyway. */
export const roomBytes = 1024 * 1024;
const bodyBytesMin = 64 * 1024;
const roomsMax = 16;

export class BodyRooms {
  readonly #rooms: Buffer[] = [];

  /** Room for a body of so many bytes; undefined when it is not of a size that rooms are kept for. */
  lend(bytes: number): Buffer | undefined {
    if (!(bytes >= bodyBytesMin && bytes <= roomBytes)) return undefined;
    return (this.#rooms.pop() ?? Buffer.allocUnsafeSlow(roomBytes)).subarray(0, bytes);
  }

  /** Takes the body back that was received in a room; any other is left to the garbage collector. */
  takeBack(body: Uint8Array): void {
    const { buffer, byteOffset, byteLength } = body;
    const isLent = buffer.byteLength === roomBytes && byteOffset === 0 && byteLength >= bodyBytesMin;
    if (isLent && this.#rooms.length < roomsMax) this.#rooms.push(Buffer.from(buffer));
  }
}
