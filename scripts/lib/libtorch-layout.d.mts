/** Reads a folder with include/ and lib/; `problem` says why there is no libtorch in it. */
export function readLibtorch(dir: string, source: string): { problem: string } | { dir: string; version: string };
