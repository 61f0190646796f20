// How the endpoints behind Cairn are written: a list of `service=URL`, and in the file also as a group, where each may say
// with which credentials its requests are signed again.
import { z } from "zod";
import {
  endpointUrl,
  type Reading,
  type ServiceEndpoint,
  serviceEndpoint,
  shown,
  type ValueKind,
} from "./config-values.ts";

/** Where calls to one service go. */
export interface ForwardedEndpoint {
  /** SigV4's name of the service, or `default`. */
  readonly service: string;
  readonly endpoint: ServiceEndpoint;
}

/** Credentials for signing again, as the file has them. */
export interface ResignInFile {
  readonly accessKeyId: string;
  readonly secretAccessKey?: string | undefined;
  readonly secretAccessKeyFile?: string | undefined;
  readonly sessionToken?: string | undefined;
  readonly region?: string | undefined;
}

const endpointsMax = 500;
const url = endpointUrl();
const urlOrAws = serviceEndpoint();
const example = "dynamodb=http://127.0.0.1:8000";

/** Answered by Cairn itself, whatever the default endpoint. */
const ownServices = ["cloudtrail", "cloudtrail-data", "cairn"];

/** What is wrong with the name of a service; undefined when nothing is. */
export function serviceProblem(service: string): string | undefined {
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(service)) {
    return `${shown(service)} is not the name of a service; write the one that signatures carry, like dynamodb, or default`;
  }
  return ownServices.includes(service) ? `${service} is Cairn itself and has no endpoint` : undefined;
}

/** `dynamodb=http://127.0.0.1:8000,default=http://127.0.0.1:5000` */
export const endpointList: ValueKind<readonly ForwardedEndpoint[]> = {
  form: "list of `service=URL`",
  read(raw) {
    if (typeof raw !== "string") return { problem: `${shown(raw)} is not a list like ${example}` };
    const entries = raw.trim() === "" ? [] : raw.split(",").map((entry) => entry.trim());
    if (entries.length > endpointsMax)
      return { problem: `it has ${entries.length} values; write ${endpointsMax} at most` };
    const endpoints: ForwardedEndpoint[] = [];
    for (const entry of entries) {
      const reading = readEntry(entry);
      if ("problem" in reading) return reading;
      if (endpoints.some(({ service }) => service === reading.value.service)) {
        return { problem: `${reading.value.service} is given twice; keep one` };
      }
      endpoints.push(reading.value);
    }
    return { value: endpoints };
  },
};

function readEntry(entry: string): Reading<ForwardedEndpoint> {
  const equals = entry.indexOf("=");
  if (equals === -1) return { problem: `${shown(entry)} is not like ${example}` };
  const service = entry.slice(0, equals).trim();
  const problem = serviceProblem(service);
  if (problem !== undefined) return { problem };
  const reading = url.read(entry.slice(equals + 1).trim());
  if ("problem" in reading) return { problem: `of ${service}, ${reading.problem}` };
  return { value: { service, endpoint: { kind: "url", url: reading.value } } };
}

const visible = (what: string, max: number) =>
  z
    .string({ error: `must be ${what}` })
    .regex(new RegExp(`^[\\x21-\\x7e]{1,${max}}$`), { error: `must be ${what}` });

const resignSchema = z
  .strictObject(
    {
      accessKeyId: z
        .string({ error: "must be an access key id" })
        .regex(/^[\w-]{3,128}$/, { error: "must be an access key id" }),
      secretAccessKey: visible("a secret access key", 256).optional(),
      secretAccessKeyFile: z.string({ error: "must be the path of a file" }).min(1).max(4096).optional(),
      sessionToken: visible("a session token", 4096).optional(),
      region: z
        .string({ error: "must be a Region" })
        .regex(/^[a-z0-9-]{1,64}$/, { error: "must be a Region" })
        .optional(),
    },
    { error: "must be a group with accessKeyId and secretAccessKey" },
  )
  .superRefine((key, context) => {
    if ((key.secretAccessKey === undefined) === (key.secretAccessKeyFile === undefined)) {
      context.addIssue({ code: "custom", message: "needs either secretAccessKey or secretAccessKeyFile" });
    }
  });

const groupSchema = z.strictObject({ url: z.unknown(), resign: resignSchema.optional() });

/** The group `endpoints` of a file, read. */
export interface EndpointsInFile {
  /** Of settings that have a name of their own: key in the group → value. */
  readonly own: Readonly<Record<string, unknown>>;
  readonly others: readonly ForwardedEndpoint[];
  readonly resigns: ReadonlyMap<string, ResignInFile>;
}

/**
 * `dynamodb: URL`, or `dynamodb: { url: URL, resign: { … } }`; `aws` stands for AWS's own endpoints. `kindOf` gives the
 * kinds of the settings that have a name of their own.
 */
export function endpointsSchema(
  kindOf: (service: string) => ValueKind<unknown> | undefined,
): z.ZodType<EndpointsInFile> {
  return z.unknown().transform((raw, context): EndpointsInFile => {
    const own: Record<string, unknown> = {};
    const others: ForwardedEndpoint[] = [];
    const resigns = new Map<string, ResignInFile>();
    const say = (message: string, path: readonly PropertyKey[]) =>
      context.addIssue({ code: "custom", message, path: [...path] });
    if (typeof raw === "string") {
      const reading = endpointList.read(raw);
      if ("problem" in reading) say(reading.problem, []);
      return { own, others: "value" in reading ? reading.value : [], resigns };
    }
    if (typeof raw !== "object" || raw === null || Array.isArray(raw)) say("must be a group of URLs", []);
    for (const [service, written] of Object.entries(raw ?? {})) {
      const problem = serviceProblem(service);
      const entry =
        problem === undefined ? readGroup(written) : { problems: [{ message: problem, path: [] }] };
      if ("problems" in entry) {
        for (const { message, path } of entry.problems) say(message, [service, ...path]);
        continue;
      }
      const kind = kindOf(service);
      const reading = (kind ?? urlOrAws).read(entry.url);
      if ("problem" in reading) say(reading.problem, [service]);
      else if (kind) own[service] = reading.value;
      const endpoint = kind ? undefined : urlOrAws.read(entry.url);
      if (endpoint && "value" in endpoint) others.push({ service, endpoint: endpoint.value });
      if (entry.resign) resigns.set(service, entry.resign);
    }
    return { own, others, resigns };
  });
}

interface GroupProblem {
  readonly message: string;
  readonly path: readonly PropertyKey[];
}

function readGroup(
  written: unknown,
):
  | { readonly url: unknown; readonly resign?: ResignInFile | undefined }
  | { readonly problems: readonly GroupProblem[] } {
  if (typeof written !== "object" || written === null || Array.isArray(written)) return { url: written };
  const group = groupSchema.safeParse(written);
  if (group.success) return group.data;
  const problems = group.error.issues.map((issue) => ({
    message:
      issue.code === "unrecognized_keys"
        ? `there is no such setting: ${issue.keys.join(", ")}`
        : issue.message,
    path: issue.path,
  }));
  return { problems };
}
