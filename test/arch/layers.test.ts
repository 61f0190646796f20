// Holds the import rule of docs/architecture.md: who may import whom. A check that looked at nothing fails.
import { describe, expect, test } from "vitest";
import { importsOf, type SourceFile, sourceFiles } from "./source-files.ts";

const stores = ["journal", "bucket", "state"];
/** Low folders that talk to the outside; what a feature may ask besides the stores. */
const services = ["aws"];
const features = ["trail", "intake", "delivery", "recorder", "history", "tail"];
const facts = ["selector", "event", "model"];

/** Folder (or file in src/) → what it may import besides itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["cli", "config.ts", "config", "server.ts"],
  "server.ts": [
    "config.ts",
    "config",
    "world.ts",
    "door",
    ...features,
    ...stores,
    ...services,
    "disk",
    ...facts,
  ],
  "world.ts": ["model"],
  client: ["world.ts"],
  cli: ["config.ts", "config", "model"],
  config: ["model", "config.ts"],
  "config.ts": ["model", "config"],
  door: [...features.filter((name) => name !== "delivery"), ...stores, ...facts],
  trail: [...stores, ...services, ...facts],
  intake: [...stores, ...facts],
  recorder: [...stores, ...services, ...facts],
  history: [...stores, "disk", ...facts],
  tail: ["journal", ...facts],
  delivery: [...stores, ...services, "disk", "threads", ...facts],
  journal: ["disk", ...facts],
  bucket: ["disk", ...facts],
  state: ["disk", ...facts],
  aws: ["model"],
  disk: ["threads", "model"],
  threads: [],
  selector: ["event", "model"],
  event: ["model"],
  model: [],
};
const pure = ["model", "event", "selector"];
const impurePackages = /^(node:(?!buffer|test)|lmdb|pino|prom-client|@aws-sdk\/client-(?!cloudtrail)|vitest)/;

/** src/door/route.ts → door; src/server.ts → server.ts; src/config-schema.ts → config. */
function unitOf(path: string): string {
  const [, first = "", rest] = path.split("/");
  if (rest !== undefined) return first;
  if (first === "config.ts" || first === "config.test.ts") return "config.ts";
  return first.startsWith("config-") ? "config" : first;
}

function problemsOf(file: SourceFile): string[] {
  const unit = unitOf(file.path);
  const isTest = /\.test(-\w+)?\.ts$|\.suite\.ts$/.test(file.path);
  const may = allowed[unit];
  if (!may) return [`${file.path}: the folder ${unit} is not in the import rule`];
  const imports = importsOf(file);
  const problems = imports.own
    .filter((target) => target.startsWith("src/"))
    .map(unitOf)
    .filter((target) => target !== unit && !may.includes(target))
    .filter(() => !isTest)
    .map((target) => `${file.path}: ${unit} may not import ${target}`);
  if (!isTest && imports.own.some((target) => !target.startsWith("src/"))) {
    problems.push(`${file.path}: source may not import from outside src/`);
  }
  if (!isTest && pure.includes(unit)) {
    problems.push(
      ...imports.packages
        .filter((name) => impurePackages.test(name))
        .map((name) => `${file.path}: ${unit} is pure and may not import ${name}`),
    );
  }
  return problems;
}

describe("the import rule", () => {
  const files = sourceFiles("src");

  test("looks at the whole source", () => {
    expect(files.length).toBeGreaterThan(60);
    expect(files.flatMap((file) => importsOf(file).own).length).toBeGreaterThan(150);
  });

  test("is kept by every file", () => {
    expect(files.flatMap(problemsOf)).toEqual([]);
  });

  test.each([
    ["src/trail/x.ts", 'import { y } from "../delivery/y.ts";\n', "trail may not import delivery"],
    ["src/model/x.ts", 'import { y } from "../event/y.ts";\n', "model may not import event"],
    ["src/event/x.ts", 'import fs from "node:fs";\n', "event is pure"],
    ["src/aws/x.ts", 'import { y } from "../trail/y.ts";\n', "aws may not import trail"],
    ["src/event/x.ts", 'import { y } from "@aws-sdk/client-kms";\n', "event is pure"],
    ["src/helpers/x.ts", "", "not in the import rule"],
  ])("catches a planted mistake in %s", (path, text, problem) => {
    expect(problemsOf({ path, text }).join()).toContain(problem);
  });
});
