import { availableParallelism } from "node:os";
import { SandboxUnavailable } from "#sandbox";
import { gradeJob } from "./grade-job.ts";
import type { FromHost, Heartbeat, ToHost } from "./messages.ts";

/**
 * The process in which programs are graded. Its clock is its own: while the main thread waits for a device, this one
 * still ends what is over its limit. It takes one program per core at a time and ends with its parent.
 */
const waiting: ToHost[] = [];
let running = 0;

async function work(): Promise<void> {
  const request = waiting.shift();
  if (request === undefined || process.send === undefined) return;
  running += 1;
  let answer: FromHost;
  try {
    answer = { id: request.id, grade: await gradeJob(request.job) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    answer =
      error instanceof SandboxUnavailable
        ? { id: request.id, refused: message }
        : { id: request.id, grade: { verdict: "verifierError", reward: null, detail: { problem: message } } };
  }
  running -= 1;
  process.send(answer);
  schedule();
}

function schedule(): void {
  while (running < availableParallelism() && waiting.length > 0) void work();
}

process.on("message", (request: ToHost) => {
  waiting.push(request);
  schedule();
});
// A hang of this process is seen by its silence.
setInterval(() => {
  if (running > 0) process.send?.("alive" satisfies Heartbeat);
}, 5000).unref();
process.on("disconnect", () => process.exit(0));
