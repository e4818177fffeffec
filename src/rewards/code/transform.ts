import { transform } from "esbuild";

/**
 * JavaScript that Node runs as a script: types stripped (not checked), modules turned into CommonJS. `error` is the
 * parser's where the text is not a program.
 */
export async function toJavascript(
  source: string,
  language: "typescript" | "javascript",
): Promise<{ code: string } | { error: string }> {
  const isModule = /^[ \t]*(import\b(?!\s*\()|export\b)/m.test(source);
  if (language === "javascript" && !isModule) return { code: source };
  try {
    const { code } = await transform(source, {
      loader: language === "typescript" ? "ts" : "js",
      format: isModule ? "cjs" : undefined,
      target: "es2022",
      platform: "node",
      logLevel: "silent",
      tsconfigRaw: "{}",
    });
    return { code };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
