import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { type Limits, type Sandbox, startSandbox } from "#sandbox";
import { type Ending, onLine, type Side, type Speaker } from "./bridge.ts";

/** An interpreter that has started and waits for test code, which it runs in a fork of itself, one piece at a time. */
type Server = {
  key: string;
  sandbox: Sandbox;
  hear: (line: string) => void;
  /** What the next specification begins with; no program and no earlier piece of work knows it. */
  word: string;
  numPieces: number;
};

const idle: Server[] = [];
const idleMs = 60_000;
type WarmLimits = Partial<Limits> & Pick<Limits, "cpuMs" | "wallMs">;
/** A fork that has said its verdict and does not end is ended with its server. */
const lateMs = 1000;

function startServer(key: string, side: Side, limits: Partial<Limits>): Server {
  const { files, toolchain } = side;
  const { mounts, env } = toolchain;
  const word = randomUUID();
  const command = [...side.command, word];
  // What the kernel counts per process starts at zero in each fork; the watcher's counts are renewed for each piece.
  const sandbox = startSandbox({ command, files, mounts, env, limits: { ...limits, cpuMs: 3_600_000 } });
  const server: Server = { key, sandbox, hear: () => {}, word, numPieces: 0 };
  onLine(sandbox, (line) => server.hear(line));
  void sandbox.result.then(() => {
    if (idle.includes(server)) idle.splice(idle.indexOf(server), 1);
  });
  return server;
}

/** Keeps a server for the next tests, one for each program that runs at once. */
function park(server: Server): void {
  server.hear = () => {};
  const isAlive = server.sandbox.renew({ cpuMs: idleMs, wallMs: idleMs });
  if (!isAlive || idle.length >= availableParallelism()) server.sandbox.stop();
  else idle.push(server);
}

function take(key: string, side: Side, limits: WarmLimits, isFresh: boolean): Server {
  for (const server of isFresh ? [] : idle.filter((one) => one.key === key).reverse()) {
    idle.splice(idle.indexOf(server), 1);
    if (server.sandbox.renew(limits)) return server;
  }
  const server = startServer(key, side, limits);
  server.sandbox.renew(limits);
  return server;
}

/**
 * Runs test code in a server that has already started, or starts one: half of what a short grading costs is the tests'
 * interpreter. Only tests come here, never a program; what goes wrong in any way takes the server with it. The
 * specification goes in behind a word and its length; it holds the word that makes a verdict this piece's and that the
 * next specification begins with. The server says N when nothing of the piece is left.
 * @param isFresh start a server that has not run anything.
 */
export function startWarm(
  side: Side,
  limits: WarmLimits,
  spec: object,
  isFresh = false,
): Speaker & { isUsed: boolean } {
  const server = take(JSON.stringify([side.command, limits.memoryBytes]), side, limits, isFresh);
  const { sandbox } = server;
  const say = (text: string) => void sandbox.input?.write(text);
  const word = randomUUID();
  const text = JSON.stringify({ ...spec, word });
  say(`${server.word} ${Buffer.byteLength(text)}\n${text}`);
  server.word = word;

  let listener: (line: string) => void = () => {};
  let late: NodeJS.Timeout | undefined;
  let hasStopped = false;
  let isOver = false;
  const result = new Promise<Ending>((resolve) => {
    server.hear = (line) => {
      if (line === "N") {
        clearTimeout(late);
        if (!hasStopped || sandbox.input?.writableLength !== 0) return sandbox.stop();
        park(server);
        resolve({ end: "stopped", exitCode: undefined, stderr: Buffer.alloc(0), cpuMs: 0 });
      } else if (!hasStopped) {
        if (line.startsWith(`V${word}`)) listener(`V${line.slice(1 + word.length)}`);
        else if (line.startsWith("C")) listener(line);
        if (isOver && line.startsWith("C")) say("\n");
      }
    };
    void sandbox.result.then(resolve);
  });
  return {
    isUsed: server.numPieces++ > 0,
    write: (line) => {
      if (!hasStopped) say(line);
    },
    // An empty line is the reply of a program that is gone.
    end: () => {
      isOver = true;
      if (!hasStopped) say("\n");
    },
    onLine: (hear) => {
      listener = hear;
    },
    stop: () => {
      if (hasStopped) return;
      hasStopped = true;
      late = setTimeout(() => sandbox.stop(), lateMs);
    },
    result,
  };
}
