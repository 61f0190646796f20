// Requests and answers made of the vendor's own models, read here without the generator and the tables that are tested:
// every member filled, those that a model marks sensitive with a text of their own, bytes with another.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TestAnswer, TestRequest } from "../../src/recorder/service/passed-call.test-world.ts";

interface ModelShape {
  readonly shape?: string;
  readonly type?: string;
  readonly sensitive?: boolean;
  readonly document?: boolean;
  readonly members?: Readonly<Record<string, ModelShape>>;
  readonly member?: ModelShape;
  readonly key?: ModelShape;
  readonly value?: ModelShape;
  readonly location?: string;
  readonly locationName?: string;
  readonly queryName?: string;
  readonly payload?: string;
  readonly streaming?: boolean;
  readonly eventstream?: boolean;
  readonly flattened?: boolean;
  readonly jsonvalue?: boolean;
  readonly resultWrapper?: string;
  readonly timestampFormat?: string;
}

interface ModelOperation {
  readonly http?: { readonly method?: string; readonly requestUri?: string };
  readonly input?: ModelShape;
  readonly output?: ModelShape;
}

export interface Model {
  readonly file: string;
  readonly metadata: {
    readonly protocol: string;
    readonly endpointPrefix: string;
    readonly signingName?: string;
    readonly targetPrefix?: string;
    readonly apiVersion: string;
    readonly serviceId: string;
  };
  readonly operations: Readonly<Record<string, ModelOperation>>;
  readonly shapes: Readonly<Record<string, ModelShape>>;
}

const folder = fileURLToPath(new URL("../../node_modules/aws-sdk/apis/", import.meta.url));

/** The newest model of each service. */
export function newestModels(): Model[] {
  const newest = new Map<string, string>();
  for (const file of readdirSync(folder).sort()) {
    const match = /^(.+)-\d{4}-\d\d-\d\d\.min\.json$/.exec(file);
    // An older copy of eventbridge.
    if (match && match[1] !== "events") newest.set(match[1] ?? "", file);
  }
  return [...newest.values()].map(
    (file) => ({ file, ...JSON.parse(readFileSync(folder + file, "utf8")) }) as Model,
  );
}

/** What must never be in a record. */
export const secretText = "S3CR3T-must-not-land";
export const bytesText = "QllURVMtbXVzdC1ub3QtbGFuZA==";

type Value = string | number | boolean | Value[] | { [name: string]: Value };

const nestingMax = 6;

function textOf(value: Value): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

class Sampler {
  readonly #shapes: Model["shapes"];

  /** Members that real records show whatever the model says. */
  readonly #shown: ReadonlySet<string>;

  constructor(shapes: Model["shapes"], shown: readonly string[]) {
    this.#shapes = shapes;
    this.#shown = new Set(shown);
  }

  resolved(shape: ModelShape): ModelShape {
    const named = shape.shape === undefined ? {} : this.#shapes[shape.shape];
    return { ...named, ...shape };
  }

  /** A value for every member, by the API's names; `isSecret` below a sensitive shape. */
  value(given: ModelShape, { depth = 0, isSecret = false, name = "" } = {}): Value {
    const shape = this.resolved(given);
    const secret = isSecret || (shape.sensitive === true && !this.#shown.has(name));
    switch (shape.jsonvalue ? "string" : (shape.type ?? "string")) {
      case "structure": {
        if (shape.document) return secret ? { password: secretText } : { any: "text" };
        const members: { [name: string]: Value } = {};
        if (depth > nestingMax) return members;
        for (const [name, member] of Object.entries(shape.members ?? {}))
          members[name] = this.value(member, { depth: depth + 1, isSecret: secret, name });
        return members;
      }
      case "list":
        return depth > nestingMax
          ? []
          : [this.value(shape.member ?? {}, { depth: depth + 1, isSecret: secret })];
      case "map": {
        const key = this.value(shape.key ?? {}, { depth: depth + 1, isSecret: secret });
        return depth > nestingMax
          ? {}
          : { [textOf(key)]: this.value(shape.value ?? {}, { depth: depth + 1, isSecret: secret }) };
      }
      case "integer":
      case "long":
        return 7;
      case "float":
      case "double":
        return 1.5;
      case "boolean":
        return true;
      case "timestamp":
        return 1_700_000_000;
      case "blob":
        return bytesText;
      default:
        return secret ? secretText : "text";
    }
  }

  wire(shape: ModelShape, value: Value): Value {
    const full = this.resolved(shape);
    if (full.type === "structure" && !full.document && typeof value === "object" && !Array.isArray(value)) {
      const members: { [name: string]: Value } = {};
      for (const [name, part] of Object.entries(value)) {
        const member = full.members?.[name] ?? {};
        members[member.locationName ?? name] = this.wire(member, part);
      }
      return members;
    }
    if (full.type === "list" && Array.isArray(value))
      return value.map((item) => this.wire(full.member ?? {}, item));
    if (full.type === "map" && typeof value === "object" && !Array.isArray(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, part]) => [key, this.wire(full.value ?? {}, part)]),
      );
    }
    return value;
  }

  xml(shape: ModelShape, value: Value, name: string): string {
    const full = this.resolved(shape);
    if (full.type === "structure" && typeof value === "object" && !Array.isArray(value)) {
      const inner = Object.entries(value).map(([part, inside]) => {
        const member = full.members?.[part] ?? {};
        return this.xml(member, inside, member.locationName ?? part);
      });
      return `<${name}>${inner.join("")}</${name}>`;
    }
    if (full.type === "list" && Array.isArray(value)) {
      const item = full.member?.locationName;
      if (full.flattened)
        return value.map((part) => this.xml(full.member ?? {}, part, item ?? name)).join("");
      return `<${name}>${value.map((part) => this.xml(full.member ?? {}, part, item ?? "member")).join("")}</${name}>`;
    }
    if (full.type === "map" && typeof value === "object" && !Array.isArray(value)) {
      const entry = full.flattened ? name : "entry";
      const entries = Object.entries(value).map(
        ([key, part]) =>
          `<${entry}>${this.xml(full.key ?? {}, key, full.key?.locationName ?? "key")}${this.xml(full.value ?? {}, part, full.value?.locationName ?? "value")}</${entry}>`,
      );
      return full.flattened ? entries.join("") : `<${name}>${entries.join("")}</${name}>`;
    }
    return `<${name}>${textOf(value)}</${name}>`;
  }

  parameters(
    at: { readonly shape: ModelShape; readonly name: string; readonly isEc2: boolean },
    value: Value,
  ): [string, string][] {
    const { shape, name, isEc2 } = at;
    const full = this.resolved(shape);
    const dot = name === "" ? "" : ".";
    if (full.type === "structure" && typeof value === "object" && !Array.isArray(value)) {
      return Object.entries(value).flatMap(([part, inside]) => {
        const member = full.members?.[part] ?? {};
        const own =
          member.queryName ??
          (isEc2 ? upperFirst(member.locationName ?? part) : (member.locationName ?? part));
        return this.parameters({ shape: member, name: `${name}${dot}${own}`, isEc2 }, inside);
      });
    }
    if (full.type === "list" && Array.isArray(value)) {
      const item = full.member?.locationName;
      const parts = name.split(".");
      const flat = item === undefined ? name : [...parts.slice(0, -1), item].join(".");
      const base = isEc2 ? name : full.flattened ? flat : `${name}.${item ?? "member"}`;
      return value.flatMap((part, index) =>
        this.parameters({ shape: full.member ?? {}, name: `${base}.${index + 1}`, isEc2 }, part),
      );
    }
    if (full.type === "map" && typeof value === "object" && !Array.isArray(value)) {
      return Object.entries(value).flatMap(([key, part], index) => {
        const entry = `${name}${full.flattened ? "" : ".entry"}.${index + 1}`;
        return [
          [`${entry}.${full.key?.locationName ?? "key"}`, key] as [string, string],
          ...this.parameters(
            { shape: full.value ?? {}, name: `${entry}.${full.value?.locationName ?? "value"}`, isEc2 },
            part,
          ),
        ];
      });
    }
    return [[name, textOf(value)]];
  }
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The ids of the keys that S3 encrypts with, as real records have them. */
const shownAnyway: Readonly<Record<string, readonly string[]>> = {
  S3: ["SSEKMSKeyId", "SSEKMSEncryptionContext", "KMSMasterKeyID", "KeyId", "KMSKeyId"],
};

export interface SampleCall {
  readonly operation: string;
  readonly request: TestRequest;
  readonly answer: TestAnswer;
}

/** One call of every operation of a service, every member filled. */
export function sampleCalls(model: Model): SampleCall[] {
  const sampler = new Sampler(model.shapes ?? {}, shownAnyway[model.metadata.serviceId] ?? []);
  return Object.entries(model.operations).map(([operation, { http = {}, input, output }]) => {
    const { metadata } = model;
    const value = input ? sampler.value(input) : {};
    const answered = output ? sampler.value(output) : {};
    const service = metadata.signingName ?? metadata.endpointPrefix;
    if (metadata.protocol === "json") {
      return {
        operation,
        request: {
          service,
          headers: {
            "x-amz-target": `${metadata.targetPrefix ?? ""}.${operation}`,
            "content-type": "application/x-amz-json-1.1",
          },
          body: JSON.stringify(input ? sampler.wire(input, value) : {}),
        },
        answer: { body: JSON.stringify(output ? sampler.wire(output, answered) : {}) },
      };
    }
    if (metadata.protocol === "query" || metadata.protocol === "ec2") {
      const isEc2 = metadata.protocol === "ec2";
      const pairs = input ? sampler.parameters({ shape: input, name: "", isEc2 }, value) : [];
      const body = new URLSearchParams([
        ["Action", operation],
        ["Version", metadata.apiVersion],
        ...pairs,
      ]).toString();
      const wrapper = output?.resultWrapper;
      const xml = output ? sampler.xml(output, answered, wrapper ?? `${operation}Response`) : "";
      return {
        operation,
        request: { service, headers: { "content-type": "application/x-www-form-urlencoded" }, body },
        answer: { body: wrapper === undefined ? xml : `<${operation}Response>${xml}</${operation}Response>` },
      };
    }
    return restCall(sampler, { model, operation, http, input, output, value, answered, service });
  });
}

interface RestParts {
  readonly model: Model;
  readonly operation: string;
  readonly http: NonNullable<ModelOperation["http"]>;
  readonly input: ModelShape | undefined;
  readonly output: ModelShape | undefined;
  readonly value: Value;
  readonly answered: Value;
  readonly service: string;
}

function restCall(sampler: Sampler, parts: RestParts): SampleCall {
  const { model, operation, http, input, output, value, answered, service } = parts;
  const isXml = model.metadata.protocol === "rest-xml";
  const request = message(sampler, { shape: input, value, isXml });
  const answer = message(sampler, { shape: output, value: answered, isXml });
  const [path = "/", query = ""] = (http.requestUri ?? "/").split("?", 2);
  const filled = path.replace(/\{([^}+]+)\+?\}/g, (_, name: string) =>
    encodeURIComponent(request.labels[name] ?? "text"),
  );
  return {
    operation,
    request: {
      service,
      method: http.method ?? "POST",
      path: filled,
      query: [query, request.query.toString()].filter((part) => part !== "").join("&"),
      headers: { "content-type": isXml ? "application/xml" : "application/json", ...request.headers },
      body: request.body,
    },
    answer: { headers: answer.headers, body: answer.body },
  };
}

function message(
  sampler: Sampler,
  { shape, value, isXml }: { shape: ModelShape | undefined; value: Value; isXml: boolean },
) {
  const labels: Record<string, string> = {};
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  const rest: { [name: string]: Value } = {};
  const full = shape ? sampler.resolved(shape) : {};
  for (const [name, part] of Object.entries(
    typeof value === "object" && !Array.isArray(value) ? value : {},
  )) {
    const member = sampler.resolved(full.members?.[name] ?? {});
    const wire = member.locationName ?? name;
    const text = typeof part === "object" ? JSON.stringify(part) : String(part);
    if (member.location === "uri") labels[wire] = text;
    else if (member.location === "querystring")
      query.append(wire, Array.isArray(part) ? textOf(part[0] ?? "") : text);
    else if (member.location === "header") headers[wire.toLowerCase()] = text;
    else if (member.location === undefined) rest[name] = part;
  }
  return { labels, query, headers, body: bodyOf(sampler, { full, rest, isXml }) };
}

function bodyOf(
  sampler: Sampler,
  { full, rest, isXml }: { full: ModelShape; rest: { [name: string]: Value }; isXml: boolean },
): string {
  if (full.payload === undefined) {
    if (Object.keys(rest).length === 0) return "";
    return isXml
      ? sampler.xml({ ...full, type: "structure" }, rest, "Root")
      : JSON.stringify(sampler.wire(full, rest));
  }
  const member = sampler.resolved(full.members?.[full.payload] ?? {});
  const value = rest[full.payload] ?? "";
  if (member.type !== "structure") return textOf(value);
  return isXml
    ? sampler.xml(member, value, member.locationName ?? full.payload)
    : JSON.stringify(sampler.wire(member, value));
}
