// The help texts of the command line.
import { flagOf, type Setting, settingList, variableOf } from "../config.ts";

export const generalHelp = `Cairn: an open CloudTrail that anyone can run.

Usage: cairn <command> [flags]

  cairn init       write a first configuration with an administrator's access key
  cairn serve      run the server
  cairn version    print the version
  cairn help       print this; cairn <command> --help tells more`;

export const initHelp = `Usage: cairn init [--config PATH] [--account-id ID] [--user NAME]

Writes a first configuration that only you can read, with one account and an administrator in it, and shows the
administrator's access key once. Never overwrites a file.

  --config PATH       where to write it (CAIRN_CONFIG; default cairn.yaml)
  --account-id ID     12 digits (CAIRN_ACCOUNT_ID; default 123456789012)
  --user NAME         the administrator's name (default admin)`;

/** The help of `cairn serve`, with every setting. */
export function serveHelp(): string {
  return [
    "Usage: cairn serve [flags]",
    "",
    "Runs the server until SIGTERM or SIGINT. SIGHUP reads the configuration again. Every setting is a flag, an",
    "environment variable (in brackets), and a key of the YAML file that --config names.",
    "",
    ...settingList.map(settingHelp),
    "",
    "The server prints one line on standard output when it is ready; its log goes to standard error.",
  ].join("\n");
}

function settingHelp(setting: Setting): string {
  const { kind, fallback, about } = setting;
  const flag = kind.isSwitch ? `--${flagOf(setting)}` : `--${flagOf(setting)} VALUE`;
  const value = fallback === undefined || fallback === "" ? kind.form : `${kind.form}; default ${fallback}`;
  return `  ${flag} (${variableOf(setting)})\n      ${about}\n      ${value}`.replaceAll("`", "");
}
