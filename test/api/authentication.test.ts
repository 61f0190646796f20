// Who may call, with --auth on: signatures, temporary credentials, policies, and what each door asks for
// (api.md §1.6). The SDK signs; what it would never send is signed by hand.
import { mkdtempSync, rmSync } from "node:fs";
import { createHash, createHmac } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrail, type CloudTrailClientConfig } from "@aws-sdk/client-cloudtrail";
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectRefusal, readAnswer, type Refusal, trailArn, writeConfig } from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent } from "../harness/events.ts";
import { until } from "../harness/log-files.ts";

const main = "123456789012";
const other = "210987654321";
const region = "us-east-1";
const bucket = "auth-logs";

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** User name → credentials; the secrets are made up here and valid on this server alone. */
const keys = {
  admin: { accessKeyId: "AKIAADMIN00000000001", secretAccessKey: "admin-secret-of-the-tests-000001" },
  reader: { accessKeyId: "AKIAREADER0000000001", secretAccessKey: "reader-secret-of-the-tests-00001" },
  team: { accessKeyId: "AKIATEAM000000000001", secretAccessKey: "team-secret-of-the-tests-0000001" },
  nobody: { accessKeyId: "AKIANOBODY0000000001", secretAccessKey: "nobody-secret-of-the-tests-00001" },
  writer: { accessKeyId: "AKIAWRITER0000000001", secretAccessKey: "writer-secret-of-the-tests-00001" },
  session: {
    accessKeyId: "ASIASESSION000000001",
    secretAccessKey: "session-secret-of-the-tests-0001",
    sessionToken: "token-that-is-still-valid",
  },
  expired: {
    accessKeyId: "ASIAEXPIRED000000001",
    secretAccessKey: "expired-secret-of-the-tests-0001",
    sessionToken: "token-that-has-expired",
  },
  foreigner: { accessKeyId: "AKIAFOREIGN000000001", secretAccessKey: "foreigner-secret-of-the-tests-01" },
  root: { accessKeyId: "AKIAROOT000000000001", secretAccessKey: "root-secret-of-the-tests-0000001" },
} as const satisfies Readonly<Record<string, Credentials>>;

const allow = (Action: string | string[], Resource: string | string[] = "*") => ({
  Effect: "Allow",
  Action,
  Resource,
});
const deny = (Action: string | string[], Resource: string | string[] = "*") => ({
  Effect: "Deny",
  Action,
  Resource,
});

function user(name: string, accessKeys: readonly object[], ...Statement: readonly object[]) {
  return { name, accessKeys, policies: [{ Version: "2012-10-17", Statement }] };
}

// JSON is YAML too.
const configuration = (withNobody = true) =>
  JSON.stringify({
    accounts: [
      {
        id: main,
        name: "main",
        root: { accessKeys: [keys.root] },
        users: [
          user("admin", [keys.admin], allow("*")),
          user(
            "reader",
            [keys.reader],
            allow(["cloudtrail:Get*", "cloudtrail:List?rails", "CLOUDTRAIL:describetrails"]),
          ),
          {
            ...user(
              "team",
              [keys.team],
              allow("cloudtrail:*", `arn:aws:cloudtrail:*:${main}:trail/team-*`),
              allow("cloudtrail:DescribeTrails"),
              deny("cloudtrail:DeleteTrail"),
              deny("cloudtrail:*", `arn:aws:cloudtrail:*:${main}:trail/team-secret`),
              allow(["s3:*"], ["arn:aws:s3:::team-bucket", "arn:aws:s3:::team-bucket/*"]),
              deny("s3:DeleteObject"),
            ),
            path: "/teams/",
          },
          ...(withNobody ? [{ name: "nobody", accessKeys: [keys.nobody] }] : []),
          user("writer", [keys.writer], allow("cairn:PutEvents", `arn:aws:cairn:*:${main}:events`)),
          user(
            "session",
            [
              { ...keys.session, expires: "2099-01-01T00:00:00Z" },
              { ...keys.expired, expires: "2020-01-01T00:00:00Z" },
            ],
            allow("cloudtrail:*"),
          ),
        ],
      },
      { id: other, name: "other", users: [user("foreigner", [keys.foreigner], allow("*"))] },
    ],
  });

let folder = "";
let cairn: CairnProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cairn-auth-"));
  const config = writeConfig(folder, configuration());
  cairn = await startCairn({ args: ["--auth", "on", "--delivery-interval", "200ms", "--config", config] });
  await s3(keys.admin).send(new CreateBucketCommand({ Bucket: bucket }));
  await as(keys.admin).createTrail({ Name: "team-trail", S3BucketName: bucket });
});
afterAll(async () => {
  await cairn.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function as(credentials: Credentials, more: Partial<CloudTrailClientConfig> = {}): CloudTrail {
  // The SDK writes into the object it is given; the configuration is made of the same ones.
  return new CloudTrail({
    endpoint: cairn.url,
    region,
    credentials: { ...credentials },
    maxAttempts: 1,
    ...more,
  });
}

function s3(credentials: Credentials): S3Client {
  return new S3Client({
    endpoint: cairn.url,
    region,
    credentials: { ...credentials },
    maxAttempts: 1,
    forcePathStyle: true,
  });
}

const arn = (name: string) => trailArn(main, name);
const userArn = (name: string) => `arn:aws:iam::${main}:user/${name}`;
const notAllowed = (caller: string, action: string, resource: string): Refusal => [
  "AccessDeniedException",
  `User: ${userArn(caller)} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
];
const explicitlyDenied = (caller: string, action: string, resource: string): Refusal => [
  "AccessDeniedException",
  `User: ${userArn(caller)} is not authorized to perform: ${action} on resource: ${resource} with an explicit deny in an identity-based policy`,
];
const invalidToken: Refusal = [
  "UnrecognizedClientException",
  "The security token included in the request is invalid.",
];
const mismatch: Refusal = [
  "InvalidSignatureException",
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
];

describe("signatures", () => {
  test("a good one is answered", async () => {
    expect((await as(keys.admin).getTrail({ Name: "team-trail" })).Trail?.TrailARN).toBe(arn("team-trail"));
  });

  const wrong = { ...keys.admin, secretAccessKey: "another-secret-of-the-tests-0001" };
  const minute = 60_000;
  test.each<[what: string, client: () => CloudTrail, refusal: Refusal]>([
    ["a wrong secret", () => as(wrong), mismatch],
    ["an unknown key", () => as({ ...keys.admin, accessKeyId: "AKIAUNKNOWN000000001" }), invalidToken],
    ["an account for a key", () => as({ ...keys.admin, accessKeyId: main }), invalidToken],
    [
      "a Region that is none",
      () => as(keys.admin, { region: "nowhere-1" }),
      ["InvalidSignatureException", "Credential should be scoped to a valid region."],
    ],
    [
      "a clock that is ten minutes late",
      () => as(keys.admin, { systemClockOffset: -10 * minute }),
      [
        "InvalidSignatureException",
        /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
      ],
    ],
    [
      "a clock that is ten minutes early",
      () => as(keys.admin, { systemClockOffset: 10 * minute }),
      [
        "InvalidSignatureException",
        /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z/,
      ],
    ],
  ])("%s is refused", async (_what, client, refusal) => {
    await expectRefusal(client().describeTrails({}), refusal);
  });

  test("a clock that is four minutes off is accepted", async () => {
    for (const offset of [-4, 4]) {
      const client = as(keys.admin, { systemClockOffset: offset * minute });
      expect((await client.describeTrails({})).$metadata.httpStatusCode).toBe(200);
    }
  });
});

describe("temporary credentials", () => {
  const without = ({ accessKeyId, secretAccessKey }: Credentials) => ({ accessKeyId, secretAccessKey });

  test("work with their token", async () => {
    expect((await as(keys.session).getTrail({ Name: "team-trail" })).Trail).toBeDefined();
  });

  test.each<[what: string, credentials: Credentials, refusal: Refusal]>([
    ["without it", without(keys.session), invalidToken],
    ["with another one", { ...keys.session, sessionToken: "some-other-token" }, invalidToken],
    ["with that of another key", { ...keys.session, sessionToken: keys.expired.sessionToken }, invalidToken],
    [
      "after their end",
      keys.expired,
      ["ExpiredTokenException", "The security token included in the request is expired"],
    ],
    ["with a wrong secret", { ...keys.session, secretAccessKey: keys.admin.secretAccessKey }, mismatch],
    ["that are no temporary ones", { ...keys.admin, sessionToken: "some-token" }, invalidToken],
  ])("are refused %s", async (_what, credentials, refusal) => {
    await expectRefusal(as(credentials).describeTrails({}), refusal);
  });
});

describe("requests that the SDK would not send", () => {
  const target = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "CloudTrail_20131101.DescribeTrails",
  };

  test.each<[what: string, headers: Record<string, string>, code: string, message: RegExp]>([
    ["unsigned", {}, "MissingAuthenticationTokenException", /^Missing Authentication Token$/],
    [
      "without signature",
      {
        authorization: `AWS4-HMAC-SHA256 Credential=${keys.admin.accessKeyId}/20260101/us-east-1/cloudtrail/aws4_request, SignedHeaders=host`,
        "x-amz-date": "20260101T000000Z",
      },
      "IncompleteSignatureException",
      /'Signature'/,
    ],
    [
      "without signed headers and credential",
      { authorization: "AWS4-HMAC-SHA256 Signature=0", "x-amz-date": "20260101T000000Z" },
      "IncompleteSignatureException",
      /'Credential'.*'SignedHeaders'/,
    ],
  ])("%s", async (_what, headers, __type, message) => {
    const answer = await readAnswer(
      await fetch(cairn.url, { method: "POST", headers: { ...target, ...headers }, body: "{}" }),
    );
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ __type, message: expect.stringMatching(message) });
  });

  test("signed for another service", async () => {
    const answer = await signed(keys.admin, {
      path: "/",
      service: "monitoring",
      headers: target,
      body: "{}",
    });
    expect(answer.json).toEqual({
      __type: "InvalidSignatureException",
      message: "Credential should be scoped to correct service: 'cloudtrail'.",
    });
  });

  test("with another body than was signed", async () => {
    const answer = await signed(keys.admin, {
      ...{ path: "/", service: "cloudtrail", headers: target, body: "{}" },
      sentBody: '{"includeShadowTrails":false}',
    });
    expect(answer.json).toEqual({ __type: mismatch[0], message: mismatch[1] });
  });

  test.each<[what: string, agoSeconds: number, status: number]>([
    ["in time", 0, 200],
    ["ten minutes too late", 660, 400],
  ])("presigned, %s", async (_what, agoSeconds, status) => {
    const { hostname, port, host } = new URL(cairn.url);
    const signer = new SignatureV4({
      credentials: keys.admin,
      region,
      service: "cloudtrail",
      sha256: Sha256,
    });
    const request = {
      ...{
        method: "POST",
        protocol: "http:",
        hostname,
        port: Number(port),
        path: "/",
        query: {},
        body: "{}",
      },
      headers: { ...target, host },
    };
    const signingDate = new Date(Date.now() - agoSeconds * 1000);
    const { query = {} } = await signer.presign(request, { expiresIn: 60, signingDate });
    // The signer has moved the target into the query.
    const body = new TextEncoder().encode("{}");
    const url = `${cairn.url}/?${new URLSearchParams(query as Record<string, string>).toString()}`;
    const answer = await readAnswer(
      await fetch(url, { method: "POST", headers: { "content-type": target["content-type"] }, body }),
    );
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
    if (status === 400) expect(answer.json).toMatchObject({ __type: "InvalidSignatureException" });
  });

  test("the signature is looked at before the body, the body before the policies", async () => {
    const broken = { path: "/", service: "cloudtrail", headers: target, body: '{"trailNameList":' };
    const wrong = { ...keys.admin, secretAccessKey: "another-secret-of-the-tests-0001" };
    expect((await signed(wrong, broken)).json).toMatchObject({ __type: "InvalidSignatureException" });
    expect((await signed(keys.nobody, broken)).json).toEqual({ __type: "SerializationException" });
  });
});

describe("policies", () => {
  const selectors = { EventSelectors: [{}] };
  test.each<[what: string, call: () => Promise<unknown>, refusal: Refusal]>([
    [
      "a user without any",
      () => as(keys.nobody).describeTrails({}),
      notAllowed("nobody", "cloudtrail:DescribeTrails", "*"),
    ],
    [
      "a reader that changes something",
      () => as(keys.reader).stopLogging({ Name: "team-trail" }),
      notAllowed("reader", "cloudtrail:StopLogging", arn("team-trail")),
    ],
    [
      "a reader that creates a trail",
      () => as(keys.reader).createTrail({ Name: "new-trail", S3BucketName: bucket }),
      notAllowed("reader", "cloudtrail:CreateTrail", arn("new-trail")),
    ],
    [
      "an action that the wildcard does not cover",
      () => as(keys.reader).listTags({ ResourceIdList: [arn("team-trail")] }),
      notAllowed("reader", "cloudtrail:ListTags", arn("team-trail")),
    ],
    [
      "a resource that the wildcard does not cover",
      () => as(keys.team).putEventSelectors({ TrailName: "other-trail", ...selectors }),
      notAllowed("teams/team", "cloudtrail:PutEventSelectors", arn("other-trail")),
    ],
    [
      "a resource of another account",
      () => as(keys.team).getTrail({ Name: trailArn(other, "team-trail") }),
      notAllowed("teams/team", "cloudtrail:GetTrail", trailArn(other, "team-trail")),
    ],
    [
      "an explicit deny of an action",
      () => as(keys.team).deleteTrail({ Name: "team-trail" }),
      explicitlyDenied("teams/team", "cloudtrail:DeleteTrail", arn("team-trail")),
    ],
    [
      "an explicit deny of a resource",
      () => as(keys.team).getTrailStatus({ Name: arn("team-secret") }),
      explicitlyDenied("teams/team", "cloudtrail:GetTrailStatus", arn("team-secret")),
    ],
    [
      "one resource of several",
      () => as(keys.team).listTags({ ResourceIdList: [arn("team-trail"), arn("other-trail")] }),
      notAllowed("teams/team", "cloudtrail:ListTags", arn("other-trail")),
    ],
    [
      "a lookup, which names no resource",
      () => as(keys.nobody).lookupEvents({}),
      [
        "AccessDeniedException",
        `User: ${userArn("nobody")} is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action`,
      ],
    ],
    [
      "an operation that is not there yet",
      () => as(keys.nobody).listChannels({}),
      notAllowed("nobody", "cloudtrail:ListChannels", "*"),
    ],
  ])("refuse %s, with the exact words", async (_what, call, refusal) => {
    await expectRefusal(call(), refusal);
  });

  test("allow what they name, in any case", async () => {
    const reader = as(keys.reader);
    expect((await reader.describeTrails({})).trailList).toHaveLength(1);
    expect((await reader.getTrailStatus({ Name: "team-trail" })).IsLogging).toBe(false);
    expect((await reader.listTrails({})).Trails).toHaveLength(1);
    const team = as(keys.team);
    expect((await team.putEventSelectors({ TrailName: "team-trail", ...selectors })).TrailARN).toBe(
      arn("team-trail"),
    );
    expect((await as(keys.root).getTrail({ Name: "team-trail" })).Trail).toBeDefined();
  });

  test("a refusal changes nothing and tells nothing about what is there", async () => {
    const refusal = notAllowed("reader", "cloudtrail:DeleteTrail", arn("no-such-trail"));
    await expectRefusal(as(keys.reader).deleteTrail({ Name: "no-such-trail" }), refusal);
    await expectRefusal(
      as(keys.reader).deleteTrail({ Name: "team-trail" }),
      notAllowed("reader", "cloudtrail:DeleteTrail", arn("team-trail")),
    );
    expect((await as(keys.admin).getTrail({ Name: "team-trail" })).Trail).toBeDefined();
  });

  test("creating with tags needs AddTags too", async () => {
    // The team may do everything to team-…: both actions are covered there, and only there.
    const made = { Name: "team-tagged", S3BucketName: bucket, TagsList: [{ Key: "Team" }] };
    expect((await as(keys.team).createTrail(made)).Name).toBe("team-tagged");
    await expectRefusal(as(keys.reader).createTrail(made), [
      "AccessDeniedException",
      /cloudtrail:CreateTrail/,
    ]);
    await as(keys.admin).deleteTrail({ Name: "team-tagged" });
  });
});

test("an account sees its own trails, and its key alone decides which account it is", async () => {
  const foreigner = as(keys.foreigner);
  expect((await foreigner.describeTrails({})).trailList).toEqual([]);
  await expectRefusal(foreigner.getTrail({ Name: arn("team-trail") }), [
    "TrailNotFoundException",
    `Unknown trail: ${arn("team-trail")} for the user: ${other}`,
  ]);
  expect((await foreigner.createTrail({ Name: "their-trail", S3BucketName: bucket })).TrailARN).toBe(
    trailArn(other, "their-trail"),
  );
});

describe("the bucket door", () => {
  const denied = { name: "AccessDenied", $metadata: expect.objectContaining({ httpStatusCode: 403 }) };
  const create = (credentials: Credentials, Bucket: string) =>
    s3(credentials).send(new CreateBucketCommand({ Bucket }));
  const write = (credentials: Credentials, Bucket: string) =>
    s3(credentials).send(new PutObjectCommand({ Bucket, Key: "note.txt", Body: "a note" }));

  test("is closed to who has no policy for it", async () => {
    for (const credentials of [keys.nobody, keys.reader, keys.session]) {
      await expect(create(credentials, "their-bucket")).rejects.toMatchObject(denied);
      await expect(write(credentials, bucket)).rejects.toMatchObject(denied);
      await expect(s3(credentials).send(new ListObjectsV2Command({ Bucket: bucket }))).rejects.toMatchObject(
        denied,
      );
    }
  });

  test("opens for the resources of a policy and no others", async () => {
    expect((await create(keys.team, "team-bucket")).$metadata.httpStatusCode).toBe(200);
    expect((await write(keys.team, "team-bucket")).$metadata.httpStatusCode).toBe(200);
    await expect(write(keys.team, bucket)).rejects.toMatchObject(denied);
    await expect(create(keys.team, "team-bucket-2")).rejects.toMatchObject(denied);
  });

  test("is closed to the unsigned and the wrongly signed", async () => {
    expect((await fetch(`${cairn.url}/${bucket}`, { method: "PUT" })).status).toBeGreaterThanOrEqual(400);
    const wrong = { ...keys.admin, secretAccessKey: "another-secret-of-the-tests-0001" };
    await expect(write(wrong, bucket)).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
    await expect(write({ ...wrong, accessKeyId: "AKIAUNKNOWN000000001" }, bucket)).rejects.toMatchObject({
      name: "InvalidAccessKeyId",
    });
  });
});

describe("the events door", () => {
  const post = (credentials: Credentials, records: readonly unknown[]) =>
    signed(credentials, {
      path: "/events",
      service: "cairn",
      headers: { "content-type": "application/x-ndjson" },
      body: records.map((record) => JSON.stringify(record)).join("\n"),
    });
  const of = (recipientAccountId: string | undefined) => managementEvent({ recipientAccountId });

  test("asks for cairn:PutEvents on the account of each record", async () => {
    const answer = await post(keys.writer, [of(main), of(other), of(undefined)]);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ accepted: 2, rejected: [{ index: 1, code: "AccessDenied" }] });
  });

  test("refuses all records of who has no policy for it", async () => {
    for (const credentials of [keys.nobody, keys.reader, keys.session]) {
      const answer = await post(credentials, [of(main)]);
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({ accepted: 0, rejected: [{ index: 0, code: "AccessDenied" }] });
    }
  });

  test("refuses the unsigned and the wrongly signed", async () => {
    const body = JSON.stringify(of(main));
    const unsigned = await readAnswer(await fetch(`${cairn.url}/events`, { method: "POST", body }));
    expect(unsigned.status).toBe(400);
    expect(unsigned.json).toMatchObject({ __type: "MissingAuthenticationTokenException" });
    const wrong = { ...keys.writer, secretAccessKey: "another-secret-of-the-tests-0001" };
    expect((await post(wrong, [of(main)])).json).toMatchObject({ __type: "InvalidSignatureException" });
  });
});

test("SIGHUP takes a user away", async () => {
  await expectRefusal(as(keys.nobody).describeTrails({}), ["AccessDeniedException", /nobody/]);
  writeConfig(folder, configuration(false));
  process.kill(cairn.pid, "SIGHUP");
  await until("the key is unknown", async () => {
    const error: unknown = await as(keys.nobody)
      .describeTrails({})
      .catch((reason: unknown) => reason);
    return error instanceof Error && error.name === "UnrecognizedClientException";
  });
  expect((await as(keys.admin).describeTrails({})).$metadata.httpStatusCode).toBe(200);
});

interface Signable {
  readonly path: string;
  readonly service: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** What goes on the wire instead of the signed body. */
  readonly sentBody?: string;
}

async function signed(credentials: Credentials, request: Signable) {
  const { hostname, port, host } = new URL(cairn.url);
  const signer = new SignatureV4({ credentials, region, service: request.service, sha256: Sha256 });
  const { headers } = await signer.sign({
    method: "POST",
    protocol: "http:",
    hostname,
    port: Number(port),
    path: request.path,
    query: {},
    headers: { ...request.headers, host },
    body: request.body,
  });
  const { host: _, ...sent } = headers;
  const response = await fetch(`${cairn.url}${request.path}`, {
    method: "POST",
    headers: sent,
    body: new TextEncoder().encode(request.sentBody ?? request.body),
  });
  return readAnswer(response);
}

/** The hash that the signer asks for, from Node. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }
  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(chunk));
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
  reset(): void {
    throw new Error("The signer uses a hash once.");
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
