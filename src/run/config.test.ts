import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { applyOverrides, applyPartial, diffConfigs, formatChange, settings } from "./config.ts";
import { count, oneOf, optional, within } from "./setting-rules.ts";

const grpoConfig = () =>
  settings({
    steps: count(200),
    groupSize: count(8, { min: 2 }),
    lr: within(1e-6, 0, 1),
    level: oneOf("token", ["token", "sequence"]),
    clipHigh: optional(within(0.28, 0, 10)),
    klReference: optional("string"),
    isMasked: false,
    lengths: [160, 320],
    bias: -1,
  });
const defaults = { model: "tiny-base", reasoning: grpoConfig() };
const set = (...overrides: string[]) => applyOverrides(defaults, overrides);
/** The message of the error that `work` throws. */
const message = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return "(nothing thrown)";
};

describe("overrides", () => {
  it("a value is read as its default's type", () => {
    const { model, reasoning } = set(
      "model=a=b",
      "reasoning.lr=2e-6",
      "reasoning.steps=3",
      "reasoning.level=sequence",
      "reasoning.isMasked=true",
      "reasoning.lengths=[1,2,3]",
      "reasoning.clipHigh=.5",
      "reasoning.bias=+4",
    );
    expect({ model, ...reasoning }).toMatchObject({
      model: "a=b",
      lr: 2e-6,
      steps: 3,
      level: "sequence",
      isMasked: true,
      lengths: [1, 2, 3],
      clipHigh: 0.5,
      bias: 4,
    });
  });

  it("the defaults are not changed", () => {
    set("reasoning.steps=3");
    expect(defaults.reasoning.steps).toBe(200);
  });

  it("an unknown name is refused with the nearest right one", () => {
    expect(message(() => set("reasoning.groupsize=4"))).toBe(
      '--set reasoning.groupsize=4: no such setting. Did you mean "groupSize"? Here: steps, groupSize, lr, level, clipHigh, klReference, isMasked, lengths, bias.',
    );
    expect(message(() => set("lr=1"))).toContain('Did you mean "reasoning.lr"?');
    expect(message(() => set("zzz=1"))).toBe("--set zzz=1: no such setting. Here: model, reasoning.");
    expect(message(() => set("toString=1"))).toContain("no such setting");
    expect(message(() => set("__proto__.steps=1"))).toContain("no such setting");
  });

  it.each([
    ["reasoning.steps=0", "a whole number ≥ 1"],
    ["reasoning.steps=-3", "a whole number ≥ 1"],
    ["reasoning.steps=2.5", "a whole number ≥ 1"],
    ["reasoning.steps=4k", "without a unit"],
    ["reasoning.steps=", "a whole number"],
    ["reasoning.steps=0x10", "a whole number"],
    ["reasoning.steps= 4", "a whole number"],
    ["reasoning.steps=1_000", "a whole number"],
    ["reasoning.lr=NaN", "a number from 0 to 1"],
    ["reasoning.lr=Infinity", "a number from 0 to 1"],
    ["reasoning.lr=1e-6s", "a number from 0 to 1"],
    ["reasoning.bias=1e999", "a number without a unit"],
    ["reasoning.level=Token", "one of token, sequence"],
    ["reasoning.isMasked=1", "true or false"],
    ["reasoning.lengths=160", "a JSON array"],
    ['reasoning.lengths=[1,"2"]', "each element a number"],
    ["reasoning.clipHigh=11", "or none"],
    ["model=", "text that is not empty"],
    ["reasoning=3", "is a group of settings"],
    ["model.size=3", "is a setting, not a group"],
    ["reasoning.lr", "no value. Write --set reasoning.lr=VALUE."],
    ["=3", "no value"],
  ])("%s is refused: %s", (override, expected) => {
    const text = message(() => set(override));
    expect(text).toContain(`--set ${override}: `);
    expect(text).toContain(expected);
  });

  it("a setting given twice is refused", () => {
    expect(message(() => set("model=a", "model=b"))).toContain("set twice");
  });

  it("none takes an optional setting away", () => {
    const given = applyPartial(defaults, { reasoning: { clipHigh: 0.3 } });
    expect(applyOverrides(given, ["reasoning.clipHigh=none"]).reasoning.clipHigh).toBeUndefined();
  });
});

describe("partial configs", () => {
  it("unknown names and wrong values are refused by their path", () => {
    const wrong = (partial: unknown) => message(() => applyPartial(defaults, partial as object, "tiny"));
    expect(wrong({ reasoning: { grupSize: 4 } })).toContain(
      'tiny: reasoning.grupSize: no such setting. Did you mean "groupSize"?',
    );
    expect(wrong({ reasoning: { level: "tokn" } })).toBe(
      'tiny: reasoning.level is "tokn". Expected one of token, sequence.',
    );
    expect(wrong({ reasoning: { lr: Number.NaN } })).toContain("reasoning.lr is NaN");
    expect(wrong({ reasoning: { steps: "3" } })).toContain('reasoning.steps is "3"');
    expect(wrong({ reasoning: 3 })).toContain("Expected a record of");
  });

  it("rules survive spreading and being nested", () => {
    const spread = { deep: { grpo: { ...grpoConfig(), steps: 5 } } };
    expect(message(() => applyOverrides(spread, ["deep.grpo.level=x"]))).toContain("one of token, sequence");
    expect(applyOverrides(spread, ["deep.grpo.lr=0.5"]).deep.grpo.steps).toBe(5);
    const both = { ...grpoConfig(), ...settings({ batch: count(4) }) };
    expect(message(() => applyOverrides(both, ["level=x"]))).toContain("one of token, sequence");
    expect(message(() => applyOverrides(both, ["batch=0.5"]))).toContain("a whole number");
  });
});

describe("defaults", () => {
  it("a default that breaks its own rule is refused", () => {
    expect(message(() => settings({ a: { b: count(0) } }))).toContain("setting a.b: its default is 0");
    expect(message(() => settings({ a: undefined }))).toContain("tells no type");
    expect(message(() => settings({ a: Number.NaN }))).toContain("tells no type");
  });

  it("choices are the setting's type", () => {
    expectTypeOf(grpoConfig().level).toEqualTypeOf<"token" | "sequence">();
    expectTypeOf(grpoConfig().clipHigh).toEqualTypeOf<number | undefined>();
    expectTypeOf(grpoConfig().steps).toEqualTypeOf<number>();
    // @ts-expect-error: the default is none of the choices
    oneOf("c", ["a", "b"]);
  });
});

describe("any JSON-shaped config", () => {
  const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/);
  const leaf = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0 || 0),
    fc.array(fc.jsonValue()),
    fc.constant(null),
  );
  const { config } = fc.letrec<{ config: Record<string, unknown> }>((tie) => ({
    config: fc.dictionary(name, fc.oneof({ weight: 3, arbitrary: leaf }, tie("config")), {
      maxKeys: 5,
      depthIdentifier: "c",
    }),
  }));
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

  it("round-trips through a file and applyPartial", () => {
    fc.assert(
      fc.property(config, (given) => {
        expect(plain(applyPartial(given, plain(given)))).toEqual(plain(given));
      }),
    );
  });

  it("round-trips through --set, setting by setting", () => {
    const flat = (value: Record<string, unknown>, path = ""): string[] =>
      Object.entries(value).flatMap(([key, item]) => {
        if (typeof item === "object" && item !== null && !Array.isArray(item))
          return flat(item as Record<string, unknown>, `${path}${key}.`);
        return [`${path}${key}=${typeof item === "string" ? item : JSON.stringify(item)}`];
      });
    fc.assert(
      fc.property(config, (given) => {
        expect(plain(applyOverrides(given, flat(plain(given))))).toEqual(plain(given));
      }),
    );
  });

  it("differs from itself in nothing, and from a changed one in the change", () => {
    fc.assert(
      fc.property(config, (given) => {
        expect(diffConfigs(given, plain(given))).toEqual([]);
      }),
    );
    expect(diffConfigs({ rows: [{ least: -0 }] }, plain({ rows: [{ least: -0 }] }))).toEqual([]); // JSON has no -0.
    expect(diffConfigs({ reasoning: { lr: 1e-6 } }, { reasoning: { lr: 2e-6 } }).map(formatChange)).toEqual([
      "reasoning.lr 1e-6 → 2e-6",
    ]);
  });
});

describe("a rule of a whole group", () => {
  const pairs = settings({ steps: count(4), each: count(2) }, ({ steps, each }) =>
    steps % each === 0 ? undefined : `steps is ${steps}. Expected a multiple of ${each}.`,
  );

  it("is kept by its defaults, by a part of them and by --set, which are looked at together", () => {
    const wrong = () => settings({ steps: 3, each: 2 }, () => "steps and each do not fit.");
    expect(message(wrong)).toBe("settings: steps and each do not fit.");
    expect(message(() => applyPartial(pairs, { steps: 3 }, "here"))).toBe(
      "here: steps is 3. Expected a multiple of 2.",
    );
    expect(message(() => applyOverrides(pairs, ["each=3"]))).toBe("--set: steps is 4. Expected a multiple of 3.");
    expect(applyOverrides(pairs, ["each=3", "steps=9"])).toMatchObject({ steps: 9, each: 3 });
  });

  it("goes where the group is spread and nested, and is named by its place", () => {
    const recipe = settings({ model: "m", late: { rl: { ...pairs, rate: 1 } } });
    expect(message(() => applyOverrides(recipe, ["late.rl.steps=5"]))).toBe("--set: late.rl: steps is 5. Expected a multiple of 2."); // biome-ignore format: one line
    expect(message(() => settings({ rl: { ...pairs, steps: 7 } }))).toBe("settings: rl: steps is 7. Expected a multiple of 2."); // biome-ignore format: one line
    expect(JSON.stringify(recipe)).toBe('{"model":"m","late":{"rl":{"steps":4,"each":2,"rate":1}}}');
  });
});
