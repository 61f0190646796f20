// `cairn public-keys`: exports the public keys of a server's digests, so that evidence outlives the server.
import { parseRegion, publicRegions } from "../model/regions.ts";
import { type Endpoint, type ListedKey, listPublicKeys } from "./aws-clients.ts";
import { defaultRegion } from "./cloudtrail-client.ts";
import { printable } from "./printable.ts";
import { serverAddress, unknownFlag } from "./server-address.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";
import { UsageProblem } from "./verify/verify-options.ts";

type Flags = Readonly<Record<string, string>>;

interface ExportOptions {
  readonly endpoint: Endpoint;
  readonly regions: readonly string[];
  readonly output: string | undefined;
}

const knownFlags: readonly string[] = ["endpoint-url", "region", "output"];

/** Exit code 0 when the keys were written, 1 when they could not be had or written, 2 when the flags were wrong. */
export async function publicKeys(flags: Flags, terminal: Terminal): Promise<ExitCode> {
  try {
    const { endpoint, regions, output } = exportOptions(flags, terminal);
    const keys = await keysOf(endpoint, regions);
    const text = JSON.stringify({ PublicKeyList: keys }, null, 2);
    if (keys.length === 0) {
      terminal.err(
        `The server has no public key in ${regions.join(", ")}; it makes one with its first digest.`,
      );
      return exitCodes.failed;
    }
    if (output === undefined) terminal.out(text);
    else writeNew(output, text, terminal);
    return exitCodes.done;
  } catch (error) {
    const isUsage = error instanceof UsageProblem;
    const message = error instanceof Error ? error.message : String(error);
    terminal.err(isUsage ? message : printable(`The public keys could not be exported: ${message}`));
    return isUsage ? exitCodes.usage : exitCodes.failed;
  }
}

function exportOptions(flags: Flags, terminal: Terminal): ExportOptions {
  const unknown = unknownFlag(flags, "cairn public-keys", knownFlags);
  if (unknown !== undefined) throw new UsageProblem(unknown);
  const address = serverAddress(flags, terminal.environment);
  if ("problem" in address) throw new UsageProblem(address.problem);
  const regions = regionsOf(flags["region"] ?? defaultRegion(terminal));
  return { endpoint: { url: address.url, terminal }, regions, output: flags["output"] };
}

/** `us-east-1`, `us-east-1,eu-west-1` or `all`. */
function regionsOf(text: string): readonly string[] {
  if (text === "all") return publicRegions;
  const regions = [...new Set(text.split(",").map((part) => part.trim()))];
  const wrong = regions.find((region) => parseRegion(region) === undefined);
  if (wrong === undefined) return regions;
  throw new UsageProblem(
    `--region: ${JSON.stringify(wrong)} is not a Region; write for example us-east-1, us-east-1,eu-west-1 or all.`,
  );
}

async function keysOf(endpoint: Endpoint, regions: readonly string[]) {
  const keys: (ListedKey & { readonly Region: string })[] = [];
  for (const region of regions) {
    for (const key of await listPublicKeys(endpoint, region)) keys.push({ ...key, Region: region });
  }
  return keys;
}

function writeNew(path: string, text: string, terminal: Terminal): void {
  try {
    terminal.writeNewFile(path, `${text}\n`);
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    const reason = isThere ? "it exists already and is not overwritten" : String(error);
    throw new UsageProblem(
      `--output: ${JSON.stringify(path)} cannot be written: ${reason}; write another path.`,
    );
  }
}
