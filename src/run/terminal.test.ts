import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it, vi } from "vitest";
import { formatDuration, formatShort } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { type Output, progressBar, Terminal } from "./terminal.ts";

afterEach(() => vi.useRealTimers());

const screen = (isTTY: boolean, columns = 120) => {
  const texts: string[] = [];
  return { isTTY, columns, write: (text: string) => texts.push(text), text: () => texts.join("") };
};
const metrics = {
  "reward/mean": 0.4125,
  "eval/accuracy": 0.617,
  "sample/length": 48.27,
  "sample/truncated": 0.03,
  "group/useless": 0.25,
  "train/kl": 0.00123,
  "train/entropy": 0.41,
  "train/clipShare": 0.042,
  "train/gradNorm": 0.61,
  "time/tokensPerSecond": 3512.4,
  "time/left": 372,
};
const utf8 = { LANG: "C.UTF-8" };
const open = (output: Output, more: object = {}) => new Terminal({ output, env: utf8, ...more });

describe("a step's line", () => {
  it("stands under its titles, and needs no terminal", () => {
    const output = screen(false);
    using terminal = open(output);
    terminal.step({ step: 9, steps: 200, metrics });
    const { "eval/accuracy": _, ...rest } = metrics;
    terminal.step({ step: 10, steps: 200, metrics: rest });
    expect(output.text()).toBe(
      [
        "   step   reward  held-out   length     cut  useless       KL  entropy  clipped     grad   tok/s     left",
        "  9/200    0.412     61.7%     48.3    3.0%    25.0%   0.0012    0.410     4.2%    0.610    3512   6m 12s",
        " 10/200    0.412         ·     48.3    3.0%    25.0%   0.0012    0.410     4.2%    0.610    3512   6m 12s",
        "",
      ].join("\n"),
    );
  });

  it("of supervised training shows its loss, and no column for answers", () => {
    const output = screen(false);
    using terminal = open(output);
    const supervised = { "train/nll": 1.25, "eval/nll": 1.5, "train/lr": 5e-5, "train/tokens": 4096, "time/left": 60 };
    terminal.step({ step: 1, steps: 200, metrics: supervised });
    expect(output.text()).toBe(
      [
        "   step      nll  held-out  entropy       lr     grad   tokens   tok/s     left",
        "  1/200     1.25      1.50        ·   5.0e-5        ·     4096       ·   1m 00s",
        "",
      ].join("\n"),
    );
  });

  it.each([40, 60, 80, 120])("fits a terminal of %i columns and keeps the reward", (columns) => {
    const output = screen(true, columns);
    using terminal = open(output, { env: { ...utf8, NO_COLOR: "1" } });
    terminal.step({ step: 1, steps: 200, metrics });
    const lines = output.text().split("\n");
    expect(lines[0]).toContain("reward");
    for (const line of lines) expect(line.length).toBeLessThan(columns);
  });

  it("has colours on a terminal, none with NO_COLOR and none in a file", () => {
    const written = (isTTY: boolean, env: object) => {
      const output = screen(isTTY);
      using terminal = open(output, { env });
      terminal.step({ step: 1, steps: 2, metrics });
      return output.text();
    };
    expect(written(true, utf8)).toContain("\x1b[");
    expect(written(true, { ...utf8, NO_COLOR: "1" })).not.toContain("\x1b[");
    expect(written(false, utf8)).not.toContain("\x1b[");
  });

  it("is one JSON object in JSON mode, and stdout holds nothing else", () => {
    const [output, errors] = [screen(true), screen(false)];
    using terminal = open(output, { errors, isJson: true });
    terminal.begin("sampling answers", 8);
    terminal.note("hello");
    terminal.step({ step: 1, steps: 2, metrics: { "reward/mean": 0.5 } });
    expect(output.text()).toBe('{"step":1,"steps":2,"reward/mean":0.5}\n');
    expect(errors.text()).toContain("hello");
  });
});

describe("the heartbeat", () => {
  it("says what it waits for, in plain lines each 15 s", () => {
    vi.useFakeTimers();
    const output = screen(false);
    using terminal = open(output);
    terminal.begin("step 3/200: sampling answers", 512);
    terminal.advance(310);
    vi.advanceTimersByTime(32_000);
    expect(output.text()).toBe(
      "... step 3/200: sampling answers 310/512, 15 s\n... step 3/200: sampling answers 310/512, 30 s\n",
    );
    terminal.end();
    vi.advanceTimersByTime(60_000);
    expect(output.text().split("\n")).toHaveLength(3);
  });

  it("tells the true seconds after the thread was blocked", () => {
    vi.useFakeTimers();
    let now = 0;
    const output = screen(true);
    using terminal = open(output, { clock: () => now });
    terminal.begin("updating");
    now = 95; // Blocked: no timer fired meanwhile.
    vi.advanceTimersByTime(250);
    expect(output.text()).toContain("updating, 1m 35s");
  });

  it("does not keep a process alive", () => {
    const script = `import { Terminal } from ${JSON.stringify(import.meta.resolve("./terminal.ts"))}; new Terminal().begin("x");`;
    const child = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      timeout: 20_000,
      encoding: "utf8",
    });
    expect({ status: child.status, stderr: child.stderr }).toMatchObject({ status: 0 });
  });

  it("never wraps its line", () => {
    for (let columns = 20; columns < 90; columns++) {
      const output = screen(true, columns);
      using terminal = open(output, { env: { ...utf8, NO_COLOR: "1" } });
      terminal.begin("step 13/200: sampling answers", 512);
      expect(output.text().replace("\r\x1b[2K", "").length).toBeLessThan(columns);
    }
  });
});

describe("the pipeline", () => {
  it("of a recipe that declares no stages does not pretend to know how many there are", () => {
    const output = screen(false);
    using terminal = open(output);
    for (const name of ["one", "two"]) {
      terminal.stageBegins(name, false);
      terminal.stageDone(name, 5);
    }
    expect(output.text()).toBe("stage one\nstage one: done in 5 s\nstage two\nstage two: done in 5 s\n");
  });

  const stages = [{ name: "sft", share: 1 }, { name: "reasoning", share: 3 }]; // biome-ignore format: one line
  const view = { columns: ["reasoning %"], rows: [{ name: "Dev1", figures: [41.2] }] };

  it("is told in plain lines where there is no terminal: stages, time left, and the table when it has changed", () => {
    vi.useFakeTimers();
    let now = 0;
    const output = screen(false);
    using terminal = open(output, { clock: () => now });
    terminal.plan(stages, new Map());
    terminal.stageBegins("sft", false);
    terminal.stageDone("sft", 60);
    terminal.table(view);
    terminal.stageBegins("reasoning", false);
    terminal.begin("step 3/4: sampling answers", 512);
    now = 90;
    terminal.step({ step: 2, steps: 4, metrics: {} });
    vi.advanceTimersByTime(1000);
    terminal.stageDone("reasoning", 180);
    terminal.table(view);
    const lines = output.text().split("\n").filter((line) => !/^ *(step|2\/4) /.test(line)); // biome-ignore format: one line
    expect(lines).toEqual([
      "stage 1/2: sft",
      "stage sft: done in 1m 00s",
      "",
      "      reasoning %",
      "Dev1         41.2",
      "",
      "stage 2/2: reasoning, about 3m 00s left in all",
      "... step 3/4: sampling answers 0/512, 1m 30s; stage 2/2 reasoning 50%, 62% of all, 1m 30s left",
      "stage reasoning: done in 3m 00s",
      "",
    ]);
  });

  it.each([20, 40, 80, 120])(
    "stands in a line above what is waited for, at %i columns too, and leaves no trace",
    (columns) => {
      const output = screen(true, columns);
      using terminal = open(output, { env: { ...utf8, NO_COLOR: "1" } });
      terminal.plan(stages, new Map([["sft", 10], ["reasoning", 30]])); // biome-ignore format: one line
      terminal.stageBegins("reasoning", false);
      terminal.begin("step 13/200: sampling answers", 512);
      terminal.note("said");
      terminal.end();
      const { lines, widest } = replay(output.text());
      expect(lines).toEqual(["stage 2/2: reasoning, about 40 s left in all", "said", ""]);
      expect(widest.map((width) => width > 10 && width < columns)).toEqual([true, true]);
    },
  );

  it("is an object per stage and table in JSON mode", () => {
    const output = screen(false);
    using terminal = open(output, { errors: screen(false), isJson: true });
    terminal.plan(stages, new Map());
    terminal.stageBegins("sft", false);
    terminal.stageDone("sft", 60);
    terminal.table(view);
    terminal.stageDone("reasoning", 30, true);
    expect(output.text().trimEnd().split("\n").map((line) => JSON.parse(line))).toEqual([
      { stage: "sft", state: "begins", index: 1, of: 2 },
      { stage: "sft", state: "done", seconds: 60 },
      { table: view },
      { stage: "reasoning", state: "done before", seconds: 30 },
    ]); // biome-ignore format: one line
  });
});

/** What stays on a terminal that obeys "erase line" and "cursor up", and how wide each of the two lines was that went. */
function replay(text: string): { lines: string[]; widest: [number, number] } {
  const [lines, widest]: [string[], [number, number]] = [[""], [0, 0]];
  let row = 0;
  for (const part of text
    .replaceAll("\x1b[2K", "␡")
    .replaceAll("\x1b[1A", "↑")
    .split(/([␡↑\r\n])/)) {
    if (part === "␡") {
      const which = lines[row]!.includes("stage 2/2") ? 0 : 1;
      widest[which] = Math.max(widest[which], lines[row]!.length);
      lines[row] = "";
    } else if (part === "↑") row--;
    else if (part === "\n") lines[++row] ??= "";
    else if (part !== "\r") lines[row] += part;
  }
  return { lines: lines.slice(0, row + 1), widest };
}

it("a bar is as full as its share", () => {
  expect(progressBar(0.5, 10, false)).toBe("[#####-----]");
  expect(progressBar(0.55, 10, true)).toBe("█████▌░░░░");
  expect(progressBar(2, 4, true)).toBe("████");
  expect(progressBar(Number.NaN, 4, true)).toBe("░░░░");
});

it("numbers are short", () => {
  expect([0, 0.00012, 0.0123, 0.123, 1.234, 12.34, 123.4, 12345, -0.5, Number.NaN].map(formatShort)).toEqual([
    "0",
    "1.2e-4",
    "0.0123",
    "0.123",
    "1.23",
    "12.3",
    "123",
    "12345",
    "-0.500",
    "NaN",
  ]);
  expect([0, 59.4, 61, 7384].map(formatDuration)).toEqual(["0 s", "59 s", "1m 01s", "2h 03m"]);
});

describe("Ctrl-C", () => {
  it("once asks the run to stop, and says so", () => {
    const run = { shouldStop: false };
    const said: string[] = [];
    using _signals = onInterrupt(run, (text) => said.push(text));
    process.emit("SIGINT", "SIGINT");
    expect(run.shouldStop).toBe(true);
    expect(said[0]).toContain("Finishing this step, then a checkpoint");
  });

  it("twice leaves at once with 130", () => {
    const script = `
      import { onInterrupt } from ${JSON.stringify(import.meta.resolve("./interrupt.ts"))};
      onInterrupt({ shouldStop: false });
      process.kill(process.pid, "SIGINT");
      setTimeout(() => process.kill(process.pid, "SIGINT"), 50);
      setTimeout(() => process.exit(9), 5000);`;
    const child = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      timeout: 20_000,
      encoding: "utf8",
    });
    expect(child.status).toBe(130);
    expect(child.stderr).toContain("Stopped now");
  });
});
