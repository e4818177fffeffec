import { defineRecipe, grpo, grpoConfig } from "aha-rl";
import { parity } from "./tiny.ts";

const config = () =>
  grpoConfig({ steps: 4, promptsPerStep: 2, groupSize: 4, lr: 3e-3, maxNewTokens: 12, checkpointEvery: 2 });

/** Two trainings, each with settings of its own, the second from the first one's model; a row of the table for each. */
export default defineRecipe({
  name: "stages",
  config: { model: "", first: config(), second: config() },
  stages: ["first", "second"],
  async run({ config, stage, run }) {
    const train = (name: "first" | "second", model: string) =>
      stage(
        name,
        async () => {
          const result = await grpo(model, parity, config[name]);
          if (name === process.env.TEST_KILL_IN) process.kill(process.pid, "SIGKILL");
          run.table.add(name, { steps: result.steps, "lr × 1000": 1000 * config[name].lr });
          return { model: result.model };
        },
        { [name]: config[name], model },
      );
    const { model } = await train("first", config.model);
    await train("second", model);
  },
});
