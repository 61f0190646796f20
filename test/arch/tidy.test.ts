// Holds the house rules that no linter knows: headers, names, banned calls, file and line lengths.
import { describe, expect, test } from "vitest";
import { type SourceFile, sourceFiles } from "./source-files.ts";

const drawers = /(^|[-/])(utils?|helpers?|common|misc|managers?)([-./]|$)/;
// The real world enters through these files alone (docs/architecture.md).
const worldFiles = /^src\/(server|main|world|config)\.ts$|^src\/cli\/|\.test(-\w+)?\.ts$|\.suite\.ts$/;
const bannedCalls: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\(/, "Date.now: take a Clock"],
  [/\bperformance\.now\(/, "performance.now: take a Clock"],
  [/\bglobalThis\.Date\b/, "globalThis.Date: take a Clock"],
  [/\bMath\.random\(/, "Math.random: take a Random"],
  [/\brandomUUID\(/, "randomUUID: take a Random"],
  [/\bconsole\.\w+\(/, "console: take a Log"],
  [/JSON\.parse\([^)]*\)\s+as\s/, "JSON.parse as: parse into a type by looking"],
  [/\bTODO\b|\bFIXME\b|\bXXX\b/, "an unfinished mark"],
];

function problemsOf(file: SourceFile): string[] {
  const problems: string[] = [];
  const say = (what: string) => problems.push(`${file.path}: ${what}`);
  // Tables of services are named after the services.
  const isTable = file.path.startsWith("src/recorder/generated/tables/");
  if (drawers.test(file.path) && !isTable) say("is named like a drawer");
  if (!isTable && !/^[a-z0-9.-]+\.ts$/.test(file.path.split("/").at(-1) ?? ""))
    say("is not named in kebab-case");
  if (!/^(#!.*\n)?\/\/ \S/.test(file.text)) say("has no header comment in its first line");
  if (file.path.startsWith("src/") && !worldFiles.test(file.path)) {
    for (const [pattern, what] of bannedCalls) if (pattern.test(withoutComments(file.text))) say(what);
  }
  return problems;
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
}

describe("house rules", () => {
  const files = [
    ...sourceFiles("src"),
    ...sourceFiles("test"),
    ...sourceFiles("bench"),
    ...sourceFiles("tools"),
  ];

  test("look at every file", () => {
    expect(files.length).toBeGreaterThan(80);
  });

  test("are kept", () => {
    expect(files.flatMap(problemsOf)).toEqual([]);
  });

  test.each([
    ["src/trail/utils.ts", "// A header.\n", "drawer"],
    ["src/trail/Bad_Name.ts", "// A header.\n", "kebab-case"],
    ["src/trail/good.ts", "export const a = 1;\n", "header"],
    ["src/trail/good.ts", "// A header.\nconst now = Date.now();\n", "Clock"],
    ["src/trail/good.ts", "// A header.\nconst id = crypto.randomUUID();\n", "Random"],
    ["src/trail/good.ts", "// A header.\nconst x = JSON.parse(text) as Trail;\n", "parse into a type"],
  ])("catch a planted mistake in %s", (path, text, problem) => {
    expect(problemsOf({ path, text }).join()).toContain(problem);
  });
});
