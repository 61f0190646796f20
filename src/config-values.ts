// How one value of the configuration is written, by kind: durations, sizes, lists … Takes text (flags, environment)
// or what YAML gives (numbers, booleans, lists). Must not: know which settings there are.
import { type AccountId, parseAccountId } from "./model/arn.ts";
import { parseRegion, type Region } from "./model/regions.ts";

/** The problem quotes what was wrong and says what is right; the caller puts the setting's names before it. */
export type Reading<Value> = { readonly value: Value } | { readonly problem: string };

export interface ValueKind<Value> {
  read(raw: unknown): Reading<Value>;
  /** For the reference: what may be written. */
  readonly form: string;
  /** A flag of this kind may stand alone: `--insecure`. */
  readonly isSwitch?: boolean;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

export function integer({ min, max }: Bounds): ValueKind<number> {
  return {
    form: `whole number, ${min} to ${max}`,
    read(raw) {
      const number = typeof raw === "string" && /^\d{1,15}$/.test(raw.trim()) ? Number(raw) : raw;
      if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) {
        return { value: number };
      }
      return { problem: `${shown(raw)} is not a whole number from ${min} to ${max}` };
    },
  };
}

const durationUnits = unitTable({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 });

/** Gives milliseconds. Bounds are written as durations: `100ms`. */
export function duration(min: string, max: string): ValueKind<number> {
  const [minMs, maxMs] = [milliseconds(min), milliseconds(max)];
  return {
    form: `duration, ${min} to ${max}`,
    read(raw) {
      const value = typeof raw === "string" ? milliseconds(raw) : undefined;
      if (value === undefined) {
        return { problem: `${shown(raw)} is not a duration; write for example 500ms, 5s or 5m` };
      }
      if (value < (minMs ?? 0) || value > (maxMs ?? 0)) {
        return { problem: `${shown(raw)} is out of range; write a duration from ${min} to ${max}` };
      }
      return { value };
    },
  };
}

/** A duration, or the word off, which is 0. */
export function durationOrOff(min: string, max: string): ValueKind<number> {
  const kind = duration(min, max);
  return {
    form: `${kind.form}, or off`,
    read(raw) {
      if (raw === "off" || raw === false) return { value: 0 };
      const reading = kind.read(raw);
      return "problem" in reading ? { problem: `${reading.problem}, or off` } : reading;
    },
  };
}

/** A duration without parts of a second: what it measures is written in whole seconds. */
export function wholeSeconds(min: string, max: string): ValueKind<number> {
  const kind = duration(min, max);
  return {
    form: `duration in whole seconds, ${min} to ${max}`,
    read(raw) {
      const reading = kind.read(raw);
      if ("problem" in reading || reading.value % 1000 === 0) return reading;
      return { problem: `${shown(raw)} is not a number of whole seconds; write for example 5s or 5m` };
    },
  };
}

function milliseconds(text: string): number | undefined {
  return amount(durationUnits, /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text.trim()));
}

const sizeUnits = unitTable({ B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 });

/** Gives bytes; units are powers of 1024. Bounds are written as sizes: `1MB`. */
export function size(min: string, max: string): ValueKind<number> {
  const [minBytes, maxBytes] = [bytes(min), bytes(max)];
  return {
    form: `size, ${min} to ${max}`,
    read(raw) {
      const value = typeof raw === "string" ? bytes(raw) : undefined;
      if (value === undefined) {
        return { problem: `${shown(raw)} is not a size; write for example 64KB, 512MB or 10GB` };
      }
      if (value < (minBytes ?? 0) || value > (maxBytes ?? 0)) {
        return { problem: `${shown(raw)} is out of range; write a size from ${min} to ${max}` };
      }
      return { value };
    },
  };
}

function bytes(text: string): number | undefined {
  return amount(sizeUnits, /^(\d{1,12}(?:\.\d{1,3})?) ?(B|KB|MB|GB|TB)$/.exec(text.trim()));
}

function unitTable(units: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(units));
}

/** Number times unit; undefined when the text did not match. */
function amount(units: ReadonlyMap<string, number>, match: RegExpExecArray | null): number | undefined {
  const unit = units.get(match?.[2] ?? "");
  return match && unit !== undefined ? Math.round(Number(match[1]) * unit) : undefined;
}

export function choice<const Word extends string>(...words: readonly Word[]): ValueKind<Word> {
  const list = words.join(", ");
  return {
    form: words.map((word) => `\`${word}\``).join(", "),
    read(raw) {
      const word = words.find((candidate) => candidate === raw);
      return word === undefined ? { problem: `${shown(raw)} is not one of: ${list}` } : { value: word };
    },
  };
}

export function trueOrFalse(): ValueKind<boolean> {
  return {
    form: "`true` or `false`",
    isSwitch: true,
    read(raw) {
      if (raw === true || raw === "true") return { value: true };
      if (raw === false || raw === "false") return { value: false };
      return { problem: `${shown(raw)} is not true or false` };
    },
  };
}

interface TextRule {
  /** What it is, with its article: `a path`. */
  readonly what: string;
  readonly pattern: RegExp;
  /** What is right, after `write`. */
  readonly right: string;
  /** The value is never repeated in a message. */
  readonly secret?: true;
}

export function text({ what, pattern, right, secret }: TextRule): ValueKind<string> {
  return {
    form: what.replace(/^an? /, ""),
    read(raw) {
      if (typeof raw === "string" && pattern.test(raw)) return { value: raw };
      return { problem: `${secret ? "the value given" : shown(raw)} is not ${what}; write ${right}` };
    },
  };
}

export function path(what: string): ValueKind<string> {
  return text({ what: `the path of ${what}`, pattern: /^[^\0]{1,4096}$/, right: "a path" });
}

export function secret(what: string): ValueKind<string> {
  const right = "16 to 512 visible ASCII characters";
  return text({ what, pattern: /^[\x21-\x7e]{16,512}$/, right, secret: true });
}

/** Account ids must be text: YAML would drop the leading zeros of a number. */
export function accountId(): ValueKind<AccountId> {
  return {
    form: "12 digits, in quotes",
    read(raw) {
      const account = typeof raw === "string" ? parseAccountId(raw) : undefined;
      if (account !== undefined) return { value: account };
      return {
        problem: `${shown(raw)} is not an account id; write 12 digits in quotes, like "123456789012"`,
      };
    },
  };
}

/** An http or https URL without credentials, query or fragment. Gives it without a slash at its end. */
export function endpointUrl(): ValueKind<string> {
  return {
    form: "http or https URL",
    read(raw) {
      const url = typeof raw === "string" && URL.canParse(raw) ? new URL(raw) : undefined;
      const plain = url && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
      if (plain && /^https?:$/.test(url.protocol)) return { value: url.href.replace(/\/$/, "") };
      const right = "write for example https://minio.internal:9000, without user, query or fragment";
      return { problem: `${url?.password ? "the value given" : shown(raw)} is not such a URL; ${right}` };
    },
  };
}

/** Where the client of an AWS service sends its requests: one URL for all Regions, or AWS's own, made per Region. */
export type ServiceEndpoint = { readonly kind: "url"; readonly url: string } | { readonly kind: "aws" };

/** A URL as of `endpointUrl`, or the word `aws`. */
export function serviceEndpoint(): ValueKind<ServiceEndpoint> {
  const urlKind = endpointUrl();
  return {
    form: "http or https URL, or the word `aws` for AWS's own endpoints",
    read(raw) {
      if (raw === "aws") return { value: { kind: "aws" } };
      const reading = urlKind.read(raw);
      if ("value" in reading) return { value: { kind: "url", url: reading.value } };
      return { problem: `${reading.problem}, or the word aws` };
    },
  };
}

const region: ValueKind<Region> = {
  form: "Region",
  read(raw) {
    const name = typeof raw === "string" ? parseRegion(raw) : undefined;
    if (name !== undefined) return { value: name };
    return { problem: `${shown(raw)} is not the name of a Region; write for example us-east-1` };
  },
};

const hostName = text({
  what: "a host name",
  pattern:
    /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$|^[0-9a-f:.]*:[0-9a-f:.]*$/i,
  right: "a name or address without port, like cairn.example.com",
});

const resourceType = text({
  what: "a data event resource type",
  pattern: /^AWS::[A-Za-z0-9]{1,64}::[A-Za-z0-9]{1,64}$/,
  right: "for example AWS::S3::Object",
});

export const regions: ValueKind<readonly Region[]> = {
  ...listOf(region, { min: 1, max: 100 }),
  form: "list of Regions",
};
export const hostNames: ValueKind<readonly string[]> = {
  ...listOf(hostName, { min: 0, max: 100 }),
  form: "list of host names",
};
export const resourceTypes: ValueKind<readonly string[]> = {
  ...listOf(resourceType, { min: 0, max: 1000 }),
  form: "list of resource types",
};
export const host: ValueKind<string> = { ...hostName, form: "host name or address" };

/** A YAML list, or text with commas between. Duplicates are dropped. */
export function listOf<Value>(kind: ValueKind<Value>, { min, max }: Bounds): ValueKind<readonly Value[]> {
  return {
    form: `list of ${kind.form}s`,
    read(raw) {
      const entries = entriesOf(raw);
      if (!entries) return { problem: `${shown(raw)} is not a list; write values with commas between` };
      if (entries.length < min || entries.length > max) {
        return { problem: `it has ${entries.length} values; write ${min} to ${max}` };
      }
      const values = new Set<Value>();
      for (const entry of entries) {
        const reading = kind.read(entry);
        if ("problem" in reading) return reading;
        values.add(reading.value);
      }
      return { value: [...values] };
    },
  };
}

function entriesOf(raw: unknown): readonly unknown[] | undefined {
  if (Array.isArray(raw)) return raw;
  if (typeof raw !== "string") return undefined;
  return raw.trim() === "" ? [] : raw.split(",").map((entry) => entry.trim());
}

/** A value as a message repeats it, shortened. */
export function shown(raw: unknown): string {
  if (raw === null || raw === undefined) return "nothing";
  if (typeof raw === "object") return Array.isArray(raw) ? "a list" : "a group of settings";
  if (typeof raw === "number" || typeof raw === "boolean") return String(raw);
  if (typeof raw !== "string") return "something else";
  return JSON.stringify(raw.length > 80 ? `${raw.slice(0, 80)}…` : raw);
}
