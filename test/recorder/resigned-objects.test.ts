// Which objects a caller may touch where `resign` signs their requests again: policies bite on each, however a request names
// it. The service takes everything.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createServiceBook } from "../../src/recorder/service-book.ts";
import { identityOf, policy, send } from "../door/door-fixture.ts";
import { sign } from "../door/signing.ts";
import { type RunningRecorder, startRecorder } from "./recorder-fixture.ts";

const careful = { accessKeyId: "AKIACAREFUL", secretAccessKey: "carefuls-secret" };
const point = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap";

let service: Server;
let running: RunningRecorder;
const arrived: string[] = [];
beforeAll(async () => {
  service = createServer((request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    request.resume().on("end", () => response.end());
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
});
afterAll(() => service.close());
afterEach(async () => {
  arrived.length = 0;
  expect(running.world.errors).toEqual([]);
  await running.close();
});

/** A caller who may do everything but this. */
async function startWithout(action: string, resource: string, Condition?: object): Promise<void> {
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  running = await startRecorder({
    services: createServiceBook(),
    configuration: { auth: "on" },
    endpoints: { s3: { target: { kind: "url", url }, resign: { accessKeyId: "A", secretAccessKey: "s" } } },
  });
  const allBut = policy(
    { Effect: "Allow", Action: "*", Resource: "*" },
    { Effect: "Deny", Action: action, Resource: resource, ...(Condition && { Condition }) },
  );
  const user = identityOf("careful", careful.secretAccessKey, [allBut]);
  running.world.identities.set(careful.accessKeyId, user);
}

interface Asked {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The status of the answer: 200 is the service's own. */
async function ask(method: string, { path, query, headers = {}, body = "" }: Asked): Promise<number> {
  const all = { host: running.url.host, "content-length": String(Buffer.byteLength(body)), ...headers };
  const signed = await sign(
    { method, path, headers: all, body, ...(query && { query }) },
    { credentials: careful, service: "s3", region: "us-east-1" },
  );
  const target = signed.target;
  const { status } = await send(running.port, { method, target, headers: signed.headers, body });
  expect(arrived.splice(0)).toHaveLength(status === 200 ? 1 : 0);
  return status;
}

function deletion(place: string, keys: readonly string[]): Asked {
  const objects = keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("");
  return { path: `/${place}`, query: { delete: "" }, body: `<Delete>${objects}</Delete>` };
}

describe("an object by an access point", () => {
  const place = encodeURIComponent(point);

  test("is not deleted among others by whom its deletion is denied", async () => {
    await startWithout("s3:DeleteObject", `${point}/object/keep/*`);
    expect(await ask("DELETE", { path: `/${place}/keep/it` })).toBe(403);
    expect(await ask("POST", deletion(place, ["drop/it", "keep/it"]))).toBe(403);
    expect(await ask("POST", deletion(place, ["drop/it"]))).toBe(200);
  });
});

describe("what headers ask for beside the operation", () => {
  test("a copy reads its source, by an access point too", async () => {
    await startWithout("s3:GetObject", `${point}/object/keep/*`);
    const copy = (source: string) =>
      ask("PUT", { path: "/b/copy", headers: { "x-amz-copy-source": encodeURIComponent(source) } });
    expect(await copy(`${point}/object/keep/it`)).toBe(403);
    expect(await copy(`/${point}/object/keep/it`)).toBe(403);
    expect(await copy(`${point}/object/drop/it`)).toBe(200);
  });

  test("an object's access list, whatever its key", async () => {
    await startWithout("s3:PutObjectAcl", "*");
    const headers = { "x-amz-acl": "public-read" };
    expect(await ask("PUT", { path: "/b/k", headers })).toBe(403);
    expect(await ask("PUT", { path: "/b/a%3Ab", headers })).toBe(403);
    expect(await ask("PUT", { path: "/b/a%3Ab" })).toBe(200);
    expect(await ask("PUT", { path: "/b", headers })).toBe(200);
  });

  test("each deletion past a lock", async () => {
    await startWithout("s3:BypassGovernanceRetention", "arn:aws:s3:::b/keep/*");
    const headers = { "x-amz-bypass-governance-retention": "true" };
    expect(await ask("POST", { ...deletion("b", ["drop/it", "keep/it"]), headers })).toBe(403);
    expect(await ask("POST", deletion("b", ["drop/it", "keep/it"]))).toBe(200);
    expect(await ask("POST", { ...deletion("b", ["drop/it"]), headers })).toBe(200);
  });
});

describe("what cannot be told counts as denied when it is denied anywhere", () => {
  const elsewhere = { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } };
  const form: Asked = {
    path: "/b",
    headers: { "content-type": "multipart/form-data; boundary=x" },
    body: "--x--",
  };
  const twoKeys = {
    ...deletion("b", []),
    body: "<Delete><Object><Key>drop/it</Key><Key>keep/it</Key></Object></Delete>",
  };
  const versions: Asked = {
    ...deletion("b", []),
    body: "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>1</VersionId></Object></Delete>",
  };

  test.each([
    ["the object of a form upload", "s3:PutObject", form],
    ["the object of a deletion that not all read alike", "s3:DeleteObject", twoKeys],
    ["the actions of a deletion of objects and versions", "s3:PutObjectAcl", versions],
    ["what a path with dots is about", "s3:PutObjectAcl", { path: "/b/x/../keep/it" }],
  ])("%s", async (_what, action, asked) => {
    await startWithout(action, "arn:aws:s3:::b/keep/*");
    expect(await ask("POST", asked)).toBe(403);
    await running.close();
    await startWithout("sqs:*", "*");
    expect(await ask("POST", asked)).toBe(200);
    await running.close();
    await startWithout(action, "arn:aws:s3:::b/keep/*", elsewhere);
    expect(await ask("POST", asked)).toBe(200);
  });
});
