// Fills in what an event record must have and its writer need not know, in the order of real records. Pure.

/** Any member of a record; all but the name may be left out. */
export interface EventInput {
  readonly eventName: string;
  /** Like `orders.example.com`; the recorder's own when absent. */
  readonly eventSource?: string;
  readonly userIdentity?: object;
  /** ISO 8601 or a Date; now when absent. */
  readonly eventTime?: string | Date;
  readonly eventCategory?: "Management" | "Data";
  readonly readOnly?: boolean;
  readonly requestParameters?: object | null;
  readonly responseElements?: object | null;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly resources?: readonly object[];
  readonly [member: string]: unknown;
}

export interface Completion {
  readonly region: string;
  readonly account: string;
  readonly eventSource?: string | undefined;
  readonly nowMs: number;
  readonly newId: () => string;
}

export interface CompleteEvent {
  readonly eventID: string;
  readonly [member: string]: unknown;
}

export function completeEvent(input: EventInput, completion: Completion): CompleteEvent {
  const { region, account, nowMs, newId } = completion;
  const eventSource = input.eventSource ?? completion.eventSource;
  if (typeof input.eventName !== "string" || input.eventName === "") {
    throw new TypeError("An event needs an eventName.");
  }
  if (eventSource === undefined)
    throw new TypeError("An event needs an eventSource, its own or the recorder's.");
  const eventCategory = input.eventCategory ?? (input["managementEvent"] === false ? "Data" : "Management");
  const { eventName, eventTime, eventID, readOnly = false, requestParameters, responseElements } = input;
  const completed: Record<string, unknown> = {
    eventVersion: "1.11",
    userIdentity: { type: "Unknown", accountId: account },
    eventTime: timeText(eventTime ?? nowMs),
    ...{ eventSource, eventName, awsRegion: region },
    sourceIPAddress: undefined,
    userAgent: undefined,
    errorCode: undefined,
    errorMessage: undefined,
    requestParameters: requestParameters ?? null,
    responseElements: responseElements ?? null,
    additionalEventData: undefined,
    requestID: undefined,
    eventID: undefined,
    readOnly,
    resources: undefined,
    eventType: "AwsApiCall",
    managementEvent: eventCategory === "Management",
    recipientAccountId: account,
    eventCategory,
  };
  for (const [name, value] of Object.entries(input)) {
    if (value !== undefined && name !== "eventTime") completed[name] = value;
  }
  const id = typeof eventID === "string" ? eventID : newId();
  completed["eventID"] = id;
  return Object.assign(completed, { eventID: id });
}

/** Whole seconds, UTC. */
function timeText(time: string | Date | number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new TypeError("The eventTime is no time.");
  return `${date.toISOString().slice(0, 19)}Z`;
}
