import { type Terminal, UserError } from "#run";
import { ChatError } from "./chat.ts";

export type SilenceOptions = {
  /** The file that keeps what was answered. */
  kept: string;
  /** Questions without an answer, one after the other, after which no more are asked. */
  most?: number;
  terminal?: Terminal;
};

/** Goes on after a question that nobody answered, and stops where no other will be answered either. */
export class Silence {
  readonly #options: SilenceOptions;
  #inRow = 0;
  numUnanswered = 0;

  constructor(options: SilenceOptions) {
    this.#options = options;
  }

  /** A question was answered. */
  end(): void {
    this.#inRow = 0;
  }

  /** @throws UserError when it has lasted too long, or no question can be answered; what is no ChatError, as it is. */
  add(question: string, error: unknown): void {
    const { kept, most = 10, terminal } = this.#options;
    if (!(error instanceof ChatError)) throw error;
    this.numUnanswered++;
    if (!error.isOfQuestion) this.#inRow++;
    terminal?.note(`No answer to ${JSON.stringify(question.slice(0, 60))}: ${error.message}`);
    if (!error.isFatal && this.#inRow < most) return;
    const often = error.isFatal ? "" : ` ${this.#inRow} questions in a row got no answer.`;
    throw new UserError(
      `${error.message}${often} What was answered is kept in ${kept}; the same command goes on from there.`,
      { cause: error },
    );
  }
}
