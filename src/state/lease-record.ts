// The rules of a fenced lease, over any place that can read and write one record atomically. Pure.

/** `token` is kept after a release, so that it never goes back. Times in milliseconds since the epoch. */
export interface LeaseRecord {
  readonly holder: string;
  readonly token: number;
  readonly expiresMs: number;
}

export interface LeaseRequest {
  readonly holder: string;
  readonly ttlMs: number;
  readonly nowMs: number;
}

/** The record after a grant; undefined while somebody else holds the lease and it has not run out. */
export function grantLease(current: LeaseRecord | undefined, request: LeaseRequest): LeaseRecord | undefined {
  const { holder, ttlMs, nowMs } = request;
  if (current && current.holder !== holder && current.expiresMs > nowMs) return undefined;
  return { holder, token: (current?.token ?? 0) + 1, expiresMs: Math.round(nowMs + ttlMs) };
}

/** The record after a renewal; undefined when the lease was lost: granted again, released, or run out. */
export function renewLease(
  current: LeaseRecord | undefined,
  request: { readonly token: number; readonly ttlMs: number; readonly nowMs: number },
): LeaseRecord | undefined {
  const { token, ttlMs, nowMs } = request;
  if (!current || current.token !== token || current.expiresMs <= nowMs) return undefined;
  return { ...current, expiresMs: Math.round(nowMs + ttlMs) };
}

/** The record after a release; undefined when there is nothing to release any more. */
export function releaseLease(current: LeaseRecord | undefined, token: number): LeaseRecord | undefined {
  if (!current || current.token !== token) return undefined;
  return { ...current, expiresMs: 0 };
}
