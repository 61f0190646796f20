// The command line over a terminal that the test holds: words, help, init, serve with its signals, failures.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Configuration, flagOf, loadConfiguration, settingList, variableOf } from "../config.ts";
import { parseArguments } from "./arguments.ts";
import { processTerminal } from "./process-terminal.ts";
import { run } from "./run.ts";
import type { LeveledLog, RunningServer, Signal, StartServer, Terminal } from "./terminal.ts";

type Line = {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

interface TestTerminal extends Terminal {
  readonly printed: string[];
  readonly errors: string[];
  readonly logged: Line[];
  readonly files: Map<string, { text: string; mode: number }>;
  readonly exits: number[];
  send(signal: Signal): void;
  /** Resolves when every signal is listened to. */
  readonly listening: Promise<void>;
}

function testTerminal(change: Partial<Terminal> = {}): TestTerminal {
  const files = new Map<string, { text: string; mode: number }>();
  const [printed, errors, exits, logged]: [string[], string[], number[], Line[]] = [[], [], [], []];
  const listeners = new Map<Signal, () => void>();
  let listen = (): void => undefined;
  const listening = new Promise<void>((resolve) => {
    listen = resolve;
  });
  const write = (level: string) => (fields: Line["fields"], message: string) =>
    void logged.push({ level, message, fields });
  const log: LeveledLog = {
    ...{ debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    setLevel: (level) => write("level")({ level }, ""),
  };
  return {
    ...{ environment: {}, printed, errors, exits, logged, files, version: "1.2.3" },
    out: (line) => void printed.push(line),
    err: (line) => void errors.push(line),
    ...{ isOutTty: false, isErrorTty: false },
    onOutputClosed: () => undefined,
    readInput: () => Promise.resolve(""),
    writeError: (text) => void errors.push(text),
    readFile(path) {
      const file = files.get(path);
      if (!file) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return file;
    },
    writeNewFile(path, text) {
      if (files.has(path)) throw Object.assign(new Error("exists"), { code: "EEXIST" });
      files.set(path, { text, mode: 0o600 });
    },
    randomText: (alphabet, length) => alphabet.charAt(7).repeat(length),
    createLog: () => log,
    startServer: () => Promise.reject(new Error("no server here")),
    onSignal(signal, listener) {
      listeners.set(signal, listener);
      if (listeners.size === 3) listen();
    },
    exit: (code) => void exits.push(code),
    wait: () => new Promise(() => undefined),
    send: (signal) => listeners.get(signal)?.(),
    listening,
    ...change,
  };
}

/** A server that remembers what was asked of it. */
function testServer(stop: () => Promise<void> = () => Promise.resolve()) {
  const reloads: Configuration[] = [];
  const started: Configuration[] = [];
  const server: RunningServer = {
    url: "http://127.0.0.1:4577",
    reload: (configuration) => void reloads.push(configuration),
    stop,
  };
  const startServer: StartServer = (configuration) => {
    started.push(configuration);
    return Promise.resolve(server);
  };
  return { reloads, started, startServer };
}

/** Lets everything that is ready to run, run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("words", () => {
  test.each<[string[], unknown]>([
    [[], { kind: "flags", flags: {} }],
    [["--port", "1"], { kind: "flags", flags: { port: "1" } }],
    [["--port=1", "--host=a=b"], { kind: "flags", flags: { port: "1", host: "a=b" } }],
    [["--port="], { kind: "flags", flags: { port: "" } }],
    [["--insecure"], { kind: "flags", flags: { insecure: "true" } }],
    [["--insecure", "--port", "1"], { kind: "flags", flags: { insecure: "true", port: "1" } }],
    [["--insecure", "false"], { kind: "flags", flags: { insecure: "false" } }],
    [["--insecure=false"], { kind: "flags", flags: { insecure: "false" } }],
    [["--port", "-1"], { kind: "flags", flags: { port: "-1" } }],
    [["--__proto__", "1"], { kind: "problem", problem: expect.stringContaining("is not a flag") }],
    [["--help"], { kind: "help" }],
    [["--port", "1", "-h"], { kind: "help" }],
    [["port"], { kind: "problem", problem: '"port" is not a flag; write for example --port 4577.' }],
    [["-p", "1"], { kind: "problem", problem: '"-p" is not a flag; write for example --port 4577.' }],
    [["--port"], { kind: "problem", problem: "--port needs a value; write --port VALUE or --port=VALUE." }],
    [
      ["--port", "--host"],
      { kind: "problem", problem: "--port needs a value; write --port VALUE or --port=VALUE." },
    ],
    [["--port", "1", "--port", "2"], { kind: "problem", problem: "--port is given twice; give it once." }],
  ])("%j", (words, expected) => {
    expect(parseArguments(words, (flag) => flag === "insecure")).toEqual(expected);
  });
});

describe("commands", () => {
  test.each<[string[], number, string]>([
    [["version"], 0, "cairn 1.2.3"],
    [["--version"], 0, "cairn 1.2.3"],
    [["help"], 0, "Usage: cairn <command>"],
    [["--help"], 0, "Usage: cairn <command>"],
    [["help", "serve"], 0, "Usage: cairn serve"],
    [["help", "init"], 0, "Usage: cairn init"],
    [["serve", "--help"], 0, "Usage: cairn serve"],
    [["init", "-h"], 0, "Usage: cairn init"],
    [["help", "status"], 0, "Usage: cairn status"],
    [["bucket-policy", "--help"], 0, "Usage: cairn bucket-policy"],
    [["status", "--json", "--port", "1"], 2, "--port: cairn status has no such flag"],
    [["bucket-policy", "--multi-region"], 2, "--trail: give the name or ARN of a trail."],
    [["bucket-policy", "--kind", "role-trust"], 0, '"sts:AssumeRole"'],
    [[], 2, "There is no command."],
    [["srve"], 2, 'There is no command "srve".'],
    [["help", "srve"], 2, 'There is no command "srve".'],
    [["version", "--port", "1"], 2, "--port: cairn version takes no flags."],
    [["serve", "now"], 2, '"now" is not a flag'],
    [["init", "--port", "1"], 2, "--port: cairn init has no such flag"],
  ])("%j exits with %i", async (words, code, text) => {
    const terminal = testTerminal();
    expect(await run(words, terminal)).toBe(code);
    expect((code === 0 ? terminal.printed : terminal.errors).join("\n")).toContain(text);
    expect(code === 0 ? terminal.errors : terminal.printed).toEqual([]);
  });

  test("the help of serve has every setting", async () => {
    const terminal = testTerminal();
    await run(["help", "serve"], terminal);
    const help = terminal.printed.join("\n");
    for (const setting of settingList) {
      expect(help).toContain(`--${flagOf(setting)}`);
      expect(help).toContain(`(${variableOf(setting)})`);
    }
  });
});

describe("cairn init", () => {
  test("writes a configuration that loads, and shows the key once", async () => {
    const terminal = testTerminal();
    expect(await run(["init", "--account-id", "210987654321", "--user", "mary"], terminal)).toBe(0);
    const loaded = loadConfiguration({
      flags: { config: "cairn.yaml" },
      environment: {},
      readFile: (path) => terminal.readFile(path),
    });
    expect(loaded).toMatchObject({
      auth: "on",
      warnings: [],
      accounts: [
        {
          id: "210987654321",
          users: [
            {
              name: "mary",
              accessKeys: [{ accessKeyId: `AKIA${"H".repeat(16)}`, secretAccessKey: "H".repeat(40) }],
              policies: [{ statements: [{ effect: "Allow", actions: ["*"], resources: ["*"] }] }],
            },
          ],
        },
      ],
    });
    const text = terminal.printed.join("\n");
    expect(text.split("H".repeat(40))).toHaveLength(2);
    expect(text).toContain(`AKIA${"H".repeat(16)}`);
    expect(text).toContain("cairn serve --config cairn.yaml");
  });

  test("variables give path and account, flags win", async () => {
    const environment = { CAIRN_CONFIG: "a.yaml", CAIRN_ACCOUNT_ID: "210987654321" };
    const terminal = testTerminal({ environment });
    expect(await run(["init"], terminal)).toBe(0);
    expect(await run(["init", "--config", "b.yaml", "--account-id", "999999999999"], terminal)).toBe(0);
    expect(terminal.files.get("a.yaml")?.text).toContain('"210987654321"');
    expect(terminal.files.get("b.yaml")?.text).toContain('"999999999999"');
  });

  test("does not overwrite", async () => {
    const terminal = testTerminal();
    terminal.files.set("cairn.yaml", { text: "mine", mode: 0o600 });
    expect(await run(["init"], terminal)).toBe(1);
    expect(terminal.files.get("cairn.yaml")?.text).toBe("mine");
    expect(terminal.errors).toEqual([
      '--config (CAIRN_CONFIG): "cairn.yaml" exists already and is not overwritten; write another path.',
    ]);
    expect(terminal.printed).toEqual([]);
  });

  test.each([
    [["--account-id", "12"], '--account-id (CAIRN_ACCOUNT_ID): "12" is not an account id'],
    [["--user", "mary ann"], '--user: "mary ann" is not a user name'],
    [["--user", 'a"\nport: 1'], "--user: "],
  ])("%j is refused and nothing written", async (words, sentence) => {
    const terminal = testTerminal();
    expect(await run(["init", ...words], terminal)).toBe(2);
    expect(terminal.errors.join("\n")).toContain(sentence);
    expect(terminal.files.size).toBe(0);
  });

  test("keys differ, and the file is for its owner alone", () => {
    const folder = mkdtempSync(join(tmpdir(), "cairn-init-"));
    try {
      const real = processTerminal(() => Promise.reject(new Error("unused")));
      const path = join(folder, "cairn.yaml");
      real.writeNewFile(path, "port: 1\n");
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(() => real.writeNewFile(path, "port: 2\n")).toThrow(/EEXIST/);
      expect(real.readFile(path)).toEqual({ text: "port: 1\n", mode: 0o600 });
      expect(real.randomText("ABCDEFGH", 40)).toMatch(/^[A-H]{40}$/);
      expect(real.randomText("ABCDEFGH", 40)).not.toBe(real.randomText("ABCDEFGH", 40));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("cairn serve", () => {
  const words = ["serve", "--auth", "off"];

  test("says when it is ready, stops at SIGTERM with 0", async () => {
    const { startServer, started } = testServer();
    const terminal = testTerminal({ startServer, environment: { CAIRN_PORT: "5000" } });
    const code = run(words, terminal);
    await terminal.listening;
    await settle();
    expect(started).toMatchObject([{ port: 5000, auth: "off" }]);
    expect(terminal.printed).toEqual(["Cairn is listening on http://127.0.0.1:4577"]);
    expect(terminal.logged).toMatchObject([
      { level: "warn", message: expect.stringMatching(/^Authentication is off/) },
    ]);
    terminal.send("SIGTERM");
    expect(await code).toBe(0);
    expect(terminal.printed).toHaveLength(1);
    expect(terminal.errors).toEqual([]);
  });

  test("SIGINT stops too; a second signal ends at once with 1", async () => {
    const { startServer } = testServer(() => new Promise(() => undefined));
    const terminal = testTerminal({ startServer });
    void run(words, terminal);
    await terminal.listening;
    await settle();
    terminal.send("SIGINT");
    await settle();
    expect(terminal.exits).toEqual([]);
    terminal.send("SIGTERM");
    expect(terminal.exits).toEqual([1]);
  });

  test("a stop that takes too long is given up with 1", async () => {
    const { startServer } = testServer(() => new Promise(() => undefined));
    const waits: number[] = [];
    const wait = (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    };
    const terminal = testTerminal({ startServer, wait });
    const code = run(words, terminal);
    await terminal.listening;
    await settle();
    terminal.send("SIGTERM");
    expect(await code).toBe(1);
    expect(waits).toEqual([9500]);
    expect(terminal.logged.at(-1)).toMatchObject({ level: "error" });
  });

  test("a stop that fails exits with 1", async () => {
    const { startServer } = testServer(() => Promise.reject(new Error("disk gone")));
    const terminal = testTerminal({ startServer });
    const code = run(words, terminal);
    await terminal.listening;
    await settle();
    terminal.send("SIGTERM");
    expect(await code).toBe(1);
  });

  test("a signal while it starts stops it as soon as it has started", async () => {
    const { startServer } = testServer();
    let start = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      start = resolve;
    });
    const terminal = testTerminal({ startServer: (...both) => gate.then(() => startServer(...both)) });
    const code = run(words, terminal);
    await terminal.listening;
    terminal.send("SIGTERM");
    start();
    expect(await code).toBe(0);
    expect(terminal.printed).toEqual([]);
  });

  test("SIGHUP reloads: what may change changes, a bad file changes nothing", async () => {
    const { startServer, reloads } = testServer();
    const terminal = testTerminal({ startServer });
    const write = (text: string) => terminal.files.set("c.yaml", { text, mode: 0o600 });
    write("logLevel: info\n");
    const code = run([...words, "--config", "c.yaml"], terminal);
    await terminal.listening;
    await settle();
    write("logLevel: debug\nport: 1\n");
    terminal.send("SIGHUP");
    expect(reloads).toMatchObject([{ logLevel: "debug", port: 4577 }]);
    expect(terminal.logged.map(({ message }) => message).join("\n")).toContain("--port (CAIRN_PORT, port)");
    expect(terminal.logged).toContainEqual({ level: "level", message: "", fields: { level: "debug" } });
    write("logLevel: loud\n");
    terminal.send("SIGHUP");
    expect(reloads).toHaveLength(1);
    expect(terminal.logged.at(-1)).toMatchObject({
      level: "error",
      fields: { problem: expect.stringContaining('"loud" is not one of') },
    });
    terminal.send("SIGTERM");
    expect(await code).toBe(0);
  });

  test("a SIGHUP while it starts reloads once it has started", async () => {
    const { startServer, reloads } = testServer();
    const terminal = testTerminal({ startServer });
    const code = run(words, terminal);
    await terminal.listening;
    terminal.send("SIGHUP");
    await settle();
    expect(reloads).toHaveLength(1);
    terminal.send("SIGTERM");
    expect(await code).toBe(0);
  });

  test.each([
    [["--port", "x"], '--port (CAIRN_PORT, port): "x" is not a whole number from 0 to 65535.'],
    [["--prot", "1"], "--prot: there is no such setting; did you mean --port?"],
    [["--auth", "on"], "run `cairn init`"],
    [["--host", "0.0.0.0", "--auth", "off"], '--host (CAIRN_HOST, host): "0.0.0.0" can be reached'],
  ])("%j is refused with 2", async (flags, sentence) => {
    const { startServer, started } = testServer();
    const terminal = testTerminal({ startServer });
    expect(await run(["serve", ...flags], terminal)).toBe(2);
    expect(terminal.errors.join("\n")).toContain(sentence);
    expect(started).toEqual([]);
  });

  const failure = (code: string, syscall = "listen") =>
    Object.assign(new Error(`${code}: oh`), { code, syscall });
  test.each<[unknown, string]>([
    [
      failure("EADDRINUSE"),
      "--port (CAIRN_PORT, port): another program listens on port 4577 of 127.0.0.1; stop it or choose another port.",
    ],
    [
      failure("EACCES"),
      "--port (CAIRN_PORT, port): this user may not listen on port 4577; choose one above 1023.",
    ],
    [failure("EADDRNOTAVAIL"), '--host (CAIRN_HOST, host): this machine has no address "127.0.0.1"'],
    [failure("ENOTFOUND", "getaddrinfo"), "--host (CAIRN_HOST, host): "],
    [
      failure("EACCES", "mkdir"),
      '--data-dir (CAIRN_DATA_DIR, dataDir): this user may not write under "./data": EACCES: oh.',
    ],
    [
      failure("ENOTDIR", "mkdir"),
      '--data-dir (CAIRN_DATA_DIR, dataDir): "./data" cannot be used as a folder',
    ],
    [
      failure("ENOENT", "mkdir"),
      '--data-dir (CAIRN_DATA_DIR, dataDir): "./data" cannot be made or written; is its disk read-only? ENOENT: oh.',
    ],
    [failure("ENOENT", "open"), "Cairn could not start: ENOENT: oh"],
    [failure("ENOSPC", "write"), 'the disk under "./data" is full.'],
    [new Error("The journal is damaged."), "Cairn could not start: The journal is damaged."],
    ["odd", "Cairn could not start: odd"],
  ])("a start that fails with %s exits with 1 and a sentence", async (error, sentence) => {
    const terminal = testTerminal({ startServer: () => Promise.reject(error) });
    expect(await run(words, terminal)).toBe(1);
    expect(terminal.errors).toEqual([expect.stringContaining(sentence)]);
    expect(terminal.printed).toEqual([]);
  });
});

describe("the real process", () => {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("CAIRN_")),
  );
  const cairn = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", main, ...words], {
      encoding: "utf8",
      env: environment,
    });
    return { status, stdout, stderr };
  };

  test("init writes a file with mode 0600 that loads", { timeout: 30_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), "cairn-init-"));
    try {
      const path = join(folder, "cairn.yaml");
      const { status, stdout } = cairn("init", "--config", path);
      expect(status).toBe(0);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const [, accessKeyId] = /AWS Access Key ID: +(AKIA[A-Z2-7]{16})\n/.exec(stdout) ?? [];
      const [, secretAccessKey] = /AWS Secret Access Key: +([A-Za-z0-9+/]{40})\n/.exec(stdout) ?? [];
      const readFile = () => ({ text: readFileSync(path, "utf8"), mode: 0o600 });
      const loaded = loadConfiguration({ flags: { config: path }, environment: {}, readFile });
      expect(loaded).toMatchObject({
        accounts: [{ users: [{ accessKeys: [{ accessKeyId, secretAccessKey }] }] }],
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("a bad configuration gives sentences, no stack trace, and 2", { timeout: 30_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), "cairn-serve-"));
    try {
      const path = join(folder, "cairn.yaml");
      writeFileSync(path, "deliveryInterval: 5x\n");
      expect(cairn("serve", "--config", path)).toEqual({
        status: 2,
        stdout: "",
        stderr:
          '--delivery-interval (CAIRN_DELIVERY_INTERVAL, deliveryInterval): "5x" is not a duration; write for example 500ms, 5s or 5m.\n',
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("version prints the package's", { timeout: 30_000 }, () => {
    expect(cairn("version").stdout).toMatch(/^cairn \d+\.\d+\.\d+\n$/);
  });
});
