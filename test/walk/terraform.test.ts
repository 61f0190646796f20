// Terraform's aws_cloudtrail against the server: apply, an empty plan, update, an empty plan, destroy.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetTrailStatusCommand,
  ListTagsCommand,
} from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CairnProcess, cleanEnvironment, startCairn } from "../harness/cairn-process.ts";
import { describeWith, program } from "../harness/outside-program.ts";

const pluginFolder = process.env["CAIRN_TEST_TERRAFORM_PLUGINS"] ?? "/opt/tf-plugins";
const provider = {
  name: `terraform with the AWS provider in ${pluginFolder} (CAIRN_TEST_TERRAFORM_PLUGINS)`,
  present: () => existsSync(join(pluginFolder, "registry.terraform.io", "hashicorp", "aws")),
};

const basic = {
  before: `
    event_selector {
      read_write_type           = "WriteOnly"
      include_management_events = true
      data_resource {
        type   = "AWS::S3::Object"
        values = ["arn:aws:s3:::audited/", "arn:aws:s3:::second/prefix"]
      }
    }`,
  after: `
    s3_key_prefix                 = "audit"
    include_global_service_events = false
    event_selector {
      read_write_type           = "All"
      include_management_events = true
      data_resource {
        type   = "AWS::Lambda::Function"
        values = ["arn:aws:lambda"]
      }
    }
    tags = { Team = "audit" }`,
};

const advanced = {
  before: `
    advanced_event_selector {
      name = "Writes"
      field_selector {
        field  = "eventCategory"
        equals = ["Management"]
      }
      field_selector {
        field  = "readOnly"
        equals = ["false"]
      }
    }
    advanced_event_selector {
      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }
      field_selector {
        field  = "resources.type"
        equals = ["AWS::S3::Object"]
      }
      field_selector {
        field           = "resources.ARN"
        not_starts_with = ["arn:aws:s3:::logs/"]
      }
    }`,
  // The block is removed: Terraform sends an empty list of advanced selectors.
  after: `enable_logging = false`,
};

const multiRegion = {
  before: `
    is_multi_region_trail = true
    tags                  = { Owner = "Mary", Stage = "test" }`,
  after: `
    is_multi_region_trail      = true
    enable_log_file_validation = true
    insight_selector { insight_type = "ApiCallRateInsight" }
    tags                       = { Owner = "John" }`,
};

describeWith([program("terraform", "terraform", ["version"]), provider])("Terraform's aws_cloudtrail", () => {
  let cairn: CairnProcess;
  let folder = "";

  beforeAll(async () => {
    cairn = await startCairn();
    folder = mkdtempSync(join(tmpdir(), "cairn-terraform-"));
    writeFileSync(
      join(folder, "cli.tfrc"),
      `provider_installation {\n  filesystem_mirror { path = "${pluginFolder}" }\n}\n`,
    );
    const authorization =
      "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    await fetch(`${cairn.url}/trail-logs`, { method: "PUT", headers: { authorization } });
  }, 120_000);
  afterAll(async () => {
    await cairn.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  // One configuration with all three trails: every command starts the provider anew, which takes its time.
  test("apply, empty plan, update, empty plan, destroy for a basic, an advanced and a multi-Region trail", async () => {
    const terraform = (...args: string[]) => runTerraform(folder, join(folder, "cli.tfrc"), args);
    const write = (stage: "before" | "after") =>
      writeFileSync(join(folder, "main.tf"), configuration(cairn.url, stage));
    write("before");
    await terraform("init", "-no-color");
    await terraform("apply", "-auto-approve", "-no-color");
    // -detailed-exitcode: 0 is an empty plan, 2 a plan with changes; runTerraform throws on anything but 0.
    await terraform("plan", "-detailed-exitcode", "-no-color");
    write("after");
    await terraform("apply", "-auto-approve", "-no-color");
    await terraform("plan", "-detailed-exitcode", "-no-color");
    expect(await trailsAsSeen(cairn.url)).toEqual(expectedAfterUpdate);
    await terraform("destroy", "-auto-approve", "-no-color");
    expect((await sdk(cairn.url).send(new DescribeTrailsCommand({}))).trailList).toEqual([]);
  }, 600_000);
});

const expectedAfterUpdate = {
  "advanced-trail": { prefix: undefined, validation: false, logging: false, resources: [[]], tags: [] },
  "basic-trail": {
    prefix: "audit",
    validation: false,
    logging: true,
    resources: [[{ Type: "AWS::Lambda::Function", Values: ["arn:aws:lambda"] }]],
    tags: [{ Key: "Team", Value: "audit" }],
  },
  "multi_region-trail": {
    prefix: undefined,
    validation: true,
    logging: true,
    resources: [[]],
    tags: [{ Key: "Owner", Value: "John" }],
  },
};

async function trailsAsSeen(url: string): Promise<Record<string, unknown>> {
  const client = sdk(url);
  const { trailList = [] } = await client.send(new DescribeTrailsCommand({}));
  const seen: Record<string, unknown> = {};
  for (const trail of trailList) {
    const selectors = await client.send(new GetEventSelectorsCommand({ TrailName: trail.TrailARN }));
    const tags = await client.send(new ListTagsCommand({ ResourceIdList: [trail.TrailARN ?? ""] }));
    const status = await client.send(new GetTrailStatusCommand({ Name: trail.TrailARN }));
    seen[trail.Name ?? ""] = {
      prefix: trail.S3KeyPrefix,
      validation: trail.LogFileValidationEnabled,
      logging: status.IsLogging,
      resources: selectors.EventSelectors?.map((selector) => selector.DataResources),
      tags: tags.ResourceTagList?.[0]?.TagsList,
    };
  }
  return seen;
}

function sdk(url: string): CloudTrailClient {
  return new CloudTrailClient({
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId: "123456789012", secretAccessKey: "x" },
  });
}

function configuration(url: string, stage: "before" | "after"): string {
  const trails = Object.entries({ basic, advanced, multi_region: multiRegion });
  return `
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "123456789012"
  secret_key                  = "anything"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
    cloudtrail = "${url}"
    sts        = "${url}"
  }
}
${trails.map(([name, variant]) => resource(name, variant[stage])).join("\n")}
`;
}

function resource(name: string, settings: string): string {
  return `
resource "aws_cloudtrail" "${name}" {
  name           = "${name}-trail"
  s3_bucket_name = "trail-logs"
  ${settings}
}`;
}

async function runTerraform(cwd: string, cliConfig: string, args: readonly string[]): Promise<void> {
  const child = spawn("terraform", args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...cleanEnvironment(),
      TF_CLI_CONFIG_FILE: cliConfig,
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
    },
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`terraform ${args.join(" ")} ended with ${String(code)}:\n${output}`);
}
