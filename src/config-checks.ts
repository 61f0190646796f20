// Checks over several settings together. Gives sentences, each naming the settings it is about.
import { namesOf } from "./config-setting.ts";
import { settings, type SettingMember } from "./config-settings.ts";
import { shown } from "./config-values.ts";
import type { Configuration } from "./config-types.ts";

/** What is wrong with a configuration whose settings are each right for themselves. */
export function combinationProblems(configuration: Configuration): string[] {
  return [
    ...authenticationProblems(configuration),
    ...accountProblems(configuration),
    ...organizationProblems(configuration),
    ...orderProblems(configuration),
    ...vpcEndpointProblems(configuration),
    ...endpointProblems(configuration),
  ];
}

function authenticationProblems({ auth, host, insecure, accounts }: Configuration): string[] {
  if (auth === "off") {
    if (isLoopback(host) || insecure) return [];
    const beyond = `${shown(host)} can be reached from other machines`;
    return [
      `${namesOf(settings.host)}: ${beyond}, and with auth off everybody may do everything; keep 127.0.0.1, turn auth on, or give --insecure.`,
    ];
  }
  const keys = accounts.flatMap(({ users, rootAccessKeys }) => [
    ...users.flatMap((user) => user.accessKeys),
    ...rootAccessKeys,
  ]);
  if (keys.length > 0) return [];
  return [
    `${namesOf(settings.auth)}: auth is on, but no access key is configured, so nobody could call; run \`cairn init\` and give its file with --config, or use --auth off on this machine alone.`,
  ];
}

/** Ports of VPC endpoints are doors like the first one. */
function vpcEndpointProblems({ auth, insecure, host, port, vpcEndpoints }: Configuration): string[] {
  const names = namesOf(settings.vpcEndpoints);
  const taken = new Set([`${host}:${port}`]);
  return vpcEndpoints.flatMap((endpoint) => {
    const address = `${endpoint.host}:${endpoint.port}`;
    const problems = taken.has(address)
      ? [`${names}: ${shown(address)} is listened on already; give each endpoint a port of its own.`]
      : [];
    taken.add(address);
    if (auth === "on" || insecure || isLoopback(endpoint.host)) return problems;
    const beyond = `${shown(endpoint.host)} can be reached from other machines`;
    return [
      ...problems,
      `${names}: ${beyond}, and auth is off; keep 127.0.0.1, turn auth on, or give --insecure.`,
    ];
  });
}

/** Signing again means verifying before, and AWS's own endpoints need a signature made for them. */
function endpointProblems({ auth, endpoints, resigns }: Configuration): string[] {
  const unverified = [...resigns.keys()].map(
    (service) =>
      `endpoints.${service}.resign: callers are verified before their requests are signed again; turn ${namesOf(settings.auth)} on, or leave resign out.`,
  );
  const unsigned = endpoints.filter(
    ({ service, endpoint }) => endpoint.kind === "aws" && !resigns.has(service),
  );
  return [
    ...(auth === "off" ? unverified : []),
    ...unsigned.map(
      ({ service }) =>
        `endpoints.${service}: AWS would refuse signatures made for this server; give resign with credentials, or a URL.`,
    ),
  ];
}

/** Whether only this machine can reach an address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host);
}

function accountProblems({ accounts }: Configuration): string[] {
  const problems: string[] = [];
  const ids = new Map<string, string>();
  const keys = new Map<string, string>();
  const once = (seen: Map<string, string>, value: string, at: string) => {
    const before = seen.get(value);
    if (before === undefined) seen.set(value, at);
    else problems.push(`${at}: ${shown(value)} is already given at ${before}; give each only once.`);
  };
  for (const [index, account] of accounts.entries()) {
    const at = `accounts[${index}]`;
    once(ids, account.id, `${at}.id`);
    const names = new Map<string, string>();
    for (const [position, user] of account.users.entries()) {
      // IAM compares user names without regard to case.
      once(names, user.name.toLowerCase(), `${at}.users[${position}].name`);
      for (const [number, key] of user.accessKeys.entries()) {
        once(keys, key.accessKeyId, `${at}.users[${position}].accessKeys[${number}].accessKeyId`);
      }
    }
    for (const [number, key] of account.rootAccessKeys.entries()) {
      once(keys, key.accessKeyId, `${at}.root.accessKeys[${number}].accessKeyId`);
    }
  }
  return problems;
}

function organizationProblems({ organization }: Configuration): string[] {
  if (!organization) return [];
  const { managementAccount, delegatedAdministrators, members } = organization;
  const unknown = (at: string, id: string) =>
    `${at}: ${shown(id)} is not among the accounts; add it there, for they are the organization's members.`;
  return [
    ...(members.includes(managementAccount)
      ? []
      : [unknown("organization.managementAccount", managementAccount)]),
    ...delegatedAdministrators.flatMap((id, index) => {
      const at = `organization.delegatedAdministrators[${index}]`;
      if (id === managementAccount) return [`${at}: ${shown(id)} is the management account; leave it out.`];
      return members.includes(id) ? [] : [unknown(at, id)];
    }),
  ];
}

/** Limits of which one must leave room for the other. */
const ascending: readonly (readonly [smaller: NumberMember, larger: NumberMember])[] = [
  ["journalReserveBytes", "journalBytesMax"],
  ["callBodyBytesMax", "bodyBytesMax"],
  ["bodyBytesMax", "bytesInFlightMax"],
  ["headersTimeoutMs", "requestTimeoutMs"],
];
type NumberMember = {
  [Member in SettingMember & keyof Configuration]: Configuration[Member] extends number ? Member : never;
}[SettingMember & keyof Configuration];

function orderProblems(configuration: Configuration): string[] {
  const problems = ascending
    .filter(([smaller, larger]) => configuration[smaller] > configuration[larger])
    .map(
      ([smaller, larger]) =>
        `${namesOf(settings[smaller])}: it must not be larger than ${namesOf(settings[larger])}.`,
    );
  if (configuration.journalReserveBytes * 2 > configuration.journalBytesMax && problems.length === 0) {
    const reserve = namesOf(settings.journalReserveBytes);
    problems.push(
      `${reserve}: it must leave at least half of ${namesOf(settings.journalBytesMax)} to events.`,
    );
  }
  if (configuration.digestKeyValidityMs <= configuration.digestKeyRotationMs) {
    const [validity, rotation] = [settings.digestKeyValidityMs, settings.digestKeyRotationMs].map(namesOf);
    problems.push(
      `${validity}: it must be longer than ${rotation}, so that one key follows another in time.`,
    );
  }
  return problems;
}
