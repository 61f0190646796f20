#!/usr/bin/env node
// argv → command. Nothing else.
import { processTerminal } from "./cli/process-terminal.ts";
import { run } from "./cli/run.ts";
import type { StartServer } from "./cli/terminal.ts";

// Only `serve` needs the server: the other commands stay quick.
const startServer: StartServer = async (configuration, log) => {
  const server = await import("./server.ts");
  return server.startServer(configuration, log);
};

process.exit(await run(process.argv.slice(2), processTerminal(startServer)));
