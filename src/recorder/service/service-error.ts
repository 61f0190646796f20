// The error that an answer says, in each protocol's form, as a record writes it (formats.md §1.2). Pure.
import { isObject } from "../../model/json.ts";
import type { RequestHeaders } from "../../model/headers.ts";
import { parseCbor } from "./cbor.ts";
import { headerOf, type ReadBody } from "./read-body.ts";
import { type Reading, shownText } from "./record-values.ts";
import { hidden, isSecretName } from "./secrecy.ts";
import { child, descendant, parseXml } from "./xml-tree.ts";

export interface ReportedError {
  readonly code: string;
  readonly message?: string;
}

/** Undefined for an answer that is no error. */
export function errorOf(status: number, headers: RequestHeaders, body: ReadBody): ReportedError | undefined {
  if (status < 400) return undefined;
  const said = errorIn(headers, body);
  const code = said.code ?? codeOfStatus(status);
  return { code, ...(said.message !== undefined && { message: said.message }) };
}

interface Said {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

function errorIn(headers: RequestHeaders, body: ReadBody): Said {
  const named = headerOf(headers, "x-amzn-errortype") ?? headerOf(headers, "x-amz-error-code");
  const said = errorInBody(headers, body);
  // Services that once spoke Query still name the code of old in a header.
  const ofOld = headerOf(headers, "x-amzn-query-error")?.split(";")[0];
  return {
    code: plainCode(said.code ?? named ?? ofOld),
    message: said.message ?? headerOf(headers, "x-amz-error-message"),
  };
}

function errorInBody(headers: RequestHeaders, read: ReadBody): Said {
  const { bytes } = read;
  if (bytes.length === 0) return {};
  if (headerOf(headers, "content-type")?.includes("cbor")) return jsonError(parseCbor(bytes));
  const body = read.text().trimStart();
  if (body.startsWith("<")) return xmlError(body);
  if (!body.startsWith("{")) return {};
  try {
    return jsonError(JSON.parse(body));
  } catch {
    return {};
  }
}

function jsonError(value: unknown): Said {
  if (!isObject(value)) return {};
  const inner = isObject(value["error"]) ? value["error"] : isObject(value["Error"]) ? value["Error"] : value;
  return {
    code: textIn(inner, ["__type", "code", "Code", "errorCode", "errorType"]),
    message: textIn(inner, ["message", "Message", "errorMessage"]),
  };
}

function textIn(value: Readonly<Record<string, unknown>>, names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = value[name];
    if (typeof text === "string" && text !== "") return text;
  }
  return undefined;
}

/** `<Error>` alone (S3), in `<ErrorResponse>` (Query, REST XML) or in `<Response><Errors>` (EC2). */
function xmlError(body: string): Said {
  const root = parseXml(body);
  const error = root?.name === "Error" ? root : descendant(root, "Error");
  return {
    code: child(error ?? root, "Code")?.text.trim(),
    message: child(error ?? root, "Message")?.text.trim(),
  };
}

/** `com.amazon.coral.service#ValidationException:http://…` → `ValidationException`. */
function plainCode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const code =
    text
      .slice(text.lastIndexOf("#") + 1)
      .split(":", 1)[0]
      ?.trim() ?? "";
  return code === "" ? undefined : code;
}

const codesOfStatus: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "AccessDenied",
  404: "NotFound",
  405: "MethodNotAllowed",
  408: "RequestTimeout",
  409: "Conflict",
  411: "MissingContentLength",
  412: "PreconditionFailed",
  413: "RequestEntityTooLarge",
  416: "InvalidRange",
  429: "ThrottlingException",
  500: "InternalError",
  501: "NotImplemented",
  502: "BadGateway",
  503: "ServiceUnavailable",
  504: "GatewayTimeout",
};

/** For answers without a body, such as those to HEAD. */
function codeOfStatus(status: number): string {
  return codesOfStatus[status] ?? (status < 500 ? "BadRequest" : "InternalError");
}

/** The code as the records of a service write it. */
export function recordedCode(source: string, code: string): string {
  if (source === "ec2") return /^(Client|Server)\./.test(code) ? code : `${ec2Side(code)}.${code}`;
  if (code === "AccessDeniedException" && !keepsDeniedException.has(source)) return "AccessDenied";
  if (
    source === "iam" &&
    !/Exception$|^(AccessDenied|Throttling|ValidationError|SignatureDoesNotMatch|InvalidClientTokenId|ExpiredToken|RequestExpired|InternalFailure|ServiceUnavailable|MalformedQueryString|MissingParameter|InvalidParameter\w*|OptInRequired|InvalidAction|MissingAction|IncompleteSignature|MissingAuthenticationToken|InternalError|BadRequest|BadGateway|GatewayTimeout)$/.test(
      code,
    )
  ) {
    return `${code}Exception`;
  }
  return code;
}

/** Their records say AccessDeniedException (organizations and bedrock vary; most say AccessDenied). */
const keepsDeniedException: ReadonlySet<string> = new Set<string>(["dynamodb"]);

function ec2Side(code: string): string {
  return /^(InternalError|InternalFailure|ServiceUnavailable|Unavailable|InsufficientInstanceCapacity|InsufficientHostCapacity)$/.test(
    code,
  )
    ? "Server"
    : "Client";
}

/** A record keeps the first 1 KB; a secret that begins in it ends before this. */
const messageCharactersMax = 8 * 1024;

/** An error text without what the request held of secrets. */
export function cleanMessage(message: string, reading: Reading): string {
  let text = shownText(message.slice(0, messageCharactersMax));
  for (const secret of reading.secrets) if (text.includes(secret)) text = text.replaceAll(secret, hidden);
  // "Value 'hunter2' at 'password' failed to satisfy constraint …"
  return text.replace(/Value '([^']*)' at '([^']*)'/g, (whole, _value: string, name: string) =>
    isSecretName(name.split(".").at(-1) ?? "") ? `Value '${hidden}' at '${name}'` : whole,
  );
}
