// The structured log: one JSON object per line on standard error.
import { pino } from "pino";
import type { LeveledLog } from "./terminal.ts";
import type { Configuration } from "../config.ts";

const standardError = 2;

/** Lines have `level` by name, `time` in UTC, the fields and `message`. Writing is synchronous: no line is lost at exit. */
export function createLog(level: Configuration["logLevel"]): LeveledLog {
  const destination = pino.destination({ fd: standardError, sync: true });
  // When nobody reads the log any more, the server goes on: events matter more than its log.
  destination.on("error", () => undefined);
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    destination,
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    setLevel(next) {
      logger.level = next;
    },
  };
}
