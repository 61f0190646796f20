// Records of a management trail: people, the CLI, Terraform and services at work in one account. Shares of kinds,
// fields, errors and sizes follow the statistics of real trails (profile M).
import { account, drawProgram, identityOf, type Program } from "./cast.ts";
import { type Draw, sharedOut } from "./draw.ts";

interface Kind {
  readonly share: number;
  readonly service: string;
  readonly name: string;
  readonly readOnly: boolean;
  /** Share of calls that are refused, and with which code. */
  readonly errors?: { readonly share: number; readonly code: string };
  readonly request?: (draw: Draw) => unknown;
  readonly response?: (draw: Draw) => unknown;
  readonly resources?: (draw: Draw) => readonly unknown[];
}

const parameter = (draw: Draw) => `/services/checkout/database-${String(draw.below(42))}`;
const secret = (draw: Draw) => `payments/api-key-${String(draw.below(20))}`;
const bucketName = (draw: Draw) => `acme-${draw.pick(["logs", "assets", "terraform-state", "exports"])}-eu1`;
const roleName = (draw: Draw) => `service-role-${String(draw.below(30))}`;
const instances = Array.from(
  { length: 60 },
  (_, index) => `i-0${(index * 0x9e3779b1).toString(16).padStart(16, "7c0")}`,
);
const instance = (draw: Draw) => draw.pickSkewed(instances);
const keyArn = `arn:aws:kms:us-east-1:${account}:key/5b2f6d3e-1f2a-4c51-9e5b-2f0d9a3c7e11`;
const keyResources = () => [{ accountId: account, type: "AWS::KMS::Key", ARN: keyArn }];

const noRequest = () => null;
const filters = (name: string, value: (draw: Draw) => string) => (draw: Draw) => ({
  filterSet: { items: [{ name, valueSet: { items: [{ value: value(draw) }] } }] },
});
const throttled = (share: number) => ({ share, code: "ThrottlingException" });

/** The commonest kinds with their shares in percent; the tail is below. */
const commonKinds: readonly Kind[] = [
  {
    ...{ share: 5.1, service: "kms", name: "Decrypt", readOnly: true, resources: keyResources },
    request: (draw) => ({
      encryptionContext: { PARAMETER_ARN: `arn:aws:ssm:us-east-1:${account}:parameter${parameter(draw)}` },
      encryptionAlgorithm: "SYMMETRIC_DEFAULT",
    }),
  },
  {
    ...{ share: 4.7, service: "ec2", name: "DescribeRouteTables", readOnly: true },
    errors: { share: 0.08, code: "Client.InvalidRouteTableID.NotFound" },
    request: filters("association.route-table-association-id", (draw) => `rtbassoc-0${draw.hex(16)}`),
  },
  {
    ...{ share: 4, service: "ssm", name: "DescribeInstanceInformation", readOnly: true },
    request: (draw) => ({ filters: [{ key: "InstanceIds", valueSet: [instance(draw)] }] }),
  },
  { share: 3.7, service: "iam", name: "GetUser", readOnly: true, request: noRequest },
  {
    ...{ share: 3.7, service: "ssm", name: "DescribeParameters", readOnly: true, errors: throttled(0.31) },
    request: (draw) => ({
      parameterFilters: [{ key: "Name", option: "Equals", values: [parameter(draw)] }],
      maxResults: 10,
    }),
  },
  {
    ...{ share: 2.4, service: "ssm", name: "GetParameter", readOnly: true },
    request: (draw) => ({ name: parameter(draw), withDecryption: true }),
    resources: (draw) => [
      { accountId: account, ARN: `arn:aws:ssm:us-east-1:${account}:parameter${parameter(draw)}` },
    ],
  },
  {
    ...{ share: 2.4, service: "ssm", name: "ListTagsForResource", readOnly: true },
    request: (draw) => ({ resourceType: "Parameter", resourceId: parameter(draw) }),
  },
  {
    ...{ share: 2.3, service: "secretsmanager", name: "GetSecretValue", readOnly: true },
    request: (draw) => ({
      secretId: `arn:aws:secretsmanager:us-east-1:${account}:secret:${secret(draw)}`,
      versionStage: "AWSCURRENT",
    }),
  },
  {
    ...{ share: 2.3, service: "ec2", name: "DescribeInstances", readOnly: true },
    request: () => ({ maxResults: 1000, instancesSet: {}, filterSet: {} }),
  },
  {
    ...{ share: 2.2, service: "ssm", name: "DeleteParameter", readOnly: false, errors: throttled(0.49) },
    request: (draw) => ({ name: parameter(draw) }),
  },
  {
    ...{ share: 1.9, service: "ssm", name: "PutParameter", readOnly: false, errors: throttled(0.37) },
    request: (draw) => ({
      ...{ name: parameter(draw), type: "SecureString", value: "HIDDEN_DUE_TO_SECURITY_REASONS" },
      ...{ description: "Set by the delivery pipeline", keyId: "alias/aws/ssm", overwrite: true },
    }),
    response: (draw) => ({ version: 1 + draw.below(9), tier: "Standard" }),
  },
  {
    ...{ share: 1.7, service: "ec2", name: "GetPasswordData", readOnly: true },
    errors: { share: 1, code: "Client.UnauthorizedOperation" },
    request: (draw) => ({ instanceId: instance(draw) }),
  },
  {
    ...{ share: 1.3, service: "ec2", name: "DescribeInstanceAttribute", readOnly: true },
    errors: { share: 0.64, code: "Client.UnauthorizedOperation" },
    request: (draw) => ({ instanceId: instance(draw), attribute: "userData" }),
  },
  {
    ...{ share: 1.2, service: "kms", name: "Encrypt", readOnly: true, resources: keyResources },
    request: () => ({ keyId: keyArn, encryptionAlgorithm: "SYMMETRIC_DEFAULT" }),
  },
  {
    ...{ share: 0.6, service: "kms", name: "GenerateDataKey", readOnly: true, resources: keyResources },
    request: (draw) => ({
      ...{ keyId: keyArn, keySpec: "AES_256" },
      encryptionContext: { SecretARN: `arn:aws:secretsmanager:us-east-1:${account}:secret:${secret(draw)}` },
    }),
  },
  {
    ...{ share: 0.9, service: "sts", name: "AssumeRole", readOnly: true },
    request: (draw) => ({
      roleArn: `arn:aws:iam::${account}:role/${roleName(draw)}`,
      ...{ roleSessionName: `deploy-${String(draw.below(100_000))}`, durationSeconds: 3600 },
    }),
    response: (draw) => ({
      credentials: {
        accessKeyId: `ASIA${draw.upper(16)}`,
        ...{ sessionToken: draw.base64(660), expiration: "Jul 14, 2026, 11:18:41 AM" },
      },
    }),
  },
  {
    ...{ share: 0.8, service: "secretsmanager", name: "CreateSecret", readOnly: false },
    request: (draw) => ({ name: secret(draw), clientRequestToken: draw.uuid(), recoveryWindowInDays: 7 }),
    response: (draw) => ({ arn: `arn:aws:secretsmanager:us-east-1:${account}:secret:${secret(draw)}` }),
  },
  {
    ...{ share: 0.4, service: "ec2", name: "RunInstances", readOnly: false },
    request: (draw) => runInstances(draw),
    response: (draw) => ({
      ...{ reservationId: `r-0${draw.hex(16)}`, ownerId: account },
      instancesSet: { items: Array.from({ length: 4 }, () => launched(draw)) },
    }),
  },
  {
    ...{ share: 0.03, service: "ecr", name: "DescribeImageScanFindings", readOnly: true },
    request: () => ({ repositoryName: "checkout", imageId: { imageTag: "latest" }, maxResults: 100 }),
    response: (draw) => ({
      imageScanFindings: { findings: Array.from({ length: 180 }, () => finding(draw)) },
    }),
  },
  ...bucketKinds(),
];

/** Further kinds: many operations, each rare, with small requests. */
const tail: readonly (readonly [service: string, share: number, names: string])[] = [
  [
    ...(["ec2", 17] as const),
    "DescribeNatGateways DescribeVpcAttribute DescribeSubnets DescribeAccountAttributes DescribeVpcs DescribeVolumes DescribeAvailabilityZones DescribeSecurityGroups DescribeAddresses DescribeVolumeStatus DescribeNetworkAcls DescribeInternetGateways DescribeImages DescribeVpcClassicLink DescribeNetworkInterfaces DescribeSnapshots DescribeKeyPairs CreateTags DeleteTags CreateSecurityGroup AuthorizeSecurityGroupIngress DeleteSecurityGroup AllocateAddress CreateVpc DeleteVpc CreateSubnet",
  ],
  [
    ...(["iam", 8.4] as const),
    "ListAttachedRolePolicies ListRolePolicies GetRole ListUsers ListRoles GetPolicy GetPolicyVersion ListInstanceProfilesForRole CreateRole AttachRolePolicy DetachRolePolicy DeleteRole CreatePolicy PutRolePolicy CreateAccessKey",
  ],
  [
    ...(["secretsmanager", 4.4] as const),
    "GetResourcePolicy DescribeSecret PutSecretValue DeleteSecret ListSecrets TagResource",
  ],
  [
    ...(["rds", 4.4] as const),
    "DescribeOrderableDBInstanceOptions DescribeDBInstances DescribeDBEngineVersions",
  ],
  [...(["health", 1.4] as const), "DescribeEventAggregates"],
  [...(["cloudtrail", 1.2] as const), "DescribeTrails GetTrailStatus LookupEvents StopLogging DeleteTrail"],
  [...(["sts", 0.5] as const), "GetCallerIdentity"],
  [...(["elasticloadbalancing", 1] as const), "DescribeLoadBalancers DescribeTargetGroups DescribeTags"],
  [...(["lambda", 0.9] as const), "ListFunctions20150331 GetFunction20150331v2 UpdateFunctionCode20150331v2"],
  [...(["autoscaling", 0.35] as const), "DescribeAutoScalingGroups DescribePolicies"],
  [...(["monitoring", 0.35] as const), "DescribeAlarms PutMetricAlarm"],
  [...(["logs", 0.3] as const), "DescribeLogGroups CreateLogStream"],
  [...(["organizations", 0.15] as const), "DescribeOrganization ListAccounts"],
  [...(["guardduty", 0.2] as const), "ListDetectors GetDetector"],
];

const drawKind = sharedOut([...commonKinds, ...tail.flatMap(tailKinds)]);

function tailKinds([service, share, names]: (typeof tail)[number]): Kind[] {
  return names.split(" ").map((name, at, all) => {
    const readOnly = /^(Describe|List|Get|Lookup)/.test(name);
    return {
      // The first of a row is several times as common as its last.
      share: (share * 2 * (all.length - at)) / (all.length * (all.length + 1)),
      ...{ service, name, readOnly, errors: { share: 0.035, code: "AccessDenied" } },
      request: (draw) => tailRequest(name, draw),
      ...(!readOnly && { response: (draw) => ({ requestId: draw.uuid(), _return: true }) }),
    };
  });
}

function tailRequest(name: string, draw: Draw): unknown {
  if (draw.chance(0.2)) return null;
  const noun = name.replace(/^(Describe|List|Get|Create|Delete|Put|Lookup)/, "");
  const id = `${noun.slice(0, 8).toLowerCase()}-0${draw.hex(draw.chance(0.5) ? 16 : 8)}`;
  return draw.chance(0.5)
    ? { [`${noun[0]?.toLowerCase()}${noun.slice(1)}Id`]: id, maxResults: 100 }
    : { filterSet: {}, [`${noun[0]?.toLowerCase()}${noun.slice(1)}Set`]: { items: [{ id }] } };
}

function bucketKinds(): Kind[] {
  const names = [
    ...[
      "GetBucketAcl",
      "GetBucketLogging",
      "GetBucketPublicAccessBlock",
      "GetBucketPolicy",
      "GetBucketTagging",
    ],
    ...["GetBucketVersioning", "ListBuckets", "GetBucketCors", "PutBucketTagging", "CreateBucket"],
  ];
  return names.map((name, at) => ({
    ...{ share: 8.4 / (at + 1.5) / 1.75, service: "s3", name, readOnly: !/^(Put|Create)/.test(name) },
    errors: { share: 0.3, code: "NoSuchBucketPolicy" },
    request: (draw) => {
      const bucket = bucketName(draw);
      return {
        bucketName: bucket,
        Host: `${bucket}.s3.us-east-1.amazonaws.com`,
        [name.slice(9).toLowerCase()]: "",
      };
    },
    resources: (draw) => [
      { accountId: account, type: "AWS::S3::Bucket", ARN: `arn:aws:s3:::${bucketName(draw)}` },
    ],
  }));
}

/** Somebody at work with one program for a while. */
export interface Scene {
  readonly program: Program;
  readonly identity: Record<string, unknown>;
  readonly address: string;
  readonly userAgent: string;
  readonly region: string;
}

export function drawScene(draw: Draw): Scene {
  const program = drawProgram(draw);
  return {
    ...{ program, identity: identityOf(program, draw), region: regionOf(draw) },
    ...{ address: draw.pickSkewed(program.addresses), userAgent: draw.pickSkewed(program.userAgents) },
  };
}

/** One record at `time`, an ISO 8601 second with Z. */
export function managementRecord(draw: Draw, scene: Scene, time: string): Record<string, unknown> {
  const kind = drawKind(draw);
  const { program, region } = scene;
  const isS3 = kind.service === "s3";
  const isFailed = kind.errors !== undefined && draw.chance(kind.errors.share);
  const isOld = draw.chance(0.066);
  return {
    eventVersion: isOld ? "1.05" : draw.chance(0.055) ? "1.09" : "1.08",
    userIdentity: scene.identity,
    eventTime: time,
    eventSource: `${kind.service}.amazonaws.com`,
    eventName: kind.name,
    awsRegion: region,
    sourceIPAddress: scene.address,
    userAgent: scene.userAgent,
    ...(isFailed && errorOf(kind, draw)),
    requestParameters: kind.request?.(draw) ?? null,
    responseElements: isFailed ? null : (kind.response?.(draw) ?? null),
    ...(isS3 && { additionalEventData: s3Data(draw) }),
    requestID: isS3 ? draw.upper(16) : draw.uuid(),
    eventID: draw.uuid(),
    ...(!isOld && { readOnly: kind.readOnly }),
    ...(kind.resources && !isFailed && { resources: kind.resources(draw) }),
    eventType: draw.chance(0.013) ? "AwsServiceEvent" : "AwsApiCall",
    ...(!isOld && { managementEvent: true }),
    recipientAccountId: account,
    ...(isS3 && draw.chance(0.4) && { vpcEndpointId: "vpce-0f40dc59d2b7a1c33" }),
    ...(!isOld && { eventCategory: "Management" }),
    ...(program.hasTls && { tlsDetails: tlsOf(kind.service, region, draw) }),
    ...afterTls(program, draw),
  };
}

function afterTls(program: Program, draw: Draw): Record<string, unknown> | undefined {
  return program.who === "session" && draw.chance(0.5) ? { sessionCredentialFromConsole: "true" } : undefined;
}

function regionOf(draw: Draw): string {
  if (draw.chance(0.9)) return "us-east-1";
  return draw.chance(0.7) ? "eu-west-1" : "us-west-2";
}

/** What the API says of itself, and the long text that the authorization service encodes. */
function errorOf(kind: Kind, draw: Draw): Record<string, unknown> {
  const errorCode = kind.errors?.code ?? "AccessDenied";
  const who = `arn:aws:iam::${account}:user/inventory-scan`;
  if (errorCode === "Client.UnauthorizedOperation") {
    const text = `You are not authorized to perform this operation. User: ${who} is not authorized to perform: ${kind.service}:${kind.name} on resource: arn:aws:ec2:us-east-1:${account}:instance/* because no identity-based policy allows the ${kind.service}:${kind.name} action. Encoded authorization failure message: ${draw.base64(510)}`;
    return { errorCode, errorMessage: text };
  }
  if (errorCode === "ThrottlingException") return { errorCode, errorMessage: "Rate exceeded" };
  return { errorCode, errorMessage: `User: ${who} may not perform ${kind.service}:${kind.name}` };
}

function s3Data(draw: Draw): Record<string, unknown> {
  return {
    ...{ SignatureVersion: "SigV4", CipherSuite: "ECDHE-RSA-AES128-GCM-SHA256", bytesTransferredIn: 0 },
    ...{
      AuthenticationMethod: "AuthHeader",
      "x-amz-id-2": draw.base64(56),
      bytesTransferredOut: draw.below(2000),
    },
  };
}

function tlsOf(service: string, region: string, draw: Draw): Record<string, unknown> {
  const clientProvidedHostHeader = `${service}.${region}.amazonaws.com`;
  return draw.chance(0.14)
    ? { tlsVersion: "TLSv1.3", cipherSuite: "TLS_AES_128_GCM_SHA256", clientProvidedHostHeader }
    : { tlsVersion: "TLSv1.2", cipherSuite: "ECDHE-RSA-AES128-GCM-SHA256", clientProvidedHostHeader };
}

function runInstances(draw: Draw): Record<string, unknown> {
  return {
    instancesSet: {
      items: [{ imageId: `ami-0${draw.hex(16)}`, minCount: 1, maxCount: 4, keyName: "deploy" }],
    },
    ...{ instanceType: "m7g.large", blockDeviceMapping: {}, monitoring: { enabled: false } },
    clientToken: draw.uuid(),
    networkInterfaceSet: { items: [{ deviceIndex: 0, subnetId: `subnet-0${draw.hex(16)}` }] },
  };
}

function launched(draw: Draw): Record<string, unknown> {
  return {
    ...{
      instanceId: instance(draw),
      imageId: `ami-0${draw.hex(16)}`,
      currentState: { code: 0, name: "pending" },
    },
    ...{
      instanceType: "m7g.large",
      launchTime: 1_784_020_721_000,
      placement: { availabilityZone: "us-east-1b" },
    },
    ...{
      privateIpAddress: `10.0.${String(draw.below(255))}.${String(draw.below(255))}`,
      stateReason: { code: "pending" },
    },
    ...{
      architecture: "arm64",
      rootDeviceType: "ebs",
      rootDeviceName: "/dev/xvda",
      virtualizationType: "hvm",
    },
  };
}

function finding(draw: Draw): Record<string, unknown> {
  const name = `CVE-2026-${String(1000 + draw.below(40_000))}`;
  return {
    ...{
      name,
      uri: `https://security-tracker.example.org/tracker/${name}`,
      severity: draw.pick(["LOW", "HIGH"]),
    },
    attributes: [
      {
        key: "package_version",
        value: `${String(draw.below(9))}.${String(draw.below(40))}-${String(draw.below(9))}`,
      },
      { key: "package_name", value: draw.pick(["openssl", "glibc", "curl", "zlib", "systemd"]) },
      { key: "CVSS3_SCORE", value: `${String(draw.below(10))}.${String(draw.below(10))}` },
    ],
  };
}
