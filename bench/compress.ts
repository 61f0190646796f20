// One gzip per trail against what delivery does: every piece of records is deflated once and stitched into the one
// gzip member of each trail that logs it. CPU of all threads; and what pieces and levels cost in size.
import { gunzipSync, gzipSync } from "node:zlib";
import { builtDeflater, builtGzip } from "./built.ts";
import { cpuMicroseconds, cpuMicrosecondsOf, median } from "./cpu-time.ts";
import { generatedBodies } from "./records/generated-records.ts";
import type { BenchOptions, Report } from "./report.ts";

const { gzipMember, storedText } = await builtGzip();
const { createDeflater } = await builtDeflater();

const level = 6;
const deflater = createDeflater({ level });
const head = '{"Records":[';
const tail = "]}";

export async function compress({ isQuick }: BenchOptions): Promise<Report> {
  const count = isQuick ? 1_280 : 12_800;
  const rounds = isQuick ? 1 : 5;
  const trailRows = [];
  for (const trails of [1, 5, 10, 50]) trailRows.push(await trailRow(trails, piecesOf(count, 640), rounds));
  const whole = gzipSync(textOf(piecesOf(count, 640)), { level }).length;
  const pieceRows = [];
  for (const perPiece of [1, 5, 20, 100, 640])
    pieceRows.push(await pieceRow(perPiece, piecesOf(count, perPiece), whole));
  await deflater.close();
  return {
    tables: [
      { title: "Trails that log the same events, pieces of 640, level 6", rows: trailRows },
      { title: "Size of one file by events per piece, against one continuous stream", rows: pieceRows },
      {
        title: "Each 640 records alone, by level, beside zlib at the same level",
        rows: await levelRows([1, 2, 3, 4, 5, 6, 9], { count, rounds }),
      },
    ],
    figures: [
      {
        what: "one gzip per trail against deflating once, 10 trails",
        ...{ value: trailRows.find(({ trails }) => trails === 10)?.["times less"] ?? Number.NaN, unit: "x" },
      },
    ],
  };
}

/** Texts of records, each followed by a comma but the last. */
function piecesOf(count: number, perPiece: number): Buffer[] {
  return generatedBodies(count, perPiece).map((body, at, all) => {
    const text = body.toString("utf8").replaceAll("\n", ",");
    return Buffer.from(at === all.length - 1 ? text : `${text},`);
  });
}

function textOf(pieces: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(head), ...pieces, Buffer.from(tail)]);
}

async function trailRow(trails: number, pieces: readonly Buffer[], rounds: number) {
  const text = textOf(pieces);
  const events = text.toString("latin1").split('"eventID":"').length - 1;
  const taken = { once: [] as number[], each: [] as number[] };
  for (let round = 0; round <= rounds; round += 1) {
    const once = await cpuMicrosecondsOf(async () => {
      const files = await stitchedFiles(pieces, trails);
      if (round === 0 && !gunzipSync(files[0] ?? text).equals(text))
        throw new Error("A stitched file is wrong.");
    });
    const each = cpuMicroseconds(() => {
      for (let trail = 0; trail < trails; trail += 1) gzipSync(text, { level });
    });
    if (round > 0) {
      taken.once.push(once);
      taken.each.push(each);
    }
  }
  const [once, each] = [median(taken.once) / events, median(taken.each) / events];
  return { trails, "deflated once µs/event": once, "gzip each µs/event": each, "times less": each / once };
}

async function stitchedFiles(pieces: readonly Buffer[], trails: number): Promise<Uint8Array[]> {
  const deflated = await Promise.all(pieces.map((piece) => deflater.deflate(piece)));
  const texts = [storedText(Buffer.from(head)), ...deflated, storedText(Buffer.from(tail))];
  return Array.from({ length: trails }, () => gzipMember(texts));
}

async function pieceRow(perPiece: number, pieces: readonly Buffer[], whole: number) {
  const [file] = await stitchedFiles(pieces, 1);
  const bytes = file?.length ?? Number.NaN;
  return { "events/piece": perPiece, bytes: bytes, "more than one stream %": (bytes / whole - 1) * 100 };
}

async function levelRows(levels: readonly number[], of: { readonly count: number; readonly rounds: number }) {
  const rows = [];
  for (const level of levels) rows.push(await levelRow(level, of));
  return rows;
}

async function levelRow(
  level: number,
  { count, rounds }: { readonly count: number; readonly rounds: number },
) {
  const texts = piecesOf(count, 640);
  const plain = texts.reduce((sum, { length }) => sum + length, 0);
  const own = createDeflater({ level });
  const taken = { own: [] as number[], zlib: [] as number[] };
  const bytes = { own: 0, zlib: 0 };
  for (let round = 0; round <= rounds; round += 1) {
    bytes.own = 0;
    bytes.zlib = 0;
    const byOwn = await cpuMicrosecondsOf(async () => {
      const done = await Promise.all(texts.map((text) => own.deflate(text)));
      for (const { blocks } of done) bytes.own += blocks.length;
    });
    const byZlib = cpuMicroseconds(() => {
      for (const text of texts) bytes.zlib += gzipSync(text, { level }).length;
    });
    // In the first round threads start and code is compiled.
    if (round > 0 || rounds === 1) {
      taken.own.push(byOwn);
      taken.zlib.push(byZlib);
    }
  }
  await own.close();
  const [ownMicros, zlibMicros] = [median(taken.own), median(taken.zlib)];
  return {
    level,
    ...{
      "µs/event": ownMicros / count,
      "zlib µs/event": zlibMicros / count,
      "times less": zlibMicros / ownMicros,
    },
    ...{ "times smaller": plain / bytes.own, "zlib times smaller": plain / bytes.zlib },
    "larger than zlib's %": (bytes.own / bytes.zlib - 1) * 100,
  };
}
