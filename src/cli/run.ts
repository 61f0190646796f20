// Chooses the command that the words name. Each is loaded when it is chosen: what it needs is most of a short command's time.
import { flagOf } from "../config-setting.ts";
import { settingList } from "../config-settings.ts";
import { parseArguments } from "./arguments.ts";
import { explainHelp, tailHelp, waitForHelp } from "./event-help.ts";
import {
  bucketPolicyHelp,
  generalHelp,
  initHelp,
  publicKeysHelp,
  serveHelp,
  statusHelp,
  verifyHelp,
} from "./help.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";
import { verifySwitches } from "./verify/verify-options.ts";

type Flags = Readonly<Record<string, string>>;

interface Command {
  /** Flags that stand without a value, beside the settings that do. */
  readonly switches?: readonly string[];
  readonly help: () => string;
  readonly load: () => Promise<Run>;
}

type Run = (flags: Flags, terminal: Terminal) => ExitCode | Promise<ExitCode>;

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["serve", { help: serveHelp, load: async () => (await import("./serve.ts")).serve }],
  ["init", { help: () => initHelp, load: async () => (await import("./init.ts")).init }],
  [
    "status",
    { help: () => statusHelp, load: async () => (await import("./status.ts")).status, switches: ["json"] },
  ],
  [
    "tail",
    {
      help: () => tailHelp,
      load: async () => (await import("./tail.ts")).tail,
      switches: ["json", "from-start", "follow"],
    },
  ],
  [
    "wait-for",
    {
      help: () => waitForHelp,
      load: async () => (await import("./wait-for.ts")).waitFor,
      switches: ["json"],
    },
  ],
  [
    "explain",
    { help: () => explainHelp, load: async () => (await import("./explain.ts")).explain, switches: ["json"] },
  ],
  [
    "bucket-policy",
    {
      help: () => bucketPolicyHelp,
      load: async () => (await import("./bucket-policy.ts")).bucketPolicy,
      switches: ["multi-region"],
    },
  ],
  [
    "verify",
    {
      help: () => verifyHelp,
      load: async () => (await import("./verify.ts")).verify,
      switches: verifySwitches,
    },
  ],
  [
    "public-keys",
    { help: () => publicKeysHelp, load: async () => (await import("./public-keys.ts")).publicKeys },
  ],
  ["version", { help: () => generalHelp, load: async () => printVersion }],
]);
const spelledAsFlags: ReadonlyMap<string, string> = new Map([
  ["--version", "version"],
  ["--help", "help"],
  ["-h", "help"],
]);

/** Runs a command; resolves to the exit code when it is done. */
export async function run(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first = "", ...rest] = words;
  const name = spelledAsFlags.get(first) ?? first;
  if (name === "help") return printHelp(rest[0], terminal);
  const command = commands.get(name);
  if (!command) return refuse(first, terminal);
  const parsed = parseArguments(rest, (flag) => isSwitch(flag) || command.switches?.includes(flag) === true);
  switch (parsed.kind) {
    case "help":
      return printHelp(name, terminal);
    case "problem":
      terminal.err(parsed.problem);
      return exitCodes.usage;
    case "flags":
      return (await command.load())(parsed.flags, terminal);
    default:
      return parsed satisfies never;
  }
}

function refuse(name: string, terminal: Terminal): ExitCode {
  const problem = name === "" ? "There is no command." : `There is no command ${JSON.stringify(name)}.`;
  terminal.err(`${problem}\n\n${generalHelp}`);
  return exitCodes.usage;
}

function printHelp(name: string | undefined, terminal: Terminal): ExitCode {
  const command = commands.get(name ?? "");
  if (!command && name !== undefined && name !== "help") return refuse(name, terminal);
  terminal.out(command?.help() ?? generalHelp);
  return exitCodes.done;
}

function printVersion(flags: Flags, terminal: Terminal): ExitCode {
  const [flag] = Object.keys(flags);
  if (flag === undefined) terminal.out(`cairn ${terminal.version}`);
  else terminal.err(`--${flag}: cairn version takes no flags.`);
  return flag === undefined ? exitCodes.done : exitCodes.usage;
}

function isSwitch(flag: string): boolean {
  return settingList.some((setting) => setting.kind.isSwitch === true && flagOf(setting) === flag);
}
