// Who acts in the synthetic traffic: one account, its users and roles, their keys and sessions, their programs and
// addresses. A small cast that repeats itself, as in the real trails.
import { type Draw, seededDraw, sharedOut } from "./draw.ts";

export const account = "123456789012";

interface User {
  readonly name: string;
  readonly principalId: string;
  readonly accessKeyId: string;
}

const made = seededDraw(20_261_121);
const names = [
  ...["deploy-bot", "anna.lind", "ops-automation", "jonas", "ci-runner", "mira", "backup-job", "pawel"],
  ...["data-platform", "li.wei", "support-readonly", "tomas"],
];
const users: readonly User[] = names.map((name) => ({
  name,
  principalId: `AIDA${made.upper(17)}`,
  accessKeyId: `AKIA${made.upper(16)}`,
}));

interface Role {
  readonly name: string;
  readonly principalId: string;
}

const roles: readonly Role[] = [
  ...["app-backend", "lambda-thumbnails", "eks-node-group", "terraform-admin", "etl-nightly", "AuditReader"],
  ...["AWSServiceRoleForAutoScaling", "support-break-glass"],
].map((name) => ({ name, principalId: `AROA${made.upper(17)}` }));

/** Sessions last for a while: some dozens are in use at a time. */
const sessions = Array.from({ length: 48 }, (_, index) => ({
  accessKeyId: `ASIA${made.upper(16)}`,
  name: index % 3 === 0 ? `i-0${made.hex(16)}` : `session-${String(1_784_000_000 + made.below(90_000))}`,
  created: `2026-07-14T${String(8 + (index % 3)).padStart(2, "0")}:${String(10 + made.below(49))}:${String(10 + made.below(49))}Z`,
  mfa: index % 5 === 0 ? "true" : "false",
}));

const terraform =
  "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/4.67.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go/1.44.261 (go1.22.4; linux; amd64) HashiCorp-terraform-exec/0.21.0";
const terraformRuns = Array.from({ length: 6 }, () =>
  terraform.replace("amd64) ", `amd64) pipeline_${made.uuid()} `),
);

export interface Program {
  readonly share: number;
  readonly userAgents: readonly string[];
  readonly addresses: readonly string[];
  readonly who: "user" | "session" | "role" | "on-behalf" | "service" | "nobody" | "root";
  /** Whether the call came over TLS to a public endpoint and says so. */
  readonly hasTls: boolean;
}

const offices = ["192.0.2.20", "192.0.2.21", "198.51.100.7", "203.0.113.45", "198.51.100.180"];
const inside = ["10.8.8.10", "10.248.16.43", "10.0.3.77"];

/** Programs of a management trail; shares of records in percent. */
export const programs: readonly Program[] = [
  { share: 57, userAgents: [terraform, ...terraformRuns], addresses: offices, who: "user", hasTls: true },
  { share: 5, userAgents: ["AWS Internal"], addresses: ["AWS Internal"], who: "on-behalf", hasTls: false },
  {
    share: 3.5,
    userAgents: ["secretsmanager.amazonaws.com"],
    addresses: ["secretsmanager.amazonaws.com"],
    who: "on-behalf",
    hasTls: false,
  },
  {
    share: 11,
    userAgents: ["AWS Internal", "console.ec2.amazonaws.com", "signin.amazonaws.com"],
    addresses: inside,
    who: "session",
    hasTls: false,
  },
  {
    share: 6,
    userAgents: [
      "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10.184-153.731.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/25.372-b08 java/1.8.0_372 vendor/Oracle_Corporation cfg/retry-mode/standard]",
      "aws-sdk-java/2.25.11 Linux/5.10.210 OpenJDK_64-Bit_Server_VM/17.0.10+7-LTS Java/17.0.10 vendor/Amazon",
    ],
    addresses: inside,
    who: "session",
    hasTls: true,
  },
  {
    share: 9,
    userAgents: [
      "inventory-scan_4f7c2a90-51d7-4a06-9cc4-7be5a1d0c001",
      "aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/",
      "exec-env/AWS_Lambda_nodejs20.x aws-sdk-js/3.600.0",
    ],
    addresses: ["203.0.113.9", "203.0.113.10", "198.51.100.99"],
    who: "user",
    hasTls: true,
  },
  {
    share: 5.5,
    userAgents: [
      "[Boto3/1.26.165 Python/3.10.6 Linux/5.19.0-46-generic Botocore/1.29.165]",
      "aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0 exe/x86_64.ubuntu.22 prompt/off command/sts.get-caller-identity",
    ],
    addresses: offices,
    who: "role",
    hasTls: true,
  },
  {
    share: 0.9,
    userAgents: ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"],
    addresses: offices,
    who: "root",
    hasTls: true,
  },
  {
    share: 1.3,
    userAgents: ["kms.amazonaws.com"],
    addresses: ["AWS Internal"],
    who: "nobody",
    hasTls: false,
  },
  {
    share: 0.8,
    userAgents: ["autoscaling.amazonaws.com"],
    addresses: ["autoscaling.amazonaws.com"],
    who: "service",
    hasTls: false,
  },
];

export const drawProgram = sharedOut(programs);

/** The value of `userIdentity` for someone who uses this program. */
export function identityOf(program: Program, draw: Draw): Record<string, unknown> {
  switch (program.who) {
    case "user":
      return userIdentity(draw, { onBehalfOf: undefined, hasSession: false });
    case "session":
      return userIdentity(draw, { onBehalfOf: undefined, hasSession: true });
    case "on-behalf":
      return userIdentity(draw, { onBehalfOf: program.userAgents[0], hasSession: true });
    case "role":
      return roleIdentity(draw);
    case "service":
      return { type: "AWSService", invokedBy: program.userAgents[0] };
    case "nobody":
      return { accountId: account, invokedBy: "AWS Internal" };
    case "root":
      return {
        type: "Root",
        ...{ principalId: account, arn: `arn:aws:iam::${account}:root`, accountId: account },
        ...{ accessKeyId: draw.pickSkewed(sessions).accessKeyId, sessionContext: sessionContext(draw) },
      };
    default:
      throw new Error("Nobody uses this program.");
  }
}

export function userIdentity(
  draw: Draw,
  { onBehalfOf, hasSession }: { readonly onBehalfOf: string | undefined; readonly hasSession: boolean },
): Record<string, unknown> {
  const { name, principalId, accessKeyId } = draw.pickSkewed(users);
  return {
    type: "IAMUser",
    ...{ principalId, arn: `arn:aws:iam::${account}:user/${name}`, accountId: account },
    accessKeyId: hasSession ? draw.pickSkewed(sessions).accessKeyId : accessKeyId,
    userName: name,
    ...(hasSession && { sessionContext: sessionContext(draw) }),
    ...(onBehalfOf !== undefined && { invokedBy: onBehalfOf }),
  };
}

function roleIdentity(draw: Draw): Record<string, unknown> {
  const { name, principalId } = draw.pickSkewed(roles);
  const session = draw.pickSkewed(sessions);
  return {
    type: "AssumedRole",
    principalId: `${principalId}:${session.name}`,
    arn: `arn:aws:sts::${account}:assumed-role/${name}/${session.name}`,
    accountId: account,
    accessKeyId: session.accessKeyId,
    sessionContext: {
      sessionIssuer: {
        ...{ type: "Role", principalId, arn: `arn:aws:iam::${account}:role/${name}` },
        ...{ accountId: account, userName: name },
      },
      ...(draw.chance(0.55) && { webIdFederationData: {} }),
      attributes: { creationDate: session.created, mfaAuthenticated: session.mfa },
    },
  };
}

function sessionContext(draw: Draw): Record<string, unknown> {
  const { created, mfa } = draw.pickSkewed(sessions);
  return {
    ...{ sessionIssuer: {}, webIdFederationData: {} },
    attributes: { creationDate: created, mfaAuthenticated: mfa },
  };
}
