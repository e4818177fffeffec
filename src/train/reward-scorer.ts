import { LocalFrozen, type LocalOptions, scoresOf, toScored } from "#policy";
import type { JudgedPart, Scorer } from "#rewards";
import { UserError } from "#run";
import { exchangeIds } from "./reward-data.ts";

/**
 * A scorer over a reward model's folder, trained here or elsewhere. `judges` is what its config.json says (`rewardModel`
 * writes it), or what is given for one from elsewhere. To be disposed when its run is over.
 */
export async function rewardScorer(
  folder: string,
  options: LocalOptions & { judges?: JudgedPart } = {},
): Promise<Scorer & Disposable> {
  const model = await LocalFrozen.load(folder, options);
  const { config } = model.model.decoder;
  const said = JSON.parse(model.model.files.get("config.json")!.toString("utf8")).judges as JudgedPart | undefined;
  const judges = options.judges ?? said;
  const problem =
    config.scalarHead !== "score"
      ? "it is no reward model (…ForSequenceClassification with 1 label)"
      : judges !== "summary" && judges !== "response"
        ? `its config.json does not say what it judges. Pass judges: "summary" or "response"`
        : said !== undefined && said !== judges
          ? `it judges the ${said}, not the ${judges}`
          : undefined;
  if (problem !== undefined || judges === undefined) {
    model.dispose();
    throw new UserError(`${folder}: ${problem}.`);
  }
  return {
    judges,
    score: (exchanges) =>
      scoresOf(
        model,
        exchanges.map((exchange) => toScored(exchangeIds(exchange, model.tokenizer), config.padId)),
      ),
    [Symbol.dispose]: () => model.dispose(),
  };
}
