import pc from "picocolors";
import { formatDuration, formatShare, formatShort, isUnicodeLocale } from "./format.ts";
import { Pipeline, type PlannedStage } from "./pipeline.ts";
import { type TableView, tableLines } from "./table.ts";

/** What the terminal writes to; process.stdout is one. */
export type Output = { write: (text: string) => unknown; isTTY?: boolean; columns?: number };

export type TerminalOptions = {
  /** One JSON object per step, stage and table on `output` and nothing else there; what is said in words goes to `errors`. */
  isJson?: boolean;
  output?: Output;
  errors?: Output;
  env?: Record<string, string | undefined>;
  /** Seconds. */
  clock?: () => number;
};

export type StepRecord = { step: number; steps: number; metrics: Record<string, number> };

type Column = { metric: string; title: string; width: number; format: (value: number) => string; rank: number };

/** In the order shown; a narrow terminal loses the highest ranks first. */
const columns: Column[] = [
  { metric: "reward/mean", title: "reward", width: 7, format: formatShort, rank: 0 },
  { metric: "eval/accuracy", title: "held-out", width: 8, format: formatShare, rank: 1 },
  { metric: "sample/length", title: "length", width: 7, format: formatShort, rank: 2 },
  { metric: "sample/truncated", title: "cut", width: 6, format: formatShare, rank: 4 },
  { metric: "group/useless", title: "useless", width: 7, format: formatShare, rank: 5 },
  { metric: "train/kl", title: "KL", width: 7, format: formatShort, rank: 6 },
  { metric: "train/entropy", title: "entropy", width: 7, format: formatShort, rank: 7 },
  { metric: "train/clipShare", title: "clipped", width: 7, format: formatShare, rank: 8 },
  { metric: "train/gradNorm", title: "grad", width: 7, format: formatShort, rank: 9 },
  { metric: "time/tokensPerSecond", title: "tok/s", width: 6, format: (value) => value.toFixed(0), rank: 10 },
  { metric: "time/left", title: "left", width: 7, format: formatDuration, rank: 3 },
];

/** Of supervised training, which has no answers. */
const supervisedColumns: Column[] = [
  { metric: "train/nll", title: "nll", width: 7, format: formatShort, rank: 0 },
  { metric: "eval/nll", title: "held-out", width: 8, format: formatShort, rank: 1 },
  { metric: "train/entropy", title: "entropy", width: 7, format: formatShort, rank: 3 },
  { metric: "train/lr", title: "lr", width: 7, format: (value) => value.toExponential(1), rank: 4 },
  { metric: "train/gradNorm", title: "grad", width: 7, format: formatShort, rank: 5 },
  { metric: "train/tokens", title: "tokens", width: 7, format: (value) => String(value), rank: 6 },
  { metric: "time/tokensPerSecond", title: "tok/s", width: 6, format: (value) => value.toFixed(0), rank: 7 },
  { metric: "time/left", title: "left", width: 7, format: formatDuration, rank: 2 },
];

const headerEvery = 20;
const gap = "  ";

/**
 * The live view of a run: a line per step, a bar inside a step, a line above it for the whole pipeline of stages, and a
 * heartbeat that says what is being waited for.
 * Its timer shows the seconds that passed, so after the device has blocked this thread the next line tells the truth.
 * On anything but a terminal it writes plain lines, a heartbeat each 15 s.
 */
export class Terminal {
  readonly #output: Output;
  readonly #words: Output;
  readonly #isJson: boolean;
  readonly #isLive: boolean;
  readonly #isUnicode: boolean;
  readonly #colors: ReturnType<typeof pc.createColors>;
  readonly #clock: () => number;
  readonly #timer: NodeJS.Timeout;
  #task: { what: string; since: number; done: number; total?: number } | undefined;
  #lastDrawn = 0;
  #numLines = 0;
  #numStatusLines = 0;
  #pipeline: Pipeline;
  #printedTable = "";

  constructor({
    isJson = false,
    output = process.stdout,
    errors = process.stderr,
    env = process.env,
    clock = seconds,
  }: TerminalOptions = {}) {
    this.#isJson = isJson;
    this.#output = output;
    this.#words = isJson ? errors : output;
    this.#isLive = !isJson && this.#words.isTTY === true && env.TERM !== "dumb";
    this.#isUnicode = isUnicodeLocale(env);
    this.#colors = pc.createColors(this.#isLive && (env.NO_COLOR ?? "") === "");
    this.#clock = clock;
    this.#pipeline = new Pipeline([], new Map(), clock);
    this.#timer = setInterval(() => this.#beat(), this.#isLive ? 250 : 1000);
    this.#timer.unref();
  }

  /** From now on this is what is waited for: `what` reads after "step 3/200:", as in "sampling answers". */
  begin(what: string, total?: number): void {
    this.#task = { what, since: this.#clock(), done: 0, total };
    this.#lastDrawn = this.#clock();
    if (this.#isLive) this.#draw();
  }

  /** How much of the `total` is done; shown at once, also while timers starve. */
  advance(done: number): void {
    if (this.#task === undefined) return;
    this.#task.done = done;
    if (this.#isLive && this.#clock() - this.#lastDrawn >= 0.1) this.#draw();
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#task = undefined;
    this.#clearStatus();
  }

  /** The stages of the run that begins, and how many seconds each took another time. */
  plan(stages: readonly PlannedStage[], learned: ReadonlyMap<string, number>): void {
    this.#pipeline = new Pipeline(stages, learned, this.#clock);
  }

  /** From now on this stage is worked on. */
  stageBegins(name: string, isResumed: boolean): void {
    this.#pipeline.begin(name, isResumed);
    const { index, numStages: of, secondsLeft } = this.#pipeline.status!;
    this.#numLines = 0; // Titles again.
    const { isPlanned } = this.#pipeline;
    if (this.#isJson) {
      const left = secondsLeft === undefined ? {} : { left: secondsLeft };
      this.#json({ stage: name, state: "begins", ...(isPlanned && { index, of, ...left }) });
      return;
    }
    const title = isPlanned ? `stage ${index}/${of}: ${name}` : `stage ${name}`;
    const left = secondsLeft === undefined || !isPlanned ? "" : `, about ${formatDuration(secondsLeft)} left in all`;
    this.#line(`${this.#colors.bold(title)}${isResumed ? " goes on" : ""}${left}`);
  }

  /** The share of the current stage that is done. */
  stageAdvances(share: number): void {
    this.#pipeline.advance(share);
    if (this.#isLive && this.#clock() - this.#lastDrawn >= 0.1) this.#draw();
  }

  stageDone(name: string, seconds: number, isDoneBefore = false): void {
    this.#pipeline.finish(name, seconds);
    this.end();
    if (this.#isJson) this.#json({ stage: name, state: isDoneBefore ? "done before" : "done", seconds });
    else
      this.#line(this.#colors.dim(`stage ${name}: done${isDoneBefore ? " before" : ""} in ${formatDuration(seconds)}`));
  }

  /** Prints a table, unless it is empty or stands on the screen already. */
  table(view: TableView): void {
    const lines = tableLines(view, {
      width: this.#isLive ? this.#width() - 1 : undefined,
      missing: this.#isUnicode ? "·" : "-",
    });
    const text = lines.join("\n");
    if (text === this.#printedTable || view.rows.length === 0) return;
    this.#printedTable = text;
    if (this.#isJson) this.#json({ table: view });
    else this.#line(`\n${text}\n`);
  }

  /** The line of a finished step; in JSON mode the object `{ step, steps, ...metrics }`. */
  step(record: StepRecord): void {
    this.#pipeline.advance(record.step / record.steps);
    if (this.#isJson) {
      this.#json({ step: record.step, steps: record.steps, ...record.metrics });
      return;
    }
    const shown = this.#visibleColumns(record);
    const { bold, dim, green } = this.#colors;
    if (this.#numLines % headerEvery === 0) {
      const titles = shown.map(({ title, width }) => title.padStart(width));
      this.#line(dim(["step".padStart(stepWidth(record.steps)), ...titles].join(gap)));
    }
    this.#numLines++;
    const cells = shown.map(({ metric, width, format }) => {
      const value = record.metrics[metric];
      if (value === undefined) return dim((this.#isUnicode ? "·" : "-").padStart(width));
      const cell = format(value).padStart(width);
      return metric.startsWith("eval/") ? bold(green(cell)) : cell;
    });
    this.#line([`${record.step}/${record.steps}`.padStart(stepWidth(record.steps)), ...cells].join(gap));
  }

  /** A line in words. */
  note(text: string): void {
    this.#line(text);
  }

  /** Stops the heartbeat and leaves the cursor on a fresh line. */
  close(): void {
    clearInterval(this.#timer);
    this.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #json(record: Record<string, unknown>): void {
    this.#output.write(`${JSON.stringify(record)}\n`);
  }

  #line(text: string): void {
    this.#clearStatus();
    this.#words.write(`${text}\n`);
    if (this.#isLive && this.#task !== undefined) this.#draw();
  }

  #visibleColumns({ steps, metrics }: StepRecord): Column[] {
    const all = "train/nll" in metrics ? supervisedColumns : columns;
    if (!this.#isLive) return all;
    const room = this.#width() - stepWidth(steps);
    const shown = new Set<Column>();
    let used = 0;
    for (const column of [...all].sort((a, b) => a.rank - b.rank)) {
      used += gap.length + column.width;
      if (used > room) break;
      shown.add(column);
    }
    return all.filter((column) => shown.has(column));
  }

  #beat(): void {
    if (this.#task === undefined) return;
    if (this.#isLive) this.#draw();
    else if (this.#clock() - this.#lastDrawn >= 15) {
      this.#lastDrawn = this.#clock();
      this.#words.write(`... ${[this.#status(), this.#pipelineStatus()].filter((part) => part !== "").join("; ")}\n`);
    }
  }

  #status(): string {
    const { what, since, done, total } = this.#task!;
    const progress = total === undefined ? "" : ` ${done}/${total}`;
    return `${what}${progress}, ${formatDuration(this.#clock() - since)}`;
  }

  /** "stage 3/9 reasoning-rl 43%, 27% of all, 31m 10s left"; nothing outside of a pipeline. */
  #pipelineStatus(): string {
    const status = this.#pipeline.status;
    if (status === undefined || !this.#pipeline.isPlanned || status.numStages < 2) return "";
    const { name, index, numStages, stageShare, share, secondsLeft } = status;
    const here = stageShare > 0 ? ` ${percent(stageShare)}` : "";
    const left = secondsLeft === undefined ? "" : `, ${formatDuration(secondsLeft)} left`;
    return `stage ${index}/${numStages} ${name}${here}, ${percent(share)} of all${left}`;
  }

  #draw(): void {
    if (this.#task === undefined) return;
    const { done, total } = this.#task;
    const share = this.#pipeline.status?.share;
    const above = this.#pipelineStatus();
    const lines = [...(above === "" ? [] : [this.#barred(above, share)])];
    lines.push(this.#barred(this.#status(), total === undefined ? undefined : done / total));
    this.#lastDrawn = this.#clock();
    this.#words.write(`${this.#erased()}${lines.join("\n")}`);
    this.#numStatusLines = lines.length;
  }

  /** A bar and a text in one line that does not wrap. */
  #barred(text: string, share: number | undefined): string {
    const room = this.#width() - 1; // The last column would wrap.
    const barWidth = Math.min(30, room - text.length - 3);
    const bar = share === undefined || barWidth < 5 ? "" : `${progressBar(share, barWidth, this.#isUnicode)} `;
    return `${this.#colors.cyan(bar)}${this.#colors.dim(text.slice(0, room - bar.length))}`;
  }

  #clearStatus(): void {
    if (this.#numStatusLines > 0) this.#words.write(this.#erased());
    this.#numStatusLines = 0;
  }

  /** Clears the status lines and leaves the cursor where they began. */
  #erased(): string {
    return `\r\x1b[2K${"\x1b[1A\x1b[2K".repeat(Math.max(0, this.#numStatusLines - 1))}`;
  }

  #width(): number {
    return Math.max(20, this.#words.columns ?? 80);
  }
}

const percent = (share: number) => `${Math.floor(100 * share)}%`;

const seconds = () => performance.now() / 1000;

const stepWidth = (steps: number) => Math.max(4, 2 * String(steps).length + 1);

/** A bar of `width` characters, filled from the left; eighths of a character where the terminal has them. */
export function progressBar(share: number, width: number, isUnicode: boolean): string {
  const filled = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * width;
  const whole = Math.floor(filled);
  if (!isUnicode) return `[${"#".repeat(whole)}${"-".repeat(width - whole)}]`.slice(0, width + 2);
  const eighth = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][Math.floor((filled - whole) * 8)]!;
  return `${"█".repeat(whole)}${eighth}`.padEnd(width, "░");
}
