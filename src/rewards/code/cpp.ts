import { createHash, randomUUID } from "node:crypto";
import { runSandboxed, type Toolchain } from "#sandbox";
import type { Grade } from "../types.ts";
import type { Side } from "./bridge.ts";
import { findSignatures, type Signature } from "./cpp-signature.ts";
import { cppWire } from "./cpp-wire.ts";
import { gradeOf, idleTests, outcomeOf, refineOutcome, tail } from "./outcome.ts";
import { gradeFunction, gradeSplit } from "./split.ts";
import { type Built, build, limitsOf } from "./stdio.ts";
import type { CodeJob, CodeTests } from "./types.ts";

type Ready = Exclude<Built, { grade: Grade }>;
type AssertTests = CodeTests & { type: "asserts" };

/** Functions of the standard library that tests call to compare: never the program's where it defines its own. */
const standardFunctions = new Set(
  "abs labs fabs fabsf round roundf lround llround trunc floor ceil rint nearbyint sqrt cbrt pow exp log log2 log10 hypot fmod isnan isinf isfinite min max minmax clamp swap sort stable_sort is_sorted is_permutation equal mismatch lexicographical_compare find find_if count count_if all_of any_of none_of accumulate reduce inner_product iota reverse unique size begin end empty data distance memcmp strcmp strncmp strlen to_string stoi stol stoll stod strtol strtod atoi make_pair make_tuple tie get gcd lcm".split(
    " ",
  ),
);

/** Compiled tests by their text: a group of answers to one prompt shares them. */
const compiledTests = new Map<string, Promise<Built>>();
const maxCompiledTests = 64;

const side = ({ toolchain, program }: { toolchain: Toolchain; program: Buffer | string }): Side => ({
  toolchain,
  command: ["/app/program"],
  files: [{ path: "/app/program", data: program, isExecutable: true }],
});

/** The program with a main of ours that answers calls of these functions. */
function servingProgram(source: string, names: string[]): string {
  const answers = names.map((name) => `aha::answer(name, "${name}", &${name}, r, reply)`).join(" || ");
  return `${cppWire.replace("#pragma once", "")}
#define main aha_main_of_the_program
#line 1 "main.cpp"
${source}
#undef main
int main() {
  aha::Channel& channel = aha::channel();
  channel.say("{\\"names\\":{}}");
  std::string line;
  while (channel.line(line)) {
    std::string reply;
    try {
      aha::Reader r{line.data(), line.data() + line.size()};
      if (!r.take("{\\"op\\":\\"call\\",\\"of\\":")) aha::fail("not a call");
      std::string name = r.string();
      if (!r.take(",\\"args\\":")) aha::fail("no arguments");
      if (!(${answers || "false"})) { reply = "{\\"error\\":\\"KeyError\\",\\"of\\":\\"KeyError\\",\\"message\\":"; aha::quote(reply, name); reply += "}"; }
    } catch (const std::exception& error) { reply = "{\\"error\\":\\"Error\\",\\"of\\":\\"std::exception\\",\\"message\\":"; aha::quote(reply, error.what()); reply += "}"; }
    channel.say(reply);
  }
}
`;
}

/** The tests' asserts, counted, whatever <cassert> they include. */
const countedAsserts = (code: string) => code.replace(/\bassert(?=\s*\()/g, "AHA_ASSERT");
const countingMacro = "#define AHA_ASSERT(...) aha::check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __LINE__)";
/** Tests that fail by themselves cannot be counted: one such statement stands for a check. */
const failsByItself = (code: string) => /\b(throw|abort|exit|_Exit)\b|\breturn\s+(?!0\s*;)/.test(code);

/** The tests with functions of the program's signatures that call over the wire, and a verdict when they end with status 0. */
function callingTests({ code, setup = "" }: AssertTests, signatures: Signature[]): string {
  const stubs = signatures.map(({ name, result, params }) => {
    const list = params.map((type, i) => `${type} a${i}`).join(", ");
    return `${result} ${name}(${list}) { return aha::call<${result}>("${name}"${params.map((_, i) => `, a${i}`).join("")}); }`;
  });
  return `${cppWire.replace("#pragma once", "")}
#include <cassert>
${stubs.join("\n")}
${countingMacro}
${countedAsserts(setup)}
static const int aha_verdict = on_exit([](int status, void*) {
  if (status != 0) return;
  std::string checks = std::to_string(aha::checks + ${Number(failsByItself(code))});
  aha::channel().say("V{\\"passed\\":true,\\"counts\\":[" + checks + "," + checks + "],\\"calls\\":" + std::to_string(aha::calls) + "}");
}, nullptr);
#line 1 "tests.cpp"
${countedAsserts(code)}
`;
}

/** MultiPL-E's tests begin with the brace that ends the program's last function: it is given to whom it belongs. */
function settleBrace(program: string, code: string): { program: string; code: string } {
  if (!/^\s*\}/.test(code)) return { program, code };
  const depth = (text: string) => text.split("{").length - text.split("}").length;
  const rest = code.replace(/^\s*\}/, "");
  return { program: depth(program) === 1 ? `${program}\n}` : program, code: rest };
}

function cachedTests(text: string): Promise<Built> {
  const key = createHash("sha256").update(text).digest("hex");
  let found = compiledTests.get(key);
  if (found === undefined) {
    if (compiledTests.size >= maxCompiledTests) compiledTests.delete(compiledTests.keys().next().value!);
    found = build("cpp", text);
    compiledTests.set(key, found);
  }
  return found;
}

/** Program and tests in one binary, which says a word it was told when the tests' main returned 0. */
async function gradeBeside(job: CodeJob, tests: AssertTests): Promise<Grade> {
  const text = `${job.program}
#undef assert
#include <cstdio>
#include <cstdlib>
namespace aha {
static long checks = ${Number(failsByItself(tests.code))};
static void check(bool holds, const char* text, int line) {
  ++checks;
  if (holds) return;
  std::fprintf(stderr, "tests.cpp:%d: Assertion \`%s' failed.\\n", line, text);
  std::abort();
}
}
${countingMacro}
${countedAsserts(tests.setup ?? "")}
${countedAsserts(tests.code)
  .replace(/\bint\s+main\s*\([^)]*\)/, "static int aha_tests()")
  .replace(/\}\s*$/, "return 0; }")}
int main() { if (aha_tests() != 0) return 1; char word[64]; if (std::fgets(word, sizeof word, stdin)) std::printf("\\n%ld %s", aha::checks, word); }
`;
  const built = await build("cpp", text);
  if ("grade" in built) return built.grade;
  const word = randomUUID();
  const run = await runSandboxed({
    command: ["/app/program"],
    files: side(built).files,
    mounts: built.toolchain.mounts,
    stdin: word,
    limits: limitsOf(job, built.toolchain.overheadBytes),
  });
  const mode = { mode: "beside (weaker: the tests use the program's live objects)", cpuMs: Math.round(run.cpuMs) };
  const outcome = refineOutcome(outcomeOf(run), run.stderr.toString());
  const numChecks = /\n(\d+) (\S+)$/.exec(run.stdout.toString().slice(-100));
  if (outcome === "passed" && numChecks?.[2] === word)
    return idleTests(Number(numChecks[1]), 1, mode) ?? gradeOf("passed", mode);
  const isAssertion = /Assertion .* failed/.test(run.stderr.toString());
  return gradeOf(isAssertion ? "failedAssertion" : outcome === "passed" ? "runtimeError" : outcome, {
    ...mode,
    stderr: tail(run.stderr),
    problem: run.problem,
  });
}

/** Grades a C++ program by function calls or by test code that calls its functions. */
export async function gradeCpp(job: CodeJob, tests: Exclude<CodeTests, { type: "stdio" }>): Promise<Grade> {
  if (tests.type === "function") {
    const signature = findSignatures(job.program, new Set([tests.name])).get(tests.name);
    if (signature === undefined) return gradeOf("missingFunction", { problem: `no function ${tests.name}` });
    if ("problem" in signature) return gradeOf("failedAssertion", signature);
    const ready = await build("cpp", servingProgram(job.program, [tests.name]));
    return "grade" in ready ? ready.grade : await gradeFunction(job, tests, side(ready));
  }
  const { program, code } = settleBrace(job.program, tests.code);
  const [answer, asked] = [
    { ...job, program },
    { ...tests, code },
  ];
  if (tests.live === true) return await gradeBeside(answer, asked);
  // The tests' own words that name a function of the program.
  const words = new Set(`${tests.setup ?? ""}\n${code}`.match(/[A-Za-z_]\w*/g) ?? []);
  words.delete("main");
  const all = [...findSignatures(program, words)];
  // What has a standard function's name is under test only where the tests use no other name of the program's.
  const own = all.filter(([name]) => !standardFunctions.has(name));
  const found = (own.length > 0 ? own : all).map(([, signature]) => signature);
  const unclear = found.find((signature) => "problem" in signature);
  if (unclear !== undefined) return gradeOf("failedAssertion", { mode: "split", ...unclear });
  const signatures = found.filter((signature): signature is Signature => !("problem" in signature));
  if (signatures.length === 0)
    return gradeOf("missingFunction", {
      mode: "split",
      problem: "the program defines no function that the tests call",
    });
  const [ready, testing]: [Built, Built] = await Promise.all([
    build(
      "cpp",
      servingProgram(
        program,
        signatures.map(({ name }) => name),
      ),
    ),
    cachedTests(callingTests(asked, signatures)),
  ]);
  if ("grade" in ready) return ready.grade;
  if ("grade" in testing) return await gradeUnbuiltTests(answer, testing.grade);
  return await gradeSplit(answer, side(ready as Ready), side(testing as Ready));
}

/** Tests that do not compile against the program's signature: the program's fault, unless they compile against none. */
async function gradeUnbuiltTests(_job: CodeJob, grade: Grade): Promise<Grade> {
  return grade.verdict === "verifierError"
    ? grade
    : gradeOf("compileError", {
        mode: "split",
        problem: "the tests do not compile against the program's signatures",
        ...grade.detail,
        outcome: "compileError",
      });
}
