// Posted batches: what is accepted, what is rejected with which word, and what then stands in the journal.
import { describe, expect, test } from "vitest";
import { managementEvent } from "../../test/harness/events.ts";
import { callOfNote, noteWords, notLookedUp } from "../event/record-notes.ts";
import { createEventIntake } from "./event-intake.ts";
import { caller, intakeWorld } from "./intake.test-world.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const anyAccount = () => true;

describe("a batch", () => {
  test("is journaled byte for byte, decided, and counted", async () => {
    const world = await intakeWorld();
    world.setTrails(["trail-1"]);
    const odd = JSON.stringify(managementEvent())
      .replace('"eventName"', '  "eventName" ')
      .replace("mary", "m\\u0061ry");
    const answer = await createEventIntake(world.ports).accept({
      bytes: bytesOf(odd),
      caller,
      mayPut: anyAccount,
    });
    expect(answer).toEqual({ kind: "answered", accepted: 1, rejected: [] });
    const [frame] = await world.frames();
    expect(frame?.header).toMatchObject({ door: "events", principal: caller.arn, configurationVersion: 2 });
    expect(textOf(frame?.records[0]?.bytes ?? new Uint8Array())).toBe(odd);
    expect(frame?.records[0]?.matchSet.destinations).toEqual([{ kind: "trail", incarnation: "trail-1" }]);
  });

  test("that hundreds of trails log in many ways is journaled in frames that the journal takes", async () => {
    const world = await intakeWorld({ bytesMax: 100_000_000 });
    const names = Array.from(
      { length: 700 },
      (_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`,
    );
    world.setTrails(names);
    const index = world.ports.index();
    // Each event is logged by other trails.
    let turn = 0;
    const match: typeof index.match = (fields, where) => {
      const set = index.match(fields, where);
      turn += 1;
      return { ...set, destinations: set.destinations.filter((_, at) => at !== turn) };
    };
    const ports = { ...world.ports, index: () => ({ ...index, match }) };
    const events = Array.from({ length: 300 }, () => managementEvent());
    const answer = await createEventIntake(ports).accept({
      bytes: bytesOf(JSON.stringify(events)),
      caller,
      mayPut: anyAccount,
    });
    expect(answer).toEqual({ kind: "answered", accepted: 300, rejected: [] });
  });

  test("has one object per account and Region for the index, the same in the next batch", async () => {
    const world = await intakeWorld({ bytesMax: 10_000_000 });
    const index = world.ports.index();
    const places: unknown[] = [];
    const match: typeof index.match = (fields, place) => {
      places.push(place);
      return index.match(fields, place);
    };
    const intake = createEventIntake({ ...world.ports, index: () => ({ ...index, match }) });
    const [here, there] = [managementEvent(), { ...managementEvent(), awsRegion: "eu-west-1" }];
    for (const events of [[here, there, here], [there]]) {
      await intake.accept({ bytes: bytesOf(JSON.stringify(events)), caller, mayPut: anyAccount });
    }
    const [first, second] = places;
    expect(places).toHaveLength(4);
    expect([places[2] === first, places[3] === second, first === second]).toEqual([true, true, false]);
    expect(places.slice(0, 2)).toEqual([
      { account: "123456789012", region: "us-east-1" },
      { account: "123456789012", region: "eu-west-1" },
    ]);
  });

  test("is noted where its records came as they are journaled, in each frame", async () => {
    const world = await intakeWorld({ bytesMax: 10_000_000 });
    const large = { requestParameters: { text: "x".repeat(100_000) } };
    const events = Array.from({ length: 24 }, (_, at) => {
      if (at % 4 === 1) return managementEvent({ ...large, eventID: undefined });
      if (at % 4 === 2) return managementEvent({ eventCategory: "Data", managementEvent: false });
      return managementEvent({
        ...large,
        eventName: `Run${at}`,
        awsRegion: at === 4 ? "nowhere" : "us-east-1",
      });
    });
    const lines = events.map((event) => JSON.stringify(event)).join("\n");
    const answer = await createEventIntake(world.ports).accept({
      ...{ bytes: bytesOf(lines), caller, mayPut: anyAccount },
    });
    expect(answer).toMatchObject({ accepted: 23, rejected: [{ index: 4 }] });
    const { journal } = world;
    const [start, end] = [journal.start("0"), journal.end("0")];
    expect(end.seq - start.seq).toBeGreaterThan(1);
    const seen: string[] = [];
    journal.visitRecent(start, end, ({ records, notes = new Int32Array() }) => {
      expect(notes).toHaveLength(records.length * noteWords);
      for (const [index, { bytes }] of records.entries()) {
        const [what = 0, timeAt = 0, idAt = 0, identityAt = 0] = notes.subarray(index * noteWords);
        const text = textOf(bytes);
        const { eventID, eventName } = JSON.parse(text) as Record<string, string>;
        if (what > notLookedUp) {
          expect(callOfNote(what)).toMatchObject({ eventName, isRead: false });
          expect(text.slice(timeAt, timeAt + 20)).toBe("2026-01-10T09:18:41Z");
          expect(text.slice(idAt, idAt + 36)).toBe(eventID);
          expect(text.slice(identityAt, identityAt + 7)).toBe('{"type"');
        }
        seen.push(what > notLookedUp ? "call" : what === notLookedUp ? "data" : "nothing");
      }
      return true;
    });
    const inFours = Array.from({ length: 6 }, (_, four) => [
      ...(four === 1 ? [] : ["call"]),
      "nothing",
      "data",
      "call",
    ]);
    expect(seen).toEqual(inFours.flat());
  });

  test("is not noted where nobody reads notes", async () => {
    const world = await intakeWorld();
    const intake = createEventIntake(world.ports, { takesNotes: false });
    const bytes = bytesOf(JSON.stringify(managementEvent()));
    expect(await intake.accept({ bytes, caller, mayPut: anyAccount })).toMatchObject({ accepted: 1 });
    const { journal } = world;
    const seen: unknown[] = [];
    journal.visitRecent(journal.start("0"), journal.end("0"), ({ notes }) => seen.push(notes) > 0);
    expect(seen).toEqual([undefined]);
  });

  test("of events that no trail logs is journaled all the same", async () => {
    const world = await intakeWorld();
    const bytes = bytesOf(JSON.stringify([managementEvent(), managementEvent()]));
    await createEventIntake(world.ports).accept({ bytes, caller, mayPut: anyAccount });
    const [frame] = await world.frames();
    expect(frame?.records.map(({ matchSet }) => matchSet.destinations)).toEqual([[], []]);
  });

  test("gets absent members spliced in before the last brace", async () => {
    const world = await intakeWorld();
    const {
      eventID: _id,
      eventType: _type,
      eventCategory: _category,
      recipientAccountId: _account,
      ...bare
    } = managementEvent();
    const text = JSON.stringify(bare);
    await createEventIntake(world.ports).accept({ bytes: bytesOf(text), caller, mayPut: anyAccount });
    const [frame] = await world.frames();
    const stored = textOf(frame?.records[0]?.bytes ?? new Uint8Array());
    expect(stored.startsWith(text.slice(0, -1))).toBe(true);
    expect(JSON.parse(stored)).toMatchObject({
      eventID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      recipientAccountId: "123456789012",
      eventType: "AwsApiCall",
      eventCategory: "Management",
    });
  });

  test.each([
    ["broken JSON", '{"eventVersion":', "InvalidData", "not valid JSON"],
    [
      "a missing member",
      JSON.stringify(managementEvent({ eventName: undefined })),
      "FieldNotFound",
      "eventName",
    ],
    [
      "a Region that is not configured",
      JSON.stringify(managementEvent({ awsRegion: "ap-east-1" })),
      "InvalidRegion",
      "awsRegion",
    ],
    [
      "a Region that is none",
      JSON.stringify(managementEvent({ awsRegion: "moon" })),
      "InvalidRegion",
      "awsRegion",
    ],
    [
      "an account that is none",
      JSON.stringify(managementEvent({ recipientAccountId: "12" })),
      "InvalidRecipient",
      "recipientAccountId",
    ],
    [
      "a foreign account",
      JSON.stringify(managementEvent({ recipientAccountId: "999999999999" })),
      "AccessDenied",
      "cairn:PutEvents",
    ],
  ])("with %s rejects that record and no other", async (_name, bad, code, word) => {
    const world = await intakeWorld();
    const good = JSON.stringify(managementEvent());
    const answer = await createEventIntake(world.ports).accept({
      bytes: bytesOf(`${good}\n${bad}\n${good}`),
      caller,
      mayPut: (account) => account === caller.accountId,
    });
    expect(answer).toEqual({
      kind: "answered",
      accepted: 2,
      rejected: [{ index: 1, code, message: expect.stringContaining(word) }],
    });
    expect((await world.frames()).flatMap((frame) => frame.records)).toHaveLength(2);
  });

  test("larger than a frame is cut into several, in order", async () => {
    const world = await intakeWorld({ bytesMax: 50_000_000 });
    const events = Array.from({ length: 40 }, (_, n) =>
      managementEvent({ requestParameters: { n, x: "y".repeat(60_000) } }),
    );
    const bytes = bytesOf(events.map((event) => JSON.stringify(event)).join("\n"));
    const answer = await createEventIntake(world.ports).accept({ bytes, caller, mayPut: anyAccount });
    expect(answer).toMatchObject({ accepted: 40, rejected: [] });
    const frames = await world.frames();
    expect(frames.length).toBeGreaterThan(1);
    const ids = frames.flatMap((frame) =>
      frame.records.map((record) => /"eventID":"([^"]+)"/.exec(textOf(record.bytes))?.[1]),
    );
    expect(ids).toEqual(events.map((event) => event.eventID));
  });

  test("that finds the journal full is busy, with a reason", async () => {
    const world = await intakeWorld({ bytesMax: 700_000 });
    const big = JSON.stringify(managementEvent({ requestParameters: { x: "y".repeat(90_000) } }));
    const intake = createEventIntake(world.ports);
    const answers = [];
    for (let n = 0; n < 3; n++)
      answers.push(await intake.accept({ bytes: bytesOf(big), caller, mayPut: anyAccount }));
    expect(answers.at(-1)).toEqual({
      kind: "busy",
      message: expect.stringContaining("full"),
      retryAfterSeconds: expect.any(Number),
    });
  });

  test("that is no batch at all is malformed", async () => {
    const world = await intakeWorld();
    const answer = await createEventIntake(world.ports).accept({
      bytes: bytesOf("hello"),
      caller,
      mayPut: anyAccount,
    });
    expect(answer).toMatchObject({ kind: "malformed" });
    expect(await world.frames()).toEqual([]);
  });
});
