// How much the journal may still take: bytes on disk, bytes on their way, and room kept for own calls. No I/O.
import { assert } from "../model/assert.ts";
import type { Reservation } from "./contract.ts";

// Around the record of an own call stand its frame, its match set and perhaps a segment's header.
const reservationOverheadBytes = 8 * 1024;
// Frames that wait for the disk stay in memory. Own calls may wait beyond this: the reserve bounds them.
const waitingBytesMax = 64 * 1024 * 1024;

export interface RoomLimits {
  readonly bytesMax: number;
  /** Of `bytesMax`, what only own calls may use. */
  readonly ownCallReserveBytes: number;
}

export class JournalRoom {
  readonly #limits: RoomLimits;
  readonly #reservations = new Map<Reservation, number>();
  #reservedBytes = 0;
  #waitingBytes = 0;

  constructor(limits: RoomLimits) {
    assert(limits.ownCallReserveBytes < limits.bytesMax, "the reserve for own calls leaves room for events");
    this.#limits = limits;
  }

  /** Keeps room for one frame with `bytes` of records, or undefined when there is none. */
  reserve(bytes: number, bytesOnDisk: number): Reservation | undefined {
    const kept = bytes + reservationOverheadBytes;
    if (this.#taken(bytesOnDisk) + kept > this.#limits.bytesMax) return undefined;
    const reservation: Reservation = { bytes, release: () => this.#release(reservation) };
    this.#reservations.set(reservation, kept);
    this.#reservedBytes += kept;
    return reservation;
  }

  /**
   * Whether a frame of `bytes` may be written now; if so they count as waiting until `written`. Uses up
   * `reservation`, which always admits a frame with no more record bytes than it was made for.
   */
  admit(
    frame: { readonly bytes: number; readonly recordBytes: number; readonly isOwnCall: boolean },
    bytesOnDisk: number,
    reservation?: Reservation,
  ): boolean {
    const isReserved = reservation !== undefined && this.#reservations.has(reservation);
    if (reservation) this.#release(reservation);
    if (!(isReserved && frame.recordBytes <= reservation.bytes)) {
      const { bytesMax, ownCallReserveBytes } = this.#limits;
      if (this.#taken(bytesOnDisk) + frame.bytes > bytesMax) return false;
      const used = bytesOnDisk + this.#waitingBytes + frame.bytes;
      if (!frame.isOwnCall && used > bytesMax - ownCallReserveBytes) return false;
      if (!frame.isOwnCall && this.#waitingBytes + frame.bytes > waitingBytesMax) return false;
    }
    this.#waitingBytes += frame.bytes;
    return true;
  }

  /** An admitted frame is on disk (and counts there), or given up. */
  written(bytes: number): void {
    this.#waitingBytes -= bytes;
    assert(this.#waitingBytes >= 0, "only admitted bytes are written");
  }

  #taken(bytesOnDisk: number): number {
    return bytesOnDisk + this.#waitingBytes + this.#reservedBytes;
  }

  #release(reservation: Reservation): void {
    this.#reservedBytes -= this.#reservations.get(reservation) ?? 0;
    this.#reservations.delete(reservation);
  }
}
