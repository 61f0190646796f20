// `cairn serve`: loads the configuration, starts the server, and obeys signals until it has stopped.
import {
  type Configuration,
  type ConfigurationSources,
  loadConfiguration,
  reloadConfiguration,
} from "../config.ts";
import { startFailure } from "./start-failure.ts";
import { type ExitCode, exitCodes, type LeveledLog, type RunningServer, type Terminal } from "./terminal.ts";

/** A stop that takes longer is given up, so that the process ends within 10 s. */
const stopMsMax = 9_500;

/**
 * Resolves to the exit code when the server has stopped: 0 after SIGTERM or SIGINT, 1 when it could not start or
 * stop, 2 when the configuration was refused. A second SIGTERM or SIGINT ends the process at once with 1.
 */
export async function serve(flags: Readonly<Record<string, string>>, terminal: Terminal): Promise<ExitCode> {
  const sources: ConfigurationSources = {
    flags,
    environment: terminal.environment,
    readFile: (path) => terminal.readFile(path),
  };
  const configuration = loadConfiguration(sources);
  if ("problem" in configuration) {
    terminal.err(configuration.problem);
    return exitCodes.usage;
  }
  const log = terminal.createLog(configuration.logLevel);
  // Listened to before the start: a signal in between must neither be lost nor kill a half-opened journal.
  const wishes = listenToSignals(terminal);
  let server: RunningServer;
  try {
    server = await terminal.startServer(configuration, log);
  } catch (error) {
    log.debug({ error }, "The start failed.");
    terminal.err(startFailure(error, configuration));
    return exitCodes.failed;
  }
  warn(configuration, log);
  if (!wishes.stopWished()) terminal.out(`Cairn is listening on ${server.url}`);
  const reloader = reloaderOf({ server, log, sources, configuration });
  wishes.onReload(reloader);
  await wishes.stop;
  return stopServer(server, log, terminal);
}

interface Wishes {
  readonly stop: Promise<void>;
  stopWished(): boolean;
  /** Calls `reload` for every SIGHUP, at once when one came before. */
  onReload(reload: () => void): void;
}

function listenToSignals(terminal: Terminal): Wishes {
  let wished = false;
  let reloadWished = false;
  let reload: (() => void) | undefined;
  const { promise: stop, resolve } = withResolver();
  const onStop = () => {
    if (wished) terminal.exit(exitCodes.failed);
    wished = true;
    resolve();
  };
  terminal.onSignal("SIGTERM", onStop);
  terminal.onSignal("SIGINT", onStop);
  terminal.onSignal("SIGHUP", () => {
    if (reload) reload();
    else reloadWished = true;
  });
  return {
    stop,
    stopWished: () => wished,
    onReload(listener) {
      reload = listener;
      if (reloadWished) listener();
    },
  };
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

interface Serving {
  readonly server: RunningServer;
  readonly log: LeveledLog;
  readonly sources: ConfigurationSources;
  readonly configuration: Configuration;
}

/** A reload that fails for any reason leaves the server as it was. */
function reloaderOf({ server, log, sources, configuration }: Serving): () => void {
  let current = configuration;
  return () => {
    const next = reloadConfiguration(current, sources);
    if ("problem" in next) {
      log.error({ problem: next.problem }, "The configuration was not reloaded; the old one stays in force.");
      return;
    }
    try {
      server.reload(next);
    } catch (error) {
      log.error({ error }, "The configuration was not reloaded; the old one stays in force.");
      return;
    }
    current = next;
    log.setLevel(next.logLevel);
    warn(next, log);
    log.info({}, "The configuration was reloaded.");
  };
}

function warn({ warnings }: Configuration, log: LeveledLog): void {
  for (const warning of warnings) log.warn({}, warning);
}

async function stopServer(server: RunningServer, log: LeveledLog, terminal: Terminal): Promise<ExitCode> {
  log.info({}, "Cairn is stopping.");
  try {
    const late = terminal.wait(stopMsMax).then(() => "late" as const);
    const outcome = await Promise.race([server.stop().then(() => "stopped" as const), late]);
    if (outcome === "stopped") {
      log.info({}, "Cairn has stopped.");
      return exitCodes.done;
    }
    log.error(
      { stopMsMax },
      "Cairn did not stop in time and ends now; the next start recovers what was accepted.",
    );
  } catch (error) {
    log.error({ error }, "Cairn did not stop cleanly; the next start recovers what was accepted.");
  }
  return exitCodes.failed;
}
