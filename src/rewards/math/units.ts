import { equalRational, integer, mulRational, powRational, type Rational, rational } from "./rational.ts";

/** A unit as a factor over base dimensions, e.g. km/h = 1000/3600 · length^1 · time^-1. */
export type Unit = { readonly factor: Rational; readonly dimensions: string };

const ratio = (num: number | bigint, den: number | bigint = 1): Rational => rational(BigInt(num), BigInt(den))!;

type Base = { factor: Rational; dimension: string };
const UNITS = new Map<string, Base>();
const define = (dimension: string, factor: Rational, names: string): void => {
  for (const name of names.split(" ")) UNITS.set(name, { factor, dimension });
};

define("length", integer(1), "m meter meters metre metres");
define("length", ratio(1000), "km kilometer kilometers kilometre kilometres kms");
define("length", ratio(1, 10), "dm decimeter decimeters");
define("length", ratio(1, 100), "cm centimeter centimeters centimetre centimetres cms");
define("length", ratio(1, 1000), "mm millimeter millimeters millimetre millimetres");
define("length", ratio(1, 1_000_000), "um micrometer micrometers micron microns");
define("length", ratio(1, 1_000_000_000), "nm nanometer nanometers");
define("length", ratio(254, 10_000), "in inch inches");
define("length", ratio(3048, 10_000), "ft foot feet");
define("length", ratio(9144, 10_000), "yd yard yards");
define("length", ratio(1_609_344, 1000), "mi mile miles");
define("time", integer(1), "s sec secs second seconds");
define("time", ratio(1, 1000), "ms millisecond milliseconds");
define("time", ratio(60), "min mins minute minutes");
define("time", ratio(3600), "h hr hrs hour hours");
define("time", ratio(86_400), "day days");
define("time", ratio(604_800), "week weeks");
define("month", integer(1), "month months");
define("month", integer(12), "year years yr yrs");
define("mass", integer(1), "kg kilogram kilograms kgs kilo kilos");
define("mass", ratio(1, 1000), "g gram grams gm gms");
define("mass", ratio(1, 1_000_000), "mg milligram milligrams");
define("mass", ratio(1000), "t ton tons tonne tonnes");
define("weight", integer(1), "lb lbs pound pounds");
define("weight", ratio(1, 16), "oz ounce ounces");
define("volume", integer(1), "l L liter liters litre litres");
define("volume", ratio(1, 1000), "ml mL milliliter milliliters millilitre millilitres");
define("gallon", integer(1), "gal gallon gallons");
define("gallon", ratio(1, 4), "quart quarts qt");
define("money", integer(1), "dollar dollars usd USD");
define("money", ratio(1, 100), "cent cents");
define("force", integer(1), "N newton newtons Newton Newtons");
define("energy", integer(1), "J joule joules Joule Joules");
define("energy", ratio(1000), "kJ kilojoule kilojoules");
define("power", integer(1), "W watt watts Watt Watts");
define("power", ratio(1000), "kW kilowatt kilowatts");
define("pressure", integer(1), "Pa pascal pascals");
define("pressure", ratio(1000), "kPa");
define("voltage", integer(1), "V volt volts Volt Volts");
define("current", integer(1), "A amp amps ampere amperes");
define("frequency", integer(1), "Hz hertz");
define("frequency", ratio(1000), "kHz");
define("temperature", integer(1), "K kelvin kelvins Kelvin");
define("speed", integer(1), "mph");
define("speedMetric", integer(1), "kph kmh kmph");

/** Units that a single letter names: only after a space or in upright type, since 10m is ten times m. */
const LETTERS = new Set("m s h g t l L N J W V A K".split(" "));
const AREA_WORDS = new Map([
  ["square", 2],
  ["sq", 2],
  ["cubic", 3],
  ["squared", 2],
  ["cubed", 3],
]);

/** True for words of two letters or more that name a unit, so that "cm" is never c·m. */
export const isUnitWord = (word: string): boolean => word.length > 1 && UNITS.has(word);
export const isUnitLetter = (letter: string): boolean => LETTERS.has(letter);

/** "km/h", "cm^2", "square inches", "m s^{-1}", "meters per second" as one unit; undefined when some word is not a unit. */
export function parseUnit(text: string): Unit | undefined {
  const words = text.match(/[A-Za-z]+|\^?\{?-?\d+\}?|\//g);
  if (!words || words.length > 12) return undefined;
  let factor = integer(1);
  const dimensions = new Map<string, number>();
  let sign = 1;
  let pending = 1;
  let last: Base | undefined;
  const apply = (unit: Base, exponent: number): boolean => {
    const scaled = powRational(unit.factor, BigInt(exponent));
    if (!scaled) return false;
    factor = mulRational(factor, scaled);
    dimensions.set(unit.dimension, (dimensions.get(unit.dimension) ?? 0) + exponent);
    return true;
  };
  for (const word of words) {
    if (word === "/" || word === "per") {
      sign = -1;
      last = undefined;
    } else if (AREA_WORDS.has(word.toLowerCase())) {
      const exponent = AREA_WORDS.get(word.toLowerCase())!;
      if (last) apply(last, sign * (exponent - 1));
      else pending = exponent;
    } else if (/\d/.test(word)) {
      const exponent = Number(word.replace(/[^\d-]/g, ""));
      if (!last || Math.abs(exponent) > 9 || !apply(last, sign * (exponent - 1))) return undefined;
    } else {
      const unit = UNITS.get(word) ?? UNITS.get(word.toLowerCase());
      if (!unit || !apply(unit, sign * pending)) return undefined;
      last = unit;
      pending = 1;
    }
  }
  if (pending !== 1) return undefined;
  const key = [...dimensions].filter(([, exponent]) => exponent !== 0).map(([name, exponent]) => `${name}${exponent}`);
  return { factor, dimensions: key.sort().join(" ") };
}

/** cm for cm², the exponent dropped or doubled: powers of one and the same unit, not of two such as m for cm². */
export function areOfOneUnit(a: Unit, b: Unit): boolean {
  const [first, second] = [a, b].map(({ dimensions }) => /^([a-zA-Z]+)(-?\d+)$/.exec(dimensions));
  if (!first || !second || first[1] !== second[1]) return false;
  const [left, right] = [powRational(a.factor, BigInt(second[2]!)), powRational(b.factor, BigInt(first[2]!))];
  return left !== undefined && right !== undefined && equalRational(left, right);
}
