// `cairn init`: writes a first configuration with an administrator, and shows the access key once.
import { loadConfiguration } from "../config.ts";
import { settings } from "../config-settings.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

const knownFlags: readonly string[] = ["config", "account-id", "user"];
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Exit code 0 when the file was written, 1 when it could not be, 2 when the flags were wrong. */
export function init(flags: Readonly<Record<string, string>>, terminal: Terminal): ExitCode {
  const unknown = Object.keys(flags).find((flag) => !knownFlags.includes(flag));
  if (unknown !== undefined) {
    terminal.err(`--${unknown}: cairn init has no such flag; it has --config, --account-id and --user.`);
    return exitCodes.usage;
  }
  const { environment } = terminal;
  const path = flags["config"] ?? (environment["CAIRN_CONFIG"] || "cairn.yaml");
  const administrator: Administrator = {
    account: flags["account-id"] ?? (environment["CAIRN_ACCOUNT_ID"] || settings.accountId.fallback),
    user: flags["user"] ?? "admin",
    accessKeyId: `AKIA${terminal.randomText(base32, 16)}`,
    secretAccessKey: terminal.randomText(base64, 40),
  };
  const text = firstConfiguration(administrator);
  const problem = problemIn(text);
  if (problem !== undefined) {
    terminal.err(problem);
    return exitCodes.usage;
  }
  const failure = write(path, text, terminal);
  if (failure !== undefined) {
    terminal.err(failure);
    return exitCodes.failed;
  }
  terminal.out(farewell(path, administrator));
  return exitCodes.done;
}

interface Administrator {
  readonly account: string;
  readonly user: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function firstConfiguration({ account, user, accessKeyId, secretAccessKey }: Administrator): string {
  const quoted = JSON.stringify;
  return `# Configuration of Cairn, written by \`cairn init\`. All settings: docs/reference/configuration.md
# It holds a secret: keep it readable for its owner alone.

# Where journal, state and the embedded buckets live.
dataDir: ${settings.dataDir.fallback}

# How often log files are written.
deliveryInterval: ${settings.deliveryIntervalMs.fallback}

accounts:
  - id: ${quoted(account)}
    name: main
    users:
      - name: ${quoted(user)}
        accessKeys:
          - accessKeyId: ${accessKeyId}
            secretAccessKey: ${quoted(secretAccessKey)}
        policies:
          - Version: "2012-10-17"
            Statement: [{ Effect: Allow, Action: "*", Resource: "*" }]
`;
}

/** What the server itself would say about the new file. */
function problemIn(text: string): string | undefined {
  const readFile = () => ({ text, mode: 0o600 });
  const loaded = loadConfiguration({ flags: { config: "cairn.yaml" }, environment: {}, readFile });
  if (!("problem" in loaded)) return undefined;
  return loaded.problem
    .replace(/^accounts\[0\]\.id:/m, "--account-id (CAIRN_ACCOUNT_ID):")
    .replace(/^accounts\[0\]\.users\[0\]\.name:/m, "--user:");
}

function write(path: string, text: string, terminal: Terminal): string | undefined {
  try {
    terminal.writeNewFile(path, text);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") {
      return `--config (CAIRN_CONFIG): ${JSON.stringify(path)} exists already and is not overwritten; write another path.`;
    }
    const reason = error instanceof Error ? error.message : "unknown reason";
    return `--config (CAIRN_CONFIG): ${JSON.stringify(path)} cannot be written: ${reason}.`;
  }
}

function farewell(path: string, { user, accessKeyId, secretAccessKey }: Administrator): string {
  const port = settings.port.fallback;
  return `Wrote ${path}; only you can read it. The secret of the administrator ${user} is shown here once.

Tell the AWS CLI, with: aws configure --profile cairn

  AWS Access Key ID:      ${accessKeyId}
  AWS Secret Access Key:  ${secretAccessKey}
  Default region name:    us-east-1

Then start the server and use it:

  cairn serve --config ${path}
  aws cloudtrail describe-trails --profile cairn --endpoint-url http://127.0.0.1:${port}`;
}
