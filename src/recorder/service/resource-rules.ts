// Where requests name the resource that they are about, service by service (formats.md §1.13). Pure facts.
import { named } from "./named.ts";

export interface ResourceRule {
  /** Members of requestParameters on the way to the name: `tableName`, `requestItems.*` (the keys), `entries[].x`. */
  readonly path: string;
  readonly type?: string;
  /** The ARN after `arn:{partition}:`; `{}` is the value, `{R}` the Region, `{A}` the account. An ARN stands as it is. */
  readonly arn: string;
  /** Absent: every operation that has the member. */
  readonly operations?: readonly string[];
  /** What the value stands for when the member is absent. */
  readonly otherwise?: string;
  /** Management events show it too. */
  readonly isAlwaysShown?: boolean;
}

const table = { type: "AWS::DynamoDB::Table", arn: "dynamodb:{R}:{A}:table/{}", isAlwaysShown: true };
const key = { type: "AWS::KMS::Key", arn: "kms:{R}:{A}:key/{}", isAlwaysShown: true };
const parameter = { arn: "ssm:{R}:{A}:parameter{/}", isAlwaysShown: true };
const parameterOperations = [
  ...[
    "GetParameter",
    "GetParameters",
    "PutParameter",
    "DeleteParameter",
    "DeleteParameters",
    "GetParameterHistory",
  ],
  ...["LabelParameterVersion", "UnlabelParameterVersion"],
];

const policyOperations = [
  ...["GetPolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "GetPolicyVersion"],
  ...["ListPolicyVersions", "SetDefaultPolicyVersion", "ListEntitiesForPolicy", "TagPolicy", "UntagPolicy"],
];

/** By the short name of the event source. */
export const resourceRules: Readonly<Record<string, readonly ResourceRule[]>> = named({
  dynamodb: [
    { path: "tableName", ...table },
    { path: "requestItems.*", ...table },
    { path: "requestItems[].tableName", ...table },
    { path: "statementTables[]", ...table },
    { path: "streamArn", type: "AWS::DynamoDB::Stream", arn: "{}" },
    { path: "shardIterator", type: "AWS::DynamoDB::Stream", arn: "{}" },
  ],
  lambda: [{ path: "functionName", type: "AWS::Lambda::Function", arn: "lambda:{R}:{A}:function:{}" }],
  sns: [
    { path: "topicArn", type: "AWS::SNS::Topic", arn: "{}" },
    { path: "targetArn", type: "AWS::SNS::Topic", arn: "{}" },
  ],
  sqs: [
    { path: "queueUrl", type: "AWS::SQS::Queue", arn: "sqs:{R}:{A}:{}" },
    { path: "queueName", type: "AWS::SQS::Queue", arn: "sqs:{R}:{A}:{}" },
    {
      path: "queueNamePrefix",
      type: "AWS::SQS::Queue",
      arn: "sqs:{R}:{A}:{}*",
      operations: ["ListQueues"],
      otherwise: "",
    },
  ],
  kinesis: [
    { path: "streamARN", type: "AWS::Kinesis::Stream", arn: "{}" },
    { path: "streamName", type: "AWS::Kinesis::Stream", arn: "kinesis:{R}:{A}:stream/{}" },
    { path: "consumerARN", type: "AWS::Kinesis::StreamConsumer", arn: "{}" },
  ],
  firehose: [
    {
      path: "deliveryStreamName",
      type: "AWS::KinesisFirehose::DeliveryStream",
      arn: "firehose:{R}:{A}:deliverystream/{}",
    },
  ],
  events: [
    {
      path: "entries[].eventBusName",
      type: "AWS::Events::EventBus",
      arn: "events:{R}:{A}:event-bus/{}",
      operations: ["PutEvents"],
      otherwise: "default",
    },
    { path: "eventBusName", type: "AWS::Events::EventBus", arn: "events:{R}:{A}:event-bus/{}" },
  ],
  states: [
    { path: "stateMachineArn", type: "AWS::StepFunctions::StateMachine", arn: "{}" },
    { path: "activityArn", type: "AWS::StepFunctions::Activity", arn: "{}" },
  ],
  "cloudtrail-data": [{ path: "channelArn", type: "AWS::CloudTrail::Channel", arn: "{}" }],
  "cognito-identity": [
    {
      path: "identityPoolId",
      type: "AWS::Cognito::IdentityPool",
      arn: "cognito-identity:{R}:{A}:identitypool/{}",
    },
  ],
  ebs: ["snapshotId", "firstSnapshotId", "secondSnapshotId"].map((path) => ({
    path,
    type: "AWS::EC2::Snapshot",
    arn: "ec2:{R}::snapshot/{}",
  })),
  rdsdata: [
    { path: "resourceArn", type: "AWS::RDS::DBCluster", arn: "{}" },
    { path: "dbClusterOrInstanceArn", type: "AWS::RDS::DBCluster", arn: "{}" },
  ],
  sagemaker: [
    { path: "endpointName", type: "AWS::SageMaker::Endpoint", arn: "sagemaker:{R}:{A}:endpoint/{}" },
  ],
  appconfig: [
    {
      path: "applicationIdentifier",
      type: "AWS::AppConfig::Configuration",
      arn: "appconfig:{R}:{A}:application/{}/environment/{environmentIdentifier}/configuration/{configurationProfileIdentifier}",
    },
  ],
  timestream: [
    { path: "databaseName", type: "AWS::Timestream::Database", arn: "timestream:{R}:{A}:database/{}" },
  ],
  kinesisvideo: [{ path: "streamARN", type: "AWS::KinesisVideo::Stream", arn: "{}" }],
  verifiedpermissions: [
    {
      path: "policyStoreId",
      type: "AWS::VerifiedPermissions::PolicyStore",
      arn: "verifiedpermissions::{A}:policy-store/{}",
    },
  ],
  bedrock: [
    {
      path: "knowledgeBaseId",
      type: "AWS::Bedrock::KnowledgeBase",
      arn: "bedrock:{R}:{A}:knowledge-base/{}",
    },
    {
      path: "agentId",
      type: "AWS::Bedrock::AgentAlias",
      arn: "bedrock:{R}:{A}:agent-alias/{}/{agentAliasId}",
    },
    { path: "guardrailIdentifier", type: "AWS::Bedrock::Guardrail", arn: "bedrock:{R}:{A}:guardrail/{}" },
    {
      path: "flowIdentifier",
      type: "AWS::Bedrock::FlowAlias",
      arn: "bedrock:{R}:{A}:flow/{}/alias/{flowAliasIdentifier}",
    },
  ],
  kms: [
    { path: "keyId", ...key },
    { path: "sourceKeyId", ...key },
    { path: "destinationKeyId", ...key },
    { path: "aliasName", ...key, arn: "kms:{R}:{A}:{}" },
    { path: "targetKeyId", ...key },
  ],
  sts: [{ path: "roleArn", type: "AWS::IAM::Role", arn: "{}", isAlwaysShown: true }],
  ssm: [
    { path: "name", ...parameter, operations: parameterOperations },
    { path: "names[]", ...parameter, operations: parameterOperations },
  ],
  // Only for policies: these services' records have no resources.
  iam: [
    { path: "userName", arn: "iam::{A}:user/{}" },
    { path: "roleName", arn: "iam::{A}:role/{}" },
    { path: "groupName", arn: "iam::{A}:group/{}" },
    { path: "instanceProfileName", arn: "iam::{A}:instance-profile/{}" },
    { path: "policyArn", arn: "{}", operations: policyOperations },
  ],
  secretsmanager: [
    { path: "secretId", arn: "secretsmanager:{R}:{A}:secret:{}" },
    { path: "name", arn: "secretsmanager:{R}:{A}:secret:{}", operations: ["CreateSecret"] },
  ],
  logs: [
    { path: "logGroupName", arn: "logs:{R}:{A}:log-group:{}" },
    { path: "logGroupIdentifier", arn: "logs:{R}:{A}:log-group:{}" },
  ],
  rds: [
    { path: "dBInstanceIdentifier", arn: "rds:{R}:{A}:db:{}" },
    { path: "dBClusterIdentifier", arn: "rds:{R}:{A}:cluster:{}" },
    { path: "dBSnapshotIdentifier", arn: "rds:{R}:{A}:snapshot:{}" },
  ],
  monitoring: [
    { path: "alarmName", arn: "cloudwatch:{R}:{A}:alarm:{}" },
    { path: "alarmNames[]", arn: "cloudwatch:{R}:{A}:alarm:{}" },
  ],
  ecr: [{ path: "repositoryName", arn: "ecr:{R}:{A}:repository/{}", isAlwaysShown: true }],
});
