// From command-line words to flags. Knows how flags are written, not which there are.

export type Arguments =
  | { readonly kind: "flags"; readonly flags: Readonly<Record<string, string>> }
  | { readonly kind: "help" }
  | { readonly kind: "problem"; readonly problem: string };

/**
 * Reads `--name value`, `--name=value` and, for switches, `--name` alone (or with true or false after it).
 * Each flag may be given once.
 */
export function parseArguments(words: readonly string[], isSwitch: (flag: string) => boolean): Arguments {
  const flags = new Map<string, string>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--help" || word === "-h") return { kind: "help" };
    const match = /^--([a-z0-9][a-z0-9-]*)(?:=(.*))?$/s.exec(word);
    if (!match) return problem(`${JSON.stringify(word)} is not a flag; write for example --port 4577.`);
    const [, flag = "", inline] = match;
    if (flags.has(flag)) return problem(`--${flag} is given twice; give it once.`);
    const next = words[index + 1];
    if (inline !== undefined) flags.set(flag, inline);
    else if (isSwitch(flag) && next !== "true" && next !== "false") flags.set(flag, "true");
    else if (next === undefined || next.startsWith("--")) {
      return problem(`--${flag} needs a value; write --${flag} VALUE or --${flag}=VALUE.`);
    } else {
      flags.set(flag, next);
      index += 1;
    }
  }
  return { kind: "flags", flags: Object.fromEntries(flags) };
}

function problem(sentence: string): Arguments {
  return { kind: "problem", problem: sentence };
}
