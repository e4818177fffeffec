export { requireSandbox, SandboxUnavailable, sandboxProblem } from "./probe.ts";
export { openQuickjs, type QuickjsEnd, type QuickjsLimits, runQuickjs } from "./quickjs.ts";
export { runSandboxed, type Sandbox, startSandbox } from "./run.ts";
export { limitedBy } from "./slots.ts";
export { compile, findToolchain, type Language, type Toolchain } from "./toolchains.ts";
export { defaultLimits, type Limits, type RunEnd, type RunRequest, type RunResult } from "./types.ts";
export { treeUsage } from "./watch.ts";
