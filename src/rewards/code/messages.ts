import type { Grade } from "../types.ts";
import type { CodeJob } from "./types.ts";

export type ToHost = { id: number; job: CodeJob };

/** `refused`: programs cannot be run on this machine; the text says why and what to do. */
export type FromHost = { id: number; grade: Grade } | { id: number; refused: string };

/** What a host at work says every few seconds. */
export type Heartbeat = "alive";
