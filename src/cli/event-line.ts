// How one event reads on one line: when, what, who, from where, on what, and what went wrong. Pure. Everything in it comes from
// strangers: control characters are escaped, long texts cut.
import type { Paint } from "./colors.ts";
import type { StreamLine } from "./event-stream.ts";
import { printable } from "./printable.ts";

type Members = Readonly<Record<string, unknown>>;

const textCharactersMax = 200;

/** `2026-01-10T09:18:41Z s3:PutObject mary 203.0.113.7 my-bucket/key AccessDenied` */
export function eventLine({ event = {}, derived }: StreamLine, paint: Paint): string {
  const error = text(event["errorCode"]);
  const resources = resourcesOf({ event, ...(derived && { derived }) });
  const parts = [
    paint("dim", text(event["eventTime"]) ?? "-"),
    paint(error === undefined ? colorOf(event) : "red", whatOf(event)),
    text(derived?.username) ?? whoOf(event["userIdentity"]),
    paint("dim", text(event["sourceIPAddress"]) ?? "-"),
  ];
  const [first, ...more] = resources;
  if (first !== undefined)
    parts.push(`${cut(first)}${more.length > 0 ? paint("dim", ` +${more.length}`) : ""}`);
  if (error !== undefined) parts.push(paint("red", error));
  return parts.join("  ");
}

/** What the event is about, the most particular first: the objects that a data event lists, else what is derived. */
export function resourcesOf({
  event = {},
  derived,
}: Pick<StreamLine, "event" | "derived">): readonly string[] {
  const listed = event["eventCategory"] === "Data" ? event["resources"] : undefined;
  const names = Array.isArray(listed) ? listed.flatMap(nameOf) : [];
  return names.length > 0 ? names : (derived?.resources.map(({ name }) => name) ?? []);
}

/** An ARN without what stands before its resource. */
function nameOf(resource: unknown): string[] {
  if (typeof resource !== "object" || resource === null || !("ARN" in resource)) return [];
  const { ARN } = resource;
  return typeof ARN === "string" ? [ARN.slice(ARN.lastIndexOf(":") + 1)] : [];
}

/** The record as one line of JSON, safe for a terminal and still the same value. */
export function eventJson(event: Members): string {
  return printable(JSON.stringify(event));
}

/** `s3:PutObject` */
export function whatOf(event: Members): string {
  const source = text(event["eventSource"])?.replace(/\.amazonaws\.com$/, "");
  const name = text(event["eventName"]);
  return source === undefined && name === undefined
    ? (text(event["eventCategory"]) ?? "-")
    : `${source ?? "-"}:${name ?? "-"}`;
}

function colorOf(event: Members): "green" | "yellow" {
  return event["readOnly"] === true ? "green" : "yellow";
}

/** Somebody who has no Username: a service, another account, nobody known. */
export function whoOf(identity: unknown): string {
  if (typeof identity !== "object" || identity === null) return "-";
  const members: Members = Object.fromEntries(Object.entries(identity));
  for (const name of ["userName", "invokedBy", "arn", "accountId", "principalId", "type"]) {
    const value = text(members[name]);
    if (value !== undefined) return value;
  }
  return "-";
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? cut(value) : undefined;
}

function cut(value: string): string {
  const safe = printable(value.slice(0, textCharactersMax));
  return value.length > textCharactersMax ? `${safe}…` : safe;
}
