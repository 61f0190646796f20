// Which operation of a REST service a method and a path are, by the URI templates of its table. Pure.
import type { ServiceTable } from "./service-table.ts";

interface Route {
  readonly operation: string;
  readonly method: string;
  readonly segments: readonly Segment[];
  /** What the template wants in the query: `?list-type=2`, `?acl`. */
  readonly query: readonly (readonly [string, string | undefined])[];
  /** Literal segments first, then those with more query. */
  readonly weight: number;
  /** Services that share a name differ in no more, now and then. */
  readonly endsInSlash: boolean;
}

type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "label"; readonly name: string; readonly before: string; readonly after: string }
  | { readonly kind: "rest"; readonly name: string };

export interface RoutedOperation {
  readonly operation: string;
  readonly labels: ReadonlyMap<string, string>;
  /** How much of the request the template names: of several services the one that names most is meant. */
  readonly weight: number;
}

export type Router = (method: string, path: string, query: URLSearchParams) => RoutedOperation | undefined;

/** A router over every operation of a table. */
export function routerOf(table: ServiceTable): Router {
  const routes = table.operationNames.map((name) => routeOf(name, table)).sort((a, b) => b.weight - a.weight);
  const byMethod = new Map<string, Route[]>();
  for (const route of routes) {
    const others = byMethod.get(route.method);
    if (others) others.push(route);
    else byMethod.set(route.method, [route]);
  }
  return (method, path, query) => {
    const segments = segmentsOf(path);
    const endsInSlash = path.endsWith("/");
    for (const route of byMethod.get(method) ?? []) {
      const labels = labelsOf(route, segments, query);
      if (labels)
        return {
          operation: route.operation,
          labels,
          weight: route.weight + Number(route.endsInSlash === endsInSlash),
        };
    }
    return undefined;
  };
}

function routeOf(name: string, table: ServiceTable): Route {
  const { method = "POST", uri = "/" } = table.operation(name) ?? {};
  const [path = "", query = ""] = uri.split("?", 2);
  const segments = segmentsOf(path).map(segmentOf);
  const wanted = query === "" ? [] : query.split("&").map((pair) => pairOf(pair));
  const literal = segments.reduce(
    (sum, { kind }) => sum + (kind === "literal" ? 100 : kind === "label" ? 10 : 1),
    0,
  );
  return {
    operation: name,
    method,
    segments,
    query: wanted,
    weight: literal + 2 * wanted.length,
    endsInSlash: path.endsWith("/"),
  };
}

function pairOf(pair: string): readonly [string, string | undefined] {
  const [name = "", value] = pair.split("=", 2);
  return [name, value];
}

/** A slash at the end means nothing. */
function segmentsOf(path: string): string[] {
  const segments = path.split("/").slice(1);
  if (segments.length > 0 && segments.at(-1) === "") segments.pop();
  return segments;
}

function segmentOf(text: string): Segment {
  const match = /^([^{]*)\{([^}+]+)(\+?)\}(.*)$/.exec(text);
  if (!match) return { kind: "literal", text };
  const [, before = "", name = "", greedy, after = ""] = match;
  return greedy ? { kind: "rest", name } : { kind: "label", name, before, after };
}

function labelsOf(
  route: Route,
  segments: readonly string[],
  query: URLSearchParams,
): Map<string, string> | undefined {
  const labels = new Map<string, string>();
  const { length } = route.segments;
  const rest = route.segments.findIndex(({ kind }) => kind === "rest");
  if (rest === -1 ? segments.length !== length : segments.length < length) return undefined;
  for (const [index, segment] of route.segments.entries()) {
    // What follows a greedy label is counted from the end.
    const text = segments[rest !== -1 && index > rest ? segments.length - length + index : index] ?? "";
    if (segment.kind === "rest")
      labels.set(segment.name, decoded(segments.slice(rest, segments.length - length + rest + 1).join("/")));
    else if (segment.kind === "literal") {
      if (segment.text !== text) return undefined;
    } else {
      if (!text.startsWith(segment.before) || !text.endsWith(segment.after)) return undefined;
      if (text.length <= segment.before.length + segment.after.length) return undefined;
      labels.set(
        segment.name,
        decoded(text.slice(segment.before.length, text.length - segment.after.length)),
      );
    }
  }
  const hasQuery = route.query.every(([name, value]) =>
    value === undefined ? query.has(name) : query.get(name) === value,
  );
  return hasQuery ? labels : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
