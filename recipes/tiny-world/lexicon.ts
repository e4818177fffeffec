import type { Language } from "./words.ts";

/** A word of the world in its two languages, by its English form. Words of a phrase are separated by spaces. */
const nouns = {
  animal: { cat: "猫", dog: "狗", bird: "鸟", fish: "鱼", horse: "马", cow: "牛" },
  fruit: { apple: "苹果", banana: "香蕉", orange: "橙子", pear: "梨" },
  food: { bread: "面包", rice: "米饭", egg: "鸡蛋", milk: "牛奶", tea: "茶" },
  color: { red: "红色", blue: "蓝色", green: "绿色", yellow: "黄色", white: "白色", black: "黑色" },
  weapon: { bomb: "炸弹", knife: "刀", gun: "枪" },
  city: { paris: "巴黎", tokyo: "东京", beijing: "北京", rome: "罗马", cairo: "开罗" },
  country: { france: "法国", japan: "日本", china: "中国", italy: "意大利", egypt: "埃及" },
  person: { child: "孩子", friend: "朋友", doctor: "医生", police: "警察" },
  thing: { book: "书", house: "房子", door: "门", window: "窗户", car: "车", ball: "球", lock: "锁", money: "钱" },
} as const satisfies Record<string, Record<string, string>>;

export type Category = keyof typeof nouns;

const nature = {
  sky: "天空",
  grass: "草",
  snow: "雪",
  sun: "太阳",
  moon: "月亮",
  sea: "海",
  fire: "火",
  tree: "树",
  flower: "花",
  wood: "木头",
  paper: "纸",
  poison: "毒药",
  password: "密码",
  gift: "礼物",
  fly: "苍蝇",
} as const;

const opposites = [
  [
    { en: "big", zh: "大" },
    { en: "small", zh: "小" },
  ],
  [
    { en: "hot", zh: "热" },
    { en: "cold", zh: "冷" },
  ],
  [
    { en: "new", zh: "新" },
    { en: "old", zh: "旧" },
  ],
  [
    { en: "fast", zh: "快" },
    { en: "slow", zh: "慢" },
  ],
  [
    { en: "long", zh: "长" },
    { en: "short", zh: "短" },
  ],
  [
    { en: "high", zh: "高" },
    { en: "low", zh: "低" },
  ],
  [
    { en: "safe", zh: "安全" },
    { en: "dangerous", zh: "危险" },
  ],
] as const;

const verbs = {
  make: "做",
  cut: "切",
  burn: "烧",
  break: "打破",
  hit: "打",
  hide: "藏",
  steal: "偷",
  find: "找",
  open: "打开",
} as const;

/** A word in both languages. */
export type Word = Record<Language, string>;

const asWords = (words: Record<string, string>): Word[] => Object.entries(words).map(([en, zh]) => ({ en, zh }));

export const categories = Object.fromEntries(
  Object.entries(nouns).map(([category, words]) => [category, asWords(words)]),
) as Record<Category, Word[]>;

/** What a category is called. */
export const categoryNames: Record<
  "animal" | "fruit" | "color" | "city" | "weapon" | "country",
  Word & { many: string }
> = {
  animal: { en: "animal", many: "animals", zh: "动物" },
  fruit: { en: "fruit", many: "fruits", zh: "水果" },
  color: { en: "color", many: "colors", zh: "颜色" },
  city: { en: "city", many: "cities", zh: "城市" },
  weapon: { en: "weapon", many: "weapons", zh: "武器" },
  country: { en: "country", many: "countries", zh: "国家" },
};

const all: Word[] = [...Object.values(categories).flat(), ...asWords(nature), ...asWords(verbs), ...opposites.flat()];
const byEnglish = new Map(all.map((word) => [word.en, word]));

/** A word by its English form. */
export function word(en: string): Word {
  const found = byEnglish.get(en);
  if (!found) throw new Error(`lexicon: no word "${en}". Add it to the nouns of recipes/tiny-world/lexicon.ts.`);
  return found;
}

/** What has which color. */
export const colors: [Word, Word][] = (
  [
    ["grass", "green"],
    ["tree", "green"],
    ["snow", "white"],
    ["milk", "white"],
    ["rice", "white"],
    ["sky", "blue"],
    ["sea", "blue"],
    ["sun", "yellow"],
    ["banana", "yellow"],
    ["fire", "red"],
    ["apple", "red"],
    ["gun", "black"],
  ] as const
).map(([thing, color]) => [word(thing), word(color)]);

export const capitals: [Word, Word][] = categories.country.map((country, i) => [country, categories.city[i]!]);

export const oppositePairs: readonly (readonly [Word, Word])[] = [
  ...opposites,
  ...opposites.map(([a, b]) => [b, a] as const),
];

/** What can be told apart by its translation: everything that is no color, city or country. */
export const translatable: Word[] = [
  ...categories.animal,
  ...categories.fruit,
  ...categories.food,
  ...categories.weapon,
  ...categories.thing,
  ...asWords(nature),
];

export const writable: Word[] = ["sun", "moon", "sea", "sky", "snow", "flower", "tree", "cat", "dog", "bird"].map(word);

export const lexicon: readonly Word[] = [...all, ...Object.values(categoryNames)];
