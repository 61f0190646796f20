// One change at a time per account. Waiting is bounded in number and time; who cannot wait gets ConflictException.
import type { AccountId, TrailArn } from "../model/arn.ts";
import type { Clock } from "../model/environment.ts";
import { apiError } from "../model/errors.ts";

export interface QueueLimits {
  /** Changes of one account that may be under way or waiting. */
  readonly queuedMax: number;
  readonly waitMsMax: number;
}

export interface AccountQueues {
  /** Runs `work` when all earlier work of the account has ended. `arn` names the trail in ConflictException. */
  run<T>(account: AccountId, arn: TrailArn, work: () => Promise<T>): Promise<T>;
}

interface Queue {
  queued: number;
  /** Settles when the last one in the queue has ended; never rejects. */
  tail: Promise<void>;
}

export function openAccountQueues(limits: QueueLimits, clock: Clock): AccountQueues {
  const queues = new Map<AccountId, Queue>();
  return {
    async run(account, arn, work) {
      const queue = queues.get(account) ?? { queued: 0, tail: Promise.resolve() };
      if (queue.queued >= limits.queuedMax) throw apiError("ConflictException", { arn });
      const isFirst = queue.queued === 0;
      const turn = queue.tail;
      let end: () => void = () => {};
      queue.tail = new Promise<void>((resolve) => {
        end = resolve;
      });
      queue.queued += 1;
      queues.set(account, queue);
      try {
        if (!isFirst && !(await comes(turn, limits.waitMsMax, clock)))
          throw apiError("ConflictException", { arn });
        return await work();
      } finally {
        queue.queued -= 1;
        if (queue.queued === 0) queues.delete(account);
        // Who gave up waiting still keeps those behind it waiting for those before it.
        void turn.then(end);
      }
    },
  };
}

/** True when `turn` comes within `msMax`. */
async function comes(turn: Promise<void>, msMax: number, clock: Clock): Promise<boolean> {
  const alarm = new AbortController();
  const came = await Promise.race([
    turn.then(() => true),
    clock.sleep(msMax, alarm.signal).then(() => false),
  ]);
  alarm.abort();
  return came;
}
