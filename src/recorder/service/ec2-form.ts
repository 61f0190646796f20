// What records say of EC2's requests and answers, which keep the form of its first XML: lists are `{items: […]}`, names
// end in Set; newer calls stand as their XML (formats.md §1.5, and real records). Pure.
import { isObject, type JsonValue } from "../../model/json.ts";
import { conceal, hideNamedValue } from "./json-members.ts";
import { itemsOf, type ParameterNode, parameters } from "./query-parameters.ts";
import { depthMax, type Members, put, type Reading, scalarFromText, timeOf } from "./record-values.ts";
import { lowerFirst, type Member, type Shape, type Structure } from "./service-table.ts";
import type { Way } from "./tree-members.ts";
import { asItStands } from "./xml-members.ts";
import type { XmlElement } from "./xml-tree.ts";
import { named } from "./named.ts";

/** Calls made after the old form was given up are recorded as they were sent, under `<Operation>Request`. */
const newerCalls =
  /NatGateway|EgressOnly|ClassicLinkDnsSupport|FlowLogs|VpcEndpoint|LaunchTemplate|Hosts?$|TransitGateway|InstanceTypes|InstanceTypeOfferings|CreditSpecification|VolumesModifications|AddressTransfer|AddressesAttribute|AddressAttribute|CapacityReservation|ClientVpn|Fleets?$|Ipam|ManagedPrefixList|TrafficMirror|LocalGateway|CarrierGateway|CoipPool|NetworkInsights|VerifiedAccess|InstanceConnectEndpoint|SecurityGroupRules|PublicIpv4Pool|FastSnapshotRestore|ManagedPrefix|EbsEncryption|EbsDefaultKmsKeyId|SerialConsole|SnapshotBlockPublicAccess|ImageBlockPublicAccess|InstanceMetadataDefaults|InstanceEventWindow|ReplaceRootVolume|StoreImage|RestoreImage|SnapshotTier|RecycleBin/;

/** Short names that records have for the wrapper of some newer calls. */
const requestNames: Readonly<Record<string, string>> = named({
  DeleteTransitGatewayVpcAttachment: "DelTGwVpcAttachReq",
});

/** Lists at the top of a request: the parameter's name → the record's name and that of a plain item. */
const lists: Readonly<Record<string, readonly [string, string]>> = named({
  InstanceId: ["instancesSet", "instanceId"],
  ImageId: ["imagesSet", "imageId"],
  VolumeId: ["volumeSet", "volumeId"],
  SnapshotId: ["snapshotSet", "snapshotId"],
  VpcId: ["vpcSet", "vpcId"],
  SubnetId: ["subnetSet", "subnetId"],
  GroupName: ["securityGroupSet", "groupName"],
  GroupId: ["securityGroupIdSet", "groupId"],
  SecurityGroupId: ["groupSet", "groupId"],
  SecurityGroup: ["groupSet", "groupName"],
  KeyName: ["keySet", "keyName"],
  KeyPairId: ["keyPairIdSet", "keyPairId"],
  Owner: ["ownersSet", "owner"],
  ExecutableBy: ["executableBySet", "user"],
  RestorableBy: ["sharedUsersSet", "user"],
  PublicIp: ["publicIpsSet", "publicIp"],
  AllocationId: ["allocationIdsSet", "allocationId"],
  ResourceId: ["resourcesSet", "resourceId"],
  RouteTableId: ["routeTableIdSet", "routeTableId"],
  NetworkAclId: ["networkAclIdSet", "networkAclId"],
  NetworkInterfaceId: ["networkInterfaceIdSet", "networkInterfaceId"],
  DhcpOptionsId: ["dhcpOptionsSet", "dhcpOptionsId"],
  VpnGatewayId: ["vpnGatewaySet", "vpnGatewayId"],
  VpnConnectionId: ["vpnConnectionSet", "vpnConnectionId"],
  CustomerGatewayId: ["customerGatewaySet", "customerGatewayId"],
  ZoneName: ["availabilityZoneSet", "zoneName"],
  ZoneId: ["availabilityZoneIdSet", "zoneId"],
  RegionName: ["regionSet", "regionName"],
  AttributeName: ["accountAttributeNameSet", "attributeName"],
  AccountAttributeName: ["accountAttributeNameSet", "attributeName"],
  Filter: ["filterSet", ""],
  Tag: ["tagSet", ""],
  TagSpecification: ["tagSpecificationSet", ""],
  BlockDeviceMapping: ["blockDeviceMapping", ""],
  NetworkInterface: ["networkInterfaceSet", ""],
  IpPermissions: ["ipPermissions", ""],
  IpPermission: ["ipPermissions", ""],
});

export interface Ec2Request {
  readonly input: Structure | undefined;
  readonly root: ParameterNode;
}

export function ec2Parameters(operation: string, { input, root }: Ec2Request, reading: Reading): Members {
  if (newerCalls.test(operation)) return newerParameters(operation, { input, root }, reading);
  const sent = structure(input, root, { reading, depth: 0 });
  const members = { ...emptySets(operation, input), ...sent };
  // These name what they are about in the list that the answer has too.
  if (operation === "RunInstances") return runParameters(members);
  if (operation === "DescribePlacementGroups") return ofPlacementGroups(members);
  // `Attribute=userData&Value=…`, the older way to change it.
  const isUserData = operation === "ModifyInstanceAttribute" && members["attribute"] === "userData";
  if (!isUserData || members["value"] === undefined) return members;
  reading.note(members["value"]);
  return { ...members, value: "<sensitiveDataRemoved>" };
}

const ofTheProtocol = /^(Action|Version|DryRun|AWSAccessKeyId|Signature.*|Timestamp|SecurityToken|X-Amz-.*)$/;

function structure(shape: Structure | undefined, node: ParameterNode, way: Way): Members {
  const members: Members = {};
  for (const [name, child] of node.children ?? []) {
    if (way.depth === 0 && ofTheProtocol.test(name)) continue;
    const member = memberOf(shape, name);
    if (!member) continue;
    const [key, value] = memberValue(member, name, { node: child, way });
    put(members, key, value);
  }
  return hideNamedValue(members, way.reading);
}

/** Parameters are named as the XML is, with a capital letter. */
function memberOf(shape: Structure | undefined, name: string): Member | undefined {
  const lower = lowerFirst(name);
  return shape?.members.find(
    (member) => lowerFirst(member.wireName.replace(/^\?/, "")) === lower || lowerFirst(member.name) === lower,
  );
}

function memberValue(
  member: Member,
  name: string,
  at: { readonly node: ParameterNode; readonly way: Way },
): readonly [string, JsonValue | undefined] {
  const key = lowerFirst(name);
  const { node, way } = at;
  if (member.secrecy.kind !== "shown")
    return [key, conceal(member.secrecy, parameters.textsIn(node), way.reading)];
  const { shape } = member;
  if (shape.kind !== "list") return [key, value(shape, node, way)];
  const isTop = way.depth === 0;
  const [set, item] = isTop ? listNames(name, shape.item.shape) : innerListNames(key, shape.item.shape);
  const items = itemsOf(node).map((part) => {
    const inner = value(shape.item.shape, part, { reading: way.reading, depth: way.depth + 1 });
    return isPlain(shape.item.shape) && inner !== undefined ? { [item === "" ? key : item]: inner } : inner;
  });
  // Tags below a specification stand as a plain list.
  if (!isTop && name === "Tag") return ["tags", items.filter((part) => part !== undefined)];
  return [set, items.length === 0 ? {} : { items: items.filter((part) => part !== undefined) }];
}

function isPlain({ kind }: Shape): boolean {
  return kind !== "structure" && kind !== "list" && kind !== "map";
}

function value(shape: Shape, node: ParameterNode, way: Way): JsonValue | undefined {
  if (way.depth > depthMax) return undefined;
  if (shape.kind === "structure")
    return structure(shape, node, { reading: way.reading, depth: way.depth + 1 });
  if (shape.kind === "blob") return undefined;
  if (shape.kind === "list" || shape.kind === "map") {
    return itemsOf(node).flatMap(({ text }) => (text === undefined ? [] : [text]));
  }
  if (shape.kind === "timestamp") return timeOf(node.text);
  return node.text === undefined ? undefined : scalarFromText(shape.kind, node.text);
}

/** The record's name of a list at the top, and that of a plain item. */
function listNames(name: string, item: Shape): readonly [string, string] {
  return lists[name] ?? innerListNames(lowerFirst(name), item);
}

function innerListNames(key: string, item: Shape): readonly [string, string] {
  return [isPlain(item) ? `${key}Set` : key, key];
}

/** Lists that were not sent, as records have them: all of a Describe, and these. */
const alwaysThere: Readonly<Record<string, string>> = named({
  RunInstances: "blockDeviceMapping",
  AuthorizeSecurityGroupIngress: "ipPermissions",
  AuthorizeSecurityGroupEgress: "ipPermissions",
  RevokeSecurityGroupIngress: "ipPermissions",
  RevokeSecurityGroupEgress: "ipPermissions",
});

/** Their records have the set of filters only when there are some. */
const withoutFilters: ReadonlySet<string> = new Set(["DescribeRegions", "DescribeAvailabilityZones"]);

function emptySets(operation: string, input: Structure | undefined): Members {
  const always = alwaysThere[operation];
  if (always !== undefined) return { [always]: {} };
  const members: Members = {};
  if (!operation.startsWith("Describe")) return members;
  if (operation === "DescribeAccountAttributes") put(members, "filterSet", {});
  for (const { shape, wireName } of input?.members ?? []) {
    if (shape.kind !== "list" || (wireName === "Filter" && withoutFilters.has(operation))) continue;
    const name = wireName.charAt(0).toUpperCase() + wireName.slice(1);
    const [set] = listNames(name, shape.item.shape);
    put(members, set, {});
  }
  return members;
}

/** Their groups are no security groups. */
function ofPlacementGroups(members: Members): Members {
  return Object.fromEntries(
    Object.entries(members).map(([name, part]) => [name.replace(/^securityGroup/, "placementGroup"), part]),
  );
}

/** RunInstances says image, counts and key inside the set. */
function runParameters({ imageId, minCount, maxCount, keyName, ...others }: Members): Members {
  const item: Members = {};
  for (const [name, part] of Object.entries({ imageId, minCount, maxCount, keyName })) put(item, name, part);
  return { instancesSet: { items: [item] }, ...others };
}

/** As the newer calls stand: the API's names, numbered lists with their number as `tag`. */
function newerParameters(operation: string, { input, root }: Ec2Request, reading: Reading): Members {
  const members: Members = {};
  for (const [name, node] of root.children ?? []) {
    if (ofTheProtocol.test(name)) continue;
    put(members, name, newerValue(memberOf(input, name), node, { reading, depth: 0 }));
  }
  return { [requestNames[operation] ?? `${operation}Request`]: members };
}

function newerValue(member: Member | undefined, node: ParameterNode, way: Way): JsonValue | undefined {
  if (way.depth > depthMax) return undefined;
  if (!member) return undefined;
  if (member.secrecy.kind !== "shown") return conceal(member.secrecy, parameters.textsIn(node), way.reading);
  const { shape } = member;
  const below = { reading: way.reading, depth: way.depth + 1 };
  if (shape.kind === "list") {
    const items = itemsOf(node).map((item, index) =>
      numbered(newerOf(shape.item.shape, item, below), index + 1),
    );
    return items.length === 1 ? items[0] : items;
  }
  return newerOf(shape, node, below);
}

function newerOf(shape: Shape, node: ParameterNode, way: Way): JsonValue | undefined {
  if (shape.kind === "list" || shape.kind === "map" || shape.kind === "blob") return undefined;
  if (shape.kind !== "structure")
    return node.text === undefined ? undefined : scalarFromText(shape.kind, node.text);
  const members: Members = {};
  for (const [name, child] of node.children ?? [])
    put(members, name, newerValue(memberOf(shape, name), child, way));
  return hideNamedValue(members, way.reading);
}

function numbered(item: JsonValue | undefined, tag: number): JsonValue {
  return isObject(item) ? { ...item, tag } : { tag, content: item ?? "" };
}

export interface Ec2Answer {
  readonly output: Structure | undefined;
  readonly answer: XmlElement | undefined;
}

export function ec2ResponseElements(
  operation: string,
  { output, answer }: Ec2Answer,
  reading: Reading,
): Members | undefined {
  if (!answer) return undefined;
  if (newerCalls.test(operation))
    return { [answer.name]: asItStands(answer, { reading, depth: 0, shape: output }) };
  const members: Members = {};
  const requestId = answer.children.find(({ name }) => name === "requestId");
  put(members, "requestId", requestId?.text);
  for (const part of answer.children) {
    if (part === requestId) continue;
    if (part.name === "return") put(members, "_return", part.text === "true");
    else
      put(members, part.name, answered(output && memberOf(output, part.name), part, { reading, depth: 0 }));
  }
  return members;
}

function answered(member: Member | undefined, element: XmlElement, way: Way): JsonValue | undefined {
  if (way.depth > depthMax) return undefined;
  if (member && member.secrecy.kind !== "shown") return conceal(member.secrecy, element.text, way.reading);
  const below = { reading: way.reading, depth: way.depth + 1 };
  const shape = member?.shape;
  if (shape?.kind === "list") {
    const items = element.children.map((item) => answeredAs(shape.item.shape, item, below));
    return items.length === 0 ? {} : { items: items.filter((item) => item !== undefined) };
  }
  if (shape) return answeredAs(shape, element, below);
  return element.children.length === 0 ? scalarFromText("string", element.text) : undefined;
}

function answeredAs(shape: Shape, element: XmlElement, way: Way): JsonValue | undefined {
  if (shape.kind === "timestamp") return timeOf(element.text);
  if (shape.kind === "structure") {
    const members: Members = {};
    for (const part of element.children)
      put(members, part.name, answered(memberOf(shape, part.name), part, way));
    return hideNamedValue(members, way.reading);
  }
  if (shape.kind === "list" || shape.kind === "map" || shape.kind === "blob") return undefined;
  return scalarFromText(shape.kind, element.text);
}
