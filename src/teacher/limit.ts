import { setTimeout as sleep } from "node:timers/promises";
import { ChatError } from "./chat.ts";

/** Runs at most `most` pieces of work at once; the others wait their turn in order. */
export function limiter(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let numRunning = 0;
  return async (work) => {
    if (numRunning >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else numRunning++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // Whoever leaves hands its place on, so that nobody slips in between.
      if (next) next();
      else numRunning--;
    }
  };
}

export type RetryOptions = {
  /** How often a failed request is made again. */
  retries: number;
  /** Wait before the first of them; each later one waits twice as long, up to a minute. */
  firstDelayMs: number;
  onRetry?: (reason: string, delayMs: number) => void;
};

const longestDelayMs = 60_000;
/** Whoever asks to be left alone for longer is asked again after an hour. */
const longestAskedMs = 3_600_000;

/** How long to wait after attempt number `attempt` (from 0): at least what the server asked for, an hour at most. */
export function delayAfter(attempt: number, firstDelayMs: number, askedMs = 0): number {
  const ours = Math.min(longestDelayMs, firstDelayMs * 2 ** attempt);
  return Math.max(ours, Math.min(longestAskedMs, askedMs));
}

/** Does `work` again while it throws a ChatError that can be retried. */
export async function withRetries<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retries, firstDelayMs, onRetry } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ChatError) || !error.canRetry) throw error;
      if (attempt >= retries) throw new ChatError(`${error.message} Asked ${attempt + 1} times.`, { cause: error });
      const delayMs = delayAfter(attempt, firstDelayMs, error.retryAfterMs);
      onRetry?.(error.message, delayMs);
      await sleep(delayMs);
    }
  }
}
