// Which tables a request may belong to: by its signing name, its target, its path. Loads a table when it is first asked
// for; there are as many as services, so memory is bounded.
import { catalogue } from "../generated/service-catalogue.ts";
import type { PassingHead } from "../contract.ts";
import { type Router, routerOf } from "./rest-routes.ts";
import { type CatalogueRow, type ServiceTable, unpackTable } from "./service-table.ts";
import { type S3Finder, s3FinderOf } from "./s3-operation.ts";
import { headerOf } from "./read-body.ts";

export interface KnownService {
  readonly table: ServiceTable;
  readonly route: Router;
  readonly findS3: S3Finder;
}

interface LoadableRow extends CatalogueRow {
  load(): Promise<{ readonly packed: string }>;
}

const rows: readonly LoadableRow[] = catalogue;

export class KnownServices {
  readonly #loaded = new Map<string, Promise<KnownService>>();

  /** The services that a request with this head may be for, the likeliest first. */
  async of(head: PassingHead): Promise<readonly KnownService[]> {
    return Promise.all(rowsFor(head).map((row) => this.#load(row)));
  }

  #load(row: LoadableRow): Promise<KnownService> {
    const loading = this.#loaded.get(row.name) ?? load(row);
    this.#loaded.set(row.name, loading);
    return loading;
  }
}

async function load(row: LoadableRow): Promise<KnownService> {
  const { packed } = await row.load();
  const table = unpackTable(row, packed);
  let route: Router | undefined;
  let findS3: S3Finder | undefined;
  return {
    table,
    route: (...asked) => (route ??= routerOf(table))(...asked),
    findS3: (...asked) => (findS3 ??= s3FinderOf(table))(...asked),
  };
}

function rowsFor(head: PassingHead): readonly LoadableRow[] {
  const target = targetOf(head);
  const byTarget = target && rowsByTarget.get(target.prefix);
  if (byTarget) return byTarget;
  const { service } = head;
  if (service === "s3-object-lambda") return named("s3");
  if (service === "s3-outposts" && !head.path.startsWith("/S3Outposts/")) return named("s3");
  if (service === "s3" || service === "s3express") return named(isS3Control(head) ? "s3control" : "s3");
  return rowsBySigningName.get(service.toLowerCase()) ?? [];
}

/** `X-Amz-Target: DynamoDB_20120810.GetItem`. */
export function targetOf(
  head: PassingHead,
): { readonly prefix: string; readonly operation: string } | undefined {
  const text = headerOf(head.headers, "x-amz-target");
  const dot = text?.lastIndexOf(".") ?? -1;
  return text === undefined || dot === -1
    ? undefined
    : { prefix: text.slice(0, dot), operation: text.slice(dot + 1) };
}

/** S3 Control signs as S3; its paths begin with its date. */
function isS3Control({ path }: PassingHead): boolean {
  return path.startsWith("/v20180820/");
}

function named(name: string): readonly LoadableRow[] {
  return rows.filter((row) => row.name === name);
}

const rowsByTarget = rowsBy(({ targetPrefix }) => (targetPrefix === undefined ? [] : [targetPrefix]));
const rowsBySigningName = rowsBy(({ signingName, endpointPrefix }) => [
  signingName.toLowerCase(),
  endpointPrefix.toLowerCase(),
]);

/** Several services share a name; the newest comes first. */
function rowsBy(
  namesOf: (row: LoadableRow) => readonly string[],
): ReadonlyMap<string, readonly LoadableRow[]> {
  const byName = new Map<string, LoadableRow[]>();
  for (const row of rows) {
    for (const name of new Set(namesOf(row))) {
      byName.set(name, [...(byName.get(name) ?? []), row]);
    }
  }
  for (const sharing of byName.values()) sharing.sort(newerFirst);
  return byName;
}

/** Of the same age the one that the name is from: rds before neptune. */
function newerFirst(a: LoadableRow, b: LoadableRow): number {
  if (a.apiVersion !== b.apiVersion) return a.apiVersion < b.apiVersion ? 1 : -1;
  return Number(b.name === b.signingName) - Number(a.name === a.signingName);
}
