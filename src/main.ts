#!/usr/bin/env -S node --initial-heap-size=200
// argv → command. Nothing else.
import { processTerminal } from "./cli/process-terminal.ts";
import { run } from "./cli/run.ts";
import type { StartServer } from "./cli/terminal.ts";

// The AWS SDK's word on Node 20 is for those who choose its version, which is us; it would stand among the log's JSON lines.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

// Only `serve` needs the server: the other commands stay quick.
const startServer: StartServer = async (configuration, log) => {
  const server = await import("./server.ts");
  return server.startServer(configuration, log);
};

process.exit(await run(process.argv.slice(2), processTerminal(startServer)));
