import { isRecord, isSameValue, Marked, type Rule, ruleOf } from "./setting-rules.ts";
import { formatValue, UserError } from "./user-error.ts";

/** A part of a configuration: any of its settings, at any depth. */
export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends Record<string, unknown>
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;

type Config = Record<string, unknown>;

/**
 * Where a record keeps the rule of one of its settings: a symbol, which spreading copies, so that `{ ...grpoConfig(), steps: 5 }`
 * keeps its choices, and one for each name, so that a record of two others has the rules of both.
 */
const ruleKey = (name: string) => Symbol.for(`aha rule of ${name}`);
type Ruled = Config & Record<symbol, Rule>;

/** What is wrong with settings of a group beside each other, as a sentence; undefined where they fit. */
export type GroupRule<C> = (group: C) => string | undefined;

/** Where a record keeps the rule of the whole group; spreading copies it, too. */
const groupRuleKey = Symbol.for("aha rule of the group");
type GroupRuled = { [groupRuleKey]?: GroupRule<Config> };

/**
 * Turns a record of defaults into plain values whose rules (`oneOf`, `count`, `within`, `optional`) are remembered, and `rule`,
 * which all of them beside each other keep. The defaults are the schema: what is not in them cannot be set. Throws when they
 * break a rule of their own.
 */
export function settings<C extends Config>(defaults: C, rule?: GroupRule<C>): C {
  const all = rule === undefined ? defaults : { ...defaults, [groupRuleKey]: rule };
  return keepingGroupRules(resolve(all, []), "settings") as C;
}

/** The same settings. Throws a UserError for the first group of them whose rule is broken; `where` opens the message. */
function keepingGroupRules<C extends Config>(config: C, where: string, path: string[] = []): C {
  const wrong = (config as GroupRuled)[groupRuleKey]?.(config);
  if (wrong !== undefined)
    throw new UserError(`${[where, ...(path.length > 0 ? [path.join(".")] : [])].join(": ")}: ${wrong}`);
  for (const [name, value] of Object.entries(config)) {
    if (isRecord(value)) keepingGroupRules(value, where, [...path, name]);
  }
  return config;
}

function resolve(defaults: Config, path: string[]): Ruled {
  const entries = Object.entries(defaults).flatMap(([name, given]): [string | symbol, unknown][] => {
    const here = [...path, name];
    if (isRecord(given)) return [[name, resolve(given, here)]];
    const value = given instanceof Marked ? given.value : given;
    const own = given instanceof Marked ? given.rule : (defaults as Ruled)[ruleKey(name)];
    const rule = own ?? ruleOf(value);
    if (rule === undefined) {
      throw new UserError(
        `setting ${here.join(".")}: its default ${String(value)} tells no type. Use optional("number") or another plain value.`,
      );
    }
    if (!rule.accepts(value)) {
      throw new UserError(
        `setting ${here.join(".")}: its default is ${formatValue(value)}. Expected ${rule.expected}.`,
      );
    }
    return own === undefined ? [[name, value]] : [[name, value], [ruleKey(name), own]]; // biome-ignore format: one line
  });
  const { [groupRuleKey]: whole } = defaults as GroupRuled;
  return { ...Object.fromEntries(entries), ...(whole !== undefined && { [groupRuleKey]: whole }) } as Ruled;
}

/**
 * A copy of `defaults` with `path.to.setting=value` texts applied, as `--set` gives them.
 * Throws a UserError that names the setting and the nearest right one, or what its value may be.
 */
export function applyOverrides<C extends Config>(defaults: C, overrides: readonly string[]): C {
  const seen = new Map<string, string>();
  let config = settings(defaults);
  for (const override of overrides) {
    const where = `--set ${override}`;
    const equals = override.indexOf("=");
    if (equals < 1)
      throw new UserError(`${where}: no value. Write --set ${override.replace(/=.*/, "") || "name"}=VALUE.`);
    const path = override.slice(0, equals);
    const before = seen.get(path);
    if (before !== undefined) throw new UserError(`${where}: set twice (${before} before). Give it once.`);
    seen.set(path, override);
    config = setText(config, config, path.split("."), [], override.slice(equals + 1), where) as C;
  }
  return keepingGroupRules(config, "--set");
}

/** Applies one text at `path`, copying the records on the way down. */
function setText(root: Config, config: Ruled, path: string[], above: string[], text: string, where: string): Ruled {
  const [name = "", ...rest] = path;
  if (!Object.hasOwn(config, name)) throw new UserError(`${where}: ${unknownSetting(root, config, name)}`);
  const current = config[name];
  const full = [...above, name].join(".");
  if (isRecord(current)) {
    if (rest.length === 0) {
      const example = Object.keys(current)[0] ?? "name";
      throw new UserError(
        `${where}: "${full}" is a group of settings. Set one of them, as in ${full}.${example}=VALUE. Here: ${names(current)}.`,
      );
    }
    return replaced(config, name, setText(root, current, rest, [...above, name], text, where));
  }
  if (rest.length > 0) throw new UserError(`${where}: "${full}" is a setting, not a group. Write --set ${full}=VALUE.`);
  const rule = ruleFor(config, name);
  const read = rule.read(text);
  if (read === undefined)
    throw new UserError(`${where}: "${text}" is not ${rule.expected}. The default is ${formatValue(current)}.`);
  return replaced(config, name, read.value);
}

/**
 * A copy of `defaults` with the settings of `partial` in place. Throws a UserError for an unknown name or a value
 * that is not what the default's type and rule, or its group's, allow; `where` opens the message.
 */
export function applyPartial<C extends Config>(defaults: C, partial: DeepPartial<C>, where = "config"): C {
  const root = settings(defaults);
  return keepingGroupRules(merge(root, root, partial as Config, [], where), where) as C;
}

function merge(root: Config, config: Ruled, partial: Config, above: string[], where: string): Ruled {
  let result = config;
  for (const [name, value] of Object.entries(partial)) {
    const full = [...above, name].join(".");
    if (!Object.hasOwn(config, name)) throw new UserError(`${where}: ${full}: ${unknownSetting(root, config, name)}`);
    const current = config[name];
    if (isRecord(current)) {
      if (!isRecord(value))
        throw new UserError(`${where}: ${full} is ${formatValue(value)}. Expected a record of: ${names(current)}.`);
      result = replaced(result, name, merge(root, current, value, [...above, name], where));
      continue;
    }
    const rule = ruleFor(config, name);
    const plain = value instanceof Marked ? value.value : value;
    if (!rule.accepts(plain)) {
      const shown = typeof plain === "string" ? JSON.stringify(plain) : formatValue(plain);
      throw new UserError(`${where}: ${full} is ${shown}. Expected ${rule.expected}.`);
    }
    result = replaced(result, name, plain);
  }
  return result;
}

/** A copy with one value changed; a setting called __proto__ is an ordinary one here. */
const replaced = (config: Ruled, name: string, value: unknown): Ruled => ({ ...config, [name]: value }) as Ruled;

const ruleFor = (config: Ruled, name: string): Rule => config[ruleKey(name)] ?? ruleOf(config[name])!;

/** A changed setting: its path and both values. */
export type Change = { path: string; before: unknown; after: unknown };

/** Settings that differ between two configurations, depth first, in the order of the first. */
export function diffConfigs(before: Config, after: Config, above = ""): Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => {
    const path = above === "" ? key : `${above}.${key}`;
    const [a, b] = [before[key], after[key]];
    if (isRecord(a) && isRecord(b)) return diffConfigs(a, b, path);
    return isSameValue(a, b) ? [] : [{ path, before: a, after: b }];
  });
}

/** "reasoning.lr 1e-6 → 2e-6" */
export const formatChange = ({ path, before, after }: Change): string =>
  `${path} ${formatValue(before)} → ${formatValue(after)}`;

function names(config: Config): string {
  const all = Object.keys(config);
  return all.length > 12 ? `${all.slice(0, 12).join(", ")}, …` : all.join(", ") || "(none)";
}

function unknownSetting(root: Config, config: Config, name: string): string {
  const near = nearest(name, Object.keys(config)) ?? elsewhere(root, name);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `no such setting.${hint} Here: ${names(config)}.`;
}

/** The full path of a setting of this name in another group. */
function elsewhere(config: Config, name: string, above = ""): string | undefined {
  for (const [key, value] of Object.entries(config)) {
    const path = above === "" ? key : `${above}.${key}`;
    if (above !== "" && key.toLowerCase() === name.toLowerCase()) return path;
    const inside = isRecord(value) ? elsewhere(value, name, path) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** The candidate fewest edits away from `name`, when that is at most a third of its letters (and two). */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const allowed = Math.max(2, Math.floor(name.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= allowed && edits < candidate.length)
    .sort((a, b) => a.edits - b.edits);
  return ranked[0]?.candidate;
}

/** Levenshtein distance: insertions, deletions and replacements. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
