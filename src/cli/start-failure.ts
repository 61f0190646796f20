// Why the server did not start, as a sentence that names the setting to change.
import type { Configuration } from "../config.ts";
import { namesOf } from "../config-setting.ts";
import { settings } from "../config-settings.ts";

/** One line without a stack trace. */
export function startFailure(error: unknown, { host, port, dataDir }: Configuration): string {
  const message = error instanceof Error ? error.message : String(error);
  const [portNames, hostNames, dataNames] = [settings.port, settings.host, settings.dataDir].map(namesOf);
  const syscall = textMember(error, "syscall");
  const isListening = syscall === "listen";
  switch (textMember(error, "code") ?? "") {
    case "EADDRINUSE":
      if (!isListening) break;
      return `${portNames}: another program listens on port ${port} of ${host}; stop it or choose another port.`;
    case "EACCES":
    case "EPERM":
      return isListening
        ? `${portNames}: this user may not listen on port ${port}; choose one above 1023.`
        : `${dataNames}: this user may not write under ${JSON.stringify(dataDir)}: ${message}.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${hostNames}: this machine has no address ${JSON.stringify(host)}; write one that it has, like 127.0.0.1.`;
    case "ENOTDIR":
    case "EEXIST":
    case "EROFS":
      return `${dataNames}: ${JSON.stringify(dataDir)} cannot be used as a folder: ${message}.`;
    case "ENOENT":
      // Node's recursive mkdir says this of a read-only file system too.
      if (syscall !== "mkdir") break;
      return `${dataNames}: ${JSON.stringify(dataDir)} cannot be made or written; is its disk read-only? ${message}.`;
    case "ENOSPC":
      return `${dataNames}: the disk under ${JSON.stringify(dataDir)} is full.`;
    default:
      break;
  }
  return `Cairn could not start: ${message}`;
}

function textMember(value: unknown, member: "code" | "syscall"): string | undefined {
  if (typeof value !== "object" || value === null || !(member in value)) return undefined;
  const found: unknown = Reflect.get(value, member);
  return typeof found === "string" ? found : undefined;
}
