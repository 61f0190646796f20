// What the scanner keeps of a record: which keys matter in which object, what values they may have, and in which word of
// its row (or of a resource) the value is found. Numbers are shared with assembly/record.ts. Pure.

/** Where a key stands: in the record itself, or in an object or list of it. */
const inRecord = 0;
const inIdentity = 1;
const inInsightDetails = 2;
const inResource = 3;

const firmText = 1;
const looseText = 2;
const range = 3;
const eventTime = 4;
const eventId = 5;
const boolean = 6;
const identity = 7;
const details = 8;
const resources = 9;
/** A record with such a key is read by scan-record.ts: it may be no record at all. */
const unread = 10;
/** An object of which only its place is kept. */
const place = 11;

/**
 * Words of a row. Texts are numbers of interned ones, 0 for none; ranges are two words, 0 for none. Of objects it is the
 * place of their brace, of the list of resources that of its bracket.
 */
export const word = {
  start: 0,
  end: 1,
  flags: 2,
  filled: 3,
  firstResource: 4,
  resourceCount: 5,
  eventVersion: 6,
  eventSource: 7,
  eventName: 8,
  awsRegion: 9,
  eventType: 10,
  eventCategory: 11,
  recipientAccountId: 12,
  errorCode: 13,
  vpcEndpointId: 14,
  sessionCredentialFromConsole: 15,
  insightType: 16,
  readOnly: 17,
  managementEvent: 18,
  eventTime: 19,
  eventID: 21,
  userIdentityArn: 23,
  userIdentity: 25,
  requestParameters: 26,
  responseElements: 27,
  resources: 28,
} as const;

/** Words of a resource. */
export const resourceWord = { type: 0, arn: 1, arnPrefix: 3 } as const;

export const flag = { isOdd: 1, hasLineBreak: 2, hasSpace: 4 } as const;

/** The second word of a range is its end, negative by the highest bit when the text has escapes; this takes that off. */
export const rangeEnd = 0x7fff_ffff;

interface Key {
  readonly object: number;
  readonly name: string;
  readonly kind: number;
  readonly word: number;
}

const recordKeys = [
  { name: "eventVersion", kind: firmText, word: word.eventVersion },
  { name: "eventTime", kind: eventTime, word: word.eventTime },
  { name: "eventSource", kind: firmText, word: word.eventSource },
  { name: "eventName", kind: firmText, word: word.eventName },
  { name: "awsRegion", kind: firmText, word: word.awsRegion },
  { name: "userIdentity", kind: identity, word: word.userIdentity },
  { name: "eventID", kind: eventId, word: word.eventID },
  { name: "eventType", kind: firmText, word: word.eventType },
  { name: "eventCategory", kind: firmText, word: word.eventCategory },
  { name: "recipientAccountId", kind: firmText, word: word.recipientAccountId },
  { name: "errorCode", kind: looseText, word: word.errorCode },
  { name: "vpcEndpointId", kind: looseText, word: word.vpcEndpointId },
  { name: "sessionCredentialFromConsole", kind: looseText, word: word.sessionCredentialFromConsole },
  { name: "readOnly", kind: boolean, word: word.readOnly },
  { name: "managementEvent", kind: boolean, word: word.managementEvent },
  { name: "insightDetails", kind: details, word: 0 },
  { name: "resources", kind: resources, word: word.resources },
  { name: "requestParameters", kind: place, word: word.requestParameters },
  { name: "responseElements", kind: place, word: word.responseElements },
  { name: "Records", kind: unread, word: 0 },
] as const;

export const keys: readonly Key[] = [
  ...recordKeys.map((key) => ({ object: inRecord, ...key })),
  { object: inIdentity, name: "arn", kind: range, word: word.userIdentityArn },
  { object: inInsightDetails, name: "insightType", kind: looseText, word: word.insightType },
  { object: inResource, name: "type", kind: looseText, word: resourceWord.type },
  { object: inResource, name: "ARN", kind: range, word: resourceWord.arn },
  { object: inResource, name: "ARNPrefix", kind: range, word: resourceWord.arnPrefix },
];

/** The bit that tells a key from all others. */
export function bitOf(key: Key): number {
  return 1 << keys.indexOf(key);
}

type RecordKey = (typeof recordKeys)[number]["name"];

/** The bits in the word `filled` of these keys. */
export function filledBits(names: readonly RecordKey[]): number {
  return keys
    .filter(({ object, name }) => object === inRecord && names.some((wanted) => wanted === name))
    .reduce((bits, key) => bits | bitOf(key), 0);
}
