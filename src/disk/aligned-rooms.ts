// Rooms in shared memory that begin where a page does, as a device wants the bytes it fetches by itself (step-thread.ts). Bytes
// that come again, as the log file of trails that log the same does, are copied once. Must not: know what is written.
import { blockBytes, sharedPageMemory } from "./page-memory.ts";

/** Larger bytes get no room: log files of the usual sizes are some megabytes at most. */
export const roomBytes = 8 * 1024 * 1024;
/** Several log files at once are being written to the buckets of many trails; memory that was never used is not taken. */
const roomsMax = 8;

interface Room {
  readonly memory: Uint8Array<SharedArrayBuffer>;
  /** What lies in it; the bytes themselves need not be kept for that. */
  holds: WeakRef<Uint8Array> | undefined;
  users: number;
}

export class AlignedRooms {
  readonly #rooms: readonly Room[];
  /** The room that was used last comes last. */
  #byUse: readonly Room[];

  /** Undefined where the system has no such memory for us: a process may be held to less. */
  static open(): AlignedRooms | undefined {
    const memory = sharedPageMemory(roomsMax * roomBytes);
    return memory && new AlignedRooms(memory);
  }

  private constructor(buffer: SharedArrayBuffer) {
    const memoryOf = (index: number) => new Uint8Array(buffer, index * roomBytes, roomBytes);
    this.#rooms = Array.from({ length: roomsMax }, (_, index) => ({
      ...{ memory: memoryOf(index), holds: undefined, users: 0 },
    }));
    this.#byUse = this.#rooms;
  }

  /** The same bytes in a room, until `leave`; undefined when all rooms are in use for others. Zeros follow up to the next page. */
  enter(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> | undefined {
    const room = this.#rooms.find(({ holds }) => holds?.deref() === bytes) ?? this.#filled(bytes);
    if (!room) return undefined;
    room.users += 1;
    this.#byUse = [...this.#byUse.filter((other) => other !== room), room];
    return room.memory.subarray(0, bytes.length);
  }

  leave(entered: Uint8Array): void {
    const room = this.#rooms.find(({ memory }) => memory.byteOffset === entered.byteOffset);
    if (room) room.users -= 1;
  }

  #filled(bytes: Uint8Array): Room | undefined {
    const room = this.#byUse.find(({ users }) => users === 0);
    if (!room) return undefined;
    room.memory.set(bytes);
    room.memory.fill(0, bytes.length, Math.ceil(bytes.length / blockBytes) * blockBytes);
    room.holds = new WeakRef(bytes);
    return room;
  }
}
