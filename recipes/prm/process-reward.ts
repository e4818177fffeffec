import { defineTask, exchangeIds, LocalFrozen, type Reward, type Scorer, safetyReward, type Task } from "aha-rl";
import { chancesOf, pathOf, stepIdsOf } from "../steps/paths.ts";
import { type Aggregate, aggregated } from "../steps/rerank.ts";

/** Log-odds of responses by a process reward model. */
export async function processScorer(folder: string, by: Aggregate): Promise<Scorer & Disposable> {
  const model = await LocalFrozen.load(folder);
  const stepIds = stepIdsOf(model.tokenizer);
  return {
    judges: "response",
    async score(exchanges) {
      const paths = exchanges.map((exchange) => {
        const promptIds = model.tokenizer.encodePrompt([...exchange.prompt]);
        const ids = exchangeIds(exchange, model.tokenizer).subarray(promptIds.length);
        return pathOf(promptIds, { ids, finishReason: "stop" }, stepIds);
      });
      const worth = (await chancesOf(model, paths)).map((chances) => aggregated(chances, by));
      return worth.map((chance) => Math.log(chance / (1 - chance)));
    },
    [Symbol.dispose]: () => model.dispose(),
  };
}

/** The task with the process reward in the place of its own, which are only watched. A response that was cut is worth nothing. */
export function processTask<R>(task: Task<R>, scorer: Scorer): Task<R> {
  // As for safety, a chance that is read off the whole response.
  const chance = safetyReward(scorer, task.prompt);
  const process: Reward<R> = (answer, row) =>
    answer.finishReason === "length" ? { verdict: "truncated", reward: 0 } : chance(answer, row);
  return defineTask<R>({
    ...task,
    name: `${task.name}-process`,
    rewards: { ...task.rewards, process },
    weights: Object.fromEntries(Object.keys(task.rewards).map((name) => [name, 0])),
    gold: undefined,
  });
}
