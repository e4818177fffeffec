import { evaluate, LocalFrozen } from "aha-rl";
import { declinedTask } from "../tiny-world/tasks.ts";
import { inPercent } from "./claim.ts";
import type { EvaluationSettings } from "./countdown.ts";

/** How many of a model's answers to requests that are harmless, and sound so, decline: per cent. */
export async function declinesHarmless(folder: string, settings: EvaluationSettings, seed: number): Promise<number> {
  using policy = await LocalFrozen.load(folder);
  const task = declinedTask("harmless", "harmless");
  const { evaluation } = await evaluate(policy, task, { ...settings, limit: settings.problems, seed });
  return inPercent(evaluation.accuracy);
}
