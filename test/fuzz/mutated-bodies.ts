// Bodies to fuzz the scanner with: records like real ones in every form, and then damaged. Seeded: the same seed gives
// the same bodies.

export interface MutatedBody {
  readonly bytes: Buffer;
  /** How many records were put into it. */
  readonly records: number;
}

export type Random = () => number;

/** Numbers from 0 to below 1. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

export function mutatedBody(random: Random): MutatedBody {
  const count = random() < 0.5 ? 1 : 1 + below(random, 5);
  const records = Array.from({ length: count }, () => mutatedRecord(random));
  let bytes = joined(records, random);
  if (random() < 0.1) bytes = damaged(bytes, random);
  return { bytes, records: count };
}

/** A body of several windows of the scanner, damaged in some places. */
export function largeBody(random: Random): MutatedBody {
  const count = 300 + below(random, 900);
  const plain = Buffer.from(JSON.stringify(record(random)));
  const records = Array.from({ length: count }, () => (random() < 0.005 ? mutatedRecord(random) : plain));
  if (random() < 0.3) records.splice(below(random, count), 0, hugeRecord(random));
  return { bytes: joined(records, random), records: records.length };
}

function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}

function oneOf<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[below(random, values.length)];
  if (value === undefined) throw new Error("There is nothing to choose from.");
  return value;
}

type Frame = (records: readonly Buffer[], random: Random) => readonly (string | Buffer)[];

const log: Frame = (records, random) => {
  const gap = gapOf(random);
  return [
    `{${gap}"Records"${gap}:${gap}[`,
    gap,
    ...separated(records, `${gap},${gap}`),
    gap,
    `]${gap}}`,
    gap,
  ];
};
const array: Frame = (records, random) => {
  const gap = gapOf(random);
  return ["[", gap, ...separated(records, `${gap},${gap}`), gap, "]", gap];
};
const lines: Frame = (records, random) => {
  // A record over several lines is as many bad lines: rarely worth its time.
  const own = random() < 0.02 ? records : records.map(onOneLine);
  return [...separated(own, oneOf(random, ["\n", "\n", "\r\n", "\n\n", " \n"])), gapOf(random)];
};
const logWithMore: Frame = (records) => [
  '{"version":1,"Records":[',
  ...separated(records, ","),
  '],"more":[{}]}',
];
const frames: readonly Frame[] = [log, array, lines, log, array, lines, logWithMore];

function joined(records: readonly Buffer[], random: Random): Buffer {
  const mark = random() < 0.05 ? "\uFEFF" : "";
  const parts =
    records.length === 1 && random() < 0.6 ? records : [mark, ...oneOf(random, frames)(records, random)];
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

function gapOf(random: Random): string {
  return oneOf(random, ["", "", "", " ", "\n", "\r\n", "\t "]);
}

function separated(records: readonly Buffer[], separator: string): (string | Buffer)[] {
  return records.flatMap((own, at) => (at === 0 ? [own] : [separator, own]));
}

function onOneLine(record: Buffer): Buffer {
  return record.includes("\n")
    ? Buffer.from(record.toString("latin1").replaceAll("\n", " "), "latin1")
    : record;
}

const texts = [
  ...["", "AwsApiCall", "s3.amazonaws.com", "us-east-1", "123456789012", "1.11", "Data", "Management"],
  ...[
    "arn:aws:s3:::bucket/key",
    "märy",
    "日本語 😀",
    'say "no"',
    "back\\slash",
    "tab\there",
    "\u2028",
    "é\u0000",
  ],
  ...[
    "sixteen bytes ok",
    "seventeen bytes ok",
    "x".repeat(31),
    "y".repeat(128),
    "z".repeat(129),
    "w".repeat(400),
  ],
  ...["2026-01-10T09:18:41Z", "2026-02-29T09:18:41Z", "2024-02-29T23:59:60Z", "2026-01-10T09:18:41.5Z"],
  ...[
    "0c1f6d1e-7a3c-4f5d-9d50-3f8e2b1a9c77",
    "4d293154-a15b-4c33-9e0a-ff5eeEXAMPLE",
    "\uFEFFmark",
    "NetworkActivity",
  ],
];

const wanted = [
  ...["eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "eventID", "eventType"],
  ...["eventCategory", "recipientAccountId", "errorCode", "vpcEndpointId", "sessionCredentialFromConsole"],
  ...["readOnly", "managementEvent", "userIdentity", "insightDetails", "resources", "arn", "insightType"],
  ...["type", "ARN", "ARNPrefix", "Records"],
];

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => below(random, 16).toString(16)).join("");
}

/** Like a real one; what is optional is there or not. */
function record(random: Random): Record<string, unknown> {
  const maybe = (name: string, value: unknown) => (random() < 0.6 ? { [name]: value } : {});
  const source = oneOf(random, ["s3", "ec2", "iam", "sts"]);
  const arn = `arn:aws:s3:::bucket-${below(random, 9)}/${hex(random, 8)}`;
  const own: Record<string, unknown> = {
    eventVersion: "1.11",
    userIdentity: {
      type: "AssumedRole",
      ...maybe("arn", `arn:aws:sts::123456789012:assumed-role/r/${oneOf(random, texts)}`),
      sessionContext: {
        attributes: { creationDate: "2026-01-10T09:02:11Z" },
        sessionIssuer: { arn: "other" },
      },
    },
    eventTime: "2026-01-10T09:18:41Z",
    eventSource: `${source}.amazonaws.com`,
    eventName: oneOf(random, ["GetObject", "RunInstances", "AssumeRole", `Name${below(random, 5000)}`]),
    awsRegion: oneOf(random, ["us-east-1", "eu-west-1"]),
    requestParameters: { eventName: "inner", n: [1, -2.5e3, 0, null, true], s: oneOf(random, texts) },
    responseElements: null,
    ...maybe("errorCode", oneOf(random, [null, "AccessDenied"])),
    ...maybe("vpcEndpointId", `vpce-${hex(random, 4)}`),
    ...maybe("insightDetails", { insightType: "ApiCallRateInsight", state: "Start" }),
    ...maybe("resources", [
      { type: "AWS::S3::Object", ARN: arn },
      { accountId: "1", type: null, ARNPrefix: arn },
      { ...maybe("ARN", null), ...maybe("ARNPrefix", oneOf(random, texts)) },
    ]),
    eventID: `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-8${hex(random, 3)}-${hex(random, 12)}`,
    readOnly: random() < 0.5,
    ...maybe("eventType", "AwsApiCall"),
    ...maybe("managementEvent", oneOf(random, [true, false, null])),
    ...maybe("recipientAccountId", "123456789012"),
    ...maybe("eventCategory", oneOf(random, ["Management", "Data", "Insight", "NetworkActivity"])),
    ...maybe("sessionCredentialFromConsole", "true"),
  };
  return random() < 0.3 ? shuffled(own, random) : own;
}

function shuffled(own: Record<string, unknown>, random: Random): Record<string, unknown> {
  const entries = Object.entries(own).map((entry) => ({ entry, rank: random() }));
  return Object.fromEntries(entries.sort((a, b) => a.rank - b.rank).map(({ entry }) => entry));
}

type Change = (text: string, random: Random) => string;

/** One character of `text` at `at`, as an escape. */
const escapeAt = (text: string, at: number) =>
  `${text.slice(0, at)}\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}${text.slice(at + 1)}`;

const oddValues = [
  ...[
    "null",
    "1",
    "-0",
    "[]",
    "{}",
    "true",
    "false",
    '""',
    '"\\u0041"',
    '"\\ud83d\\ude00"',
    '"\\ud83d"',
    '"\\n"',
  ],
  ...[
    "[null]",
    "[[]]",
    "[{}]",
    "[1]",
    '{"arn":null}',
    '{"arn":"a\\"b"}',
    '{"arn":1}',
    '{"insightType":"x"}',
    "1e5",
  ],
  ...[
    '[{"type":"t","ARN":"a\\u00e9"},{"ARN":"b"}]',
    '[{"type":1}]',
    '[{"ARN":"a","ARNPrefix":2}]',
    "nul",
    '"',
    "01",
  ],
];
const tokens = [
  ...[
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "\r",
    " ",
    "\t",
    "null",
    "true",
    "-",
    ".",
    "e",
    "E+",
    "0",
    "\u0001",
  ],
  ...[
    "\\u",
    "\\ud800",
    "\\udc00",
    "\\ud83d\\ude00",
    "\\/",
    "\\x",
    "\uFEFF",
    "é",
    '"eventName":"dup",',
    '"arn":"dup",',
  ],
];

const changes: readonly Change[] = [
  // A value of another type.
  (text, random) => {
    const name = oneOf(random, wanted);
    const place = text.indexOf(`"${name}":`);
    if (place < 0) return text.replace("{", `{"${name}":${oneOf(random, oddValues)},`);
    const at = place + name.length + 3;
    const end = /^("(\\.|[^"\\])*"|[^,{}[\]]+)/.exec(text.slice(at))?.[0].length ?? 0;
    return text.slice(0, at) + oneOf(random, oddValues) + text.slice(at + end);
  },
  // Another text.
  (text, random) => {
    const name = oneOf(random, wanted);
    const value = JSON.stringify(oneOf(random, texts));
    return text.replace(new RegExp(`"${name}":"(\\\\.|[^"\\\\])*"`), () => `"${name}":${value}`);
  },
  // A repeated key, first or last.
  (text, random) => {
    const member = `"${oneOf(random, wanted)}":${oneOf(random, oddValues)}`;
    return random() < 0.5 ? text.replace("{", `{${member},`) : text.replace(/\}(\s*)$/, `,${member}}$1`);
  },
  // A key with an escape.
  (text, random) => {
    const name = oneOf(random, wanted);
    const place = text.indexOf(`"${name}":`);
    return place < 0 ? text : escapeAt(text, place + 1 + below(random, name.length));
  },
  // A key that is nearly one of those looked for.
  (text, random) => {
    const name = oneOf(random, wanted);
    if (random() < 0.1) return text.replace(`"${name}"`, '""');
    const at = below(random, name.length);
    return text.replace(
      `"${name}"`,
      `"${name.slice(0, at)}${oneOf(random, ["x", "", "N"])}${name.slice(at + 1)}"`,
    );
  },
  // White space between tokens.
  (text, random) => text.replaceAll(/([,:])"/g, `$1${oneOf(random, [" ", "\n", "\r\n  ", "\t"])}"`),
  // Characters written as escapes.
  (text) => text.replaceAll(/[^ -~]/g, (one) => escapeAt(one, 0)).replaceAll("/", "\\/"),
  // Depth around the limit.
  (text, random) => {
    const depth = 97 + below(random, 5);
    return text.replace("{", `{"deep":${"[".repeat(depth)}${"]".repeat(depth)},`);
  },
  // A token anywhere, instead of some characters.
  (text, random) => {
    const at = below(random, text.length + 1);
    return text.slice(0, at) + oneOf(random, tokens) + text.slice(at + below(random, 3));
  },
  // A number of some form.
  (text, random) => {
    const value = oneOf(random, [
      "-",
      "1.",
      ".5",
      "1e",
      "1e+",
      "00",
      "1.5E-7",
      "-0.0",
      "9".repeat(40),
      "+1",
      "0x1",
    ]);
    return text.replace(/-2500|,0,/, (found) => (found === ",0," ? `,${value},` : value));
  },
  // A bracket that is another one.
  (text, random) => replaceOne(text, random, { of: /[{}[\]]/g, by: oneOf(random, ["{", "}", "[", "]"]) }),
  // A quote that is something else.
  (text, random) => replaceOne(text, random, { of: /"/g, by: oneOf(random, ["x", "", " ", ","]) }),
  (text, random) => text.slice(0, below(random, text.length)),
];

function replaceOne(
  text: string,
  random: Random,
  change: { readonly of: RegExp; readonly by: string },
): string {
  const places = [...text.matchAll(change.of)].map(({ index }) => index);
  if (places.length === 0) return text;
  const at = oneOf(random, places);
  return text.slice(0, at) + change.by + text.slice(at + 1);
}

function mutatedRecord(random: Random): Buffer {
  let text = JSON.stringify(record(random), null, random() < 0.15 ? oneOf(random, [1, 2, "\t"]) : 0);
  if (random() < 0.65) text = oneOf(random, changes)(text, random);
  if (random() < 0.15) text = oneOf(random, changes)(text, random);
  const bytes = Buffer.from(text);
  return random() < 0.2 ? damaged(bytes, random) : bytes;
}

/** A few bytes changed, taken out or put in, whatever they are. */
function damaged(bytes: Buffer, random: Random): Buffer {
  const at = below(random, bytes.length + 1);
  const length = below(random, 4);
  const fresh = Buffer.from(Array.from({ length: below(random, 3) }, () => below(random, 256)));
  if (random() < 0.3) {
    // A byte that is worth more than others in JSON, or in UTF-8.
    const codes = [
      0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x0a, 0x00, 0x1f, 0x7f, 0x80, 0xc3, 0xe2, 0xed, 0xff,
    ];
    const copy = Buffer.from(bytes);
    if (at < copy.length) copy[at] = oneOf(random, codes);
    return copy;
  }
  return Buffer.concat([bytes.subarray(0, at), fresh, bytes.subarray(at + length)]);
}

/** Around the greatest size of a record. */
function hugeRecord(random: Random): Buffer {
  const own = JSON.stringify({ ...record(random), pad: "" });
  const length = 1024 * 1024 - own.length + oneOf(random, [-70_000, -1, 0, 1, 2, 70_000]);
  return Buffer.from(own.replace('"pad":""', `"pad":"${"p".repeat(length)}"`));
}
