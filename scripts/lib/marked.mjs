import { readFileSync, writeFileSync } from "node:fs";

/** Puts `text` between `<!-- begin -->` and `<!-- end -->` of a page. */
export function replaceMarked(path, begin, end, text) {
  const page = readFileSync(path, "utf8");
  const [first, last] = [`<!-- ${begin} -->`, `<!-- ${end} -->`];
  const [from, to] = [page.indexOf(first), page.indexOf(last)];
  if (from < 0 || to < from)
    throw new Error(`${path}: no "${first}" … "${last}". Put the two marks where the table goes.`);
  writeFileSync(path, `${page.slice(0, from + first.length)}\n${text}\n${page.slice(to)}`);
}
