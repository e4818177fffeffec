/** Spelling only: what Unicode, typographers, Markdown and careless escaping do to a formula is undone before it is read. */

const SUPERSCRIPTS: Record<string, string> = {
  "⁰": "0",
  "¹": "1",
  "²": "2",
  "³": "3",
  "⁴": "4",
  "⁵": "5",
  "⁶": "6",
  "⁷": "7",
  "⁸": "8",
  "⁹": "9",
  "⁺": "+",
  "⁻": "-",
  ⁿ: "n",
  "⁽": "(",
  "⁾": ")",
  ˣ: "x",
};
const SUBSCRIPTS: Record<string, string> = {
  "₀": "0",
  "₁": "1",
  "₂": "2",
  "₃": "3",
  "₄": "4",
  "₅": "5",
  "₆": "6",
  "₇": "7",
  "₈": "8",
  "₉": "9",
  ₙ: "n",
  ᵢ: "i",
  ₖ: "k",
  ₓ: "x",
};
const FRACTIONS: Record<string, string> = {
  "½": "1}{2",
  "⅓": "1}{3",
  "⅔": "2}{3",
  "¼": "1}{4",
  "¾": "3}{4",
  "⅕": "1}{5",
  "⅖": "2}{5",
  "⅗": "3}{5",
  "⅘": "4}{5",
  "⅙": "1}{6",
  "⅚": "5}{6",
  "⅛": "1}{8",
  "⅜": "3}{8",
  "⅝": "5}{8",
  "⅞": "7}{8",
};
const SIGNS: Record<string, string> = {
  "×": "\\times ",
  "✕": "\\times ",
  "⋅": "\\cdot ",
  "·": "\\cdot ",
  "∙": "\\cdot ",
  "•": "\\cdot ",
  "÷": "\\div ",
  "∗": "*",
  "−": "-",
  "–": "-",
  "—": "-",
  "‐": "-",
  "‑": "-",
  "‒": "-",
  "﹣": "-",
  "－": "-",
  "⁄": "/",
  "∕": "/",
  "／": "/",
  "√": "\\sqrt ",
  "∛": "\\sqrt[3] ",
  "∜": "\\sqrt[4] ",
  π: "\\pi ",
  "∞": "\\infty ",
  "≤": "\\le ",
  "≥": "\\ge ",
  "⩽": "\\le ",
  "⩾": "\\ge ",
  "≦": "\\le ",
  "≧": "\\ge ",
  "≠": "\\ne ",
  "≈": "\\approx ",
  "≅": "\\cong ",
  "≡": "\\equiv ",
  "∼": "\\sim ",
  "∪": "\\cup ",
  "⋃": "\\cup ",
  "∩": "\\cap ",
  "⋂": "\\cap ",
  "∈": "\\in ",
  "∉": "\\notin ",
  "⊂": "\\subset ",
  "⊆": "\\subseteq ",
  "∅": "\\emptyset ",
  Ø: "\\emptyset ",
  ø: "\\emptyset ",
  "∖": "\\setminus ",
  "°": "^\\circ ",
  º: "^\\circ ",
  "˚": "^\\circ ",
  "℃": "^\\circ C",
  "±": "\\pm ",
  "∓": "\\mp ",
  "→": "\\to ",
  "⟶": "\\to ",
  "⇒": "\\Rightarrow ",
  "⟹": "\\Rightarrow ",
  "⇔": "\\iff ",
  "∧": "\\land ",
  "∨": "\\lor ",
  "¬": "\\neg ",
  "∠": "\\angle ",
  "△": "\\triangle ",
  "∑": "\\sum ",
  "∏": "\\prod ",
  "∫": "\\int ",
  "∂": "\\partial ",
  "∇": "\\nabla ",
  "∀": "\\forall ",
  "∃": "\\exists ",
  "⊥": "\\perp ",
  "∥": "\\parallel ",
  "∣": "|",
  "∶": ":",
  "⌊": "\\lfloor ",
  "⌋": "\\rfloor ",
  "⌈": "\\lceil ",
  "⌉": "\\rceil ",
  "⟨": "\\langle ",
  "⟩": "\\rangle ",
  "〈": "\\langle ",
  "〉": "\\rangle ",
  "…": "\\ldots ",
  "⋯": "\\cdots ",
  "′": "'",
  "’": "'",
  "‘": "'",
  "“": '"',
  "”": '"',
  "，": ",",
  "、": ",",
  "؛": ";",
  "،": ",",
  "。": ".",
  "．": ".",
  "【": "[",
  "】": "]",
  "「": "",
  "」": "",
  "《": "",
  "》": "",
  "٪": "\\%",
  "٫": ".",
  "٬": ",",
  "€": "\\euro ",
  "£": "\\pounds ",
  "¥": "\\yen ",
  "￥": "\\yen ",
  "₹": "\\yen ",
  "₽": "\\yen ",
  元: " yuan",
  "¢": " cents",
  ℝ: "\\mathbb{R}",
  ℤ: "\\mathbb{Z}",
  ℕ: "\\mathbb{N}",
  ℚ: "\\mathbb{Q}",
  ℂ: "\\mathbb{C}",
  "\u00a0": " ",
  "\u2002": " ",
  "\u2003": " ",
  "\u2009": " ",
  "\u200a": " ",
  "\u202f": " ",
  "\u3000": " ",
  "\u2061": " ",
  "\u2062": " ",
  "\u200b": "",
  "\u200c": "",
  "\u200d": "",
  "\u200e": "",
  "\u200f": "",
  "\u202a": "",
  "\u202b": "",
  "\u202c": "",
  "\u202d": "",
  "\u202e": "",
  "\u2066": "",
  "\u2067": "",
  "\u2068": "",
  "\u2069": "",
  "\ufeff": "",
  "\u00ad": "",
};
const GREEK_NAMES =
  "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon phi chi psi omega".split(
    " ",
  );
for (const [index, name] of GREEK_NAMES.entries()) {
  SIGNS[String.fromCodePoint(0x3b1 + index)] ??= `\\${name} `;
  if ("Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".includes(name[0]!.toUpperCase() + name.slice(1)))
    SIGNS[String.fromCodePoint(0x391 + index)] ??= `\\${name[0]!.toUpperCase()}${name.slice(1)} `;
}
SIGNS.ϕ = "\\phi ";
SIGNS.ϵ = "\\epsilon ";
SIGNS.ϑ = "\\theta ";

/** The decimal digit a code point stands for in a script whose digits are a block of ten, or undefined. */
function digitOf(code: number): number | undefined {
  for (const zero of [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50, 0xff10])
    if (code >= zero && code < zero + 10) return code - zero;
  if (code >= 0x1d7ce && code <= 0x1d7ff) return (code - 0x1d7ce) % 10;
  return undefined;
}

/** ASCII and LaTeX for every Unicode sign that has one; all else is kept. Linear in the length of the text. */
export function toAscii(text: string): string {
  if (!/[^\x20-\x7e]/.test(text)) return text;
  const out: string[] = [];
  let run: { kind: "^" | "_"; text: string } | undefined;
  const flush = (): void => {
    if (run) out.push(`${run.kind}{${run.text}}`);
    run = undefined;
  };
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const kind = char in SUPERSCRIPTS ? "^" : char in SUBSCRIPTS ? "_" : undefined;
    if (kind) {
      if (run?.kind !== kind) flush();
      run ??= { kind, text: "" };
      run.text += kind === "^" ? SUPERSCRIPTS[char] : SUBSCRIPTS[char];
      continue;
    }
    flush();
    if (code >= 0x20 && code <= 0x7e) out.push(char);
    else if (code < 0x20 || code === 0x7f) out.push(" ");
    else if (char in FRACTIONS) out.push(`\\frac{${FRACTIONS[char]}}`);
    else if (char in SIGNS) out.push(SIGNS[char]!);
    else {
      const digit = digitOf(code);
      if (digit !== undefined) out.push(String(digit));
      else if (code >= 0xff01 && code <= 0xff5e) out.push(String.fromCodePoint(code - 0xfee0));
      else out.push(char);
    }
  }
  flush();
  return out.join("");
}

const BROKEN_ESCAPE =
  /\\\\(?=(?:left|right|d?frac|tfrac|sqrt|boxed|pi|text|cdot|times|le|ge|leq|geq|infty|cup|pm|mathrm|mathbf|binom|circ|sin|cos|tan|ln|log|theta|alpha|beta|quad)(?![a-z]))/g;

/** 5th, 5^{th}, 5^{\\text{th}}, 5\\text{th} */
const ORDINAL =
  /(\d)(?:\^\{\s*(?:\\(?:text|mathrm|textrm)\s*\{\s*(?:st|nd|rd|th)\s*\}|(?:st|nd|rd|th))\s*\}|\^?\\(?:text|mathrm|textrm)\s*\{\s*(?:st|nd|rd|th)\s*\}|(?:st|nd|rd|th)(?![a-zA-Z(]))/g;

/**
 * One spelling for a bare answer: Unicode to LaTeX, Markdown emphasis, formula delimiters, doubled backslashes and closing punctuation gone.
 */
export function cleanFormula(raw: string): string {
  let text = toAscii(raw).trim();
  if (text.includes("\\\\") && !text.includes("\\begin")) text = text.replace(BROKEN_ESCAPE, "\\");
  if (text.includes(", dir='")) text = text.replace(/, dir='[+-]{1,2}'/g, "");
  if (text.includes("**") && !/[A-Za-z0-9)}]\s*\*\*\s*[-A-Za-z0-9({\\]/.test(text)) text = text.replaceAll("**", " ");
  text = text
    .replaceAll("\\(", " ")
    .replaceAll("\\)", " ")
    .replaceAll("\\[", " ")
    .replaceAll("\\]", " ")
    .replaceAll("`", "'");
  text = text.trim().replace(ORDINAL, "$1");
  // Closing punctuation, and what a cut sentence leaves; never the dot of \right. nor a factorial.
  for (;;) {
    const last = text.at(-1);
    if (last === undefined) return text;
    const isDot = last === "." && !text.endsWith("\\right.") && !text.endsWith("\\left.");
    if (
      isDot ||
      last === "," ||
      last === ";" ||
      last === ":" ||
      last === "?" ||
      (last === "\\" && !text.endsWith("\\\\")) ||
      /\s/.test(last)
    )
      text = text.slice(0, -1);
    else if (text.endsWith("\\\\")) text = text.slice(0, -2);
    else return text;
  }
}

/** A single \variable{name}: the name is its text. */
const NAMED = /^\\variable\{((?:[^{}]|\{[^{}]*\})*)\}$/;

/** The key under which two answers are the same string: no spaces, no styling, no case of words. */
export function stringKey(clean: string): string {
  return clean
    .replace(NAMED, "$1")
    .replace(/\\(?:left|right|displaystyle|mleft|mright|,|;|:|!|quad|qquad)(?![a-zA-Z])/g, "")
    .replace(/\\[dt]frac(?![a-zA-Z])/g, "\\frac")
    .replace(/\\(?:text|mbox|mathrm|textbf|textit|textrm)\s*\{([^{}]*)\}/g, "$1")
    .replace(/[\s$~]+/g, (gap, at: number, text: string) =>
      // "20 24" is not 2024.
      isDigit(text[at - 1]) && isDigit(text[at + gap.length]) ? " " : "",
    );
}

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= "0" && char <= "9";
