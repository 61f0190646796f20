// PutEventSelectors' rules for advanced selectors, each with its exact text and its place in the order (api.md §5.3, §5.4).
import { describe, expect, test } from "vitest";
import {
  type Wire,
  put,
  refusal,
  data,
  management,
  network,
  objects,
  ofKms,
  required,
  duplicate,
  tooManyFilters,
  advanced,
  notValid,
  only,
  notAllowed,
  needs,
  constraint,
  missing,
  long,
  named,
  filters,
} from "./choose-selectors.test-support.ts";
import { selectorsToOutput } from "./selectors-output.ts";

describe("advanced selectors (§5.3, §5.4)", () => {
  test.each<readonly [string, Wire, string]>([
    ["1 no eventCategory", advanced({ Field: "eventName", Equals: ["x"] }), required],
    [
      "1 before 2",
      advanced({ Field: "eventName", Equals: ["x"] }, { Field: "eventName", Equals: ["y"] }),
      required,
    ],
    ["2 a field twice", advanced(data, objects, objects), duplicate],
    ["2 eventCategory twice", advanced(management, management), duplicate],
    ["2 before 3", advanced({ Field: "eventCategory", StartsWith: ["M"] }, objects, objects), duplicate],
    [
      "3 eventCategory operator",
      advanced({ Field: "eventCategory", NotEquals: ["Data"] }),
      only("eventCategory", "Equals"),
    ],
    [
      "3 eventCategory with a second operator",
      advanced({ ...management, NotEquals: ["Data"] }),
      only("eventCategory", "Equals"),
    ],
    [
      "4 eventCategory value",
      advanced({ Field: "eventCategory", Equals: ["management"] }),
      notValid("eventCategory"),
    ],
    [
      "4 a category of event data stores",
      advanced({ Field: "eventCategory", Equals: ["Insight"] }),
      notValid("eventCategory"),
    ],
    [
      "4 two categories",
      advanced({ Field: "eventCategory", Equals: ["Management", "Data"] }),
      notValid("eventCategory"),
    ],
    ["4 no category", advanced({ Field: "eventCategory" }), notValid("eventCategory")],
    [
      "4 before 5",
      advanced({ Field: "eventCategory", Equals: ["x"] }, { Field: "nothing", Equals: ["x"] }),
      notValid("eventCategory"),
    ],
    [
      "5 eventName with Management",
      advanced(management, { Field: "eventName", Equals: ["x"] }),
      notAllowed("Management", "eventName"),
    ],
    [
      "5 resources.type with Management",
      advanced(management, objects),
      notAllowed("Management", "resources.type"),
    ],
    [
      "5 eventType with Management",
      advanced(management, { Field: "eventType", Equals: ["x"] }),
      notAllowed("Management", "eventType"),
    ],
    [
      "5 userIdentity.arn with Management",
      advanced(management, { Field: "userIdentity.arn", Equals: ["x"] }),
      notAllowed("Management", "userIdentity.arn"),
    ],
    [
      "5 sessionCredentialFromConsole with Management",
      advanced(management, { Field: "sessionCredentialFromConsole", Equals: ["true"] }),
      notAllowed("Management", "sessionCredentialFromConsole"),
    ],
    [
      "5 errorCode with Data",
      advanced(data, objects, { Field: "errorCode", Equals: ["VpceAccessDenied"] }),
      notAllowed("Data", "errorCode"),
    ],
    [
      "5 vpcEndpointId with Data",
      advanced(data, objects, { Field: "vpcEndpointId", Equals: ["x"] }),
      notAllowed("Data", "vpcEndpointId"),
    ],
    [
      "5 readOnly with NetworkActivity",
      advanced(network, ofKms, { Field: "readOnly", Equals: ["true"] }),
      notAllowed("NetworkActivity", "readOnly"),
    ],
    [
      "5 eventType with NetworkActivity",
      advanced(network, ofKms, { Field: "eventType", Equals: ["x"] }),
      notAllowed("NetworkActivity", "eventType"),
    ],
    [
      "5 resources.ARN with NetworkActivity",
      advanced(network, ofKms, { Field: "resources.ARN", Equals: ["x"] }),
      notAllowed("NetworkActivity", "resources.ARN"),
    ],
    [
      "5 userIdentity.arn with NetworkActivity",
      advanced(network, ofKms, { Field: "userIdentity.arn", Equals: ["x"] }),
      notAllowed("NetworkActivity", "userIdentity.arn"),
    ],
    [
      "5 an unknown field",
      advanced(data, { Field: "EventName", Equals: ["x"] }),
      notAllowed("Data", "EventName"),
    ],
    [
      "5 a field named like a property of every object",
      advanced(data, objects, { Field: "constructor", Equals: ["x"] }),
      notAllowed("Data", "constructor"),
    ],
    [
      "5 the first of several",
      advanced(management, { Field: "b", Equals: ["x"] }, { Field: "a", Equals: ["x"] }),
      notAllowed("Management", "b"),
    ],
    ["5 before 6", advanced(data, { Field: "nothing", Equals: ["x"] }), notAllowed("Data", "nothing")],
    ["6 Data without type", advanced(data), needs("Data", "resources.type")],
    ["6 NetworkActivity without source", advanced(network), needs("NetworkActivity", "eventSource")],
    ["6 before 7", advanced(data, { Field: "readOnly", NotEquals: ["x"] }), needs("Data", "resources.type")],
    [
      "7 readOnly",
      advanced(management, { Field: "readOnly", NotEquals: ["true"] }),
      only("readOnly", "Equals"),
    ],
    [
      "7 eventSource with Management",
      advanced(management, { Field: "eventSource", Equals: ["kms.amazonaws.com"] }),
      only("eventSource", "NotEquals"),
    ],
    [
      "7 eventSource with NetworkActivity",
      advanced(network, { Field: "eventSource", StartsWith: ["kms.amazonaws.com"] }),
      only("eventSource", "Equals"),
    ],
    [
      "7 resources.type",
      advanced(data, { Field: "resources.type", StartsWith: ["AWS::S3"] }),
      only("resources.type", "Equals"),
    ],
    [
      "7 errorCode",
      advanced(network, ofKms, { Field: "errorCode", NotEquals: ["VpceAccessDenied"] }),
      only("errorCode", "Equals"),
    ],
    [
      "7 sessionCredentialFromConsole",
      advanced(data, objects, { Field: "sessionCredentialFromConsole", EndsWith: ["e"] }),
      only("sessionCredentialFromConsole", "Equals, NotEquals"),
    ],
    [
      "7 before 8, over all fields",
      advanced(data, { Field: "resources.type", Equals: ["x"] }, { Field: "readOnly", NotEquals: ["true"] }),
      only("readOnly", "Equals"),
    ],
    ["8 readOnly", advanced(management, { Field: "readOnly", Equals: ["True"] }), notValid("readOnly")],
    [
      "8 two values of readOnly",
      advanced(management, { Field: "readOnly", Equals: ["true", "false"] }),
      notValid("readOnly"),
    ],
    [
      "8 eventSource with Management",
      advanced(management, { Field: "eventSource", NotEquals: ["kms.amazonaws.com", "s3.amazonaws.com"] }),
      notValid("eventSource"),
    ],
    [
      "8 eventSource with NetworkActivity",
      advanced(network, { Field: "eventSource", Equals: ["KMS"] }),
      notValid("eventSource"),
    ],
    [
      "8 two sources with NetworkActivity",
      advanced(network, { Field: "eventSource", Equals: ["kms.amazonaws.com", "s3.amazonaws.com"] }),
      notValid("eventSource"),
    ],
    [
      "8 resources.type",
      advanced(data, { Field: "resources.type", Equals: ["AWS::S3::Bucket"] }),
      notValid("resources.type"),
    ],
    [
      "8 two types",
      advanced(data, { Field: "resources.type", Equals: ["AWS::S3::Object", "AWS::SNS::Topic"] }),
      notValid("resources.type"),
    ],
    [
      "8 errorCode",
      advanced(network, ofKms, { Field: "errorCode", Equals: ["AccessDenied"] }),
      notValid("errorCode"),
    ],
    [
      "8 sessionCredentialFromConsole",
      advanced(data, objects, { Field: "sessionCredentialFromConsole", NotEquals: ["yes"] }),
      notValid("sessionCredentialFromConsole"),
    ],
    [
      "8 before 9",
      advanced(data, { Field: "eventName" }, { Field: "resources.type", Equals: ["x"] }),
      notValid("resources.type"),
    ],
    [
      "9 no operator",
      advanced(data, objects, { Field: "eventName" }),
      "At least one operator is required for the eventName field.",
    ],
    [
      "9 empty lists count as absent",
      advanced(data, objects, { Field: "eventName", Equals: [], NotEndsWith: [] }),
      "At least one operator is required for the eventName field.",
    ],
    [
      "9 a required field without operator",
      advanced(data, { Field: "resources.type" }),
      "At least one operator is required for the resources.type field.",
    ],
    ["10 501 values in one selector", advanced(data, objects, filters(499)), tooManyFilters],
    [
      "10 501 values over selectors",
      {
        AdvancedEventSelectors: [
          { FieldSelectors: [data, objects, filters(497)] },
          { FieldSelectors: [management, { Field: "readOnly", Equals: ["true"] }] },
        ],
      },
      tooManyFilters,
    ],
    [
      "10 after the rules of every selector",
      {
        AdvancedEventSelectors: [
          { FieldSelectors: [data, objects, filters(600)] },
          { FieldSelectors: [{ Field: "x" }] },
        ],
      },
      required,
    ],
    [
      "selector by selector",
      { AdvancedEventSelectors: [{ FieldSelectors: [data] }, { FieldSelectors: [objects] }] },
      needs("Data", "resources.type"),
    ],
  ])("%s", (_name, input, text) => {
    expect(refusal(input)).toBe(text);
  });

  test.each<readonly [string, Wire, string]>([
    [
      "name",
      named(long(1001)),
      constraint(long(1001), "name", "Member must have length less than or equal to 1000"),
    ],
    [
      "no field selectors",
      advanced(),
      constraint("[]", "fieldSelectors", "Member must have length greater than or equal to 1"),
    ],
    ["field selectors missing", { AdvancedEventSelectors: [{}] }, missing(".fieldSelectors")],
    [
      "field selectors null",
      { AdvancedEventSelectors: [{ FieldSelectors: null }] },
      missing(".fieldSelectors"),
    ],
    ["a selector null", { AdvancedEventSelectors: [null] }, missing("")],
    ["a field selector null", advanced(data, null), missing(".fieldSelectors.2.member")],
    ["field missing", advanced(data, { Equals: ["x"] }), missing(".fieldSelectors.2.member.field")],
    [
      "field empty",
      advanced({ Field: "", Equals: ["x"] }),
      constraint("", "fieldSelectors.1.member.field", "Member must have length greater than or equal to 1"),
    ],
    [
      "field too long",
      advanced({ Field: long(1001) }),
      constraint(
        long(1001),
        "fieldSelectors.1.member.field",
        "Member must have length less than or equal to 1000",
      ),
    ],
    [
      "value empty",
      advanced(data, { Field: "eventName", NotStartsWith: ["x", ""] }),
      constraint(
        "",
        "fieldSelectors.2.member.notStartsWith.2.member",
        "Member must have length greater than or equal to 1",
      ),
    ],
    [
      "value too long",
      advanced({ Field: "eventName", Equals: [long(2049)] }),
      constraint(
        long(2049),
        "fieldSelectors.1.member.equals.1.member",
        "Member must have length less than or equal to 2048",
      ),
    ],
    [
      "value null",
      advanced({ Field: "eventName", Equals: [null] }),
      missing(".fieldSelectors.1.member.equals.1.member"),
    ],
    [
      "before the rules",
      advanced({ Field: "nothing", Equals: [long(2049)] }),
      constraint(
        long(2049),
        "fieldSelectors.1.member.equals.1.member",
        "Member must have length less than or equal to 2048",
      ),
    ],
  ])("constraint: %s", (_name, input, text) => {
    expect(refusal(input)).toBe(text);
  });

  const any = {
    Equals: ["a"],
    StartsWith: ["b"],
    EndsWith: ["c"],
    NotEquals: ["d"],
    NotStartsWith: ["e"],
    NotEndsWith: ["f"],
  };
  test.each<readonly [string, readonly Wire[]]>([
    ["Management", [management]],
    [
      "Management with all fields",
      [
        management,
        { Field: "readOnly", Equals: ["false"] },
        { Field: "eventSource", NotEquals: ["kms.amazonaws.com", "rdsdata.amazonaws.com"] },
      ],
    ],
    ["Data", [data, objects]],
    [
      "Data with all fields",
      [
        data,
        objects,
        { Field: "readOnly", Equals: ["true"] },
        ...["eventSource", "eventName", "eventType", "resources.ARN", "userIdentity.arn"].map((Field) => ({
          Field,
          ...any,
        })),
        { Field: "sessionCredentialFromConsole", Equals: ["true"], NotEquals: ["false"] },
      ],
    ],
    ["NetworkActivity", [network, ofKms]],
    [
      "NetworkActivity with all fields",
      [
        network,
        { Field: "eventSource", Equals: ["models.lex-v2.amazonaws.com"] },
        { Field: "eventName", ...any },
        { Field: "errorCode", Equals: ["VpceAccessDenied"] },
        { Field: "vpcEndpointId", ...any },
      ],
    ],
    ["QApp with two colons", [data, { Field: "resources.type", Equals: ["AWS::QApps::QApp"] }]],
    ["QApp with one colon", [data, { Field: "resources.type", Equals: ["AWS::QApps:QApp"] }]],
    [
      "Quicksight in its own spelling",
      [data, { Field: "resources.type", Equals: ["AWS::Quicksight::ActionConnector"] }],
    ],
    ["a type of the configuration", [data, { Field: "resources.type", Equals: ["Vendor::Service::Thing"] }]],
    ["500 values", [data, objects, filters(498)]],
    [
      "a value of 2048 characters beyond the basic plane",
      [data, objects, { Field: "resources.ARN", StartsWith: ["😀".repeat(2048)] }],
    ],
  ])("accepts %s and gives it back", (_name, fieldSelectors) => {
    const expected = { AdvancedEventSelectors: [{ FieldSelectors: fieldSelectors }] };
    expect(selectorsToOutput(put(advanced(...fieldSelectors)))).toEqual(expected);
  });
});
