// The error table, the vendor's model and the error reference must agree, both ways.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { errorReference, genericErrors } from "../../tools/generate-error-reference.ts";
import { ApiError, apiError, errorCodes, errorTexts } from "./errors.ts";
import { modelledDataErrors, modelledErrors, operationShapes } from "./generated/shapes.ts";

const modelled = new Set([...modelledErrors, ...modelledDataErrors]);

describe("the error table", () => {
  test("the model lists the errors we know of", () => {
    expect(modelledErrors.length).toBe(86);
    expect(modelledDataErrors.length).toBe(6);
  });

  test("has a row for every modelled error", () => {
    expect([...modelled].filter((code) => !errorCodes.includes(code))).toEqual([]);
  });

  test("has no row that is neither modelled nor generic", () => {
    expect(errorCodes.filter((code) => !modelled.has(code) && !genericErrors.includes(code))).toEqual([]);
  });

  test("has a row for every generic error, and none of them is modelled", () => {
    expect(genericErrors.filter((code) => !errorCodes.includes(code) || modelled.has(code))).toEqual([]);
  });

  test("every error that an operation lists is modelled", () => {
    const listed = Object.values(operationShapes).flatMap((shape) => shape.errors);
    expect(listed.length).toBeGreaterThan(500);
    expect(listed.filter((code) => !modelled.has(code))).toEqual([]);
  });

  test("a code has either one row or named variants with different names", () => {
    const keys = Object.keys(errorTexts);
    expect(keys.filter((key) => !/^[A-Za-z0-9]+(\.[a-zA-Z]+)?$/.test(key))).toEqual([]);
  });
});

describe("apiError", () => {
  test("drops the variant and fills the slots", () => {
    const error = apiError("CloudTrailARNInvalidException.region", { region: "eu-west-1" });
    expect(error).toBeInstanceOf(ApiError);
    expect(error.code).toBe("CloudTrailARNInvalidException");
    expect(error.message).toBe("Region in ARN is wrong, you can only access resources in region eu-west-1.");
  });

  test("a value that looks like a slot is left alone", () => {
    const error = apiError("TrailNotFoundException", { ref: "{account}", account: "123456789012" });
    expect(error.message).toBe("Unknown trail: {account} for the user: 123456789012");
  });

  test.each([
    ["TrailNotFoundException", "Unknown trail: {ref} for the user: {account}"],
    ["S3BucketDoesNotExistException", "S3 bucket {bucket} does not exist!"],
    ["InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: {bucket}"],
    ["TrailAlreadyExistsException", "Trail {name} already exists for customer: {account}"],
    ["ThrottlingException", "Rate exceeded"],
  ] as const)("clients match on the text of %s", (key, text) => {
    expect(errorTexts[key]).toBe(text);
  });
});

test("docs/reference/errors.md is what tools/generate-error-reference.ts writes", () => {
  const page = readFileSync(new URL("../../docs/reference/errors.md", import.meta.url), "utf8");
  expect(page).toBe(errorReference());
});
