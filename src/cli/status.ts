// `cairn status`: what every trail delivered, what waits, since when and why, as the running server tells it.
import { printable, printableJson } from "./printable.ts";
import { serverAddress, unknownFlag } from "./server-address.ts";
import { askStatus } from "./status-report.ts";
import { needsAttention, statusText } from "./status-text.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

const knownFlags = ["endpoint-url", "token", "trail", "json"];

/** Exit code 0 when all is well, 1 when something needs attention, 2 when a flag is wrong or no server tells. */
export async function status(
  flags: Readonly<Record<string, string>>,
  terminal: Pick<Terminal, "environment" | "out" | "err">,
): Promise<ExitCode> {
  const refuse = (problem: string): ExitCode => {
    terminal.err(problem);
    return exitCodes.usage;
  };
  const unknown = unknownFlag(flags, "cairn status", knownFlags);
  if (unknown !== undefined) return refuse(unknown);
  const { trail, json = "false" } = flags;
  if (json !== "true" && json !== "false") return refuse("--json: write --json alone.");
  const address = serverAddress(flags, terminal.environment);
  if ("problem" in address) return refuse(address.problem);
  const token = flags["token"] ?? (terminal.environment["CAIRN_METRICS_TOKEN"] || undefined);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    return refuse("--token (CAIRN_METRICS_TOKEN): a token has no spaces and no other than ASCII characters.");
  }
  const answer = await askStatus({
    url: address.url,
    ...(token !== undefined && { token }),
    ...(trail !== undefined && { trail }),
  });
  if ("problem" in answer) return refuse(answer.problem);
  const { report, raw } = answer;
  if (trail !== undefined && report.trails.length === 0) {
    return refuse(`--trail: ${printable(JSON.stringify(trail))} is the name or ARN of no trail.`);
  }
  terminal.out(json === "true" ? printableJson(raw) : statusText(report, address.url.origin));
  return needsAttention(report) ? exitCodes.failed : exitCodes.done;
}
