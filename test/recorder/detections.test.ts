// Public detections (Sigma, Elastic, Splunk) look at members of records by their path. For calls that they watch, what they
// look for is at that path. The paths are facts of those rules; the calls are made by boto3 through Cairn to moto.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BotoAnswer, type BotoCall, boto3, runBoto3 } from "../harness/boto3.ts";
import { moto } from "../harness/moto.ts";
import { describeWith } from "../harness/outside-program.ts";
import { account, type LoggedRecord, type RecorderWorld, region, startWorld } from "./recorder-world.ts";

/** What the rule watches, the call that it is to see, and each path with the value that stands there. */
interface Watched {
  readonly rule: string;
  readonly call: BotoCall;
  /** eventName, where it is not the operation's. */
  readonly eventName?: string;
  readonly paths: Readonly<Record<string, unknown>>;
}

const call = (service: string, operation: string, parameters: Readonly<Record<string, unknown>> = {}) => ({
  ...{ service, operation, parameters },
});
const adminPolicy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';
const text = expect.any(String);

const watched: readonly Watched[] = [
  {
    rule: "a user gets a key for another one",
    call: call("iam", "CreateAccessKey", { UserName: "paul" }),
    paths: {
      "requestParameters.userName": "paul",
      "responseElements.accessKey.userName": "paul",
      "responseElements.accessKey.accessKeyId": text,
      "userIdentity.type": "Unknown",
      "userIdentity.accountId": account,
      "userIdentity.accessKeyId": account,
    },
  },
  {
    rule: "a console password is set",
    call: call("iam", "CreateLoginProfile", {
      UserName: "paul",
      Password: "aPassw0rd!",
      PasswordResetRequired: false,
    }),
    paths: { "requestParameters.userName": "paul", "requestParameters.passwordResetRequired": false },
  },
  {
    rule: "an inline policy is put on a user",
    call: call("iam", "PutUserPolicy", { UserName: "paul", PolicyName: "all", PolicyDocument: adminPolicy }),
    paths: { "requestParameters.policyName": "all", "requestParameters.policyDocument": adminPolicy },
  },
  {
    rule: "a policy is attached to a user",
    call: call("iam", "AttachUserPolicy", { UserName: "paul", PolicyArn: "{{policy.Policy.Arn}}" }),
    paths: { "requestParameters.userName": "paul", "requestParameters.policyArn": text },
  },
  {
    rule: "a policy gets a new default version",
    call: call("iam", "CreatePolicyVersion", {
      ...{ PolicyArn: "{{policy.Policy.Arn}}", PolicyDocument: adminPolicy, SetAsDefault: true },
    }),
    paths: { "requestParameters.setAsDefault": true, "responseElements.policyVersion.versionId": "v2" },
  },
  {
    rule: "a user is added to a group",
    call: call("iam", "AddUserToGroup", { GroupName: "admins", UserName: "paul" }),
    paths: { "requestParameters.groupName": "admins", "requestParameters.userName": "paul" },
  },
  {
    rule: "a role's trust is changed",
    call: call("iam", "UpdateAssumeRolePolicy", { RoleName: "deployer", PolicyDocument: adminPolicy }),
    paths: { "requestParameters.roleName": "deployer", "requestParameters.policyDocument": adminPolicy },
  },
  {
    rule: "a role is assumed",
    call: {
      ...call("sts", "AssumeRole", { RoleArn: "{{role.Role.Arn}}", RoleSessionName: "ops" }),
      save: "session",
    },
    paths: {
      "requestParameters.roleArn": `arn:aws:iam::${account}:role/deployer`,
      "requestParameters.roleSessionName": "ops",
      "responseElements.credentials.accessKeyId": expect.stringMatching(/^ASIA/),
      "responseElements.assumedRoleUser.arn": `arn:aws:sts::${account}:assumed-role/deployer/ops`,
      "resources.0.ARN": `arn:aws:iam::${account}:role/deployer`,
      "resources.0.type": "AWS::IAM::Role",
    },
  },
  {
    rule: "a role's session lists users",
    call: {
      ...call("iam", "ListUsers"),
      credentials: {
        accessKeyId: "{{session.Credentials.AccessKeyId}}",
        secretAccessKey: "{{session.Credentials.SecretAccessKey}}",
        sessionToken: "{{session.Credentials.SessionToken}}",
      },
    },
    paths: {
      "userIdentity.type": "AssumedRole",
      "userIdentity.arn": `arn:aws:sts::${account}:assumed-role/deployer/ops`,
      "userIdentity.principalId": expect.stringMatching(/^AROA\w+:ops$/),
      "userIdentity.sessionContext.sessionIssuer.type": "Role",
      "userIdentity.sessionContext.sessionIssuer.userName": "deployer",
      "userIdentity.sessionContext.sessionIssuer.arn": `arn:aws:iam::${account}:role/deployer`,
      "userIdentity.sessionContext.attributes.mfaAuthenticated": "false",
      "userIdentity.sessionContext.attributes.creationDate": text,
    },
  },
  {
    rule: "somebody asks who they are",
    call: call("sts", "GetCallerIdentity"),
    paths: {
      eventSource: "sts.amazonaws.com",
      readOnly: true,
      userAgent: text,
      sourceIPAddress: "127.0.0.1",
    },
  },
  {
    rule: "a security group is opened to the world",
    call: call("ec2", "AuthorizeSecurityGroupIngress", {
      GroupId: "{{group.GroupId}}",
      IpPermissions: [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
    }),
    paths: {
      "requestParameters.groupId": text,
      "requestParameters.ipPermissions.items.0.ipProtocol": "tcp",
      "requestParameters.ipPermissions.items.0.fromPort": 22,
      "requestParameters.ipPermissions.items.0.toPort": 22,
      "requestParameters.ipPermissions.items.0.ipRanges.items.0.cidrIp": "0.0.0.0/0",
    },
  },
  {
    rule: "a machine is started",
    call: {
      ...call("ec2", "RunInstances", {
        ImageId: "ami-12c6146b",
        MinCount: 1,
        MaxCount: 1,
        InstanceType: "t3.micro",
      }),
      save: "run",
    },
    paths: {
      "requestParameters.instanceType": "t3.micro",
      "requestParameters.instancesSet.items.0.imageId": "ami-12c6146b",
      "responseElements.instancesSet.items.0.instanceId": expect.stringMatching(/^i-/),
    },
  },
  {
    rule: "a machine's start script is changed",
    call: call("ec2", "ModifyInstanceAttribute", {
      ...{ InstanceId: "{{run.Instances.0.InstanceId}}", Attribute: "userData", Value: "c2VjcmV0" },
    }),
    paths: { "requestParameters.instanceId": text, "requestParameters.attribute": "userData" },
  },
  {
    rule: "a snapshot is shared",
    call: call("ec2", "ModifySnapshotAttribute", {
      SnapshotId: "{{snapshot.SnapshotId}}",
      ...{ Attribute: "createVolumePermission", OperationType: "add", UserIds: ["111122223333"] },
    }),
    paths: { "requestParameters.snapshotId": text },
  },
  {
    rule: "a key pair is made",
    call: call("ec2", "CreateKeyPair", { KeyName: "backdoor" }),
    paths: { "requestParameters.keyName": "backdoor", "responseElements.keyName": "backdoor" },
  },
  {
    rule: "a secret is read",
    call: call("secretsmanager", "GetSecretValue", { SecretId: "db" }),
    paths: { "requestParameters.secretId": "db", readOnly: true },
  },
  {
    rule: "a parameter is read decrypted",
    call: call("ssm", "GetParameter", { Name: "/db", WithDecryption: true }),
    paths: { "requestParameters.name": "/db", "requestParameters.withDecryption": true },
  },
  {
    rule: "a key is scheduled for deletion",
    call: call("kms", "ScheduleKeyDeletion", { KeyId: "{{key.KeyMetadata.KeyId}}", PendingWindowInDays: 7 }),
    paths: { "requestParameters.keyId": text, "requestParameters.pendingWindowInDays": 7 },
  },
  {
    rule: "a function may be called from elsewhere",
    call: call("lambda", "AddPermission", {
      ...{ FunctionName: "resize", StatementId: "s", Action: "lambda:InvokeFunction", Principal: "*" },
    }),
    eventName: "AddPermission20150331v2",
    paths: {
      "requestParameters.functionName": "resize",
      "requestParameters.principal": "*",
      "requestParameters.statementId": "s",
    },
  },
  {
    rule: "a database is made public",
    call: call("rds", "ModifyDBInstance", { DBInstanceIdentifier: "shop", PubliclyAccessible: true }),
    paths: { "requestParameters.dBInstanceIdentifier": "shop", "requestParameters.publiclyAccessible": true },
  },
  {
    rule: "a bucket's policy is replaced",
    call: call("s3", "PutBucketPolicy", {
      Bucket: "open",
      Policy:
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::open/*"}]}',
    }),
    paths: {
      "requestParameters.bucketName": "open",
      "requestParameters.bucketPolicy.Statement.0.Effect": "Allow",
      "requestParameters.bucketPolicy.Statement.0.Principal": "*",
      "resources.0.ARN": "arn:aws:s3:::open",
    },
  },
  {
    rule: "a log group is deleted",
    call: call("logs", "DeleteLogGroup", { logGroupName: "audit" }),
    paths: { "requestParameters.logGroupName": "audit", errorCode: undefined },
  },
  {
    rule: "detection is switched off",
    call: call("guardduty", "DeleteDetector", { DetectorId: "{{detector.DetectorId}}" }),
    paths: { "requestParameters.detectorId": text, eventSource: "guardduty.amazonaws.com" },
  },
  {
    rule: "somebody tries what is not there",
    call: call("iam", "GetUser", { UserName: "administrator" }),
    paths: {
      errorCode: "NoSuchEntityException",
      errorMessage: text,
      "requestParameters.userName": "administrator",
    },
  },
];

const preparations: readonly BotoCall[] = [
  call("iam", "CreateUser", { UserName: "paul" }),
  call("iam", "CreateGroup", { GroupName: "admins" }),
  { ...call("iam", "CreatePolicy", { PolicyName: "all", PolicyDocument: adminPolicy }), save: "policy" },
  {
    ...call("iam", "CreateRole", { RoleName: "deployer", AssumeRolePolicyDocument: adminPolicy }),
    save: "role",
  },
  { ...call("ec2", "CreateSecurityGroup", { GroupName: "web", Description: "web" }), save: "group" },
  { ...call("ec2", "CreateVolume", { AvailabilityZone: "us-east-1a", Size: 1 }), save: "volume" },
  { ...call("ec2", "CreateSnapshot", { VolumeId: "{{volume.VolumeId}}" }), save: "snapshot" },
  call("secretsmanager", "CreateSecret", { Name: "db", SecretString: "s" }),
  call("ssm", "PutParameter", { Name: "/db", Value: "v", Type: "SecureString" }),
  { ...call("kms", "CreateKey"), save: "key" },
  call("lambda", "CreateFunction", {
    ...{ FunctionName: "resize", Runtime: "python3.12", Role: "{{role.Role.Arn}}", Handler: "h.h" },
    Code: { ZipFile: { $bytes: "zip" } },
  }),
  call("rds", "CreateDBInstance", {
    DBInstanceIdentifier: "shop",
    Engine: "mysql",
    DBInstanceClass: "db.t3.micro",
  }),
  call("s3", "CreateBucket", { Bucket: "open" }),
  call("logs", "CreateLogGroup", { logGroupName: "audit" }),
  { ...call("guardduty", "CreateDetector", { Enable: true }), save: "detector" },
];

function at(record: LoggedRecord | undefined, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (value === undefined ? value : Object(value)[name]), record);
}

describeWith([moto, boto3])("what public detections look for", () => {
  let world: RecorderWorld;
  let answers: readonly BotoAnswer[] = [];
  let records: readonly LoggedRecord[] = [];

  beforeAll(async () => {
    world = await startWorld();
    const calls = [...preparations, ...watched.map((entry) => entry.call)];
    const all = await runBoto3({
      ...{
        endpoint: world.cairn.url,
        region,
        credentials: { accessKeyId: account, secretAccessKey: "unchecked" },
      },
      calls,
    });
    expect(all.slice(0, preparations.length).filter(({ error }) => error !== undefined)).toEqual([]);
    answers = all.slice(preparations.length);
    // Two of S3 make the trail's own bucket.
    records = await world.untilRecorded(calls.length);
  }, 120_000);
  afterAll(() => world.dispose());

  test("is at 30 paths at least", () => {
    expect(new Set(watched.flatMap(({ paths }) => Object.keys(paths))).size).toBeGreaterThanOrEqual(30);
  });

  test.each(watched.map((entry, index) => ({ ...entry, index })))(
    "$rule",
    ({ call: made, eventName, paths, index }) => {
      const answer = answers[index];
      expect(answer?.status).toBeGreaterThan(0);
      const record = records.find((one) => one["eventName"] === (eventName ?? made.operation));
      const found = Object.fromEntries(Object.keys(paths).map((path) => [path, at(record, path)]));
      expect(found).toEqual(paths);
    },
  );
});
