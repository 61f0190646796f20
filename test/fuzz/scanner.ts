// `npm run fuzz`: mutated records through the scanner, the plain scanner and JSON.parse, until so many were compared.
// `npm run fuzz -- 5000000 17` takes another number and another seed. Any difference ends it with the body that shows it.
import { largeBody, mutatedBody, seededRandom } from "./mutated-bodies.ts";
import { differenceOf, nothingSeen } from "./scanner-differences.ts";

const [wanted = 1_000_000, seed = 4] = process.argv.slice(2).map(Number);
const random = seededRandom(seed);
const seen = nothingSeen();
const startedMs = Date.now();
let put = 0;
let said = 0;

for (let turn = 1; put < wanted; turn += 1) {
  const body = turn % 2000 === 0 ? largeBody(random) : mutatedBody(random);
  const difference = differenceOf(body.bytes, seen);
  if (difference !== undefined) {
    process.stderr.write(
      `Seed ${seed}, body ${turn}: ${difference}\n${body.bytes.toString("latin1").slice(0, 20_000)}\n`,
    );
    process.exit(1);
  }
  put += body.records;
  if (put - said >= 100_000) {
    said = put;
    process.stdout.write(`${put.toLocaleString("en")} records …\n`);
  }
}
const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
process.stdout.write(
  `${put.toLocaleString("en")} mutated records in ${seconds} s (seed ${seed}), no difference. ` +
    `Answers: ${JSON.stringify(seen)}.\n`,
);
