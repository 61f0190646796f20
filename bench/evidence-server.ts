// A process of its own that makes a signed chain of 10,000 log files, writes it as a bucket directory of Cairn's, and
// serves it from memory as the S3 and CloudTrail that `aws cloudtrail validate-logs` asks. Faster than any real store,
// which is in the AWS CLI's favour: what is left is the verifier's own time.
// Usage: tsx bench/evidence-server.ts FOLDER. Prints one JSON line { url } when it is ready.
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { testChain, testKey, writeCairnBucket } from "../src/cli/verify/chain.test-world.ts";
import { evidence } from "./evidence.ts";
import { generatedBodies } from "./records/generated-records.ts";

const { bucket, account, region, trailName, startMs, digests, filesPerDigest, recordsPerFile } = evidence;
const [folder = ""] = process.argv.slice(2);
const bodies = generatedBodies(digests * filesPerDigest * recordsPerFile, recordsPerFile);
const key = testKey();
const chain = testChain({
  ...{ bucket, account, region, trailName, startMs, key },
  filesPerDigest: Array.from({ length: digests }, () => filesPerDigest),
  textOf: (index) =>
    `{"Records":[${String(bodies[index] ?? "")
      .split("\n")
      .join(",")}]}`,
});
const publicKeys = JSON.stringify({ PublicKeyList: [key.entry] });
writeCairnBucket(join(folder, "buckets"), bucket, chain.objects);
writeFileSync(join(folder, "public-keys.json"), publicKeys);
const keys = [...chain.objects.keys()].sort();

const trails = JSON.stringify({
  trailList: [{ Name: trailName, S3BucketName: bucket, TrailARN: evidence.trailArn }],
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  const target = request.headers["x-amz-target"];
  const url = new URL(request.url ?? "/", "http://localhost");
  const name = decodeURIComponent(url.pathname.slice(bucket.length + 2));
  if (target !== undefined) {
    request.resume();
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(String(target).endsWith("ListPublicKeys") ? publicKeys : trails);
  } else if (name === "") {
    response.setHeader("content-type", "application/xml");
    response.end(url.searchParams.has("location") ? location : listing(url.searchParams));
  } else {
    sendObject(name, response);
  }
}

const location = '<?xml version="1.0"?><LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>';

function sendObject(name: string, response: ServerResponse): void {
  const object = chain.objects.get(name);
  if (!object) {
    response.statusCode = 404;
    response.end("<Error><Code>NoSuchKey</Code></Error>");
    return;
  }
  for (const [member, value] of Object.entries(object.metadata)) {
    response.setHeader(`x-amz-meta-${member}`, value);
  }
  response.setHeader("content-type", "application/json");
  response.setHeader("content-encoding", "gzip");
  response.setHeader("content-length", object.body.length);
  response.end(object.body);
}

/** ListObjects of both versions, as far as the two verifiers use them. */
function listing(query: URLSearchParams): string {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const after = query.get("continuation-token") ?? query.get("start-after") ?? query.get("marker") ?? "";
  const found = keys.filter((name) => name > after && name.startsWith(prefix));
  const folderOf = (name: string) =>
    delimiter === "" ? -1 : name.slice(prefix.length).indexOf(delimiter) + prefix.length;
  if (delimiter !== "") {
    const folders = new Set(found.map((name) => name.slice(0, folderOf(name) + 1)));
    return page([...folders].map((name) => `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`));
  }
  const contents = found
    .slice(0, 1000)
    .map((name) => `<Contents><Key>${name}</Key><Size>1</Size></Contents>`);
  return page(contents, found.length > 1000 ? found[999] : undefined);
}

function page(items: readonly string[], token?: string): string {
  const more =
    token === undefined
      ? ""
      : `<NextContinuationToken>${token}</NextContinuationToken><NextMarker>${token}</NextMarker>`;
  return `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><IsTruncated>${String(token !== undefined)}</IsTruncated>${more}${items.join("")}</ListBucketResult>`;
}

const server = createServer(answer).listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${String(port)}` })}\n`);
});
