// Requests for services that have no endpoint here: a clear refusal in the client's own protocol, which nobody retries.
import { ApiError } from "../model/errors.ts";
import { errorAnswer } from "./answers.ts";
import type { DoorAnswer, DoorRequest } from "./exchange.ts";
import { mediaTypeOf, targetOf } from "./route.ts";

/** Answers 400 and names the service and the setting that would give it an endpoint. */
export function answerOtherService(request: DoorRequest, service: string): DoorAnswer {
  const name = service.replace(/[^\w.-]/g, "").slice(0, 64);
  const text = `No endpoint is configured for the service ${name} (setting endpoints.${name}).`;
  const mediaType = mediaTypeOf(request) ?? "";
  if (targetOf(request) !== undefined || mediaType.startsWith("application/x-amz-json-1.")) {
    return errorAnswer(new ApiError("UnknownOperationException", text), "json", request);
  }
  const style = mediaType === "application/x-www-form-urlencoded" ? "query" : "rest";
  return errorAnswer(new ApiError("UnsupportedOperation", text), style, request);
}
