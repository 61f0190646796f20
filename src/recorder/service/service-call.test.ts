// Calls of protocols whose clients are not at hand, written as boto3 1.43 writes them.
import { describe, expect, test } from "vitest";
import { account, described, passed, understood } from "./passed-call.test-world.ts";

const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

describe("EC2 Query", () => {
  test("RunInstances", async () => {
    const body =
      "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=2&KeyName=k&UserData=Z2VoZWlt&SecurityGroupId.1=sg-1" +
      "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b&Monitoring.Enabled=false";
    const answer =
      "<RunInstancesResponse><requestId>q-1</requestId><reservationId>r-1</reservationId><groupSet/><instancesSet><item>" +
      "<instanceId>i-1</instanceId><launchTime>2016-07-24T10:57:13Z</launchTime><instanceState><code>0</code><name>pending</name></instanceState>" +
      "</item></instancesSet></RunInstancesResponse>";
    expect(await described({ service: "ec2", headers: form, body }, { body: answer })).toEqual({
      eventSource: "ec2.amazonaws.com",
      eventName: "RunInstances",
      readOnly: false,
      eventCategory: "Management",
      resources: [],
      requestParameters: {
        instancesSet: { items: [{ imageId: "ami-1", minCount: 1, maxCount: 2, keyName: "k" }] },
        userData: "<sensitiveDataRemoved>",
        groupSet: { items: [{ groupId: "sg-1" }] },
        blockDeviceMapping: {},
        tagSpecificationSet: { items: [{ resourceType: "instance", tags: [{ key: "a", value: "b" }] }] },
        monitoring: { enabled: false },
      },
      responseElements: {
        requestId: "q-1",
        reservationId: "r-1",
        groupSet: {},
        instancesSet: {
          items: [
            { instanceId: "i-1", launchTime: 1469357833000, instanceState: { code: 0, name: "pending" } },
          ],
        },
      },
      requestID: "q-1",
    });
  });

  test("lists, filters and permissions have the form of old", async () => {
    const instances =
      "Action=DescribeInstances&Version=2016-11-15&InstanceId.1=i-1&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1";
    expect(await described({ service: "ec2", headers: form, body: instances })).toMatchObject({
      requestParameters: {
        instancesSet: { items: [{ instanceId: "i-1" }] },
        filterSet: { items: [{ name: "vpc-id", valueSet: { items: [{ value: "vpc-1" }] } }] },
      },
      responseElements: null,
    });
    const ingress =
      "Action=AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0";
    const answer =
      "<AuthorizeSecurityGroupIngressResponse><requestId>q</requestId><return>true</return></AuthorizeSecurityGroupIngressResponse>";
    expect(await described({ service: "ec2", headers: form, body: ingress }, { body: answer })).toMatchObject(
      {
        requestParameters: {
          groupId: "sg-1",
          ipPermissions: {
            items: [{ ipProtocol: "tcp", fromPort: 22, ipRanges: { items: [{ cidrIp: "0.0.0.0/0" }] } }],
          },
        },
        responseElements: { requestId: "q", _return: true },
      },
    );
  });

  test("newer calls stand as they were sent", async () => {
    const body = "Action=DeleteFlowLogs&Version=2016-11-15&FlowLogId.1=fl-1";
    const answer =
      '<DeleteFlowLogsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>q</requestId><unsuccessful/></DeleteFlowLogsResponse>';
    expect(await described({ service: "ec2", headers: form, body }, { body: answer })).toMatchObject({
      requestParameters: { DeleteFlowLogsRequest: { FlowLogId: { content: "fl-1", tag: 1 } } },
      responseElements: {
        DeleteFlowLogsResponse: {
          xmlns: "http://ec2.amazonaws.com/doc/2016-11-15/",
          requestId: "q",
          unsuccessful: "",
        },
      },
    });
  });

  test("user data is removed, whichever way it is changed", async () => {
    for (const change of ["Attribute=userData&Value=Z2VoZWlt", "UserData.Value=Z2VoZWlt"]) {
      const body = `Action=ModifyInstanceAttribute&InstanceId=i-1&${change}`;
      const { requestParameters } = await described({ service: "ec2", headers: form, body });
      expect(JSON.stringify(requestParameters)).toContain("<sensitiveDataRemoved>");
      expect(JSON.stringify(requestParameters)).not.toContain("Z2VoZWlt");
    }
  });

  test("errors bear their side", async () => {
    const body =
      "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors><RequestID>q-9</RequestID></Response>";
    expect(
      await described({ service: "ec2", headers: form, body: "Action=DescribeVpcs" }, { status: 403, body }),
    ).toMatchObject({
      errorCode: "Client.UnauthorizedOperation",
      errorMessage: "no",
      requestID: "q-9",
    });
  });
});

describe("Query", () => {
  test("IAM errors are exceptions, RDS passwords stars", async () => {
    const missing =
      "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>none</Message></Error><RequestId>r</RequestId></ErrorResponse>";
    expect(
      await described(
        { service: "iam", headers: form, body: "Action=GetUser&UserName=zed" },
        { status: 404, body: missing },
      ),
    ).toMatchObject({
      errorCode: "NoSuchEntityException",
      requestParameters: { userName: "zed" },
    });
    const database =
      "Action=CreateDBInstance&Version=2014-10-31&DBInstanceIdentifier=db&MasterUserPassword=geheim&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1";
    const answer =
      "<R><CreateDBInstanceResult><DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier><DBSecurityGroups/><PendingModifiedValues><MasterUserPassword>geheim</MasterUserPassword></PendingModifiedValues></DBInstance></CreateDBInstanceResult></R>";
    expect(
      await described({ service: "rds", headers: form, body: database }, { body: answer }),
    ).toMatchObject({
      requestParameters: {
        dBInstanceIdentifier: "db",
        masterUserPassword: "****",
        vpcSecurityGroupIds: ["sg-1"],
      },
      responseElements: {
        dBInstanceIdentifier: "db",
        dBSecurityGroups: [],
        pendingModifiedValues: { masterUserPassword: "****" },
      },
    });
  });

  test("a JSON service that is asked in Query", async () => {
    const body =
      "Action=SendMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Fh%2F111122223333%2Fq&MessageBody=geheim";
    expect(await described({ service: "sqs", headers: form, body })).toMatchObject({
      eventName: "SendMessage",
      requestParameters: { queueUrl: "http://h/111122223333/q", messageBody: hidden },
    });
  });

  test("versions tell services of one name apart", async () => {
    const of = (version: string) =>
      described({
        service: "elasticloadbalancing",
        headers: form,
        body: `Action=DescribeLoadBalancers&Version=${version}`,
      });
    expect((await of("2012-06-01")).apiVersion).toBe("2012-06-01");
    expect((await of("2015-12-01")).apiVersion).toBe("2015-12-01");
  });
});

describe("REST", () => {
  test("Lambda's names carry a date, its environment no variables", async () => {
    const body = JSON.stringify({
      FunctionName: "fn",
      Role: "r",
      Code: { ZipFile: "Z2VoZWlt" },
      Environment: { Variables: { PW: "geheim" } },
    });
    expect(
      await described(
        { service: "lambda", method: "POST", path: "/2015-03-31/functions", body },
        { body: '{"FunctionName":"fn"}' },
      ),
    ).toMatchObject({
      eventName: "CreateFunction20150331",
      requestParameters: { functionName: "fn", role: "r", code: {}, environment: {} },
      responseElements: { functionName: "fn" },
    });
  });

  test.each([
    "fn",
    "111122223333:function:fn",
    "function:fn:prod",
    "arn:aws:lambda:us-east-1:111122223333:function:fn:7",
  ])("Invoke of %s", async (name) => {
    const request = {
      service: "lambda",
      method: "POST",
      path: `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`,
      headers: { "x-amz-invocation-type": "Event" },
    };
    expect((await understood(request)).capture).toMatchObject({ requestBytes: 0, answerBytes: 0 });
    expect(await described(request, { headers: { "x-amz-log-result": "Z2VoZWlt" } })).toMatchObject({
      eventName: "Invoke",
      eventCategory: "Data",
      resources: [
        {
          accountId: "111122223333",
          type: "AWS::Lambda::Function",
          ARN: "arn:aws:lambda:us-east-1:111122223333:function:fn",
        },
      ],
      requestParameters: { functionName: name, invocationType: "Event" },
      responseElements: null,
    });
  });

  test("Route 53 speaks XML", async () => {
    const body =
      '<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>example.com</Name><CallerReference>c</CallerReference></CreateHostedZoneRequest>';
    const answer =
      "<CreateHostedZoneResponse><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name></HostedZone><ChangeInfo><SubmittedAt>2018-01-16T00:41:43.123Z</SubmittedAt></ChangeInfo></CreateHostedZoneResponse>";
    expect(
      await described(
        { service: "route53", method: "POST", path: "/2013-04-01/hostedzone", body },
        { body: answer },
      ),
    ).toMatchObject({
      eventName: "CreateHostedZone",
      apiVersion: "2013-04-01",
      requestParameters: { name: "example.com", callerReference: "c" },
      responseElements: {
        hostedZone: { id: "/hostedzone/Z1", name: "example.com." },
        changeInfo: { submittedAt: "Jan 16, 2018, 12:41:43 AM" },
      },
    });
  });

  test("S3 Control has S3's form", async () => {
    const headers = {
      host: "111122223333.s3-control.us-east-1.amazonaws.com",
      "x-amz-account-id": "111122223333",
    };
    expect(
      await described({
        service: "s3",
        method: "GET",
        path: "/v20180820/configuration/publicAccessBlock",
        headers,
      }),
    ).toMatchObject({
      eventSource: "s3.amazonaws.com",
      eventName: "GetAccountPublicAccessBlock",
      requestParameters: { Host: headers.host },
      additionalEventData: { SignatureVersion: "SigV4", bytesTransferredIn: 0 },
    });
  });

  test("API Gateway's bodies have a name", async () => {
    expect(
      await described({
        service: "apigateway",
        method: "POST",
        path: "/restapis/abc/stages",
        body: '{"stageName":"latest","deploymentId":"d"}',
      }),
    ).toMatchObject({
      eventName: "CreateStage",
      requestParameters: { restApiId: "abc", createStageInput: { stageName: "latest", deploymentId: "d" } },
    });
  });
});

describe("RPC v2 CBOR", () => {
  test("members and an answer", async () => {
    // {"Namespace": "n", "MetricName": "m"}
    const body = Buffer.from("a2694e616d657370616365616e6a4d65747269634e616d65616d", "hex");
    const request = {
      service: "monitoring",
      path: "/service/GraniteServiceVersion20100801/operation/ListMetrics",
      headers: { "content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor" },
      body,
    };
    expect(await described(request)).toMatchObject({
      eventSource: "monitoring.amazonaws.com",
      eventName: "ListMetrics",
      eventCategory: "Data",
      readOnly: true,
      requestParameters: { namespace: "n", metricName: "m" },
    });
  });
});

describe("DynamoDB", () => {
  const call = (operation: string, body: unknown) =>
    described(
      {
        service: "dynamodb",
        headers: { "x-amz-target": `DynamoDB_20120810.${operation}` },
        body: JSON.stringify(body),
      },
      { body: '{"Attributes":{"a":{"S":"geheim"}}}' },
    );

  test("items by their names, keys with their values, no answer", async () => {
    expect(
      await call("PutItem", {
        TableName: "Music",
        Item: { Artist: { S: "geheim" }, Year: { N: "1" } },
        ReturnConsumedCapacity: "TOTAL",
      }),
    ).toMatchObject({
      eventCategory: "Data",
      apiVersion: "2012-08-10",
      resources: [
        { type: "AWS::DynamoDB::Table", ARN: "arn:aws:dynamodb:us-east-1:111122223333:table/Music" },
      ],
      requestParameters: { tableName: "Music", item: ["Artist", "Year"], returnConsumedCapacity: "TOTAL" },
      responseElements: null,
    });
    expect(
      await call("UpdateItem", {
        TableName: "Music",
        Key: { Artist: { S: "x" } },
        UpdateExpression: "SET #Y = :y",
        ExpressionAttributeNames: { "#Y": "Year" },
        ExpressionAttributeValues: { ":y": { S: "geheim" } },
      }),
    ).toMatchObject({
      requestParameters: {
        tableName: "Music",
        key: { Artist: "x" },
        updateExpression: "SET #Y = :y",
        expressionAttributeNames: { "#Y": "Year" },
      },
      responseElements: null,
    });
  });

  test("statements without their values", async () => {
    const { requestParameters, resources } = await call("ExecuteStatement", {
      Statement: "INSERT INTO Music VALUE {'Artist' : 'geheim', 'Year': 2026}",
      Parameters: [{ S: "geheim" }],
    });
    expect(requestParameters).toEqual({
      statement: "INSERT INTO Music VALUE {'Artist' : ***(Redacted), 'Year': ***(Redacted)}",
    });
    expect(resources).toMatchObject([{ ARN: "arn:aws:dynamodb:us-east-1:111122223333:table/Music" }]);
  });

  test("a stream stands beside its table", async () => {
    const table = "arn:aws:dynamodb:us-east-1:111122223333:table/Music";
    const ShardIterator = `${table}/stream/2021-04-15T04:02:47.428|1|AAAA==`;
    const headers = { "x-amz-target": "DynamoDBStreams_20120810.GetRecords" };
    const body = JSON.stringify({ ShardIterator });
    expect(await described({ service: "dynamodb", headers, body })).toMatchObject({
      eventSource: "dynamodb.amazonaws.com",
      eventCategory: "Data",
      readOnly: true,
      resources: [
        { type: "AWS::DynamoDB::Stream", ARN: `${table}/stream/2021-04-15T04:02:47.428` },
        { type: "AWS::DynamoDB::Table", ARN: table },
      ],
    });
  });

  test("what several tables are asked for must be allowed for all", async () => {
    const deed = async (operation: string, body: unknown) => {
      const request = {
        service: "dynamodb",
        headers: { "x-amz-target": `DynamoDB_20120810.${operation}` },
        body: JSON.stringify(body),
      };
      return (await understood(request)).deedOf(passed(request).request, account);
    };
    expect(await deed("BatchGetItem", { RequestItems: { a: { Keys: [] } } })).toEqual({
      action: "dynamodb:BatchGetItem",
      resource: "arn:aws:dynamodb:us-east-1:111122223333:table/a",
    });
    expect(await deed("BatchGetItem", { RequestItems: { a: {}, b: {} } })).toEqual({
      action: "dynamodb:BatchGetItem",
      resource: "*",
      among: ["a", "b"].map((table) => `arn:aws:dynamodb:us-east-1:111122223333:table/${table}`),
    });
    expect(
      await deed("TransactWriteItems", {
        TransactItems: [{ Put: { TableName: "t" } }, { Delete: { TableName: "t" } }],
      }),
    ).toMatchObject({ action: "dynamodb:*" });
    expect(await deed("ExecuteStatement", { Statement: "SELECT * FROM t" })).toMatchObject({
      action: "dynamodb:PartiQLSelect",
    });
  });
});
