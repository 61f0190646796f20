// A call to S3: its operation is known from the head alone; objects are never captured. Pure.
import { parseArn } from "../../model/arn.ts";
import { partitionOf } from "../../model/regions.ts";
import type {
  CallDescription,
  CapturedBody,
  DescribedPart,
  DescribedResource,
  PassedCall,
  PassingHead,
  ServiceDeed,
  ServiceError,
  ServiceErrorAnswer,
  UnderstoodHead,
  WantedBytes,
} from "../contract.ts";
import { isDataEvent } from "./data-events.ts";
import { anything, hasDotSegments, s3Action } from "./deeds.ts";
import { errorAnswer } from "./error-answer.ts";
import { eventNameOf, eventSourceOf } from "./event-names.ts";
import { headerOf, readBody } from "./read-body.ts";
import { isReadOnly } from "./read-only.ts";
import { Reading } from "./record-values.ts";
import type { S3Finder, S3Target } from "./s3-operation.ts";
import { hasConfiguration, s3AdditionalData, s3Parameters, s3ResponseElements } from "./s3-parameters.ts";
import { cleanMessage, errorOf, type ReportedError } from "./service-error.ts";
import { deletedParts, type Deletions, deletionsBytesMax, deletionsOf } from "./s3-deletions.ts";
import type { CatalogueRow } from "./service-table.ts";

/** Configurations are small; policies at most 20 KB. */
const configurationBytesMax = 256 * 1024;
const errorBytesMax = 16 * 1024;

const objectTypes = {
  s3: "AWS::S3::Object",
  s3express: "AWS::S3Express::Object",
  "s3-outposts": "AWS::S3Outposts::Object",
} as const;

export class S3Call implements UnderstoodHead {
  readonly capture: WantedBytes;
  readonly #head: PassingHead;
  readonly #row: CatalogueRow;
  readonly #query: URLSearchParams;
  readonly #target: S3Target;
  /** What the body of a DeleteObjects names; it is read once, for policies and for the record. */
  #asked: Deletions | undefined;

  constructor(head: PassingHead, row: CatalogueRow, find: S3Finder) {
    this.#head = head;
    this.#row = row;
    this.#query = new URLSearchParams(head.query);
    this.#target = find(head, this.#query);
    const isDeletion = this.#name === "DeleteObjects";
    const bodyBytes = hasConfiguration(this.#name) ? configurationBytesMax : 0;
    const requestBytes = isDeletion ? deletionsBytesMax : bodyBytes;
    // An answer with status 200 may be an error after all (CopyObject, CompleteMultipartUpload).
    const mayFailLate = /^(CopyObject|UploadPartCopy|CompleteMultipartUpload)$/.test(this.#name);
    const answerBytes = isDeletion ? deletionsBytesMax : mayFailLate ? errorBytesMax : 0;
    this.capture = { requestBytes, answerBytes, errorBytes: errorBytesMax };
  }

  get #name(): string {
    return this.#target.operation?.name ?? unknownName(this.#head.method, this.#target);
  }

  /** Directory buckets and Outposts are services of their own in records. */
  get #source(): "s3" | "s3express" | "s3-outposts" {
    const { service } = this.#head;
    if (service === "s3-outposts") return service;
    return service === "s3express" || this.#target.bucket?.endsWith("--x-s3") === true ? "s3express" : "s3";
  }

  describe(call: PassedCall, account: string): CallDescription {
    const reading = new Reading();
    const { answer } = call;
    const body = readBody(call.request, call.head.headers);
    const parameters = s3Parameters({ target: this.#target, query: this.#query, body }, call, reading);
    const operation = this.#target.operation;
    const eventName = operation ? eventNameOf(this.#row, operation) : this.#name;
    const readOnly = isReadOnly("s3", eventName);
    const error = call.failure ?? this.#errorOf(call);
    const requestID = headerOf(answer.headers, "x-amz-request-id");
    const parts = this.#name === "DeleteObjects" && !error ? this.#parts(call, account) : [];
    return {
      eventSource: eventSourceOf(this.#source),
      eventName,
      readOnly,
      eventCategory: isDataEvent("s3", eventName) ? "Data" : "Management",
      resources: this.#resources(account, eventName),
      requestParameters: Object.keys(parameters).length === 0 ? null : parameters,
      responseElements: readOnly || error ? null : s3ResponseElements(answer.headers),
      additionalEventData: s3AdditionalData(call, !readOnly),
      ...(error && { errorCode: error.code }),
      ...(error?.message !== undefined && { errorMessage: cleanMessage(error.message, reading) }),
      ...(requestID !== undefined && { requestID }),
      ...(parts.length > 0 && { parts }),
    };
  }

  #parts({ request, answer }: PassedCall, account: string): readonly DescribedPart[] {
    const { bucket = "" } = this.#target;
    const ofBucket = this.#bucketResource(bucket, account);
    const type = objectTypes[this.#source];
    return deletedParts(this.#deletionsIn(request), readBody(answer.body, answer.headers), (key) => [
      { type, ARN: this.#objectArn(bucket, key, account) },
      ofBucket,
    ]);
  }

  #errorOf({ answer }: PassedCall): ReportedError | undefined {
    const body = readBody(answer.body, answer.headers);
    if (answer.status >= 400) {
      const error = errorOf(answer.status, answer.headers, body);
      return error && body.bytes.length === 0 ? bodylessError(error, answer.status, this.#target) : error;
    }
    const redirect = redirects[answer.status];
    if (redirect) return redirect;
    // A DeleteObjects tells there which objects it did not delete.
    if (this.capture.answerBytes === 0 || this.#name === "DeleteObjects") return undefined;
    if (!/<Error[\s>]/.test(body.text().slice(0, 512))) return undefined;
    return errorOf(500, answer.headers, body);
  }

  #resources(account: string, eventName: string): readonly DescribedResource[] {
    const { bucket, key } = this.#target;
    // A bucket is not there yet when it is made.
    if (bucket === undefined || eventName === "CreateBucket") return [];
    // Whose bucket it is no request tells: x-amz-expected-bucket-owner is a claim that most stores do not check, and it
    // would put records into the log of whoever is named.
    const arn = this.#bucketArn(bucket, account);
    const ofBucket = this.#bucketResource(bucket, account);
    const type = objectTypes[this.#source];
    const object: DescribedResource[] =
      key !== undefined
        ? [{ type, ARN: this.#objectArn(bucket, key, account) }]
        : isDataEvent("s3", eventName)
          ? [{ type, ARNPrefix: `${arn}/${this.#query.get("prefix") ?? ""}` }]
          : [];
    return [...object, ofBucket, ...this.#copied(account)];
  }

  #bucketResource(bucket: string, account: string): DescribedResource {
    const point = parseArn(bucket);
    if (point) return { accountId: point.account || account, type: "AWS::S3::AccessPoint", ARN: bucket };
    const type = this.#source === "s3express" ? "AWS::S3Express::DirectoryBucket" : "AWS::S3::Bucket";
    return { accountId: account, type, ARN: this.#bucketArn(bucket, account) };
  }

  /** What a copy reads. */
  #copied(accountId: string): DescribedResource[] {
    const source = this.#copySource();
    if (source === undefined) return [];
    const [bucket = ""] = source.split("/", 1);
    const partition = partitionOf(this.#head.region);
    return [
      { accountId, type: "AWS::S3::Bucket", ARN: `arn:${partition}:s3:::${bucket}` },
      { type: "AWS::S3::Object", ARN: `arn:${partition}:s3:::${source}` },
    ];
  }

  #copySource(): string | undefined {
    const header = headerOf(this.#head.headers, "x-amz-copy-source");
    if (header === undefined || !/^(CopyObject|UploadPartCopy)$/.test(this.#name)) return undefined;
    const path = header.replace(/^\//, "").replace(/\?versionId=.*$/, "");
    const text = decoded(path);
    return text.startsWith("arn:") || !text.includes("/") ? undefined : text;
  }

  /** By an access point objects have ARNs below `/object`. */
  #objectArn(bucket: string, key: string, account: string): string {
    return `${this.#bucketArn(bucket, account)}${parseArn(bucket) ? "/object" : ""}/${key}`;
  }

  #bucketArn(bucket: string, account: string): string {
    if (parseArn(bucket)) return bucket;
    const { region } = this.#head;
    if (this.#source === "s3express")
      return `arn:${partitionOf(region)}:s3express:${region}:${account}:bucket/${bucket}`;
    return `arn:${partitionOf(region)}:s3:::${bucket}`;
  }

  deedOf(request: CapturedBody, account: string): ServiceDeed {
    const { bucket, key } = this.#target;
    const action = s3Action(this.#name, this.#query.has("versionId"));
    if (hasDotSegments(this.#head.path)) return anything;
    if (bucket === undefined) return { action, resource: "*" };
    const objectArn = (name: string) => this.#objectArn(bucket, name, account);
    if (key !== undefined) return { action, resource: objectArn(key) };
    // The objects are named in the body.
    if (this.#name === "PostObject") return { action, resource: objectArn("*"), isUntold: true };
    if (this.#name === "DeleteObjects") return this.#deletions(request, objectArn);
    return { action, resource: this.#bucketArn(bucket, account) };
  }

  #deletionsIn(request: CapturedBody): Deletions {
    return (this.#asked ??= deletionsOf(readBody(request, this.#head.headers)));
  }

  #deletions(request: CapturedBody, objectArn: (key: string) => string): ServiceDeed {
    const { keys, count, versions, isWhole } = this.#deletionsIn(request);
    if (keys.some(hasDotSegments)) return anything;
    const isMixed = versions > 0 && versions < count;
    const action = isMixed ? "s3:*" : s3Action("DeleteObject", versions > 0);
    // What is not all read may name more.
    return {
      action,
      resource: objectArn("*"),
      ...(isWhole ? { among: keys.map(objectArn) } : { isUntold: true }),
    };
  }

  errorAnswer(error: ServiceError): ServiceErrorAnswer {
    return errorAnswer(error, { form: "s3", method: this.#head.method });
  }
}

/** A request that no operation is like; S3 refuses it. */
function unknownName(method: string, { bucket, key }: S3Target): string {
  if (method === "POST" && bucket !== undefined) return "PostObject";
  if (method === "OPTIONS") return "OptionsObject";
  const verb =
    method.charAt(0) +
    method
      .slice(1)
      .toLowerCase()
      .replace(/[^a-z]/g, "");
  return `${verb}${key !== undefined ? "Object" : bucket !== undefined ? "Bucket" : "Service"}`;
}

/** S3 refuses what is sent to another endpoint than the bucket's. */
const redirects: Readonly<Record<number, ReportedError>> = {
  301: {
    code: "PermanentRedirect",
    message:
      "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
  },
  307: {
    code: "TemporaryRedirect",
    message:
      "Please re-send this request to the specified temporary endpoint. Continue to use the original request endpoint for future requests.",
  },
};

/** Answers to HEAD say no more than their status. */
function bodylessError(error: ReportedError, status: number, { key }: S3Target): ReportedError {
  if (status === 404) {
    return key === undefined
      ? { code: "NoSuchBucket", message: "The specified bucket does not exist" }
      : { code: "NoSuchKey", message: "The specified key does not exist." };
  }
  return status === 403 ? { code: "AccessDenied", message: "Access Denied" } : error;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
