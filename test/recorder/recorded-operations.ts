// Calls of many services and, for each, the members of its record that formats.md §1 demands, written out. What is the same
// in all records (times, ids, caller, Region) records.test.ts knows.
import { expect } from "vitest";
import type { BotoCall } from "../harness/boto3.ts";

export interface RecordedOperation {
  readonly call: BotoCall;
  readonly record: ExpectedMembers;
}

/** Members that depend on the operation. */
export interface ExpectedMembers {
  readonly eventSource: string;
  readonly eventName: string;
  readonly readOnly: boolean;
  /** Data events; else management. */
  readonly isData?: true;
  readonly requestParameters: unknown;
  readonly responseElements: unknown;
  readonly resources?: unknown;
  readonly apiVersion?: string;
  readonly additionalEventData?: unknown;
  readonly errorCode?: string;
  readonly errorMessage?: unknown;
  /** Instead of the caller of the suite. */
  readonly userIdentity?: unknown;
}

const account = "123456789012";
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
const text = expect.any(String);
const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:${account}:${resource}`;
const table = [{ ARN: arn("dynamodb", "table/orders"), accountId: account, type: "AWS::DynamoDB::Table" }];
const queue = [{ ARN: arn("sqs", "jobs"), accountId: account, type: "AWS::SQS::Queue" }];
const topic = [{ ARN: arn("sns", "news"), accountId: account, type: "AWS::SNS::Topic" }];
const stream = [{ ARN: arn("kinesis", "stream/clicks"), accountId: account, type: "AWS::Kinesis::Stream" }];
/** IAM, STS and others print response dates so. */
const longDate = expect.stringMatching(/^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M$/);
const session = {
  accessKeyId: "{{session.Credentials.AccessKeyId}}",
  secretAccessKey: "{{session.Credentials.SecretAccessKey}}",
  sessionToken: "{{session.Credentials.SessionToken}}",
};
const assumedRole = {
  type: "AssumedRole",
  principalId: expect.stringMatching(/^AROA\w+:build$/),
  arn: `arn:aws:sts::${account}:assumed-role/Deployer/build`,
  accountId: account,
  accessKeyId: expect.stringMatching(/^ASIA/),
  sessionContext: {
    sessionIssuer: {
      type: "Role",
      principalId: expect.stringMatching(/^AROA\w+$/),
      arn: `arn:aws:iam::${account}:role/teams/Deployer`,
      accountId: account,
      userName: "Deployer",
    },
    attributes: { creationDate: expect.stringMatching(/^\d{4}-.*Z$/), mfaAuthenticated: "false" },
  },
};

// JSON 1.0 and 1.1
const dynamoDb: readonly RecordedOperation[] = [
  {
    call: {
      ...{ service: "dynamodb", operation: "CreateTable" },
      parameters: {
        TableName: "orders",
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        BillingMode: "PAY_PER_REQUEST",
      },
    },
    record: {
      ...{ eventSource: "dynamodb.amazonaws.com", eventName: "CreateTable", readOnly: false },
      apiVersion: "2012-08-10",
      requestParameters: {
        tableName: "orders",
        keySchema: [{ attributeName: "id", keyType: "HASH" }],
        attributeDefinitions: [{ attributeName: "id", attributeType: "S" }],
        billingMode: "PAY_PER_REQUEST",
      },
      responseElements: {
        tableDescription: expect.objectContaining({
          tableName: "orders",
          tableArn: arn("dynamodb", "table/orders"),
        }),
      },
      resources: table,
    },
  },
  {
    call: {
      ...{ service: "dynamodb", operation: "PutItem" },
      parameters: { TableName: "orders", Item: { id: { S: "1" }, note: { S: "planted-item" } } },
    },
    record: {
      ...{ eventSource: "dynamodb.amazonaws.com", eventName: "PutItem", readOnly: false, isData: true },
      ...{ apiVersion: "2012-08-10", resources: table, responseElements: null },
      requestParameters: expect.objectContaining({ tableName: "orders" }),
    },
  },
  {
    call: {
      ...{ service: "dynamodb", operation: "GetItem" },
      parameters: { TableName: "orders", Key: { id: { S: "1" } } },
    },
    record: {
      ...{ eventSource: "dynamodb.amazonaws.com", eventName: "GetItem", readOnly: true, isData: true },
      ...{ apiVersion: "2012-08-10", resources: table, responseElements: null },
      requestParameters: { tableName: "orders", key: { id: "1" } },
    },
  },
  {
    call: {
      ...{ service: "dynamodb", operation: "UpdateItem" },
      parameters: {
        TableName: "orders",
        Key: { id: { S: "none" } },
        ConditionExpression: "attribute_exists(id)",
      },
    },
    record: {
      ...{ eventSource: "dynamodb.amazonaws.com", eventName: "UpdateItem", readOnly: false, isData: true },
      ...{ apiVersion: "2012-08-10", resources: table, responseElements: null },
      requestParameters: expect.objectContaining({ tableName: "orders", key: { id: "none" } }),
      errorCode: "ConditionalCheckFailedException",
      errorMessage: "The conditional request failed",
    },
  },
  {
    call: {
      ...{ service: "dynamodb", operation: "Query" },
      parameters: {
        TableName: "orders",
        KeyConditionExpression: "id = :v",
        ExpressionAttributeValues: { ":v": { S: "planted-query" } },
      },
    },
    record: {
      ...{ eventSource: "dynamodb.amazonaws.com", eventName: "Query", readOnly: true, isData: true },
      ...{ apiVersion: "2012-08-10", resources: table, responseElements: null },
      requestParameters: expect.objectContaining({ tableName: "orders", keyConditionExpression: "id = :v" }),
    },
  },
  {
    call: { service: "dynamodb", operation: "DescribeTable", parameters: { TableName: "none" } },
    record: {
      ...{ eventSource: "dynamodb.amazonaws.com", eventName: "DescribeTable", readOnly: true },
      apiVersion: "2012-08-10",
      resources: [{ ARN: arn("dynamodb", "table/none"), accountId: account, type: "AWS::DynamoDB::Table" }],
      ...{ requestParameters: { tableName: "none" }, responseElements: null },
      errorCode: "ResourceNotFoundException",
      errorMessage: expect.stringContaining("not found"),
    },
  },
];

const messaging: readonly RecordedOperation[] = [
  {
    call: { service: "sqs", operation: "CreateQueue", parameters: { QueueName: "jobs" }, save: "queue" },
    record: {
      ...{ eventSource: "sqs.amazonaws.com", eventName: "CreateQueue", readOnly: false },
      requestParameters: { queueName: "jobs" },
      responseElements: { queueUrl: expect.stringMatching(/\/123456789012\/jobs$/) },
    },
  },
  {
    call: {
      ...{ service: "sqs", operation: "SendMessage" },
      parameters: { QueueUrl: "{{queue.QueueUrl}}", MessageBody: "planted-body" },
    },
    record: {
      ...{ eventSource: "sqs.amazonaws.com", eventName: "SendMessage", readOnly: false, isData: true },
      requestParameters: { queueUrl: text, messageBody: hidden },
      responseElements: { messageId: text, mD5OfMessageBody: expect.stringMatching(/^[0-9a-f]{32}$/) },
      resources: queue,
    },
  },
  {
    call: { service: "sqs", operation: "ReceiveMessage", parameters: { QueueUrl: "{{queue.QueueUrl}}" } },
    record: {
      ...{ eventSource: "sqs.amazonaws.com", eventName: "ReceiveMessage", readOnly: true, isData: true },
      ...{ requestParameters: { queueUrl: text }, responseElements: null, resources: queue },
    },
  },
  {
    call: { service: "sqs", operation: "ListQueues" },
    record: {
      ...{ eventSource: "sqs.amazonaws.com", eventName: "ListQueues", readOnly: true, isData: true },
      ...{ requestParameters: null, responseElements: null },
      resources: [{ ARN: arn("sqs", "*"), accountId: account, type: "AWS::SQS::Queue" }],
    },
  },
  {
    call: { service: "sns", operation: "CreateTopic", parameters: { Name: "news" }, save: "topic" },
    record: {
      ...{ eventSource: "sns.amazonaws.com", eventName: "CreateTopic", readOnly: false },
      requestParameters: { name: "news" },
      responseElements: { topicArn: arn("sns", "news") },
    },
  },
  {
    call: {
      ...{ service: "sns", operation: "Publish" },
      parameters: { TopicArn: "{{topic.TopicArn}}", Message: "planted-message", Subject: "planted-subject" },
    },
    record: {
      ...{ eventSource: "sns.amazonaws.com", eventName: "Publish", readOnly: false, isData: true },
      requestParameters: { topicArn: arn("sns", "news"), message: hidden, subject: hidden },
      responseElements: { messageId: text },
      resources: topic,
    },
  },
  {
    call: {
      service: "sns",
      operation: "Publish",
      parameters: { TopicArn: arn("sns", "none"), Message: "planted-lost" },
    },
    record: {
      ...{ eventSource: "sns.amazonaws.com", eventName: "Publish", readOnly: false, isData: true },
      requestParameters: { topicArn: arn("sns", "none"), message: hidden },
      responseElements: null,
      resources: [{ ARN: arn("sns", "none"), accountId: account, type: "AWS::SNS::Topic" }],
      errorCode: expect.stringMatching(/NotFound/),
      errorMessage: text,
    },
  },
  {
    call: {
      ...{ service: "events", operation: "PutRule" },
      parameters: { Name: "nightly", ScheduleExpression: "rate(1 day)" },
    },
    record: {
      ...{
        eventSource: "events.amazonaws.com",
        eventName: "PutRule",
        readOnly: false,
        apiVersion: "2015-10-07",
      },
      requestParameters: { name: "nightly", scheduleExpression: "rate(1 day)" },
      responseElements: { ruleArn: arn("events", "rule/nightly") },
    },
  },
  {
    call: {
      service: "kinesis",
      operation: "CreateStream",
      parameters: { StreamName: "clicks", ShardCount: 1 },
    },
    record: {
      ...{ eventSource: "kinesis.amazonaws.com", eventName: "CreateStream", readOnly: false },
      ...{ requestParameters: { streamName: "clicks", shardCount: 1 }, responseElements: null },
    },
  },
  {
    call: {
      ...{ service: "kinesis", operation: "PutRecord" },
      parameters: { StreamName: "clicks", Data: { $bytes: "planted-click" }, PartitionKey: "p" },
    },
    record: {
      ...{ eventSource: "kinesis.amazonaws.com", eventName: "PutRecord", readOnly: false, isData: true },
      requestParameters: expect.objectContaining({ streamName: "clicks", partitionKey: "p" }),
      responseElements: { shardId: text, sequenceNumber: text },
      resources: stream,
    },
  },
];

// The query protocol
const identities: readonly RecordedOperation[] = [
  {
    call: { service: "iam", operation: "CreateUser", parameters: { UserName: "paul", Path: "/teams/" } },
    record: {
      ...{ eventSource: "iam.amazonaws.com", eventName: "CreateUser", readOnly: false },
      requestParameters: { userName: "paul", path: "/teams/" },
      responseElements: {
        user: {
          ...{ path: "/teams/", userName: "paul", userId: text },
          ...{ arn: `arn:aws:iam::${account}:user/teams/paul`, createDate: longDate },
        },
      },
    },
  },
  {
    call: { service: "iam", operation: "CreateAccessKey", parameters: { UserName: "paul" }, save: "key" },
    record: {
      ...{ eventSource: "iam.amazonaws.com", eventName: "CreateAccessKey", readOnly: false },
      requestParameters: { userName: "paul" },
      responseElements: {
        accessKey: {
          ...{ userName: "paul", status: "Active", createDate: longDate },
          accessKeyId: expect.stringMatching(/^AKIA/),
        },
      },
    },
  },
  {
    call: {
      ...{ service: "sts", operation: "GetCallerIdentity" },
      credentials: {
        accessKeyId: "{{key.AccessKey.AccessKeyId}}",
        secretAccessKey: "{{key.AccessKey.SecretAccessKey}}",
      },
    },
    record: {
      ...{ eventSource: "sts.amazonaws.com", eventName: "GetCallerIdentity", readOnly: true },
      ...{ requestParameters: null, responseElements: null },
      userIdentity: {
        ...{
          type: "IAMUser",
          accountId: account,
          accessKeyId: expect.stringMatching(/^AKIA/),
          userName: "paul",
        },
        ...{ arn: `arn:aws:iam::${account}:user/teams/paul`, principalId: text },
      },
    },
  },
  {
    call: {
      service: "iam",
      operation: "CreateLoginProfile",
      parameters: { UserName: "paul", Password: "planted-Pass1!" },
    },
    record: {
      ...{ eventSource: "iam.amazonaws.com", eventName: "CreateLoginProfile", readOnly: false },
      requestParameters: expect.not.objectContaining({ password: "planted-Pass1!" }),
      responseElements: { loginProfile: expect.objectContaining({ userName: "paul" }) },
    },
  },
  {
    call: {
      ...{ service: "iam", operation: "CreateRole", save: "role" },
      parameters: {
        RoleName: "Deployer",
        Path: "/teams/",
        AssumeRolePolicyDocument: '{"Version":"2012-10-17"}',
      },
    },
    record: {
      ...{ eventSource: "iam.amazonaws.com", eventName: "CreateRole", readOnly: false },
      requestParameters: {
        ...{ roleName: "Deployer", path: "/teams/" },
        assumeRolePolicyDocument: '{"Version":"2012-10-17"}',
      },
      responseElements: {
        role: expect.objectContaining({
          ...{ path: "/teams/", roleName: "Deployer", createDate: longDate },
          arn: `arn:aws:iam::${account}:role/teams/Deployer`,
        }),
      },
    },
  },
  {
    call: {
      ...{ service: "iam", operation: "PutRolePolicy" },
      parameters: {
        ...{ RoleName: "Deployer", PolicyName: "all" },
        PolicyDocument:
          '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
      },
    },
    record: {
      ...{ eventSource: "iam.amazonaws.com", eventName: "PutRolePolicy", readOnly: false },
      requestParameters: {
        ...{ roleName: "Deployer", policyName: "all" },
        policyDocument:
          '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
      },
      responseElements: null,
    },
  },
  {
    call: { service: "iam", operation: "GetUser", parameters: { UserName: "nobody" } },
    record: {
      ...{ eventSource: "iam.amazonaws.com", eventName: "GetUser", readOnly: true },
      ...{ requestParameters: { userName: "nobody" }, responseElements: null },
      errorCode: "NoSuchEntityException",
      errorMessage: "The user with name nobody cannot be found.",
    },
  },
  {
    call: {
      ...{ service: "sts", operation: "AssumeRole", save: "session" },
      parameters: { RoleArn: "{{role.Role.Arn}}", RoleSessionName: "build" },
    },
    record: {
      ...{ eventSource: "sts.amazonaws.com", eventName: "AssumeRole", readOnly: true },
      requestParameters: { roleArn: `arn:aws:iam::${account}:role/teams/Deployer`, roleSessionName: "build" },
      responseElements: {
        credentials: {
          ...{ accessKeyId: expect.stringMatching(/^ASIA/), expiration: longDate },
          sessionToken: text,
        },
        assumedRoleUser: {
          assumedRoleId: expect.stringMatching(/^AROA\w+:build$/),
          arn: `arn:aws:sts::${account}:assumed-role/Deployer/build`,
        },
        packedPolicySize: 6,
      },
      resources: [
        { ARN: `arn:aws:iam::${account}:role/teams/Deployer`, accountId: account, type: "AWS::IAM::Role" },
      ],
    },
  },
  {
    call: { service: "sqs", operation: "ListQueues", credentials: session },
    record: {
      ...{ eventSource: "sqs.amazonaws.com", eventName: "ListQueues", readOnly: true, isData: true },
      ...{ requestParameters: null, responseElements: null, userIdentity: assumedRole },
      resources: [{ ARN: arn("sqs", "*"), accountId: account, type: "AWS::SQS::Queue" }],
    },
  },
  {
    call: { service: "sts", operation: "GetFederationToken", parameters: { Name: "guest" }, save: "guest" },
    record: {
      ...{ eventSource: "sts.amazonaws.com", eventName: "GetFederationToken", readOnly: false },
      requestParameters: { name: "guest" },
      responseElements: expect.objectContaining({
        federatedUser: {
          federatedUserId: `${account}:guest`,
          arn: `arn:aws:sts::${account}:federated-user/guest`,
        },
      }),
    },
  },
];

const secrets: readonly RecordedOperation[] = [
  {
    call: { service: "kms", operation: "CreateKey", parameters: { Description: "backups" }, save: "kms" },
    record: {
      ...{ eventSource: "kms.amazonaws.com", eventName: "CreateKey", readOnly: false },
      requestParameters: { description: "backups" },
      responseElements: {
        keyMetadata: expect.objectContaining({
          aWSAccountId: account,
          description: "backups",
          creationDate: longDate,
        }),
      },
      resources: [{ ARN: expect.stringContaining(":key/"), accountId: account, type: "AWS::KMS::Key" }],
    },
  },
  {
    call: {
      ...{ service: "kms", operation: "Encrypt", save: "cipher" },
      parameters: { KeyId: "{{kms.KeyMetadata.KeyId}}", Plaintext: { $bytes: "planted-plain" } },
    },
    record: {
      ...{ eventSource: "kms.amazonaws.com", eventName: "Encrypt", readOnly: true },
      ...{ requestParameters: { keyId: text }, responseElements: null },
      resources: [{ ARN: expect.stringContaining(":key/"), accountId: account, type: "AWS::KMS::Key" }],
    },
  },
  {
    call: {
      ...{ service: "secretsmanager", operation: "CreateSecret" },
      parameters: { Name: "db", SecretString: "planted-secret" },
    },
    record: {
      ...{ eventSource: "secretsmanager.amazonaws.com", eventName: "CreateSecret", readOnly: false },
      requestParameters: { name: "db", clientRequestToken: text },
      responseElements: expect.objectContaining({ arn: expect.stringContaining(":secret:db-") }),
    },
  },
  {
    call: { service: "secretsmanager", operation: "GetSecretValue", parameters: { SecretId: "db" } },
    record: {
      ...{ eventSource: "secretsmanager.amazonaws.com", eventName: "GetSecretValue", readOnly: true },
      ...{ requestParameters: { secretId: "db" }, responseElements: null },
    },
  },
  {
    call: {
      ...{ service: "ssm", operation: "PutParameter" },
      parameters: { Name: "/db/password", Value: "planted-parameter", Type: "SecureString" },
    },
    record: {
      ...{ eventSource: "ssm.amazonaws.com", eventName: "PutParameter", readOnly: false },
      requestParameters: { name: "/db/password", value: hidden, type: "SecureString" },
      responseElements: { version: 1, tier: "Standard" },
      resources: expect.toBeOneOf([
        undefined,
        [{ ARN: arn("ssm", "parameter/db/password"), accountId: account }],
      ]),
    },
  },
];

// EC2's query protocol
const machines: readonly RecordedOperation[] = [
  {
    call: { service: "ec2", operation: "CreateVpc", parameters: { CidrBlock: "10.0.0.0/16" } },
    record: {
      ...{ eventSource: "ec2.amazonaws.com", eventName: "CreateVpc", readOnly: false },
      requestParameters: { cidrBlock: "10.0.0.0/16" },
      responseElements: {
        requestId: text,
        vpc: expect.objectContaining({ vpcId: expect.stringMatching(/^vpc-/), cidrBlock: "10.0.0.0/16" }),
      },
    },
  },
  {
    call: {
      ...{ service: "ec2", operation: "RunInstances", save: "run" },
      parameters: { ImageId: "ami-12c6146b", MinCount: 1, MaxCount: 1, UserData: "planted-user-data" },
    },
    record: {
      ...{ eventSource: "ec2.amazonaws.com", eventName: "RunInstances", readOnly: false },
      requestParameters: expect.objectContaining({
        instancesSet: { items: [{ imageId: "ami-12c6146b", minCount: 1, maxCount: 1 }] },
        userData: "<sensitiveDataRemoved>",
      }),
      responseElements: expect.objectContaining({
        ownerId: account,
        instancesSet: { items: [expect.objectContaining({ instanceId: expect.stringMatching(/^i-/) })] },
      }),
    },
  },
  {
    call: {
      ...{ service: "ec2", operation: "DescribeInstances" },
      parameters: { InstanceIds: ["{{run.Instances.0.InstanceId}}"] },
    },
    record: {
      ...{ eventSource: "ec2.amazonaws.com", eventName: "DescribeInstances", readOnly: true },
      requestParameters: expect.objectContaining({
        instancesSet: { items: [{ instanceId: expect.stringMatching(/^i-/) }] },
      }),
      responseElements: null,
    },
  },
  {
    call: { service: "ec2", operation: "DescribeVpcs", parameters: { VpcIds: ["vpc-0123456789abcdef0"] } },
    record: {
      ...{ eventSource: "ec2.amazonaws.com", eventName: "DescribeVpcs", readOnly: true },
      requestParameters: expect.objectContaining({ vpcSet: { items: [{ vpcId: "vpc-0123456789abcdef0" }] } }),
      responseElements: null,
      errorCode: "Client.InvalidVpcID.NotFound",
      errorMessage: expect.stringContaining("vpc-0123456789abcdef0"),
    },
  },
  {
    call: {
      ...{ service: "ec2", operation: "CreateSecurityGroup", save: "group" },
      parameters: { GroupName: "web", Description: "web servers" },
    },
    record: {
      ...{ eventSource: "ec2.amazonaws.com", eventName: "CreateSecurityGroup", readOnly: false },
      requestParameters: { groupName: "web", groupDescription: "web servers" },
      responseElements: expect.objectContaining({ groupId: expect.stringMatching(/^sg-/) }),
    },
  },
  {
    call: {
      ...{ service: "ec2", operation: "AuthorizeSecurityGroupIngress" },
      parameters: {
        GroupId: "{{group.GroupId}}",
        IpPermissions: [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
      },
    },
    record: {
      ...{ eventSource: "ec2.amazonaws.com", eventName: "AuthorizeSecurityGroupIngress", readOnly: false },
      requestParameters: expect.objectContaining({
        groupId: expect.stringMatching(/^sg-/),
        ipPermissions: {
          items: [
            expect.objectContaining({
              ...{ ipProtocol: "tcp", fromPort: 22, toPort: 22 },
              ipRanges: { items: [{ cidrIp: "0.0.0.0/0" }] },
            }),
          ],
        },
      }),
      responseElements: expect.objectContaining({}),
    },
  },
  {
    call: {
      ...{ service: "rds", operation: "CreateDBInstance" },
      parameters: {
        ...{ DBInstanceIdentifier: "shop", Engine: "mysql", DBInstanceClass: "db.t3.micro" },
        ...{ MasterUsername: "admin", MasterUserPassword: "planted-master" },
      },
    },
    record: {
      ...{ eventSource: "rds.amazonaws.com", eventName: "CreateDBInstance", readOnly: false },
      requestParameters: {
        ...{ dBInstanceIdentifier: "shop", engine: "mysql", dBInstanceClass: "db.t3.micro" },
        ...{ masterUsername: "admin", masterUserPassword: "****" },
      },
      responseElements: expect.objectContaining({}),
    },
  },
  {
    call: { service: "cloudformation", operation: "ListStacks" },
    record: {
      ...{ eventSource: "cloudformation.amazonaws.com", eventName: "ListStacks", readOnly: true },
      ...{ requestParameters: null, responseElements: null },
    },
  },
  {
    call: { service: "elbv2", operation: "DescribeLoadBalancers" },
    record: {
      ...{
        eventSource: "elasticloadbalancing.amazonaws.com",
        eventName: "DescribeLoadBalancers",
        readOnly: true,
      },
      ...{ requestParameters: null, responseElements: null, apiVersion: "2015-12-01" },
    },
  },
];

// REST: JSON and XML; RPC v2 CBOR
const others: readonly RecordedOperation[] = [
  {
    call: {
      ...{ service: "lambda", operation: "CreateFunction" },
      parameters: {
        ...{ FunctionName: "resize", Runtime: "python3.12", Role: "{{role.Role.Arn}}", Handler: "h.h" },
        Code: { ZipFile: { $bytes: "planted-zip" } },
        Environment: { Variables: { TOKEN: "planted-variable" } },
      },
    },
    record: {
      ...{ eventSource: "lambda.amazonaws.com", eventName: "CreateFunction20150331", readOnly: false },
      requestParameters: expect.objectContaining({
        functionName: "resize",
        runtime: "python3.12",
        handler: "h.h",
      }),
      responseElements: expect.objectContaining({ functionArn: arn("lambda", "function:resize") }),
    },
  },
  {
    call: { service: "lambda", operation: "GetFunction", parameters: { FunctionName: "none" } },
    record: {
      ...{ eventSource: "lambda.amazonaws.com", eventName: "GetFunction20150331v2", readOnly: true },
      ...{ requestParameters: { functionName: "none" }, responseElements: null },
      errorCode: "ResourceNotFoundException",
      errorMessage: text,
    },
  },
  {
    call: { service: "apigateway", operation: "CreateRestApi", parameters: { name: "shop" }, save: "api" },
    record: {
      ...{ eventSource: "apigateway.amazonaws.com", eventName: "CreateRestApi", readOnly: false },
      requestParameters: expect.objectContaining({}),
      responseElements: expect.objectContaining({ name: "shop" }),
    },
  },
  {
    call: {
      ...{ service: "route53", operation: "CreateHostedZone", save: "zone" },
      parameters: { Name: "example.com", CallerReference: "first" },
    },
    record: {
      ...{ eventSource: "route53.amazonaws.com", eventName: "CreateHostedZone", readOnly: false },
      apiVersion: "2013-04-01",
      requestParameters: { name: "example.com", callerReference: "first" },
      responseElements: expect.objectContaining({
        hostedZone: expect.objectContaining({ name: "example.com.", callerReference: "first" }),
      }),
    },
  },
  {
    call: {
      ...{ service: "route53", operation: "ChangeResourceRecordSets" },
      parameters: {
        HostedZoneId: "{{zone.HostedZone.Id}}",
        ChangeBatch: {
          Changes: [
            {
              Action: "CREATE",
              ResourceRecordSet: {
                ...{ Name: "www.example.com", Type: "A", TTL: 60 },
                ResourceRecords: [{ Value: "192.0.2.1" }],
              },
            },
          ],
        },
      },
    },
    record: {
      ...{ eventSource: "route53.amazonaws.com", eventName: "ChangeResourceRecordSets", readOnly: false },
      apiVersion: "2013-04-01",
      requestParameters: {
        hostedZoneId: text,
        changeBatch: {
          changes: [
            {
              action: "CREATE",
              resourceRecordSet: {
                ...{ name: "www.example.com", type: "A", tTL: 60 },
                resourceRecords: [{ value: "192.0.2.1" }],
              },
            },
          ],
        },
      },
      responseElements: { changeInfo: expect.objectContaining({ status: "INSYNC" }) },
    },
  },
  {
    call: {
      ...{ service: "stepfunctions", operation: "CreateStateMachine" },
      parameters: { name: "order", definition: '{"StartAt":"A"}', roleArn: "{{role.Role.Arn}}" },
    },
    record: {
      ...{ eventSource: "states.amazonaws.com", eventName: "CreateStateMachine", readOnly: false },
      requestParameters: expect.objectContaining({ name: "order" }),
      responseElements: expect.objectContaining({ stateMachineArn: arn("states", "stateMachine:order") }),
    },
  },
  {
    call: { service: "logs", operation: "CreateLogGroup", parameters: { logGroupName: "shop" } },
    record: {
      ...{ eventSource: "logs.amazonaws.com", eventName: "CreateLogGroup", readOnly: false },
      ...{ requestParameters: { logGroupName: "shop" }, responseElements: null, apiVersion: "20140328" },
    },
  },
  {
    call: { service: "logs", operation: "DeleteLogGroup", parameters: { logGroupName: "none" } },
    record: {
      ...{ eventSource: "logs.amazonaws.com", eventName: "DeleteLogGroup", readOnly: false },
      ...{ requestParameters: { logGroupName: "none" }, responseElements: null, apiVersion: "20140328" },
      errorCode: "ResourceNotFoundException",
      errorMessage: "The specified log group does not exist.",
    },
  },
  {
    call: { service: "cloudwatch", operation: "DeleteAlarms", parameters: { AlarmNames: ["high"] } },
    record: {
      ...{ eventSource: "monitoring.amazonaws.com", eventName: "DeleteAlarms", readOnly: false },
      ...{ requestParameters: { alarmNames: ["high"] }, responseElements: null },
    },
  },
  {
    call: {
      ...{ service: "cloudwatch", operation: "PutMetricData" },
      parameters: { Namespace: "shop", MetricData: [{ MetricName: "orders", Value: 1 }] },
    },
    record: {
      ...{
        eventSource: "monitoring.amazonaws.com",
        eventName: "PutMetricData",
        readOnly: false,
        isData: true,
      },
      requestParameters: { namespace: "shop", metricData: [{ metricName: "orders", value: 1 }] },
      responseElements: null,
      resources: [{ accountId: account, type: "AWS::CloudWatch::Metric" }],
    },
  },
  {
    call: { service: "ecr", operation: "CreateRepository", parameters: { repositoryName: "shop" } },
    record: {
      ...{ eventSource: "ecr.amazonaws.com", eventName: "CreateRepository", readOnly: false },
      requestParameters: { repositoryName: "shop" },
      responseElements: {
        repository: expect.objectContaining({ repositoryName: "shop", registryId: account }),
      },
      resources: [{ ARN: arn("ecr", "repository/shop"), accountId: account }],
    },
  },
  {
    call: { service: "organizations", operation: "ListAccounts" },
    record: {
      ...{ eventSource: "organizations.amazonaws.com", eventName: "ListAccounts", readOnly: true },
      ...{ requestParameters: null, responseElements: null },
    },
  },
  {
    call: { service: "acm", operation: "ListCertificates" },
    record: {
      ...{ eventSource: "acm.amazonaws.com", eventName: "ListCertificates", readOnly: true },
      ...{ requestParameters: null, responseElements: null },
    },
  },
];

export const recordedOperations: readonly RecordedOperation[] = [
  ...dynamoDb,
  ...messaging,
  ...identities,
  ...secrets,
  ...machines,
  ...others,
];
