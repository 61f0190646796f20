// How a request that has been here before is known: each one that goes on carries this installation's name in `Via`.
// Pure.
import type { PassingHead } from "./contract.ts";

/** The entry of `Via` that this installation adds. */
export function viaEntry(installationId: string): string {
  return `1.1 cairn-${installationId}`;
}

/** Whether a request passed this installation already. */
export function hasPassedHere(headers: PassingHead["headers"], installationId: string): boolean {
  const values = headers.get("via");
  if (!values) return false;
  const name = `cairn-${installationId}`;
  return values.some((value) => value.split(",").some((entry) => entry.trim().split(/\s+/)[1] === name));
}
