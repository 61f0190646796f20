// Three trails with log file validation, as operators would have them, and their chains: an account's, stopped for a while;
// one that moves to another bucket and prefix; an organization's. Signing keys change every ten seconds. Every command is
// the AWS CLI's, every event is posted. Must not: judge what is delivered.
import { type Api, organization, startApi, trailArn } from "../harness/api-fixture.ts";
import { aws, type CliOptions } from "../harness/aws-cli.ts";
import {
  delivered,
  type Delivered,
  type DigestFile,
  isComplete,
  type Stop,
} from "../harness/digest-files.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { until } from "../harness/log-files.ts";

export const regions = ["us-east-1", "eu-west-1"] as const;
const home = regions[0];

export interface WalkTrail {
  readonly owner: string;
  readonly name: string;
  readonly arn: string;
  /** The last one is where it ends. */
  readonly buckets: readonly string[];
  readonly accounts: readonly string[];
}

const trail = (owner: string, name: string, rest: Pick<WalkTrail, "buckets" | "accounts">): WalkTrail => ({
  ...{ owner, name, arn: trailArn(owner, name) },
  ...rest,
});

const [account, movingAccount] = ["700000000001", "700000000002"] as const;
export const trails = {
  account: trail(account, "account-trail", { buckets: ["account-logs"], accounts: [account] }),
  moving: trail(movingAccount, "moving_trail", {
    buckets: ["moving-logs", "moved-logs"],
    accounts: [movingAccount],
  }),
  organization: trail(organization.management, "organization-trail", {
    buckets: ["organization-logs"],
    accounts: [organization.management, organization.member],
  }),
} as const;
export const movedPrefix = "audit/later";

export interface ValidationWorld {
  readonly api: Api;
  /** Before anything happened. */
  readonly startTime: string;
  inBuckets(of: WalkTrail): Delivered;
  /** The chain of one account and Region, oldest first, over all buckets. */
  chain(of: WalkTrail, account: string, region: string): readonly DigestFile[];
}

/** Takes about half a minute; when it resolves, nothing logs any more and every last digest is written. */
export async function buildChains(): Promise<ValidationWorld> {
  const startTime = new Date(Date.now() - 3_600_000).toISOString();
  const keys = ["--digest-key-rotation", "10s", "--digest-key-validity", "60s"];
  const api = await startApi({ interval: "1s", args: ["--digest-interval", "2s", ...keys] });
  const world: ValidationWorld = {
    ...{ api, startTime },
    inBuckets: (of) => delivered(api.cairn.dataDir, of.buckets),
    chain: (of, ofAccount, region) =>
      delivered(api.cairn.dataDir, of.buckets).digests.filter(
        (file) => file.account === ofAccount && file.region === region,
      ),
  };
  try {
    await new Builder(world).build();
  } catch (error) {
    await api.dispose();
    throw error;
  }
  return world;
}

class Builder {
  readonly #world: ValidationWorld;
  /** What every trail of its account must get, by account. */
  #posted: { readonly account: string; readonly id: string }[] = [];

  constructor(world: ValidationWorld) {
    this.#world = world;
  }

  async build(): Promise<void> {
    const { account: stopped, moving, organization: whole } = trails;
    const all = [stopped, moving, whole];
    await this.#makeTrails(all);
    await this.#postUntil("every chain has two digests with log files", () =>
      all.every((of) => this.#chains(of).every((chain) => chain.filter(isFull).length >= 2)),
    );
    await this.#allDelivered(all);
    await until("every chain has an empty window after a full one", () =>
      all.every((of) => this.#chains(of).every(hasEmptyWindow)),
    );
    await this.#postUntil("there is a full window after the empty one", () =>
      all.every((of) =>
        this.#chains(of).every((chain) => hasEmptyWindow(chain) && chain.findLast(isFull) === chain.at(-1)),
      ),
    );
    await this.#allDelivered(all);
    const moved = ["--s3-bucket-name", "moved-logs", "--s3-key-prefix", movedPrefix];
    const [firstStop] = await Promise.all([
      this.#stop(stopped, 1),
      this.#run(moving.owner, "update-trail", "--name", moving.name, ...moved),
    ]);
    await this.#post();
    await this.#complete(stopped, firstStop);
    this.#posted = [];
    await this.#run(stopped.owner, "start-logging", "--name", stopped.name);
    await this.#postUntil(
      "the chains go on: anew, in another bucket, as before",
      () =>
        this.#chains(stopped).every(
          (chain) => chain.filter(isStarting).length === 2 && isFull(chain.at(-1)),
        ) &&
        this.#chains(moving).every(
          (chain) => chain.filter((file) => file.bucket === "moved-logs").length >= 3,
        ) &&
        all.every((of) => this.#chains(of).every((chain) => chain.length >= 7)),
    );
    await this.#allDelivered(all);
    const stops = await Promise.all([this.#stop(stopped, 2), this.#stop(moving, 1), this.#stop(whole, 1)]);
    await Promise.all(all.map((of, index) => this.#complete(of, stops[index] as Stop)));
  }

  async #makeTrails(all: readonly WalkTrail[]): Promise<void> {
    const buckets = all.flatMap((of) => of.buckets);
    await Promise.all(
      buckets.map((bucket) =>
        aws(this.#cli(account), ["s3api", "create-bucket", "--bucket", bucket, "--region", home]),
      ),
    );
    await Promise.all(
      all.map(async ({ owner, name, buckets: [bucket = ""] }) => {
        await this.#run(
          ...([owner, "create-trail", "--name", name, "--s3-bucket-name", bucket] as const),
          ...["--is-multi-region-trail", "--enable-log-file-validation"],
          ...(owner === organization.management ? ["--is-organization-trail"] : []),
        );
        await this.#run(owner, "start-logging", "--name", name);
      }),
    );
  }

  /** One event of each account and Region. */
  async #post(): Promise<void> {
    const accounts = Object.values(trails).flatMap((of) => of.accounts);
    const events = accounts.flatMap((recipientAccountId) =>
      regions.map((awsRegion) => {
        const userIdentity = {
          type: "AWSAccount",
          principalId: "AIDAEXAMPLE",
          accountId: recipientAccountId,
        };
        const eventTime = `${new Date().toISOString().slice(0, 19)}Z`;
        return managementEvent({ recipientAccountId, awsRegion, userIdentity, eventTime });
      }),
    );
    const answer = await postEvents(this.#world.api.url, events);
    if (answer.accepted !== events.length) throw new Error(`Events were refused: ${JSON.stringify(answer)}`);
    for (const event of events) {
      this.#posted.push({ account: String(event["recipientAccountId"]), id: event.eventID });
    }
  }

  async #postUntil(what: string, condition: () => boolean): Promise<void> {
    await until(
      what,
      async () => {
        await this.#post();
        await new Promise((resolve) => setTimeout(resolve, 400));
        return condition();
      },
      40_000,
    );
  }

  async #allDelivered(all: readonly WalkTrail[]): Promise<void> {
    await until("everything that was posted is delivered", () =>
      all.every((of) => {
        const records = this.#world.inBuckets(of).logFiles.flatMap((file) => file.records);
        const ids = new Set(records.map((record) => record["eventID"]));
        return this.#posted.every((event) => !of.accounts.includes(event.account) || ids.has(event.id));
      }),
    );
  }

  async #stop({ owner, name }: WalkTrail, count: number): Promise<Stop> {
    await this.#run(owner, "stop-logging", "--name", name);
    const status = await this.#run(owner, "get-trail-status", "--name", name);
    const { TimeLoggingStopped } = status as { TimeLoggingStopped: string };
    return { untilMs: Date.parse(TimeLoggingStopped), count };
  }

  async #complete(of: WalkTrail, stop: Stop): Promise<void> {
    await until(`the last digests of ${of.name} are written`, () =>
      isComplete(this.#world.inBuckets(of), stop),
    );
  }

  #chains(of: WalkTrail): readonly (readonly DigestFile[])[] {
    return of.accounts.flatMap((one) => regions.map((region) => this.#world.chain(of, one, region)));
  }

  #run(owner: string, ...words: readonly string[]): Promise<unknown> {
    return aws(this.#cli(owner), ["cloudtrail", ...words]);
  }

  #cli(accessKeyId: string): CliOptions {
    return { url: this.#world.api.url, region: home, accessKeyId };
  }
}

export function isStarting(file: DigestFile | undefined): boolean {
  return file?.digest.previousDigestS3Object === null;
}

export function isFull(file: DigestFile | undefined): boolean {
  return (file?.digest.logFiles.length ?? 0) > 0;
}

/** Between two that are not: a window in which nothing was delivered. */
export function hasEmptyWindow(chain: readonly DigestFile[]): boolean {
  return chain.slice(chain.findIndex(isFull)).some((file) => !isFull(file) && !isStarting(file));
}
