// A stream of records shaped like real traffic: about 1.6 KB each, two dozen kinds, skewed users, roles and buckets.
// Seeded: two runs post the same bytes.

const kinds = [
  ["ec2.amazonaws.com", "DescribeInstances", true],
  ["ec2.amazonaws.com", "RunInstances", false],
  ["iam.amazonaws.com", "GetRole", true],
  ["iam.amazonaws.com", "PutRolePolicy", false],
  ["sts.amazonaws.com", "AssumeRole", true],
  ["kms.amazonaws.com", "Decrypt", true],
  ["kms.amazonaws.com", "GenerateDataKey", true],
  ["logs.amazonaws.com", "CreateLogStream", false],
  ["monitoring.amazonaws.com", "DescribeAlarms", true],
  ["ssm.amazonaws.com", "GetParameter", true],
] as const;
const objectCalls = [
  ["GetObject", true],
  ["PutObject", false],
  ["HeadObject", true],
  ["DeleteObject", false],
] as const;

/** `count` records as NDJSON bodies of about `perBody` records each. */
export function generatedBodies(count: number, perBody: number): Buffer[] {
  const random = seededRandom(7_021_994);
  const bodies: Buffer[] = [];
  for (let made = 0; made < count; made += perBody) {
    const size = Math.min(perBody, count - made);
    bodies.push(Buffer.from(Array.from({ length: size }, () => JSON.stringify(record(random))).join("\n")));
  }
  return bodies;
}

function record(random: () => number): Record<string, unknown> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() ** 2 * list.length)] as T;
  const hex = (length: number) =>
    Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("");
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
  const role = `service-role-${Math.floor(random() ** 3 * 40)}`;
  const session = `session-${Math.floor(random() ** 2 * 200)}`;
  const isObject = random() < 0.4;
  const [operation, operationReadOnly] = pick(objectCalls);
  const [source, name, readOnly] = pick(kinds);
  const bucket = `${pick(["logs", "data-lake", "assets", "backup"])}-${pick(["prod", "stage", "dev"])}`;
  const key = `year=2026/month=01/${hex(8)}/${hex(24)}.parquet`;
  return {
    eventVersion: "1.11",
    userIdentity: {
      type: "AssumedRole",
      principalId: `AROA${hex(16).toUpperCase()}:${session}`,
      arn: `arn:aws:sts::123456789012:assumed-role/${role}/${session}`,
      accountId: "123456789012",
      accessKeyId: `ASIA${hex(16).toUpperCase()}`,
      sessionContext: {
        sessionIssuer: {
          type: "Role",
          principalId: `AROA${hex(16).toUpperCase()}`,
          arn: `arn:aws:iam::123456789012:role/${role}`,
          accountId: "123456789012",
          userName: role,
        },
        attributes: { creationDate: "2026-01-10T09:02:11Z", mfaAuthenticated: "false" },
      },
    },
    eventTime: "2026-01-10T09:18:41Z",
    eventSource: isObject ? "s3.amazonaws.com" : source,
    eventName: isObject ? operation : name,
    awsRegion: "us-east-1",
    sourceIPAddress: `10.${Math.floor(random() * 16)}.${Math.floor(random() * 256)}.7`,
    userAgent:
      "aws-sdk-java/2.25.11 Linux/5.10.210 OpenJDK_64-Bit_Server_VM/17.0.10+7-LTS Java/17.0.10 vendor/Amazon",
    requestParameters: isObject
      ? { bucketName: bucket, Host: `${bucket}.s3.us-east-1.amazonaws.com`, key }
      : { name: `resource-${hex(12)}`, filterSet: {}, maxResults: 100 },
    responseElements: null,
    additionalEventData: {
      SignatureVersion: "SigV4",
      CipherSuite: "TLS_AES_128_GCM_SHA256",
      bytesTransferredIn: 0,
      bytesTransferredOut: Math.floor(random() * 100_000),
      "x-amz-id-2": hex(64),
    },
    requestID: hex(16).toUpperCase(),
    eventID: uuid(),
    readOnly: isObject ? operationReadOnly : readOnly,
    ...(isObject && {
      resources: [
        { type: "AWS::S3::Object", ARN: `arn:aws:s3:::${bucket}/${key}` },
        { accountId: "123456789012", type: "AWS::S3::Bucket", ARN: `arn:aws:s3:::${bucket}` },
      ],
    }),
    eventType: "AwsApiCall",
    managementEvent: !isObject,
    recipientAccountId: "123456789012",
    eventCategory: isObject ? "Data" : "Management",
    tlsDetails: {
      tlsVersion: "TLSv1.3",
      cipherSuite: "TLS_AES_128_GCM_SHA256",
      clientProvidedHostHeader: "us-east-1.amazonaws.com",
    },
  };
}

function seededRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
