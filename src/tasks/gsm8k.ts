import { field, placeOf } from "#data";
import { gradeMath } from "#rewards";
import { type DataTaskOptions, dataTask } from "./from-data.ts";
import { trainedAnswer } from "./math.ts";
import type { Task } from "./types.ts";

export type Gsm8kRow = { question: string; answer: string; solution: string };

/** -10, 2,125, $4.50; what follows may be a unit. */
const startsWithNumber = /^[-+−]?\s*(?:\\?\$|[€£])?\s*[-+−]?\.?\d/;

/** GSM8K (Cobbe et al. 2021): word problems; rows {question, answer}, the answer a solution that ends with "#### 18". */
export function gsm8k(options: DataTaskOptions): Task<Gsm8kRow> {
  return dataTask<Gsm8kRow>(
    {
      name: "gsm8k",
      read: (row) => {
        const text = field(row, "answer", "string");
        const mark = text.lastIndexOf("####");
        if (mark < 0) throw new Error(`${placeOf(row)}: field "answer" has no "####" before the final number.`);
        const answer = text.slice(mark + 4).trim();
        if (!startsWithNumber.test(answer))
          throw new Error(
            `${placeOf(row)}: field "answer" has ${JSON.stringify(answer.slice(0, 60))} after "####". Expected the final number.`,
          );
        // The calculator marks <<48/2=24>> are for another kind of model.
        const solution = text
          .slice(0, mark)
          .replace(/<<[^<>]*>>/g, "")
          .trim();
        return { question: field(row, "question", "string"), answer, solution };
      },
      grade: (answer, row) => gradeMath(row.answer, answer, trainedAnswer),
      gold: ({ solution, answer }) => ({ reasoning: solution, answer: `\\boxed{${answer}}` }),
    },
    options,
  );
}
