import { lexicon } from "./lexicon.ts";
import { thoughtOf } from "./replies.ts";
import { kindWords, refusals, requests } from "./requests.ts";
import { phrases } from "./words.ts";
import { maxNumber } from "./world.ts";

/** Tokens that are no words. Tags of the think contract are ordinary text that is one token; the others are special. */
export const specialTokens = ["<|endoftext|>", "<unk>", "<|system|>", "<|user|>", "<|assistant|>"] as const;
export const tagTokens = ["<think>", "</think>", "<answer>", "</answer>"] as const;

const punctuation = "+ - * / = ( ) , . ? ! : ; ' \" % < >";

/** Words of the puzzles, their thoughts and the requests with their answers: what the base model is pretrained on. */
const spoken = [
  "make from 用 算出 what is 等于 多少 bigger smaller than 比 who the biggest smallest 谁 最",
  ...Object.values(phrases).flatMap(({ en, zh }) => [en, zh]),
  ...lexicon.flatMap(({ en, zh }) => [en, zh]),
  ...requests.flatMap((request) => [request.question, request.terse, request.plain]),
  ...Object.values(refusals),
  ...Object.values(kindWords),
  ...requests.flatMap((request) => (["en", "zh"] as const).map((language) => thoughtOf(request, language))),
  "you are stupid ugly 你 很 笨 丑",
].join(" ");

/** Words that no text of the world has yet: what people may type, and other words of reflection, in both languages. */
const reserved = `
with each once per 每个 一次 只能
however but maybe hmm try again retry evaluate mistake error wrong verify so then first next now let me us see done
the a an is are was it this that i you he she we they my your of to in on at and or not for by as if because about
answer result number numbers equals use uses reach target solution step steps
hello hi bye thanks thank please sorry welcome good morning night day help glad happy
who what where when why how which do does did can could will would should name am called
say tell write give list find explain translate count sort repeat compare choose describe
word words sentence line story poem letter question english chinese language
color red blue green yellow white black animal cat dog bird fish horse cow fruit apple banana orange pear
city capital country france paris japan tokyo china beijing italy rome egypt cairo river sea mountain
sky grass snow sun moon star water fire tree flower book house door car food bread milk tea rice
big small hot cold new old fast slow long short high low sweet true false same different
one two three four five six seven eight nine ten more less many few
cannot won't refuse harm hurt danger dangerous safe unsafe steal poison weapon bomb hack password break lie kill knife lock
instead talk doctor police friend child people person kind polite rude ugly stupid great nice best worst
model assistant aha trained
但是 可是 也许 嗯 试 再 重新 评估 错误 错 验证 所以 然后 先 接着 现在 让 看看 好了
的 了 是 不 没 有 在 和 或 我们 你 他 她 它 这 那 个 吗 呢 也 都 就 很
答案 结果 数 等于 得到 目标 办法 一步
你好 再见 谢谢 请 对不起 欢迎 早上 晚上 好 帮助 高兴
谁 什么 哪里 什么时候 为什么 怎么 哪个 能 会 要 可以 名字 叫
说 告诉 写 给 列出 找 解释 翻译 数一数 排序 重复 比较 选 描述
词 句子 行 故事 诗 信 问题 英文 中文 语言
颜色 红 蓝 绿 黄 白 黑 动物 猫 狗 鸟 鱼 马 牛 水果 苹果 香蕉 橙子 梨
城市 首都 国家 法国 巴黎 日本 东京 中国 北京 意大利 罗马 埃及 开罗 河 海 山
天空 草 雪 太阳 月亮 星星 水 火 树 花 书 房子 门 车 食物 面包 牛奶 茶 米饭
大 小 热 冷 新 旧 快 慢 长 短 高 低 甜 真 假 一样 不同
不能 拒绝 伤害 危险 安全 偷 毒药 武器 炸弹 密码 撒谎 刀 锁 不会 医生 警察 朋友 孩子 人 礼貌
模型 助手 训练
`;

/** Every token of the world in the order of its id: special tokens, tags, the numbers from 0, signs, words. */
export function vocabulary(): string[] {
  const numbers = Array.from({ length: maxNumber + 1 }, (_, n) => String(n));
  const words = [punctuation, spoken, reserved].join(" ").trim().split(/\s+/);
  return [...new Set([...specialTokens, ...tagTokens, ...numbers, ...words])];
}
