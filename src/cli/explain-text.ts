// How an explanation reads: the verdict, then what it is made of, then what would have to be otherwise. Pure; names and values
// come from strangers and are made safe for a terminal.
import { isoSeconds } from "../model/timestamp.ts";
import type { Paint } from "./colors.ts";
import type { ExplainReport, ReadExplanation } from "./explain-report.ts";
import { printable } from "./printable.ts";

const scopeNames: ReadonlyMap<string, string> = new Map([
  ["account", "account"],
  ["region", "Region"],
  ["global-service", "global services"],
]);
const valueCharactersMax = 200;

export function explanationText({ trail, events }: ExplainReport, paint: Paint): string {
  const blocks = events.map((one) =>
    "problem" in one
      ? `${paint("red", "The event would be refused")} at the door: ${printable(one.problem)}`
      : explanationBlock(one, trail, paint),
  );
  return blocks.join("\n\n");
}

function explanationBlock(one: ReadExplanation, trail: ExplainReport["trail"], paint: Paint): string {
  const verdict = one.isLogged ? paint("green", "logs") : paint("red", "does not log");
  const mark = (holds: boolean): string => (holds ? paint("green", "yes") : paint("red", "NO"));
  const facts = [
    ["logging", mark(trail.isLogging)],
    ...one.scope.map(({ demand, holds }) => [scopeNames.get(demand) ?? printable(demand), mark(holds)]),
  ];
  return [
    `${printable(trail.arn)} ${verdict} the event`,
    `  ${eventTitle(one.event)}`,
    "",
    ...facts.map(([name = "", value = ""]) => `  ${name.padEnd(16)}  ${value}`),
    ...one.selectors.flatMap((selector) => selectorLines(selector, paint)),
    ...(one.decidedBy === "selectors" ? [] : ["", ...one.why.map((why) => `  ${printable(why)}`)]),
    ...changeLines(one),
    ...decidedLines(one),
  ].join("\n");
}

function eventTitle(event: ReadExplanation["event"]): string {
  const { eventSource, eventName, eventCategory, account, region, eventTime, eventID } = event;
  const what = [eventSource, eventName].flatMap((name) => (name === undefined ? [] : [printable(name)]));
  const rest = [eventTime, eventID].flatMap((text) => (text === undefined ? [] : [printable(text)]));
  const where = `${printable(eventCategory)} event of account ${printable(account)} in ${printable(region)}`;
  return [[...what, `(${where})`].join(" "), ...rest].join(", ");
}

function selectorLines(selector: ReadExplanation["selectors"][number], paint: Paint): string[] {
  const verdict = selector.matches ? paint("green", "matches") : paint("red", "does not match");
  return [
    "",
    `  ${printable(selector.label)} ${verdict}`,
    ...selector.conditions.flatMap((condition) => conditionLines(condition, paint)),
  ];
}

type ReadCondition = ReadExplanation["selectors"][number]["conditions"][number];

function conditionLines({ field, demand, holds, value, resources }: ReadCondition, paint: Paint): string[] {
  const mark = holds ? paint("green", "yes") : paint("red", "NO ");
  const has = resources === undefined ? ` (the event: ${value === undefined ? "none" : shown(value)})` : "";
  return [
    `    ${mark}  ${printable(field)}: ${shown(demand)}${has}`,
    ...(resources ?? []).map(({ type, arn, fails }) => {
      const fit = paint("green", "fits");
      const verdict = fails.length === 0 ? fit : paint("red", `fails ${printable(fails.join(", "))}`);
      return `           ${shown(type ?? "(no type)")} ${shown(arn ?? "(no ARN)")}: ${verdict}`;
    }),
  ];
}

function changeLines({ isLogged, changes }: ReadExplanation): string[] {
  if (isLogged) return [];
  return ["", "  To be logged:", ...changes.map((change) => `    ${printable(change)}`)];
}

function decidedLines({ decided }: ReadExplanation): string[] {
  if (!decided) return [];
  const then = `When it arrived, at ${isoSeconds(decided.arrivedMs)}, it was ${decided.isLogged ? "" : "not "}logged`;
  const difference = decided.difference === undefined ? "." : `: ${printable(decided.difference)}`;
  return ["", `  ${then}${difference}`];
}

function shown(text: string): string {
  const safe = printable(text.slice(0, valueCharactersMax));
  return text.length > valueCharactersMax ? `${safe}…` : safe;
}
