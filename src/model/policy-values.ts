// Values that conditions compare: numbers, dates and IP ranges, each parsed strictly. Pure.

/** A decimal number; undefined for anything else. */
export function parseNumberValue(text: string): number | undefined {
  return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Milliseconds since the epoch of an ISO 8601 date (`2026-01-10`, `2026-01-10T09:30:00Z`) or of epoch seconds. */
export function parseDateValue(text: string): number | undefined {
  if (/^-?\d{1,12}(\.\d+)?$/.test(text) && !/^\d{4}$/.test(text)) return Number(text) * 1000;
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(
    text,
  );
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    return undefined;
  const seconds = daysFromEpoch({ year, month, day }) * 86_400 + hour * 3600 + minute * 60 + second;
  return (seconds - offsetSeconds(match[8])) * 1000 + Number(match[7] ?? 0) * 1000;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar (years beginning in March make leap days last). */
function daysFromEpoch({ year, month, day }: { year: number; month: number; day: number }): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function offsetSeconds(zone: string | undefined): number {
  if (!zone || zone === "Z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  return (zone.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60);
}

export interface IpRange {
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly prefixBits: number;
}

/** `203.0.113.0/24`, `2001:db8::/32` or a single address. */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const parsed = parseIp(address);
  if (!parsed || rest.length > 0) return undefined;
  const width = parsed.family === 4 ? 32 : 128;
  if (bits === undefined) return { ...parsed, prefixBits: width };
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > width) return undefined;
  return { ...parsed, prefixBits: Number(bits) };
}

export function rangeContains(range: IpRange | undefined, addressText: string): boolean {
  const address = parseIp(addressText);
  if (!range || !address || range.family !== address.family) return false;
  const shift = BigInt((range.family === 4 ? 32 : 128) - range.prefixBits);
  return range.address >> shift === address.address >> shift;
}

function parseIp(text: string): { family: 4 | 6; address: bigint } | undefined {
  if (text.length > 45) return undefined;
  const four = parseIp4(text);
  if (four !== undefined) return { family: 4, address: four };
  const six = parseIp6(text);
  if (six === undefined) return undefined;
  // An IPv4 client on a dual-stack socket arrives as ::ffff:a.b.c.d.
  return six >> 32n === 0xffffn ? { family: 4, address: six & 0xffff_ffffn } : { family: 6, address: six };
}

function parseIp4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseIp6(text: string): bigint | undefined {
  const halves = embedIp4(text)?.split("::");
  if (!halves || halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], tail = []] = groups;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

function embedIp4(text: string): string | undefined {
  const at = text.lastIndexOf(":") + 1;
  if (!text.slice(at).includes(".")) return text;
  const four = parseIp4(text.slice(at));
  if (four === undefined) return undefined;
  return `${text.slice(0, at)}${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`;
}
