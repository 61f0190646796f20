// Nothing that the vendor's models mark as sensitive, and no bytes, ever gets into a record: every operation of every
// service, every member filled.
import { describe, expect, test } from "vitest";
import { bytesText, newestModels, sampleCalls, secretText } from "./model-samples.ts";
import { account, passed, understood } from "../../src/recorder/service/passed-call.test-world.ts";

/** Two services answer at the same path under the same name; the newer one is taken. */
function isAmbiguous(problem: string): boolean {
  return /^(chime-2018-05-01\.min\.json (CreateAppInstance|CreateMeeting)|lex-models-2017-04-19\.min\.json StartImport )/.test(
    problem,
  );
}

describe("every operation of every service", () => {
  const models = newestModels();

  test("is understood, and keeps no secret", async () => {
    const problems: string[] = [];
    let operations = 0;
    let secrets = 0;
    for (const model of models) {
      for (const { operation, request, answer } of sampleCalls(model)) {
        operations++;
        const call = passed(request, answer);
        const head = await understood(request);
        const description = head.describe(call, account);
        const { issued, ...record } = description;
        const text = JSON.stringify(record);
        if (JSON.stringify([request, answer]).includes(secretText)) secrets++;
        const what = `${model.file} ${operation} → ${description.eventSource} ${description.eventName}`;
        if (text.includes(secretText)) problems.push(`${what}: a sensitive member`);
        if (text.includes(bytesText)) problems.push(`${what}: bytes`);
        if (!description.eventName.startsWith(operation.slice(0, 3))) problems.push(`${what}: another name`);
        expect(issued === undefined || !JSON.stringify(issued).includes(secretText)).toBe(true);
      }
    }
    expect(problems.filter((problem) => !isAmbiguous(problem))).toEqual([]);
    expect(operations).toBeGreaterThan(10_000);
    expect(secrets).toBeGreaterThan(500);
    process.stdout.write(`${models.length} services, ${operations} operations, ${secrets} with secrets\n`);
  }, 120_000);
});
