// The bytes of a segment: what is written can be read, what was bent is noticed, and old files stay readable.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAccountId } from "../model/arn.ts";
import { parseRegion } from "../model/regions.ts";
import { eventBusDestination, type MatchSet } from "../selector/match-set.ts";
import type { DoorName } from "./contract.ts";
import { measureFrame } from "./frame-size.ts";
import { matchSetText, parseMatchSetText } from "./match-set-text.ts";
import {
  decodeEntry,
  decodeSegmentHeader,
  encodedFrameBytes,
  encodeEndMark,
  encodeFrame,
  encodeSegmentHeader,
  type FrameToEncode,
  parseSegmentFileName,
  segmentFileName,
  segmentHeaderBytes,
  segmentSalt,
} from "./segment-format.ts";

const seed = 20_261_120;
const doors: readonly DoorName[] = ["events", "audit-events", "own-calls", "recorder"];

const header = { firstSeq: 42, previousFirstSeq: 17, previousBytes: 1234, createdMs: 1_790_000_000_000 };
const salt = segmentSalt(encodeSegmentHeader(header));
const small: FrameToEncode = {
  seq: 42,
  groupStart: 64,
  id: "id-1",
  header: { door: "own-calls", principal: "mary", arrivedMs: 1.5, configurationVersion: 3 },
  definitions: [{ number: 0, text: "text" }],
  records: [{ bytes: Buffer.from("{}") }],
  matchSetNumbers: [0],
};

function encode(frame: FrameToEncode): Buffer {
  // What lay there before must not show.
  const entry = Buffer.alloc(encodedFrameBytes(frame), 0xa5);
  encodeFrame(frame, salt, entry);
  return entry;
}

describe("segment format", () => {
  // Version 1, made by another program after the header comment of segment-format.ts: a change here needs a new
  // version and the means to read this one.
  test("is the one of version 1", () => {
    expect(Buffer.from(encodeSegmentHeader(header)).toString("hex")).toBe(
      "ff436169726e0d0a01000000b1b650612a000000000000001100000000000000d204000000000000" +
        "0000c006450c7a4200000000000000000000000000000000",
    );
    expect(encode(small).toString("hex")).toBe(
      "ffc41ace9d23bc714a00000001020400400000002a00000000000000000000000000f83f00000000" +
        "0000084004000000010000000100000069642d316d61727900000000040000007465787402000000" +
        "000000007b7d",
    );
    expect(Buffer.from(encodeEndMark(64, salt)).toString("hex")).toBe(
      "ffc41ace355d910e080000000200000040000000",
    );
  });

  test("headers come back, and any bent byte is noticed", () => {
    const bytes = encodeSegmentHeader(header);
    expect(decodeSegmentHeader(bytes)).toEqual(header);
    for (let at = 0; at < segmentHeaderBytes; at += 1) {
      const bent = Uint8Array.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ 1;
      expect(decodeSegmentHeader(bent)).toMatch(/\w+ .*\.$/);
    }
    expect(decodeSegmentHeader(bytes.subarray(0, 63))).toMatch(/shorter/);
  });

  test.each([
    { name: "0000000000000001.segment", seq: 1 },
    { name: "9007199254740991.segment", seq: Number.MAX_SAFE_INTEGER },
    { name: "0000000000000000.segment", seq: undefined },
    { name: "1.segment", seq: undefined },
    { name: "0000000000000001.segment.writing", seq: undefined },
    { name: "next.segment.writing", seq: undefined },
  ])("file name $name", ({ name, seq }) => {
    expect(parseSegmentFileName(name)).toBe(seq);
    if (seq !== undefined) expect(segmentFileName(seq)).toBe(name);
  });

  const anyFrame = fc.record({
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    groupStart: fc.integer({ min: 64, max: 2 ** 32 - 1 }),
    id: fc.string({ minLength: 1, maxLength: 40 }),
    header: fc.record({
      door: fc.constantFrom(...doors),
      principal: fc.string({ unit: "grapheme", maxLength: 200 }),
      arrivedMs: fc.double({ noNaN: true }),
      configurationVersion: fc.maxSafeInteger(),
    }),
    definitions: fc.array(fc.record({ number: fc.nat(), text: fc.string({ unit: "grapheme" }) })),
    numbered: fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.nat())),
  });

  test("frames come back as they were, wherever they stand", () => {
    fc.assert(
      fc.property(anyFrame, fc.nat({ max: 20 }), ({ numbered, ...rest }, before) => {
        const records = numbered.map(([bytes]) => ({ bytes }));
        const matchSetNumbers = numbered.map(([, number]) => number);
        const bytes = encode({ ...rest, records, matchSetNumbers });
        const window = Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(7)]);
        const decoded = decodeEntry(window, before, salt);
        const found = decoded.kind === "entry" && decoded.entry.kind === "frame" ? decoded.entry : undefined;
        expect(decoded).toMatchObject({ kind: "entry", bytes: bytes.length });
        const back = found?.records.map((record) => [Uint8Array.from(record.bytes), record.matchSetNumber]);
        expect({ ...found, records: undefined }).toEqual({ kind: "frame", ...rest, records: undefined });
        expect(back).toEqual(numbered.map(([record, number]) => [Uint8Array.from(record), number]));
      }),
      { seed, numRuns: 300 },
    );
  });

  test("a cut entry is short, a bent one is bad, one of another segment is bad", () => {
    const bytes = encode(small);
    for (let length = 0; length < bytes.length; length += 1) {
      const needed = length < 12 ? 12 : bytes.length;
      expect(decodeEntry(bytes.subarray(0, length), 0, salt)).toEqual({ kind: "short", bytes: needed });
    }
    for (let at = 0; at < bytes.length; at += 1) {
      const bent = Buffer.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ 0x10;
      expect(decodeEntry(bent, 0, salt).kind).toMatch(/bad|short/);
    }
    expect(decodeEntry(bytes, 0, salt + 1)).toMatchObject({ kind: "bad" });
  });

  test("arbitrary bytes are never an entry and never an exception", () => {
    const magic = encodeEndMark(64, salt).subarray(0, 4);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, isPrefixed) => {
        const window = isPrefixed ? Buffer.concat([magic, noise]) : noise;
        expect(decodeEntry(window, 0, salt).kind).not.toBe("entry");
      }),
      { seed, numRuns: 2000 },
    );
  });
});

describe("match set texts", () => {
  const account = parseAccountId("123456789012");
  const region = parseRegion("us-gov-east-1");
  if (!account || !region) throw new Error("the test's account and Region are well-formed");
  const matchSet: MatchSet = {
    ...{ account, region, folder: "CloudTrail-NetworkActivity" as const },
    destinations: [
      { kind: "trail", incarnation: "a" },
      { kind: "trail", incarnation: '"é\n' },
      eventBusDestination,
    ],
  };

  test("come back, and are equal for equal sets", () => {
    expect(parseMatchSetText(matchSetText(matchSet))).toEqual(matchSet);
    expect(matchSetText(structuredClone(matchSet))).toBe(matchSetText(matchSet));
  });

  test.each([
    "",
    "null",
    "[]",
    "{}",
    matchSetText(matchSet).replace("123456789012", "12345678901"),
    matchSetText(matchSet).replace("us-gov-east-1", "nowhere"),
    matchSetText(matchSet).replace("CloudTrail-NetworkActivity", "CloudTrail-Other"),
    matchSetText(matchSet).replace('"trail"', '"queue"'),
    matchSetText(matchSet).replace('"incarnation":"a"', '"incarnation":1'),
    matchSetText(matchSet).replace('"incarnation":"event-bus"', '"incarnation":"another"'),
  ])("refuse %s", (text) => expect(parseMatchSetText(text)).toBeUndefined());

  test("a frame is never larger on disk than measured", () => {
    const sets = [matchSet, structuredClone(matchSet), { ...matchSet, destinations: [] }];
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 50 }),
        fc.array(fc.tuple(fc.uint8Array({ maxLength: 99 }), fc.nat({ max: 2 }))),
        (principal, list) => {
          const records = list.map(([bytes, index]) => ({ bytes, matchSet: sets[index] ?? matchSet }));
          const frame = { id: "x".repeat(36), header: { ...small.header, principal }, records };
          const texts = [...new Set(records.map((record) => matchSetText(record.matchSet)))];
          const written = encode({
            ...{ seq: 1, groupStart: 64, ...frame },
            definitions: texts.map((text, number) => ({ number, text })),
            matchSetNumbers: records.map((record) => texts.indexOf(matchSetText(record.matchSet))),
          });
          const size = measureFrame(frame);
          expect(size?.bytes).toBeGreaterThanOrEqual(written.length);
          expect(size?.recordBytes).toBe(records.reduce((sum, { bytes }) => sum + bytes.length, 0));
        },
      ),
      { seed },
    );
  });
});
