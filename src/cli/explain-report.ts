// Asks a server to explain (POST /explain) and reads the answer. The wire form is that of src/trail/explain-events.ts; what a
// newer server adds is passed over. Must not: print.
import { z } from "zod";
import type { AskingTerminal } from "./cloudtrail-client.ts";
import { fetchFailure } from "./fetch-failure.ts";
import { printable } from "./printable.ts";
import { parsed, refusalOf, requestServer } from "./server-request.ts";

const answerMsMax = 60_000;

const condition = z.object({
  field: z.string(),
  demand: z.string(),
  holds: z.boolean(),
  value: z.string().exactOptional(),
  resources: z
    .array(
      z.object({
        type: z.string().exactOptional(),
        arn: z.string().exactOptional(),
        fails: z.array(z.string()).readonly(),
      }),
    )
    .readonly()
    .exactOptional(),
});

const explained = z.object({
  index: z.number(),
  event: z.object({
    eventID: z.string().exactOptional(),
    eventTime: z.string().exactOptional(),
    eventSource: z.string().exactOptional(),
    eventName: z.string().exactOptional(),
    eventCategory: z.string(),
    account: z.string(),
    region: z.string(),
  }),
  isLogged: z.boolean(),
  why: z.array(z.string()).readonly(),
  changes: z.array(z.string()).readonly(),
  scope: z.array(z.object({ demand: z.string(), holds: z.boolean() })).readonly(),
  decidedBy: z.string(),
  selectors: z
    .array(z.object({ label: z.string(), matches: z.boolean(), conditions: z.array(condition).readonly() }))
    .readonly(),
  decided: z
    .object({ isLogged: z.boolean(), arrivedMs: z.number(), difference: z.string().exactOptional() })
    .exactOptional(),
});

const report = z.object({
  trail: z.object({ arn: z.string(), isLogging: z.boolean() }),
  source: z.string(),
  events: z.array(z.union([explained, z.object({ index: z.number(), problem: z.string() })])).readonly(),
});

export type ReadExplanation = Readonly<z.infer<typeof explained>>;
export type ExplainReport = Readonly<z.infer<typeof report>>;

export interface ExplainRequest {
  readonly url: URL;
  readonly trail: string;
  readonly region?: string;
  readonly account?: string;
  readonly body: string | undefined;
  readonly eventId: string | undefined;
}

/** `raw` is the whole answer. The problem is a sentence. */
export type ExplainReply =
  | { readonly report: ExplainReport; readonly raw: unknown }
  | { readonly problem: string };

/** Asks once. Never rejects. */
export async function askExplanation(
  request: ExplainRequest,
  terminal: AskingTerminal,
): Promise<ExplainReply> {
  const { url, trail, region, account, body, eventId } = request;
  const where = printable(url.href);
  const query = new Map([["trail", trail]]);
  if (eventId !== undefined) query.set("eventId", eventId);
  try {
    const response = await requestServer(
      {
        ...{ url, method: "POST", path: "/explain", query, body: body ?? "" },
        ...(region !== undefined && { region }),
        ...(account !== undefined && { account }),
        signal: AbortSignal.timeout(answerMsMax),
      },
      terminal,
    );
    if (response.status !== 200) return { problem: await refusalOf(response, where) };
    const raw = parsed(await response.text());
    const reading = report.safeParse(raw);
    if (reading.success) return { report: reading.data, raw };
    return { problem: `What ${where} answered is no explanation of a Cairn.` };
  } catch (error) {
    return { problem: `${where} does not answer: ${fetchFailure(error, answerMsMax)}.` };
  }
}
