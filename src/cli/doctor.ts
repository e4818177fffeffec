import { execFile } from "node:child_process";
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { dirname } from "node:path";
import pc from "picocolors";
import { availableMemory, memoryLimit } from "#run";
import { inspectToolchain, type Toolchain } from "../../scripts/lib/toolchain.mjs";

/** One thing that was looked at. `ok`: as it should be; `warning`: something will not work; `missing`: nothing will. */
export type DoctorCheck = {
  name: string;
  state: "ok" | "warning" | "missing";
  /** What was found, with its values. */
  found: string;
  /** What to do about it; absent when it is ok. */
  remedy?: string;
};

export type DoctorReport = { healthy: boolean; checks: DoctorCheck[] };

/** Looks at this machine: Node, compiler, Python, libtorch, addon, GPUs, sandbox, memory, disk. Changes nothing. */
export async function doctor(env: NodeJS.ProcessEnv = process.env): Promise<DoctorReport> {
  const toolchain = await inspectToolchain(env);
  const checks = [
    checkNode(toolchain),
    checkCompiler(toolchain),
    checkPython(toolchain),
    checkLibtorch(toolchain),
    checkAddon(toolchain),
    checkProcessor(),
    await checkCuda(toolchain, env),
    await checkSandbox(env),
    checkMemory(),
    checkDisk(toolchain.home),
  ];
  return { healthy: checks.every((check) => check.state !== "missing"), checks };
}

/** The report as lines for a terminal, one per check and one per remedy. */
export function formatDoctor({ checks, healthy }: DoctorReport): string {
  const marks = { ok: pc.green("ok     "), warning: pc.yellow("warning"), missing: pc.red("missing") };
  const lines = checks.flatMap(({ name, state, found, remedy }) => {
    const line = `${marks[state]}  ${name.padEnd(10)} ${found}`;
    return remedy ? [line, `${" ".repeat(20)}→ ${remedy}`] : [line];
  });
  return [...lines, "", healthy ? "aha can run here." : "aha cannot run here yet: see the lines marked missing."].join(
    "\n",
  );
}

function checkNode({ nodeProblem }: Toolchain): DoctorCheck {
  const found = `Node ${process.versions.node} on ${platform()} ${process.arch} (${release()})`;
  return nodeProblem
    ? { name: "node", state: "missing", found, remedy: nodeProblem }
    : { name: "node", state: "ok", found };
}

function checkCompiler({ compiler, addon }: Toolchain): DoctorCheck {
  if (!("problem" in compiler))
    return { name: "compiler", state: "ok", found: `${compiler.version} (${compiler.command})` };
  // A build that is up to date runs without a compiler.
  const state = addon.stale === null ? "warning" : "missing";
  return { name: "compiler", state, found: compiler.problem, remedy: compiler.remedy };
}

function checkPython({ python, libtorch }: Toolchain): DoctorCheck {
  const name = "python";
  const found = python ? `Python ${python.version} (${python.executable})` : "no python3 on PATH";
  if (python?.pip) return { name, state: "ok", found: `${found}, with pip` };
  const remedy =
    "Needed only to fetch libtorch and to grade Python programs. Debian: apt-get install python3 python3-pip; macOS: brew install python.";
  const isNeeded = libtorch === null || "problem" in libtorch;
  return { name, state: isNeeded ? "missing" : "warning", found: python ? `${found}, without pip` : found, remedy };
}

function checkLibtorch({ libtorch, notes, home, python }: Toolchain): DoctorCheck {
  const name = "libtorch";
  const passedBy = notes.map((note) => `; ${note}`).join("");
  if (libtorch === null) {
    const remedy = python?.pip
      ? `The first command that needs it fetches the CPU build (about 190 MB) into ${home}; or set AHA_LIBTORCH to a folder with include/ and lib/.`
      : "Install Python with pip first (above), or set AHA_LIBTORCH to a folder with include/ and lib/.";
    return { name, state: python?.pip ? "warning" : "missing", found: `none yet${passedBy}`, remedy };
  }
  if ("problem" in libtorch) return { name, state: "missing", found: libtorch.problem, remedy: libtorch.remedy };
  const device = libtorch.cudaVersion ? `CUDA ${libtorch.cudaVersion}` : "CPU";
  const found = `${libtorch.version} (${device} build, ${libtorch.source}) in ${libtorch.dir}${passedBy}`;
  if (libtorch.version.startsWith("2.13")) return { name, state: "ok", found };
  return { name, state: "warning", found, remedy: "2.13 is the version that is tested and measured; others run." };
}

function checkAddon({ addon }: Toolchain): DoctorCheck {
  const name = "addon";
  if (addon.stale === null) return { name, state: "ok", found: `${addon.info?.addon}, up to date` };
  const found = `${addon.folder}: ${addon.stale}`;
  return {
    name,
    state: "warning",
    found,
    remedy: "Nothing to do: the first command that needs it builds it (a minute or two).",
  };
}

function checkProcessor(): DoctorCheck {
  const model = cpus()[0]?.model.trim() ?? process.arch;
  const found = `${model}, ${availableParallelism()} cores, ${cpuCapability()}`;
  return { name: "processor", state: "ok", found };
}

/** The instruction set libtorch picks its kernels for, by its own rules (c10's cpuinfo): AVX512, AVX2 or DEFAULT. */
function cpuCapability(): string {
  const asked = process.env.ATEN_CPU_CAPABILITY;
  if (asked) return `${asked} (from ATEN_CPU_CAPABILITY)`;
  const flags = new Set(
    readText("/proc/cpuinfo")
      .match(/^flags\s*:(.*)$/m)?.[1]
      ?.trim()
      .split(" "),
  );
  const hasAll = (...names: string[]) => names.every((name) => flags.has(name));
  if (hasAll("avx512f", "avx512vl", "avx512bw", "avx512dq", "fma")) return "AVX512";
  if (hasAll("avx2", "fma")) return "AVX2";
  return process.arch === "arm64" ? "NEON" : "DEFAULT";
}

async function checkCuda({ libtorch, hasNvidiaGpu }: Toolchain, env: NodeJS.ProcessEnv): Promise<DoctorCheck> {
  const name = "cuda";
  const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
  const listed = await run("nvidia-smi", query, env);
  const devices = listed.ok ? listed.output.trim().split("\n").filter(Boolean) : [];
  if (devices.length === 0) {
    if (!hasNvidiaGpu) return { name, state: "ok", found: "no NVIDIA GPU: tensors are on the CPU" };
    const found = `an NVIDIA driver, but nvidia-smi lists no device: ${listed.output.trim().split("\n")[0]}`;
    return {
      name,
      state: "warning",
      found,
      remedy: "Mend the driver (nvidia-smi must list the GPU), or go on on the CPU.",
    };
  }
  const found = devices.map((device, i) => `cuda:${i} ${device}`).join("; ");
  const hasCuda = libtorch !== null && !("problem" in libtorch) && libtorch.cudaVersion !== null;
  if (hasCuda) return { name, state: "ok", found };
  const remedy =
    "libtorch is a CPU build. For the GPU: pip install torch==2.13.0 (gigabytes), then npm run setup; outside a checkout set AHA_LIBTORCH to its torch folder.";
  return { name, state: "warning", found, remedy };
}

async function checkSandbox(env: NodeJS.ProcessEnv): Promise<DoctorCheck> {
  const name = "sandbox";
  const mounts = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"];
  const probe = await run("bwrap", ["--unshare-all", "--die-with-parent", ...mounts, "true"], env);
  if (probe.ok) return { name, state: "ok", found: "bubblewrap runs (no network, read-only host)" };
  const isThere = (await run("bwrap", ["--version"], env)).ok;
  const found = isThere
    ? `bubblewrap is there but does not run: ${probe.output.trim().split("\n")[0]}`
    : "no bubblewrap";
  const remedy = isThere
    ? "Allow unprivileged user namespaces, or run the container with them; without it programs that a model wrote are not run."
    : "Needed to grade programs that a model wrote. Debian: apt-get install bubblewrap; macOS has none.";
  return { name, state: "warning", found, remedy };
}

function checkMemory(): DoctorCheck {
  const name = "memory";
  const available = availableMemory();
  const limit = memoryLimit();
  const limited = limit === undefined ? "" : `, limited to ${gigabytes(limit)} by its cgroup`;
  const found = `${gigabytes(available)} available of ${gigabytes(totalmem())}${limited}`;
  if (available >= 2e9) return { name, state: "ok", found };
  const remedy = "The native build needs 1.5 GB and the main job 1 GB: close something, or raise the limit.";
  return { name, state: "warning", found, remedy };
}

function checkDisk(home: string): DoctorCheck {
  const name = "disk";
  const places = [...new Set([process.cwd(), existing(home)])].map((folder) => {
    const { bavail, bsize } = statfsSync(folder);
    return { folder, freeBytes: bavail * bsize };
  });
  const found = places.map(({ folder, freeBytes }) => `${gigabytes(freeBytes)} free in ${folder}`).join(", ");
  if (places.every(({ freeBytes }) => freeBytes >= 2e9)) return { name, state: "ok", found };
  const remedy =
    "libtorch takes 0.9 GB while it is fetched, and checkpoints grow: free 2 GB, or set AHA_HOME to another disk.";
  return { name, state: "warning", found, remedy };
}

function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));
}

function run(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 10_000, env }, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: error ? stderr || error.message : stdout });
    });
  });
}

function gigabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e9).toFixed(1)} GB`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
