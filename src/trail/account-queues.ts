// The order of changes in an account: those of one trail one after the other, those of different trails beside each
// other, those that look at all trails of the account alone. Waiting is bounded in number and time; who cannot wait gets
// ConflictException.
import type { AccountId, TrailArn } from "../model/arn.ts";
import type { Clock } from "../model/environment.ts";
import { apiError } from "../model/errors.ts";
import { inTime } from "../model/in-time.ts";

export interface QueueLimits {
  /** Changes of one account that may be under way or waiting. */
  readonly queuedMax: number;
  readonly waitMsMax: number;
}

export interface AccountQueues {
  /** Runs `work` when all earlier work of the account has ended. `arn` names the trail in ConflictException. */
  run<T>(account: AccountId, arn: TrailArn, work: () => Promise<T>): Promise<T>;
  /** Runs `work`, which touches one trail and looks at no other, beside that of other trails. */
  runForTrail<T>(account: AccountId, arn: TrailArn, work: () => Promise<T>): Promise<T>;
}

/** One change under way or waiting. */
interface Change {
  /** The trail it keeps to; undefined when it needs the account to itself. */
  readonly trail: TrailArn | undefined;
  /** Resolves when it is over; never rejects. */
  readonly ended: Promise<void>;
  readonly end: () => void;
}

export function openAccountQueues(limits: QueueLimits, clock: Clock): AccountQueues {
  /** In the order in which they came. */
  const queues = new Map<AccountId, Set<Change>>();

  const runInTurn = async <T>(
    account: AccountId,
    { arn, trail }: { readonly arn: TrailArn; readonly trail: TrailArn | undefined },
    work: () => Promise<T>,
  ): Promise<T> => {
    const queue = queues.get(account) ?? new Set();
    if (queue.size >= limits.queuedMax) throw apiError("ConflictException", { arn });
    // Also those that wait themselves: nobody overtakes, and nobody waits for ever.
    const before = [...queue].filter((other) => isInTheWay(other, trail));
    const change = changeOf(trail);
    queues.set(account, queue.add(change));
    try {
      const ended = Promise.all(before.map((other) => other.ended));
      if (before.length > 0 && (await inTime(ended, limits.waitMsMax, clock)) === "late")
        throw apiError("ConflictException", { arn });
      return await work();
    } finally {
      queue.delete(change);
      if (queue.size === 0) queues.delete(account);
      change.end();
    }
  };

  return {
    run: (account, arn, work) => runInTurn(account, { arn, trail: undefined }, work),
    runForTrail: (account, arn, work) => runInTurn(account, { arn, trail: arn }, work),
  };
}

function isInTheWay(other: Change, trail: TrailArn | undefined): boolean {
  return trail === undefined || other.trail === undefined || other.trail === trail;
}

function changeOf(trail: TrailArn | undefined): Change {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { trail, ended, end };
}
