import { type Expr, type Group, mapParts, negate, number, type Relation, some, symbol, symbolsOf } from "./ast.ts";
import { charge } from "./budget.ts";
import { substitute } from "./evaluate.ts";
import { type Interval, toIntervals } from "./intervals.ts";
import { compareEquations, compareInequalities, isName, readAssignment } from "./relations.ts";
import { compareScalars, type Outcome } from "./scalar.ts";
import { compareNumerals, comparePercent, compareRatios, compareResidues } from "./special-forms.ts";
import { readPhrase, textKey } from "./text.ts";
import { areOfOneUnit, parseUnit } from "./units.ts";

/** Asked about two scalars that neither exact nor numeric means decide. */
export type Oracle = (gold: Expr, answer: Expr) => Outcome;

export type CompareOptions = {
  readonly oracle?: Oracle | undefined;
  /** Names must agree: y = 2x is not f(x) = 2x, f(y) not f(x), 3 cm not 3. */
  readonly isStrict: boolean;
  /** Places after the point to which a decimal need only agree, instead of its stated precision. */
  readonly decimals?: number | undefined;
};

/** The most items of two unordered lists that are matched pair by pair. */
const MAX_ITEMS = 64;
/** What comparing two parts costs of the budget, beside what their values cost. */
const COMPARE_WORK = 20;

/** Whether two parsed answers state the same thing. "unknown" is neither: see Outcome. */
export function compareValues(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  const outcome = compare(prepare(gold), prepare(answer), options);
  if (outcome !== "different") return outcome;
  const [left, right] = [withNamedParameter(gold), withNamedParameter(answer)];
  return left && right ? compare(prepare(left), prepare(right), options) : outcome;
}

/** "π + kπ, k ∈ ℤ" with its parameter under one name for all, as n ∈ ℤ says the same; undefined without one. */
function withNamedParameter(e: Expr): Expr | undefined {
  const condition = e.kind === "list" ? e.items.find(isParameterCondition) : undefined;
  const name =
    condition?.kind === "relation" && condition.sides[0]!.kind === "symbol" ? condition.sides[0]!.name : undefined;
  return name === undefined ? undefined : substitute(e, name, symbol("parameter"));
}

/** Phrases become formulas, ± becomes two values, conditions on parameters go. */
function prepare(e: Expr): Expr {
  if (e.kind === "text") return readPhrase(e.text);
  const expanded = expandSigns(e);
  if (expanded.kind !== "list") return expanded;
  const kept = expanded.items.filter((item) => !isParameterCondition(item));
  return kept.length === 1 ? kept[0]! : kept.length === 0 ? expanded : { kind: "list", items: kept };
}

/** "k ∈ ℤ" beside a formula with k says nothing the formula does not. */
const isParameterCondition = (e: Expr): boolean =>
  e.kind === "relation" &&
  e.signs[0] === "in" &&
  e.sides[0]!.kind === "symbol" &&
  e.sides[1]!.kind === "symbol" &&
  /^(?:Integers|Naturals|Z|N)/.test(e.sides[1]!.name);

/** 1 ± √2 is two values; ± and ∓ in one expression go together. */
function expandSigns(e: Expr): Expr {
  const isSign = (part: Expr): boolean => part.kind === "call" && (part.name === "pm" || part.name === "mp");
  if (!some(e, isSign)) return e;
  if (e.kind === "list" || e.kind === "set") {
    const items = e.items.flatMap((item) => {
      const expanded = expandSigns(item);
      return expanded.kind === "list" ? expanded.items : [expanded];
    });
    return { ...e, items };
  }
  const choose = (part: Expr, isPlus: boolean): Expr => {
    const inner = mapParts(part, (child) => choose(child, isPlus));
    if (!isSign(inner) || inner.kind !== "call") return inner;
    return (inner.name === "pm") === isPlus ? inner.args[0]! : negate(inner.args[0]!);
  };
  return { kind: "list", items: [choose(e, true), choose(e, false)] };
}

function compare(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  if (!charge(COMPARE_WORK)) return "unknown";
  if (gold.kind === "text" || answer.kind === "text") return compareTexts(gold, answer);
  if (gold.kind === "quantity" || answer.kind === "quantity") return compareQuantities(gold, answer, options);
  if (gold.kind === "relation" || answer.kind === "relation") return compareWithRelation(gold, answer, options);
  if (gold.kind === "list" || answer.kind === "list" || (gold.kind === "set" && answer.kind === "set"))
    return compareLists(gold, answer, options);
  if (
    gold.kind === "setOperation" ||
    answer.kind === "setOperation" ||
    gold.kind === "setBuilder" ||
    answer.kind === "setBuilder"
  )
    return compareSets(gold, answer, options);
  if (gold.kind === "matrix" || answer.kind === "matrix") return compareMatrices(gold, answer, options);
  if (gold.kind === "group" || answer.kind === "group") return compareGroups(gold, answer, options);
  if (gold.kind === "ratio" && answer.kind === "ratio" && gold.items.length === answer.items.length)
    return compareRatios(gold.items, answer.items);
  if (gold.kind === "numeral" || answer.kind === "numeral") return compareNumerals(gold, answer);
  const isEmpty = (e: Expr): boolean =>
    (e.kind === "constant" && e.name === "emptyset") || (e.kind === "set" && e.items.length === 0);
  if (isEmpty(gold) || isEmpty(answer)) return isEmpty(gold) && isEmpty(answer) ? "equal" : "different";
  if (gold.kind === "set" || answer.kind === "set") return compareWithSet(gold, answer, options);
  const residue = compareResidues(gold, answer);
  if (residue) return residue;
  const percent = comparePercent(gold, answer);
  if (percent) return percent;
  if (isPlaceholder(gold) && isPlaceholder(answer) && !options.isStrict) return "equal";
  const outcome = compareScalars(gold, answer, options.decimals);
  return outcome === "unknown" && options.oracle ? options.oracle(gold, answer) : outcome;
}

/** f(x) and f(y): the argument of an unknown function is a name for any argument. */
const isPlaceholder = (e: Expr): boolean =>
  e.kind === "call" && /^[fgh]$/.test(e.name) && e.args.length === 1 && e.args[0]!.kind === "symbol";

function compareTexts(gold: Expr, answer: Expr): Outcome {
  if (gold.kind === "text" && answer.kind === "text")
    return textKey(gold.text) === textKey(answer.text) ? "equal" : "different";
  const [text, other] = gold.kind === "text" ? [gold, answer] : [answer as Extract<Expr, { kind: "text" }>, gold];
  if (other.kind === "relation") {
    // "f(x) = x": a name and a text value.
    const truth = /^(?:true|false)$/i.test(text.text) ? truthOf(other) : undefined;
    if (truth !== undefined) return truth === (text.text.toLowerCase() === "true") ? "equal" : "different";
    const assignment = readAssignment(other);
    return assignment?.value.kind === "text" && textKey(assignment.value.text) === textKey(text.text)
      ? "equal"
      : "different";
  }
  // A product of letters and a word: "abc" in a formula, "abc" in text.
  const letters = lettersOf(other);
  return letters !== undefined && textKey(letters) === textKey(text.text) ? "equal" : "different";
}

/** "Red" read as R·e·d. */
function lettersOf(e: Expr): string | undefined {
  if (e.kind === "symbol" || e.kind === "constant") return e.name;
  if (e.kind !== "product") return undefined;
  const parts = e.factors.map(lettersOf);
  return parts.every((part) => part !== undefined) ? parts.join("") : undefined;
}

/** Whether a statement without unknowns holds: {1} ⊆ {1, 2}, 2 + 2 = 4. */
function truthOf({ sides, signs }: Relation): boolean | undefined {
  const [left, right] = sides;
  if (sides.length !== 2 || symbolsOf(left!).size + symbolsOf(right!).size > 0) return undefined;
  const options: CompareOptions = { isStrict: true };
  if (signs[0] === "subset" || signs[0] === "in")
    return itemsOf(left!).every((item) => itemsOf(right!).some((other) => compare(item, other, options) === "equal"));
  return signs[0] === "=" ? compare(left!, right!, options) === "equal" : undefined;
}

/** Known units must agree after conversion; other words beside a number do not count, unless strict. */
function compareQuantities(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  const [goldValue, goldWords] = gold.kind === "quantity" ? [gold.value, gold.unit] : [gold, ""];
  const [answerValue, answerWords] = answer.kind === "quantity" ? [answer.value, answer.unit] : [answer, ""];
  // "3 t" beside 3t: the letter is an unknown after all.
  for (const [quantity, other] of [
    [gold, answer],
    [answer, gold],
  ] as const) {
    if (
      quantity.kind !== "quantity" ||
      quantity.unit.length !== 1 ||
      other.kind === "quantity" ||
      !symbolsOf(other).has(quantity.unit)
    )
      continue;
    const asProduct: Expr = { kind: "product", factors: [quantity.value, symbol(quantity.unit)] };
    return quantity === gold ? compare(asProduct, answer, options) : compare(gold, asProduct, options);
  }
  const goldUnit = goldWords ? parseUnit(goldWords) : undefined;
  const answerUnit = answerWords ? parseUnit(answerWords) : undefined;
  if (goldUnit && answerUnit) {
    if (goldUnit.dimensions !== answerUnit.dimensions)
      return options.isStrict || !areOfOneUnit(goldUnit, answerUnit)
        ? "different"
        : compare(goldValue, answerValue, options);
    const same = compare(goldValue, answerValue, options);
    const isSameFactor = goldUnit.factor.num * answerUnit.factor.den === answerUnit.factor.num * goldUnit.factor.den;
    if (isSameFactor) return same;
    const inBase = (value: Expr, factor: typeof goldUnit.factor): Expr => ({
      kind: "product",
      factors: [value, number(factor)],
    });
    return compareScalars(inBase(goldValue, goldUnit.factor), inBase(answerValue, answerUnit.factor));
  }
  if (goldWords && answerWords) {
    const halves = [goldWords, answerWords].map((words) => /\b([ap])\.?\s?m\b/i.exec(words)?.[1]?.toLowerCase());
    if (halves[0] && halves[1] && halves[0] !== halves[1]) return "different";
  }
  // A time of day is no ratio: 10:15 AM is not 2/3, but 5 PM may be answered by 5.
  for (const [value, words, other] of [
    [goldValue, goldWords, answerValue],
    [answerValue, answerWords, goldValue],
  ] as const) {
    if (/^[ap]m$/.test(words) && value.kind === "ratio" && other.kind !== "ratio") {
      const [hours, minutes] = value.items;
      return minutes?.kind === "number" && minutes.value.num === 0n ? compareScalars(hours!, other) : "different";
    }
  }
  if (options.isStrict && (goldUnit !== undefined) !== (answerUnit !== undefined)) return "different";
  return compare(goldValue, answerValue, options);
}

function compareWithRelation(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  const goldAssignment = gold.kind === "relation" ? readAssignment(gold) : undefined;
  const answerAssignment = answer.kind === "relation" ? readAssignment(answer) : undefined;
  if (goldAssignment && answerAssignment) {
    const [g, a] = renameArgument(goldAssignment, answerAssignment);
    const sameName = compare(g.name, a.name, options) === "equal";
    if (!sameName && isLetter(g.name) && isLetter(a.name) && !isSameLetter(g.name, a.name)) return "different";
    const same = compareAssigned(g, a, options);
    if (same === "equal" && (sameName || !options.isStrict)) return "equal";
    return compareEquations(gold as Relation, answer as Relation) === "equal"
      ? "equal"
      : same === "equal"
        ? "different"
        : same;
  }
  if (gold.kind === "relation" && answer.kind === "relation") {
    const equations = compareEquations(gold, answer);
    if (equations === "equal" || (equations === "different" && !goldAssignment && !answerAssignment)) return equations;
    const inequalities = compareInequalities(gold, answer);
    if (inequalities !== "unknown") return inequalities;
    const asSets = compareIntervals(toIntervals(gold), toIntervals(answer));
    if (asSets) return asSets;
    return compareSides(gold, answer, options);
  }
  const relation = (gold.kind === "relation" ? gold : answer) as Relation;
  const other = gold.kind === "relation" ? answer : gold;
  const assignment = goldAssignment ?? answerAssignment;
  if (assignment) {
    if (options.isStrict && gold.kind === "relation" && !isName(assignment.name)) return "different";
    const value = { name: assignment.name, value: other };
    return gold.kind === "relation"
      ? compareAssigned(assignment, value, options)
      : compareAssigned(value, assignment, options);
  }
  if (relation.signs.every((sign) => sign === "in") && relation.sides.length === 2)
    return gold.kind === "relation"
      ? compare(relation.sides[1]!, answer, options)
      : compare(gold, relation.sides[1]!, options);
  if (other.kind === "list") return compareLists(gold, answer, options);
  return compareIntervals(toIntervals(gold), toIntervals(answer)) ?? "different";
}

/** x = 2 and y = 2 are two lines; X = 2 may be x = 2, and A = 2 the "Area = 2". */
const isLetter = (e: Expr): e is Extract<Expr, { kind: "symbol" }> => e.kind === "symbol" && /^[a-z]$/i.test(e.name);
const isSameLetter = (a: Expr, b: Expr): boolean =>
  isLetter(a) && isLetter(b) && a.name.toLowerCase() === b.name.toLowerCase();

type Assigned = { name: Expr; value: Expr; rounded?: Expr };

/** An exact value, or the decimal it is rounded to. */
function compareAssigned(gold: Assigned, answer: Assigned, options: CompareOptions): Outcome {
  const outcome = compare(prepare(gold.value), prepare(answer.value), options);
  if (outcome === "equal" || (!gold.rounded && !answer.rounded)) return outcome;
  const others = [
    ...(gold.rounded ? [compare(gold.rounded, answer.value, options)] : []),
    // The rounded end of an answer's chain counts only if it rounds the exact one.
    ...(answer.rounded && compare(answer.value, answer.rounded, options) === "equal"
      ? [compare(gold.value, answer.rounded, options)]
      : []),
  ];
  return others.includes("equal") ? "equal" : outcome;
}

/** f(x) = x² and f(t) = t²: the argument is bound. */
function renameArgument(gold: Assigned, answer: Assigned): [Assigned, Assigned] {
  const [g, a] = [gold.name, answer.name];
  if (g.kind !== "call" || a.kind !== "call" || g.name !== a.name || g.args.length !== 1 || a.args.length !== 1)
    return [gold, answer];
  const [from, to] = [a.args[0]!, g.args[0]!];
  if (from.kind !== "symbol" || to.kind !== "symbol" || from.name === to.name || symbolsOf(answer.value).has(to.name))
    return [gold, answer];
  return [gold, { name: g, value: substitute(answer.value, from.name, symbol(to.name)) }];
}

function compareSides(gold: Relation, answer: Relation, options: CompareOptions): Outcome {
  const pair = (a: readonly Expr[], b: readonly Expr[]): Outcome => compareAll(a, b, options);
  if (gold.sides.length !== answer.sides.length) return "different";
  if (gold.signs.every((sign, index) => sign === answer.signs[index])) {
    const outcome = pair(gold.sides, answer.sides);
    if (outcome !== "different" || !gold.signs.every((sign) => sign === "=" || sign === "!=" || sign === "~rel"))
      return outcome;
    return pair(gold.sides, [...answer.sides].reverse());
  }
  const flipped: Record<string, string> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=" };
  const reversed = [...answer.signs].reverse();
  return gold.signs.every((sign, index) => flipped[sign] === reversed[index])
    ? pair(gold.sides, [...answer.sides].reverse())
    : "different";
}

/** Item by item, in order. */
function compareAll(gold: readonly Expr[], answer: readonly Expr[], options: CompareOptions): Outcome {
  if (gold.length !== answer.length) return "different";
  let outcome: Outcome = "equal";
  for (const [index, item] of gold.entries()) {
    const part = compare(prepare(item), prepare(answer[index]!), options);
    if (part === "different") return "different";
    if (part === "unknown") outcome = "unknown";
  }
  return outcome;
}

/** Unordered: every item of each side has its own partner. Repeated items count once, unless `repeats` count. */
function matchItems(
  gold: readonly Expr[],
  answer: readonly Expr[],
  options: CompareOptions,
  repeats: "once" | "each" = "once",
): Outcome {
  if (gold.length > MAX_ITEMS || answer.length > MAX_ITEMS) return compareAll(gold, answer, options);
  const merge = (items: Expr[]): Expr[] => (repeats === "each" ? items : distinct(items, options));
  const left = merge(gold.map(prepare));
  const right = merge(answer.map(prepare));
  if (left.length !== right.length) return "different";
  const free = [...right];
  let outcome: Outcome = "equal";
  for (const item of left) {
    let partner = -1;
    let isEqual = false;
    for (let i = 0; i < free.length && !isEqual; i++) {
      const found = compare(item, free[i]!, options);
      isEqual = found === "equal";
      if (isEqual || (found === "unknown" && partner < 0)) partner = i;
    }
    if (partner < 0) return "different";
    if (!isEqual) outcome = "unknown";
    free.splice(partner, 1);
  }
  return outcome;
}

function distinct(items: Expr[], options: CompareOptions): Expr[] {
  const kept: Expr[] = [];
  for (const item of items)
    if (!kept.some((other) => compare(other, item, { ...options, isStrict: true }) === "equal")) kept.push(item);
  return kept;
}

const itemsOf = (e: Expr): readonly Expr[] => (e.kind === "list" || e.kind === "set" ? e.items : [e]);
const itemsIn = (e: Expr): readonly Expr[] => (e.kind === "group" ? e.items : itemsOf(e));
const nameOf = (e: Expr): string | undefined => {
  const name = e.kind === "relation" ? readAssignment(e)?.name : undefined;
  return name?.kind === "symbol"
    ? name.name
    : name?.kind === "call"
      ? JSON.stringify(name.args.map((arg) => (arg.kind === "symbol" ? arg.name : arg.kind))) + name.name
      : undefined;
};
/** x = 1, y = 2: every item gives another name a value. */
const areNamed = (items: readonly Expr[]): boolean =>
  items.length > 1 &&
  items.every((item) => nameOf(item) !== undefined) &&
  new Set(items.map(nameOf)).size === items.length;

function compareLists(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  const [left, right] = [itemsOf(gold), itemsOf(answer)];
  // Order counts as soon as one side says which value is which.
  const isNamed = [areNamed(left), areNamed(right)];
  if (isNamed[0] && isNamed[1]) return compareNamed(left, right, options);
  if (isNamed[0] || isNamed[1]) {
    const [values, other] = isNamed[0] ? [left, answer] : [right, gold];
    const assigned = values.map((item) => readAssignment(item as Relation)!.value);
    return isNamed[0] ? compareAll(assigned, itemsIn(other), options) : compareAll(itemsIn(other), assigned, options);
  }
  // "3, -4" for the point (3, -4); not for what may be an interval.
  const [group, list] = gold.kind === "group" ? [gold, answer] : [answer, gold];
  if (group.kind === "group" && list.kind === "list" && !list.items.some((item) => item.kind === "group"))
    return toIntervals(group) ? "different" : compareAll(itemsIn(gold), itemsIn(answer), options);
  // A gold list that says one of its values twice means it: roots with their multiplicity. A set means nothing by it.
  const numValues = gold.kind === "list" && answer.kind !== "set" ? distinct(left.map(prepare), options).length : 1;
  const isRepeated = numValues > 1 && numValues < left.length;
  const outcome = matchItems(left, right, options, isRepeated ? "each" : "once");
  if (outcome === "equal") return outcome;
  return compareIntervals(toIntervals(gold), toIntervals(answer)) === "equal" ? "equal" : outcome;
}

/** By name where the names are the same, in order where they differ. */
function compareNamed(gold: readonly Expr[], answer: readonly Expr[], options: CompareOptions): Outcome {
  const byName = new Map(answer.map((item) => [nameOf(item), item]));
  if (!gold.every((item) => byName.has(nameOf(item))))
    return options.isStrict ? "different" : compareAll(gold, answer, options);
  return compareAll(
    gold,
    gold.map((item) => byName.get(nameOf(item))!),
    options,
  );
}

type SetBuilder = Extract<Expr, { kind: "setBuilder" }>;

function compareSets(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  const asIntervals = compareIntervals(toIntervals(gold), toIntervals(answer));
  if (asIntervals) return asIntervals;
  if (gold.kind === "setOperation" && answer.kind === "setOperation" && gold.operation === answer.operation) {
    const flat = (e: Expr, operation: string): readonly Expr[] =>
      e.kind === "setOperation" && e.operation === operation ? e.args.flatMap((arg) => flat(arg, operation)) : [e];
    const [left, right] = [flat(gold, gold.operation), flat(answer, gold.operation)];
    return gold.operation === "difference" ? compareAll(left, right, options) : matchItems(left, right, options);
  }
  if (gold.kind === "setBuilder" && answer.kind === "setBuilder") {
    const [g, a] = [withBoundNames(gold), withBoundNames(answer)];
    const outcome = compareLists(g.condition, a.condition, options);
    return outcome === "equal" ? compare(g.element, a.element, options) : outcome;
  }
  return "different";
}

/** A set by condition with the names it binds, those that its element and its condition share, numbered as they appear. */
function withBoundNames(e: SetBuilder): SetBuilder {
  const inCondition = symbolsOf(e.condition);
  const names = [...symbolsOf(e.element)].filter((name) => inCondition.has(name));
  return names.reduce((set, name, i) => substitute(set, name, symbol(`element ${i}`)) as SetBuilder, e);
}

/** A one-element set and its element are one answer; anything else of a set and a non-set is not. */
function compareWithSet(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  const asIntervals = compareIntervals(toIntervals(gold), toIntervals(answer));
  if (asIntervals === "equal") return "equal";
  const [left, right] = [itemsOf(gold), itemsOf(answer)];
  return left.length === 1 && right.length === 1 ? compare(left[0]!, right[0]!, options) : "different";
}

/** The verdict of two sets of reals; undefined when one is not such a set. */
function compareIntervals(gold: Interval[] | undefined, answer: Interval[] | undefined): Outcome | undefined {
  if (!gold || !answer) return undefined;
  if (gold.length !== answer.length) return "different";
  let outcome: Outcome = "equal";
  for (const [index, piece] of gold.entries()) {
    const other = answer[index]!;
    for (const [a, b] of [
      [piece.low, other.low],
      [piece.high, other.high],
    ] as const) {
      if (a.isClosed !== b.isClosed) return "different";
      const same = a.at === b.at && !Number.isFinite(a.at) ? "equal" : compareScalars(a.value, b.value);
      if (same === "different") return "different";
      if (same === "unknown") outcome = "unknown";
    }
  }
  return outcome;
}

/** Points and intervals: two items in different brackets are different intervals; longer ones are vectors, whatever the brackets. */
function compareGroups(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  if (gold.kind === "group" && answer.kind === "group") {
    const isPair = gold.items.length === 2;
    if (isPair && !sameBrackets(gold, answer)) return "different";
    return compareAll(gold.items, answer.items, options);
  }
  if (gold.kind === "set" || answer.kind === "set") return "different";
  return compareIntervals(toIntervals(gold), toIntervals(answer)) ?? "different";
}

const sameBrackets = (a: Group, b: Group): boolean => {
  const key = (group: Group): string => (group.open + group.close).replace("<", "(").replace(">", ")");
  return key(a) === key(b);
};

/** A row or column is also a point or a vector. */
function compareMatrices(gold: Expr, answer: Expr, options: CompareOptions): Outcome {
  const entries = (e: Expr): readonly Expr[] | undefined =>
    e.kind === "group"
      ? e.items
      : e.kind === "matrix" && (e.rows.length === 1 || e.rows[0]!.length === 1)
        ? e.rows.flat()
        : undefined;
  if (gold.kind === "matrix" && answer.kind === "matrix") {
    if (gold.rows.length === answer.rows.length && gold.rows[0]!.length === answer.rows[0]!.length)
      return compareAll(gold.rows.flat(), answer.rows.flat(), options);
    return "different";
  }
  const [left, right] = [entries(gold), entries(answer)];
  return left && right ? compareAll(left, right, options) : "different";
}
