import { parseArgs } from "node:util";
import { fuzzMath } from "./math.ts";

const { values } = parseArgs({
  options: { count: { type: "string", default: "50000" }, seed: { type: "string", default: "1" } },
});
const report = fuzzMath(Number(values.count), Number(values.seed), (seed, { slowestMs, slowest }) =>
  console.log(`seed ${seed}, slowest ${slowestMs.toFixed(0)} ms: ${slowest.slice(0, 200)}`),
);
const { failures, ...summary } = report;
console.log("maths:", summary);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
