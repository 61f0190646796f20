// From a passed call to its records: what it was, who made it, for which accounts, and into the journal.
import type { AccountId } from "../model/arn.ts";
import { parseAccountId } from "../model/arn.ts";
import type { Log, Random } from "../model/environment.ts";
import { recordedRegion } from "../model/global-services.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { Region } from "../model/regions.ts";
import type {
  CallBook,
  CallDescription,
  IdentityBook,
  PassedCall,
  RecordedIdentity,
  SignatureOutcome,
  UnderstoodHead,
} from "./contract.ts";
import { anonymousIdentity } from "./identity-book.ts";
import { learnFromAnswer } from "./learn-from-answer.ts";
import { type DescribedCall, type RecordCopy, textsOf } from "./record-text.ts";
import { signatureOutcome } from "./signature-outcome.ts";
import type { RecordedCallsPort } from "./ports.ts";

export interface CallBookConfiguration {
  /** Records of other Regions are taken for calls to the default one. */
  readonly regions: ReadonlySet<Region>;
  readonly defaultRegion: Region;
  readonly vpcEndpointAccount: (vpcEndpointId: string) => AccountId | undefined;
}

export interface CallBookParts {
  readonly identities: IdentityBook;
  readonly intake: RecordedCallsPort;
  readonly configuration: () => CallBookConfiguration;
  readonly random: Pick<Random, "uuid">;
  readonly log: Log;
}

/** A call names resources of so many other accounts at most; copies for more are not made. */
const ownersMax = 4;

export function createCallBook(parts: CallBookParts): CallBook {
  return {
    reserve: () => parts.intake.reserve(),
    async record(call, understood, room) {
      try {
        const { described, maker } = toldOf(call, understood, parts);
        const outcome = await parts.intake.accept(copiesOf(described, maker, parts), room);
        if (outcome !== "inadmissible") return outcome === "durable";
        // What was asked must never decide whether there is a record.
        return (await parts.intake.accept(copiesOf(bare(described), maker, parts), room)) === "durable";
      } catch (error) {
        // A bug, or an answer that no reader foresaw: the call passed, so somebody has to hear that it left no record.
        const { service, method } = call.head;
        parts.log.error(
          { service, method, requestId: call.requestId, failure: String(error) },
          "A call that passed could not be recorded.",
        );
        return false;
      } finally {
        room?.release();
      }
    },
  };
}

/** What the call was and who made it. What its answer tells about keys is learned on the way. */
function toldOf(call: PassedCall, understood: UnderstoodHead, parts: CallBookParts): Told {
  const { caller, failure, answer } = call;
  const isOwn = failure !== undefined;
  const seen = { status: answer.status, isOwn };
  const first = signatureOutcome(seen);
  const guess = parts.identities.identify(caller, first);
  const description = describedBy(understood, { call, account: guess.account }, parts.log);
  const { errorCode, errorMessage } = description;
  const outcome = signatureOutcome({ ...seen, errorCode, errorMessage });
  const signer = outcome === first ? guess : parts.identities.identify(caller, outcome);
  const identity = federatedCaller(signer, { call, description, outcome });
  if (outcome === "accepted") learnFromAnswer(description, { identity, call }, parts.identities);

  const { regions, defaultRegion, vpcEndpointAccount } = parts.configuration();
  const region = regions.has(call.head.region) ? call.head.region : defaultRegion;
  const endpointAccount = caller.vpcEndpointId && vpcEndpointAccount(caller.vpcEndpointId);
  const isVerifiedHere = caller.verified !== undefined && caller.verified.kind !== "unverified";
  return {
    described: {
      ...{ call, description },
      region: recordedRegion(description.eventSource, region),
      ...(identity.isVerified ? {} : { unverified: reasonOf(outcome) }),
      ...(endpointAccount ? { vpcEndpointAccount: endpointAccount } : {}),
    },
    maker: { identity, isProven: isVerifiedHere || outcome === "accepted" },
  };
}

/** A description that fails is a bug; the call has its record all the same, with what the head alone tells. */
function describedBy(
  understood: UnderstoodHead,
  { call, account }: { readonly call: PassedCall; readonly account: AccountId },
  log: Log,
): CallDescription {
  try {
    return understood.describe(call, account);
  } catch (error) {
    const { service, method } = call.head;
    log.error({ service, method, failure: String(error) }, "A call that passed could not be described.");
    const name = /^[a-z0-9.-]{1,64}$/.test(service) ? service : "unknown";
    return {
      eventSource: `${name}.amazonaws.com`,
      eventName: `${method.slice(0, 1)}${method.slice(1, 32).toLowerCase()}`,
      ...{ readOnly: false, eventCategory: "Management", resources: [] },
      requestParameters: { reason: "requestParameters not readable", omitted: true },
      responseElements: null,
    };
  }
}

interface Told {
  readonly described: DescribedCall;
  readonly maker: Maker;
}

/** Without everything that a client chose freely. */
function bare(described: DescribedCall): DescribedCall {
  const { eventSource, eventName, readOnly, eventCategory, errorCode } = described.description;
  const requestParameters = { reason: "requestParameters not well-formed", omitted: true };
  const kept = { eventSource, eventName, readOnly, eventCategory, requestParameters };
  return {
    ...described,
    description: {
      ...{ ...kept, resources: [], responseElements: null },
      ...(errorCode === undefined ? {} : { errorCode }),
    },
  };
}

function reasonOf(outcome: SignatureOutcome): string {
  return outcome === "refused" ? "The service refused the signature." : "Nobody checked the signature.";
}

interface Answered {
  readonly call: PassedCall;
  readonly description: CallDescription;
  readonly outcome: SignatureOutcome;
}

/**
 * Those who come with the token of an identity provider sign nothing; the answer says who they are (formats.md §1.4), and
 * the record belongs to the account of the role.
 */
function federatedCaller(
  signer: RecordedIdentity,
  { call, description, outcome }: Answered,
): RecordedIdentity {
  if (call.caller.accessKeyId !== undefined || description.eventSource !== "sts.amazonaws.com") return signer;
  const account = (outcome === "accepted" && ownersOf(description)[0]) || signer.account;
  const answer = description.responseElements ?? {};
  switch (description.eventName) {
    case "AssumeRoleWithWebIdentity": {
      const provider = textOf(answer["provider"]);
      const subject = textOf(answer["subjectFromWebIdentityToken"]);
      const id = [provider, textOf(answer["audience"]), subject].filter((part) => part !== undefined);
      return { ...signer, account, userIdentity: federated("WebIdentityUser", { id, subject, provider }) };
    }
    case "AssumeRoleWithSAML": {
      const subject = textOf(answer["subject"]);
      const id = [textOf(answer["nameQualifier"]), subject].filter((part) => part !== undefined);
      const provider = textOf(answer["issuer"]);
      return { ...signer, account, userIdentity: federated("SAMLUser", { id, subject, provider }) };
    }
    default:
      return signer;
  }
}

function federated(
  type: "WebIdentityUser" | "SAMLUser",
  who: {
    readonly id: readonly string[];
    readonly subject?: string | undefined;
    readonly provider?: string | undefined;
  },
): JsonObject {
  return {
    type,
    ...(who.id.length === 0 ? {} : { principalId: who.id.join(":") }),
    ...(who.subject === undefined ? {} : { userName: who.subject }),
    ...(who.provider === undefined ? {} : { identityProvider: who.provider }),
  };
}

interface Maker {
  readonly identity: RecordedIdentity;
  /** Whether somebody vouches for the caller: nobody else puts records into the logs of other accounts. */
  readonly isProven: boolean;
}

/** The caller's copy, one for each other account whose resource it is, and those of the way by a VPC endpoint. */
function copiesOf(
  described: DescribedCall,
  maker: Maker,
  { random }: Pick<CallBookParts, "random">,
): string[] {
  const { call, description, vpcEndpointAccount } = described;
  const texts = textsOf(described);
  const accounts = recipientsOf(description, maker);
  const sharedEventId = accounts.length > 1 ? random.uuid() : undefined;
  const records = accounts.map((account, at) => {
    const eventId = (at === 0 && call.eventId) || random.uuid();
    return texts.apiCall(copyFor(account, maker.identity, { eventId, sharedEventId }));
  });
  for (const part of description.parts ?? []) {
    const partId = accounts.length > 1 ? random.uuid() : undefined;
    for (const account of accounts) {
      const ids = { eventId: random.uuid(), sharedEventId: partId };
      records.push(texts.serviceEvent(copyFor(account, maker.identity, ids), part));
    }
  }
  if (call.caller.vpcEndpointId === undefined) return records;
  const networkId = random.uuid();
  const networkAccounts = new Set([accounts[0] ?? maker.identity.account]);
  if (vpcEndpointAccount && maker.isProven) networkAccounts.add(vpcEndpointAccount);
  for (const account of networkAccounts) {
    records.push(
      texts.networkActivity(
        copyFor(account, maker.identity, { eventId: random.uuid(), sharedEventId: networkId }),
      ),
    );
  }
  return records;
}

function copyFor(
  recipient: AccountId,
  identity: RecordedIdentity,
  ids: { readonly eventId: string; readonly sharedEventId: string | undefined },
): RecordCopy {
  const isOwn = recipient === identity.account;
  return {
    recipient,
    userIdentity: isOwn ? identity.userIdentity : foreignIdentity(identity),
    eventId: ids.eventId,
    ...(ids.sharedEventId === undefined ? {} : { sharedEventId: ids.sharedEventId }),
  };
}

/** How the copy of another account names the caller (formats.md §1.12). */
function foreignIdentity({ account, userIdentity }: RecordedIdentity): JsonObject {
  if (userIdentity["accountId"] === anonymousIdentity.accountId) return userIdentity;
  return { type: "AWSAccount", principalId: userIdentity["principalId"] ?? account, accountId: account };
}

/** The caller's account first. Of an anonymous caller there is none: the owner's stands alone. */
function recipientsOf(description: CallDescription, { identity, isProven }: Maker): AccountId[] {
  const { account, userIdentity } = identity;
  const owners = isProven && hasOwnersCopy(description) ? ownersOf(description) : [];
  if (userIdentity["accountId"] === anonymousIdentity.accountId) return [owners[0] ?? account];
  return [account, ...owners.filter((owner) => owner !== account)];
}

/** A role that may not be assumed is the caller's affair alone; a shared snapshot's owner does not hear of its readers. */
function hasOwnersCopy({ eventSource, eventName, errorCode }: CallDescription): boolean {
  if (eventSource === "ebs.amazonaws.com") return false;
  return !(
    eventSource === "sts.amazonaws.com" &&
    eventName.startsWith("AssumeRole") &&
    errorCode !== undefined
  );
}

/** The accounts that own what the call was about, as far as it says. */
function ownersOf({ resources }: CallDescription): AccountId[] {
  const owners = new Set<AccountId>();
  for (const { accountId } of resources) {
    const owner = accountId === undefined ? undefined : parseAccountId(accountId);
    if (owner !== undefined && owners.size < ownersMax) owners.add(owner);
  }
  return [...owners];
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
