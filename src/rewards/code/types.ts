/** Languages a program can be graded in. */
export type CodeLanguage = "python" | "javascript" | "typescript" | "cpp" | "java" | "go" | "rust";

/** How an output is compared with the expected one. */
export type Checker =
  /** Equal after trimming the end of each line and of the whole. */
  | "exact"
  /** Equal word by word, however they are spaced. */
  | "tokens"
  /** Word by word; two numbers also agree within the tolerance, absolute or relative. */
  | { type: "floats"; tolerance: number }
  /** Equal as a collection of lines. */
  | "lines"
  /** A trusted program that is started with the paths of input, output and expected output; exit status 0 accepts, 1 rejects. */
  | { type: "program"; language: CodeLanguage; program: string };

export type CodeTests =
  | { type: "stdio"; cases: { input: string; output: string }[]; checker?: Checker }
  /**
   * `name` may be a path: `Solution.twoSum` is a method of a fresh instance. What is expected is JSON: a function that
   * returns a set is tested by asserts.
   */
  | { type: "function"; name: string; cases: { args: unknown[]; expected: unknown }[]; tolerance?: number }
  /**
   * Test code of the program's language. `setup` runs before it, beside it; `entryPoint` names the function that an
   * uncalled `check(candidate)` wants; `live` says that the tests need the program's live objects. Tests that come to
   * their end without an assertion, or without a call of the program, are a bad gold.
   */
  | { type: "asserts"; code: string; setup?: string; entryPoint?: string; live?: boolean };

/** One program and what it must do. */
export type CodeRow = {
  language: CodeLanguage;
  /** The program itself, or else the completion it is taken from. */
  program?: string;
  completion?: string;
  finishReason?: "stop" | "length";
  tests: CodeTests;
  /** Processor time for one input, or for all calls and assertions of a test, milliseconds. Default 10,000. */
  timeLimitMs?: number;
  /** Memory besides the runtime's own. Default 512. */
  memoryMb?: number;
  /** Reward the fraction of tests passed; by default all must pass. */
  partial?: boolean;
};

/** A row whose program has been found: what crosses to the verifier host. */
export type CodeJob = Omit<CodeRow, "completion" | "finishReason" | "program"> & { program: string };
