export { decontaminate, type NgramIndex, ngramIndex, paperNgram, textsOf } from "./decontaminate.ts";
export { type HubOptions, resolveData } from "./hub.ts";
export { readJson } from "./json.ts";
export { countRows, readJsonl, writeJsonl } from "./jsonl.ts";
export { readParquet } from "./parquet.ts";
export { writeParquet } from "./parquet-write.ts";
export { at, field, placeOf, type Row } from "./row.ts";
export { readAllRows, readRows } from "./rows.ts";
export { writeRows } from "./write-rows.ts";
