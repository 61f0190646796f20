// The terminal of the real process: its streams, files, signals and randomness.
import { randomInt } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ConfigurationFile } from "../config.ts";
import { createLog } from "./log.ts";
import type { StartServer, Terminal } from "./terminal.ts";

const fileBytesMax = 16 * 1024 * 1024;

export function processTerminal(startServer: StartServer): Terminal {
  // Whoever read our output may go away (`cairn help | head`): no reason to fall over.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  return {
    environment: process.env,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    isOutTty: process.stdout.isTTY,
    onOutputClosed: (listener) => void process.stdout.once("error", listener).once("close", listener),
    isErrorTty: process.stderr.isTTY,
    writeError: (text) => void process.stderr.write(text),
    readFile,
    readInput,
    writeNewFile: (path, text) => writeFileSync(path, text, { flag: "wx", mode: 0o600 }),
    randomText: (alphabet, length) =>
      Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join(""),
    createLog,
    startServer,
    onSignal: (signal, listener) => void process.on(signal, listener),
    exit: (code) => process.exit(code),
    wait: (ms) => delay(ms),
    version: packageVersion(),
  };
}

function readFile(path: string): ConfigurationFile {
  const { mode, size } = statSync(path);
  if (size > fileBytesMax) throw new Error(`it is larger than ${fileBytesMax} bytes`);
  return { text: readFileSync(path, "utf8"), mode: mode & 0o777 };
}

async function readInput(): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of process.stdin) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > fileBytesMax) throw new Error(`it is larger than ${fileBytesMax} bytes`);
    pieces.push(bytes);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** From package.json, which stands two folders up both in src/ and in dist/. */
function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const description: unknown = JSON.parse(text);
  const hasVersion = typeof description === "object" && description !== null && "version" in description;
  return hasVersion ? String(description.version) : "unknown";
}
