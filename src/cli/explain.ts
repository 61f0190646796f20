// `cairn explain`: whether a trail logs an event and why, as the running server's own selectors say it.
import { parseTrailArn } from "../model/arn.ts";
import { paintOf } from "./colors.ts";
import { eventText } from "./event-file.ts";
import { askExplanation } from "./explain-report.ts";
import { explanationText } from "./explain-text.ts";
import { switchProblem } from "./event-question.ts";
import { printableJson } from "./printable.ts";
import { serverAddress, unknownFlag } from "./server-address.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

const knownFlags = ["trail", "event", "event-id", "endpoint-url", "region", "account-id", "json", "color"];

export type ExplainTerminal = Pick<
  Terminal,
  "environment" | "readFile" | "readInput" | "out" | "err" | "isOutTty"
>;

/** Exit code 0 when the trail logs it (all of them), 1 when it does not, 2 when a flag is wrong or there is nothing to tell. */
export async function explain(
  flags: Readonly<Record<string, string>>,
  terminal: ExplainTerminal,
): Promise<ExitCode> {
  const refuse = (problem: string): ExitCode => {
    terminal.err(problem);
    return exitCodes.usage;
  };
  const wrong = unknownFlag(flags, "cairn explain", knownFlags) ?? switchProblem(flags, ["json"]);
  if (wrong !== undefined) return refuse(wrong);
  const { trail = "", event, "event-id": eventId, json } = flags;
  if (trail === "") return refuse("--trail: give the name or ARN of a trail.");
  if ((event === undefined) === (eventId === undefined)) {
    return refuse("Give an event: --event FILE (- is standard input) or --event-id ID.");
  }
  const paint = paintOf(flags["color"], terminal);
  if (typeof paint !== "function") return refuse(paint.problem);
  const address = serverAddress(flags, terminal.environment);
  if ("problem" in address) return refuse(address.problem);
  const body = event === undefined ? undefined : await eventText(event, terminal);
  if (typeof body === "object") return refuse(body.problem);
  const answer = await askExplanation(
    { ...{ url: address.url, trail }, ...asked(flags), body, eventId },
    terminal,
  );
  if ("problem" in answer) return refuse(answer.problem);
  const { report, raw } = answer;
  terminal.out(json === "true" ? printableJson(raw) : explanationText(report, paint));
  if (report.events.some((one) => "problem" in one)) return exitCodes.usage;
  return report.events.every((one) => "isLogged" in one && one.isLogged) ? exitCodes.done : exitCodes.failed;
}

/** A trail's ARN says where and whose it is. */
function asked(flags: Readonly<Record<string, string>>): { region?: string; account?: string } {
  const identity = parseTrailArn(flags["trail"] ?? "");
  const region = flags["region"] ?? identity?.homeRegion;
  const account = flags["account-id"] ?? identity?.account;
  return { ...(region !== undefined && { region }), ...(account !== undefined && { account }) };
}
