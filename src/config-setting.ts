// What a setting is, and all the names it goes by: flag, environment variable, YAML key. Pure.
import type { ValueKind } from "./config-values.ts";

export interface Setting<Value = unknown> {
  /** camelCase: `deliveryInterval` is also `--delivery-interval` and CAIRN_DELIVERY_INTERVAL. */
  readonly name: string;
  /** Where it stands in YAML when that is not `name` at the top, as `tls.keyFile`; `name` is accepted too. */
  readonly group?: readonly [group: "tls" | "quotas" | "endpoints", key: string];
  readonly kind: ValueKind<Value>;
  /** As a user would write it; absent when the setting has no default. */
  readonly fallback?: string;
  /** Some other valid value, for the reference. */
  readonly example: string;
  /** Whether SIGHUP may change it; else it keeps its value until the next start. */
  readonly reload: "at once" | "restart";
  readonly about: string;
}

/** `deliveryInterval` → `delivery-interval`. */
export function flagOf(setting: Setting): string {
  return setting.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `deliveryInterval` → `CAIRN_DELIVERY_INTERVAL`. */
export function variableOf(setting: Setting): string {
  return `CAIRN_${flagOf(setting).replaceAll("-", "_").toUpperCase()}`;
}

/** `deliveryInterval`, or `tls.keyFile`; undefined for the setting that names the file itself. */
export function yamlKeyOf(setting: Setting): string | undefined {
  if (setting.name === "config") return undefined;
  return setting.group ? setting.group.join(".") : setting.name;
}

/** All names of a setting, as messages begin with: `--port (CAIRN_PORT, port)`. */
export function namesOf(setting: Setting): string {
  const others = [variableOf(setting), yamlKeyOf(setting)].filter((name) => name !== undefined);
  return `--${flagOf(setting)} (${others.join(", ")})`;
}
