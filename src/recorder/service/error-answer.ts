// Errors that Cairn gives in a service's place, in the form that the clients of its protocol read. Pure.
import type { ServiceError, ServiceErrorAnswer } from "../contract.ts";

export type AnswerForm = "json" | "rest-json" | "query" | "ec2" | "rest-xml" | "s3" | "cbor";

export interface AskedHow {
  readonly form: AnswerForm;
  readonly method: string;
  readonly jsonVersion?: string;
  readonly namespace?: string;
}

export function errorAnswer(error: ServiceError, asked: AskedHow): ServiceErrorAnswer {
  const { status } = error;
  const { body, headers } = forms[asked.form](error, asked);
  // An answer to HEAD has no body; its length would only confuse.
  if (asked.method === "HEAD") return { status, headers, body: "" };
  return { status, headers, body };
}

type Form = (error: ServiceError, asked: AskedHow) => Pick<ServiceErrorAnswer, "headers" | "body">;

const forms: Readonly<Record<AnswerForm, Form>> = {
  json: (error, { jsonVersion = "1.1" }) => ({
    headers: {
      "content-type": `application/x-amz-json-${jsonVersion}`,
      "x-amzn-RequestId": error.requestId,
      "x-amzn-errortype": error.code,
    },
    body: JSON.stringify({ __type: error.code, message: error.message, Message: error.message }),
  }),
  "rest-json": (error) => ({
    headers: {
      "content-type": "application/json",
      "x-amzn-RequestId": error.requestId,
      "x-amzn-errortype": error.code,
    },
    body: JSON.stringify({ code: error.code, message: error.message }),
  }),
  query: queryForm,
  "rest-xml": queryForm,
  ec2: (error) => ({
    headers: { "content-type": "text/xml;charset=UTF-8", "x-amzn-requestid": error.requestId },
    body:
      `${xmlHead}<Response><Errors><Error><Code>${escaped(error.code)}</Code>` +
      `<Message>${escaped(error.message)}</Message></Error></Errors><RequestID>${escaped(error.requestId)}</RequestID></Response>`,
  }),
  s3: (error) => ({
    headers: { "content-type": "application/xml", "x-amz-request-id": error.requestId },
    body:
      `${xmlHead}<Error><Code>${escaped(error.code)}</Code><Message>${escaped(error.message)}</Message>` +
      `<RequestId>${escaped(error.requestId)}</RequestId></Error>`,
  }),
  cbor: (error) => ({
    headers: {
      "content-type": "application/cbor",
      "smithy-protocol": "rpc-v2-cbor",
      "x-amzn-requestid": error.requestId,
    },
    body: cborMap({ __type: error.code, message: error.message }),
  }),
};

const xmlHead = '<?xml version="1.0" encoding="UTF-8"?>\n';

function queryForm(error: ServiceError, { namespace }: AskedHow): ReturnType<Form> {
  const xmlns = namespace === undefined ? "" : ` xmlns="${escaped(namespace)}"`;
  const side = error.status < 500 ? "Sender" : "Receiver";
  return {
    headers: { "content-type": "text/xml", "x-amzn-RequestId": error.requestId },
    body:
      `<ErrorResponse${xmlns}><Error><Type>${side}</Type><Code>${escaped(error.code)}</Code>` +
      `<Message>${escaped(error.message)}</Message></Error><RequestId>${escaped(error.requestId)}</RequestId></ErrorResponse>`,
  };
}

function escaped(text: string): string {
  const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  // XML cannot say most control characters.
  return (
    text
      // oxlint-disable-next-line no-control-regex -- those are what is meant
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "?")
      .replace(/[&<>"]/g, (c) => named[c] ?? c)
  );
}

/** A map of a few short texts. */
function cborMap(entries: Readonly<Record<string, string>>): Uint8Array {
  const pairs = Object.entries(entries);
  return Buffer.concat([Buffer.from([0xa0 | pairs.length]), ...pairs.flat().map(cborText)]);
}

function cborText(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 0xffff);
  const { length } = bytes;
  const head =
    length < 24
      ? [0x60 | length]
      : length < 256
        ? [0x78, length]
        : [0x79, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from(head), bytes]);
}
