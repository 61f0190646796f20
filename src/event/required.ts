// Which members a record of each category must have (formats.md §1.3, §1.15, §6.1, §7.1; api.md §1.8). Pure.
// Must not: know the configured Regions or accounts; intake checks those.
import { categoryOf, type EventCategory, type RecordFields } from "./record.ts";

type RequiredMember =
  | "eventVersion"
  | "eventTime"
  | "awsRegion"
  | "eventSource"
  | "eventName"
  | "userIdentity";

const ofApiCalls: readonly RequiredMember[] = [
  ...(["eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion"] as const),
];

/** Insights and audit events tell source and name inside a member of their own; aggregated ones have a window. */
const requiredByCategory: Readonly<Record<EventCategory, readonly RequiredMember[]>> = {
  Management: ofApiCalls,
  Data: ofApiCalls,
  NetworkActivity: ofApiCalls,
  Insight: ["eventVersion", "eventTime", "awsRegion"],
  ActivityAuditLog: ["eventVersion", "eventTime", "awsRegion"],
  Aggregated: ["eventVersion", "eventSource", "awsRegion"],
};

/**
 * The name of the first member that is missing or has a value no consumer could read, or undefined when the record is
 * complete. The four members that may be spliced in are checked only when they are there.
 */
export function missingMember(fields: RecordFields): string | undefined {
  const category = categoryOf(fields);
  if (!isKnownCategory(category)) return "eventCategory";
  const missing = requiredByCategory[category].find((name) => !hasMember(fields, name));
  if (missing !== undefined) return missing;
  if (fields.eventTime !== undefined && !isEventTime(fields.eventTime)) return "eventTime";
  if (fields.eventID !== undefined && !eventIdForm.test(fields.eventID)) return "eventID";
  if (fields.eventType === "") return "eventType";
  if (fields.recipientAccountId === "") return "recipientAccountId";
  return undefined;
}

function isKnownCategory(category: string): category is EventCategory {
  return Object.hasOwn(requiredByCategory, category);
}

function hasMember(fields: RecordFields, name: RequiredMember): boolean {
  if (name === "userIdentity") return fields.hasUserIdentity;
  const value = fields[name];
  return value !== undefined && value !== "";
}

/**
 * The form of a UUID. Its digits are not held to be hexadecimal: published records whose identifiers were replaced
 * (`…-ff5eeEXAMPLE`) keep the form, and they are records all the same.
 */
const eventIdForm = /^[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}$/;

const timeForm = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/;
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** UTC with whole seconds, never a fraction or an offset (formats.md §1.1), and a time that exists. */
function isEventTime(text: string): boolean {
  const parts = timeForm.exec(text)?.slice(1).map(Number);
  if (!parts) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const isLeapDay = month === 2 && day === 29 && isLeapYear(year);
  const days = daysOfMonth[month - 1] ?? 0;
  // Second 60 is a leap second.
  return day >= 1 && (day <= days || isLeapDay) && hour < 24 && minute < 60 && second <= 60;
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}
