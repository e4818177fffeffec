import { createHash, randomUUID } from "node:crypto";
import { runSandboxed, type Toolchain } from "#sandbox";
import type { Grade } from "../types.ts";
import type { Side } from "./bridge.ts";
import { findSignature, type Signature } from "./cpp-signature.ts";
import { cppWire } from "./cpp-wire.ts";
import { gradeOf, outcomeOf, refineOutcome, tail } from "./outcome.ts";
import { gradeFunction, gradeSplit } from "./split.ts";
import { type Built, build, limitsOf } from "./stdio.ts";
import type { CodeJob, CodeTests } from "./types.ts";

type Ready = Exclude<Built, { grade: Grade }>;
type AssertTests = CodeTests & { type: "asserts" };

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

/** The tests with functions of the program's signatures that call over the wire, and a verdict when they end with status 0. */
function callingTests({ code, setup = "" }: AssertTests, signatures: Signature[]): string {
  const stubs = signatures.map(({ name, result, params }) => {
    const list = params.map((type, i) => `${type} a${i}`).join(", ");
    return `${result} ${name}(${list}) { return aha::call<${result}>("${name}"${params.map((_, i) => `, a${i}`).join("")}); }`;
  });
  return `${cppWire.replace("#pragma once", "")}
#include <cassert>
${stubs.join("\n")}
${setup}
static const int aha_verdict = on_exit([](int status, void*) { if (status == 0) aha::channel().say("V{\\"passed\\":true}"); }, nullptr);
#line 1 "tests.cpp"
${code}
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
#undef NDEBUG
#include <assert.h>
#include <cstdio>
${tests.setup ?? ""}
${tests.code.replace(/\bint\s+main\s*\([^)]*\)/, "static int aha_tests()").replace(/\}\s*$/, "return 0; }")}
int main() { if (aha_tests() != 0) return 1; char word[64]; if (std::fgets(word, sizeof word, stdin)) std::printf("\\n%s", word); }
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
  if (outcome === "passed" && run.stdout.toString().endsWith(`\n${word}`)) return gradeOf("passed", mode);
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
    const signature = findSignature(job.program, tests.name);
    if (signature === undefined) return gradeOf("missingFunction", { problem: `no function ${tests.name}` });
    if ("problem" in signature) return gradeOf("failedAssertion", signature);
    const ready = await build("cpp", servingProgram(job.program, [tests.name]));
    return "grade" in ready ? ready.grade : await gradeFunction(job, tests, side(ready));
  }
  const { program, code } = settleBrace(job.program, tests.code);
  const [own, asked] = [
    { ...job, program },
    { ...tests, code },
  ];
  if (tests.live === true) return await gradeBeside(own, asked);
  // The tests' own words that name a function of the program.
  const words = new Set(`${tests.setup ?? ""}\n${code}`.match(/[A-Za-z_]\w*/g) ?? []);
  const found = [...words].filter((word) => word !== "main").map((word) => findSignature(program, word));
  const unclear = found.find((signature) => signature !== undefined && "problem" in signature);
  if (unclear !== undefined) return gradeOf("failedAssertion", { mode: "split", ...unclear });
  const signatures = found.filter((signature): signature is Signature => signature !== undefined);
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
  if ("grade" in testing) return await gradeUnbuiltTests(own, testing.grade);
  return await gradeSplit(own, side(ready as Ready), side(testing as Ready));
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
