/**
 * Writes the folders `ours-*`: reward models made and saved by aha, for transformers to load (see generate.py).
 *
 *     node --conditions=aha-src --import tsx test/golden/reward/write.mts
 */
import { join } from "node:path";
import { oursFolders, writeOurs } from "./ours.ts";

for (const name of oursFolders) writeOurs(name, join(import.meta.dirname, name));
