/** How a function is called through plain data: types of the standard library only, spelt in full. */
export type Signature = { name: string; result: string; params: string[] };

const words = new Set(
  "void bool char short int long float double signed unsigned const size_t ptrdiff_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t".split(
    " ",
  ),
);
const templates = new Set(
  "string vector deque list array pair tuple optional set multiset map unordered_map unordered_set less greater hash".split(
    " ",
  ),
);
const dropped = new Set(["static", "inline", "constexpr", "extern", "std", "noexcept"]);

/** A type respelt from its words alone, so that no text of the program's reaches the tests; undefined where it is not plain. */
function plainType(text: string): string | undefined {
  const tokens = text.match(/[A-Za-z_]\w*|::|\d+|\S/g) ?? [];
  const out: string[] = [];
  for (const token of tokens) {
    if (dropped.has(token) || token === "::") continue;
    if (templates.has(token)) out.push(`std::${token}`);
    else if (words.has(token) || /^\d+$/.test(token) || ["<", ">", ",", "&"].includes(token)) out.push(token);
    else return undefined;
  }
  return out.length === 0 ? undefined : out.join(" ").replace("& &", "&&");
}

/** Splits at commas outside of angle brackets and parentheses. */
function splitParams(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if ("<(".includes(text[i]!)) depth++;
    if (">)".includes(text[i]!)) depth--;
    if (text[i] === "," && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  const last = text.slice(from);
  return parts.length === 0 && (last.trim() === "" || last.trim() === "void") ? [] : [...parts, last];
}

/** Source without comments, texts and directives, each replaced by a space; a comment that never closes goes to the end. */
function bare(source: string): string {
  return source.replace(
    /\/\*[\s\S]*?(?:\*\/|(?![\s\S]))|\/\/[^\n]*|^[ \t]*#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/gm,
    " ",
  );
}

/** A parameter's type: without its default and its name. */
function typeOfParam(text: string): string | undefined {
  if (text.length > maxTypeChars) return undefined;
  const type = text.split("=")[0]!.replace(/\s+/g, " ").trim();
  const isNamed = /[\w>&] ?[& ] ?[A-Za-z_]\w*$/.test(type) || />[A-Za-z_]\w*$/.test(type);
  return plainType(isNamed ? type.replace(/[A-Za-z_]\w*$/, "") : type);
}

const maxTypeChars = 1000;
const isWordChar = (c: string | undefined) => c !== undefined && /\w/.test(c);

/**
 * The signatures of the functions of these names that a C++ program defines at its top level; `problem` where one's types
 * are not plain data. The last definition of a name counts. Time in proportion to the source.
 */
export function findSignatures(
  source: string,
  names: ReadonlySet<string>,
): Map<string, Signature | { problem: string }> {
  const text = bare(source);
  const found = new Map<string, Signature | { problem: string }>();
  const body = /\s*(noexcept\s*)?\{/y;
  let depth = 0;
  let from = 0; // where the declaration under the cursor begins
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "{") depth++;
    else if (c === "}") {
      depth--;
      if (depth === 0) from = i + 1;
    } else if (c === ";" && depth === 0) from = i + 1;
    if (depth !== 0 || c !== "(") continue;
    let end = i;
    while (end > from && /\s/.test(text[end - 1]!)) end--;
    let start = end;
    while (start > from && isWordChar(text[start - 1])) start--;
    const name = text.slice(start, end);
    let close = i + 1;
    for (let open = 1; close < text.length && open > 0; close++)
      open += text[close] === "(" ? 1 : text[close] === ")" ? -1 : 0;
    body.lastIndex = close;
    if (names.has(name) && body.test(text)) {
      const result = start - from > maxTypeChars ? undefined : plainType(text.slice(from, start));
      const params = splitParams(text.slice(i + 1, close - 1)).map(typeOfParam);
      const isPlain = result !== undefined && params.every((param) => param !== undefined);
      found.set(
        name,
        isPlain
          ? { name, result, params: params as string[] }
          : {
              problem: `the types of ${name} are not plain data of the standard library; a row whose tests need such types says live: true`,
            },
      );
    }
    i = close - 1;
  }
  return found;
}
