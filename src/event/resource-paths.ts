// Where a record names the resources of its call, by event source and event name (lake.md §1.4). Pure data.
// A path begins with `request` or `response` (requestParameters, responseElements); `[]` walks a list. Reads name nothing
// but what stands in `named`: the real service lists no resources of a Describe either, though ids stand in its request.

import { assert } from "../model/assert.ts";

/** A CloudFormation type, and where its names stand. */
type ResourcePaths = readonly [type: string, ...paths: readonly string[]];

interface SourceResources {
  /** Of every call of the source that is not read-only, unless `named` has its name. */
  readonly writes?: readonly ResourcePaths[];
  readonly named?: Readonly<Record<string, readonly ResourcePaths[]>>;
}

const bucket: ResourcePaths = ["AWS::S3::Bucket", "request.bucketName"];
const assumedRole: readonly ResourcePaths[] = [
  ["AWS::IAM::AccessKey", "response.credentials.accessKeyId"],
  ["AWS::STS::AssumedRole", "request.roleSessionName"],
  ["AWS::STS::AssumedRole", "response.assumedRoleUser.assumedRoleId", "response.assumedRoleUser.arn"],
  ["AWS::IAM::Role", "request.roleArn"],
];

const resourcePaths: Readonly<Record<string, SourceResources>> = {
  "autoscaling.amazonaws.com": {
    writes: [
      ["AWS::AutoScaling::AutoScalingGroup", "request.autoScalingGroupName"],
      ["AWS::AutoScaling::LaunchConfiguration", "request.launchConfigurationName"],
    ],
  },
  "cloudformation.amazonaws.com": {
    writes: [["AWS::CloudFormation::Stack", "request.stackName", "response.stackId"]],
  },
  "cloudtrail.amazonaws.com": {
    writes: [
      ["AWS::CloudTrail::Trail", "request.name", "request.trailName", "request.resourceId"],
      ["AWS::CloudTrail::Trail", "response.name", "response.trailARN"],
      ["AWS::S3::Bucket", "request.s3BucketName", "response.s3BucketName"],
      ["AWS::SNS::Topic", "request.snsTopicName", "response.snsTopicARN"],
    ],
  },
  "dynamodb.amazonaws.com": {
    writes: [["AWS::DynamoDB::Table", "request.tableName", "response.tableDescription.tableArn"]],
  },
  "ec2.amazonaws.com": {
    writes: [
      ["AWS::EC2::Instance", "request.instanceId", "request.instancesSet.items[].instanceId"],
      ["AWS::EC2::Instance", "response.instancesSet.items[].instanceId"],
      ["AWS::EC2::Ami", "request.instancesSet.items[].imageId", "request.imageId", "response.imageId"],
      ["AWS::EC2::Ami", "response.instancesSet.items[].imageId"],
      ["AWS::EC2::KeyPair", "request.keyName", "request.instancesSet.items[].keyName"],
      ["AWS::EC2::KeyPair", "response.instancesSet.items[].keyName"],
      ["AWS::EC2::SecurityGroup", "request.groupId", "request.groupName", "response.groupId"],
      ["AWS::EC2::SecurityGroup", "request.groupSet.items[].groupId", "request.groupSet.items[].groupName"],
      ["AWS::EC2::SecurityGroup", "response.instancesSet.items[].groupSet.items[].groupId"],
      ["AWS::EC2::SecurityGroup", "response.instancesSet.items[].groupSet.items[].groupName"],
      ["AWS::EC2::Subnet", "request.subnetId", "response.subnet.subnetId"],
      ["AWS::EC2::Subnet", "response.instancesSet.items[].subnetId"],
      ["AWS::EC2::VPC", "request.vpcId", "response.vpc.vpcId", "response.instancesSet.items[].vpcId"],
      ["AWS::EC2::NetworkInterface", "request.networkInterfaceId"],
      ["AWS::EC2::NetworkInterface", "response.networkInterface.networkInterfaceId"],
      [
        "AWS::EC2::NetworkInterface",
        "response.instancesSet.items[].networkInterfaceSet.items[].networkInterfaceId",
      ],
      ["AWS::EC2::Volume", "request.volumeId", "response.volumeId"],
      ["AWS::EC2::Snapshot", "request.snapshotId", "response.snapshotId"],
      ["AWS::EC2::RouteTable", "request.routeTableId", "response.routeTable.routeTableId"],
      ["AWS::EC2::InternetGateway", "request.internetGatewayId"],
      ["AWS::EC2::InternetGateway", "response.internetGateway.internetGatewayId"],
      ["AWS::EC2::NatGateway", "request.natGatewayId", "response.natGateway.natGatewayId"],
      ["AWS::EC2::NetworkAcl", "request.networkAclId", "response.networkAcl.networkAclId"],
      ["AWS::EC2::EIP", "request.allocationId", "response.allocationId"],
    ],
  },
  "ecr.amazonaws.com": {
    writes: [["AWS::ECR::Repository", "request.repositoryName", "response.repository.repositoryArn"]],
  },
  "ecs.amazonaws.com": {
    writes: [
      ["AWS::ECS::Cluster", "request.clusterName", "request.cluster"],
      ["AWS::ECS::Service", "request.serviceName", "request.service", "response.service.serviceArn"],
      ["AWS::ECS::TaskDefinition", "response.taskDefinition.taskDefinitionArn"],
    ],
  },
  "eks.amazonaws.com": {
    writes: [["AWS::EKS::Cluster", "request.name", "request.clusterName", "response.cluster.arn"]],
  },
  "elasticloadbalancing.amazonaws.com": {
    writes: [
      ["AWS::ElasticLoadBalancing::LoadBalancer", "request.loadBalancerName"],
      ["AWS::ElasticLoadBalancingV2::LoadBalancer", "request.loadBalancerArn"],
      ["AWS::ElasticLoadBalancingV2::LoadBalancer", "response.loadBalancers[].loadBalancerArn"],
      ["AWS::ElasticLoadBalancingV2::TargetGroup", "request.targetGroupArn"],
      ["AWS::ElasticLoadBalancingV2::TargetGroup", "response.targetGroups[].targetGroupArn"],
    ],
  },
  "events.amazonaws.com": {
    named: {
      PutRule: [["AWS::Events::Rule", "request.name", "response.ruleArn"]],
      DeleteRule: [["AWS::Events::Rule", "request.name"]],
      PutTargets: [["AWS::Events::Rule", "request.rule"]],
      RemoveTargets: [["AWS::Events::Rule", "request.rule"]],
    },
  },
  "iam.amazonaws.com": {
    writes: [
      ["AWS::IAM::User", "request.userName", "response.user.userName", "response.user.arn"],
      ["AWS::IAM::User", "response.accessKey.userName"],
      ["AWS::IAM::AccessKey", "request.accessKeyId", "response.accessKey.accessKeyId"],
      ["AWS::IAM::Role", "request.roleName", "response.role.roleId", "response.role.arn"],
      ["AWS::IAM::Group", "request.groupName", "response.group.arn"],
      ["AWS::IAM::Policy", "request.policyArn", "request.policyName", "response.policy.arn"],
      ["AWS::IAM::InstanceProfile", "request.instanceProfileName", "response.instanceProfile.arn"],
    ],
  },
  "kms.amazonaws.com": {
    writes: [["AWS::KMS::Key", "request.keyId", "response.keyMetadata.arn", "response.keyId"]],
  },
  "lambda.amazonaws.com": {
    writes: [
      ["AWS::Lambda::Function", "request.functionName", "response.functionName", "response.functionArn"],
    ],
  },
  "logs.amazonaws.com": {
    writes: [["AWS::Logs::LogGroup", "request.logGroupName"]],
  },
  "rds.amazonaws.com": {
    writes: [
      ["AWS::RDS::DBInstance", "request.dBInstanceIdentifier", "response.dBInstanceArn"],
      ["AWS::RDS::DBCluster", "request.dBClusterIdentifier", "response.dBClusterArn"],
      ["AWS::RDS::DBSnapshot", "request.dBSnapshotIdentifier"],
      ["AWS::RDS::DBSubnetGroup", "request.dBSubnetGroupName"],
    ],
  },
  "route53.amazonaws.com": {
    writes: [["AWS::Route53::HostedZone", "request.hostedZoneId", "response.hostedZone.id"]],
  },
  "s3.amazonaws.com": { writes: [bucket] },
  "secretsmanager.amazonaws.com": {
    writes: [["AWS::SecretsManager::Secret", "request.secretId", "request.name", "response.arn"]],
  },
  "sns.amazonaws.com": {
    writes: [["AWS::SNS::Topic", "request.topicArn", "response.topicArn"]],
    named: { CreateTopic: [["AWS::SNS::Topic", "request.name", "response.topicArn"]] },
  },
  "sqs.amazonaws.com": {
    writes: [["AWS::SQS::Queue", "request.queueName", "request.queueUrl", "response.queueUrl"]],
  },
  "ssm.amazonaws.com": {
    named: {
      PutParameter: [["AWS::SSM::Parameter", "request.name"]],
      DeleteParameter: [["AWS::SSM::Parameter", "request.name"]],
      DeleteParameters: [["AWS::SSM::Parameter", "request.names[]"]],
    },
  },
  "sts.amazonaws.com": {
    named: {
      AssumeRole: assumedRole,
      AssumeRoleWithSAML: assumedRole,
      AssumeRoleWithWebIdentity: assumedRole,
      GetFederationToken: [
        ["AWS::IAM::AccessKey", "response.credentials.accessKeyId"],
        ["AWS::STS::FederatedUser", "request.name", "response.federatedUser.arn"],
      ],
      GetSessionToken: [["AWS::IAM::AccessKey", "response.credentials.accessKeyId"]],
    },
  },
};

/** One path, taken apart. */
export interface ResourcePath {
  readonly type: string;
  /** Else it begins in requestParameters. */
  readonly isResponse: boolean;
  readonly steps: readonly { readonly name: string; readonly isList: boolean }[];
}

/** The paths of a call, in order, and as they are walked along. */
export interface CallPaths {
  readonly all: readonly ResourcePath[];
  readonly request: PathSteps | undefined;
  readonly response: PathSteps | undefined;
}

/** By the length of their name: nearly no member of a record has a name of the same length. */
export type PathSteps = readonly (readonly PathStep[] | undefined)[];

/** All paths that go on by one member of an object. */
export interface PathStep extends Way {
  readonly name: string;
  /** Tells it from the others of its object. */
  readonly bit: number;
  /** What is done with each entry, when the member is a list. */
  readonly list: Way | undefined;
}

export interface Way {
  /** Which of all paths end here. */
  readonly ends: readonly number[];
  readonly next: PathSteps | undefined;
}

interface KnownSource {
  readonly writes: CallPaths | undefined;
  readonly named: ReadonlyMap<string, CallPaths>;
}

const knownSources: ReadonlyMap<string, KnownSource> = new Map(
  Object.entries(resourcePaths).map(([source, { writes, named = {} }]) => [
    source,
    {
      writes: writes && callPaths(writes),
      named: new Map(Object.entries(named).map(([name, paths]) => [name, callPaths(paths)])),
    },
  ]),
);

function callPaths(paths: readonly ResourcePaths[]): CallPaths {
  const all = paths.flatMap(takenApart);
  const numbers = [...all.keys()];
  const of = (isResponse: boolean) => numbers.filter((path) => all[path]?.isResponse === isResponse);
  return { all, request: stepsOf(all, of(false), 0), response: stepsOf(all, of(true), 0) };
}

function takenApart([type, ...paths]: ResourcePaths): ResourcePath[] {
  return paths.map((path) => {
    const [side, ...steps] = path.split(".");
    return {
      type,
      isResponse: side === "response",
      steps: steps.map((step) => ({ name: step.replace("[]", ""), isList: step.endsWith("[]") })),
    };
  });
}

/** The steps number `depth` of these paths; undefined when none has one. */
function stepsOf(
  all: readonly ResourcePath[],
  paths: readonly number[],
  depth: number,
): PathSteps | undefined {
  const byName = new Map<string, number[]>();
  for (const path of paths) {
    const name = all[path]?.steps[depth]?.name;
    if (name !== undefined) byName.set(name, [...(byName.get(name) ?? []), path]);
  }
  assert(byName.size < 32, "each step of an object has a bit of its own");
  const steps: PathStep[][] = [];
  for (const [name, own] of byName) {
    const isList = (path: number) => all[path]?.steps[depth]?.isList === true;
    const lists = own.filter(isList);
    const plain = own.filter((path) => !isList(path));
    const step = { name, bit: 1 << [...byName.keys()].indexOf(name), ...wayOf(all, plain, depth) };
    const list = lists.length === 0 ? undefined : wayOf(all, lists, depth);
    (steps[name.length] ??= []).push({ ...step, list });
  }
  return byName.size === 0 ? undefined : steps;
}

/** Where these paths lead to from their step number `depth`. */
function wayOf(all: readonly ResourcePath[], paths: readonly number[], depth: number): Way {
  const ends = paths.filter((path) => all[path]?.steps.length === depth + 1);
  return { ends, next: stepsOf(all, paths, depth + 1) };
}

/** The paths for a call, or undefined when nothing is known of it. */
export function pathsOf(source: string, name: string, isRead: boolean): CallPaths | undefined {
  const known = knownSources.get(source);
  if (!known) return undefined;
  return known.named.get(name) ?? (isRead ? undefined : known.writes);
}
