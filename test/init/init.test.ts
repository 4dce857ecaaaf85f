/** Initial values: that each rule is its distribution with PyTorch's bound or standard deviation. */
import { describe, expect, test } from "vitest";
import { ArgumentError, GradientError, ShapeError } from "../../lib/errors.js";
import * as init from "../../lib/init/index.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, zeros } from "../../lib/tensor.js";
import { readFixture } from "../nn/fixtures.js";

interface Fixture {
  gains: Record<init.Nonlinearity, number>;
  "leakyRelu of 0.3": number;
  fans: { shape: number[]; fans: [number, number] }[];
}

const fixture = readFixture<{ init: Fixture }>("nn.json").init;
const fresh = (shape: number[] = [200, 50]): Tensor => zeros(shape, { dtype: "float64", requiresGrad: true });
const numbers = (x: Tensor): number[] => Array.from(x.data, Number);
const moment = (x: Tensor, power: number): number =>
  numbers(x).reduce((sum, value) => sum + value ** power, 0) / x.size;

const randomRules = {
  uniform: init.uniform,
  normal: init.normal,
  truncatedNormal: init.truncatedNormal,
  kaimingUniform: init.kaimingUniform,
  kaimingNormal: init.kaimingNormal,
  xavierUniform: init.xavierUniform,
  xavierNormal: init.xavierNormal,
  lecunUniform: init.lecunUniform,
  lecunNormal: init.lecunNormal,
};
test.each(Object.entries(randomRules))(
  "%s refuses options that it does not have, and leaves x as it was",
  (name, rule) => {
    const x = fresh([2, 2]);
    const call = (options: unknown) => () => rule(x, options as never);
    for (const options of [{ mod: "fanOut" }, null, 3, { generator: 5 }, { generator: null }]) {
      expect(call(options)).toThrow(ArgumentError);
    }
    expect(call({ mod: 1 })).toThrow(`${name}: unknown option mod; it takes `);
    expect(call(null)).toThrow(`${name}: options must be an object, got null`);
    expect(call({ generator: 5 })).toThrow(/: generator must be a Generator, got number 5/);
    expect(numbers(x)).toEqual([0, 0, 0, 0]);
  },
);

describe("calculateGain and calculateFan", () => {
  test("are PyTorch's", () => {
    for (const [name, gain] of Object.entries(fixture.gains)) {
      expect(init.calculateGain(name as init.Nonlinearity)).toBeCloseTo(gain, 15);
    }
    expect(init.calculateGain("leakyRelu", 0.3)).toBeCloseTo(fixture["leakyRelu of 0.3"], 15);
    for (const { shape, fans } of fixture.fans) {
      const { fanIn, fanOut } = init.calculateFan(zeros(shape));
      expect([fanIn, fanOut]).toEqual(fans);
    }
  });

  test("refuse unknown names and vectors", () => {
    expect(() => init.calculateGain("swish" as never)).toThrow(
      'calculateGain: nonlinearity must be "linear" or',
    );
    expect(() => init.kaimingNormal(zeros([3]))).toThrow(ShapeError);
    expect(() => init.kaimingNormal(zeros([3]))).toThrow("kaimingNormal: needs a weight [out, in, ...]");
  });
});

/** For a weight [200, 50]: the standard deviation by the formula of each rule. */
const rules: [string, (x: Tensor, generator: Generator) => Tensor, "uniform" | "normal", number][] = [
  ["kaimingUniform", (x, generator) => init.kaimingUniform(x, { generator }), "uniform", Math.sqrt(2 / 50)],
  ["kaimingNormal", (x, generator) => init.kaimingNormal(x, { generator }), "normal", Math.sqrt(2 / 50)],
  [
    "kaimingNormal fanOut tanh",
    (x, generator) => init.kaimingNormal(x, { mode: "fanOut", nonlinearity: "tanh", generator }),
    "normal",
    5 / 3 / Math.sqrt(200),
  ],
  [
    "kaimingUniform a=√5",
    (x, generator) => init.kaimingUniform(x, { a: Math.sqrt(5), generator }),
    "uniform",
    Math.sqrt(1 / 150),
  ],
  [
    "xavierUniform",
    (x, generator) => init.xavierUniform(x, { gain: 2, generator }),
    "uniform",
    2 * Math.sqrt(2 / 250),
  ],
  ["xavierNormal", (x, generator) => init.xavierNormal(x, { generator }), "normal", Math.sqrt(2 / 250)],
  ["lecunUniform", (x, generator) => init.lecunUniform(x, { generator }), "uniform", Math.sqrt(1 / 50)],
  ["lecunNormal", (x, generator) => init.lecunNormal(x, { generator }), "normal", Math.sqrt(1 / 50)],
];

describe("rules by the size of the layer", () => {
  test.each(rules)("%s", (_, rule, distribution, std) => {
    const x = fresh();
    expect(rule(x, new Generator(4))).toBe(x);
    const generator = new Generator(4);
    const bound = Math.sqrt(3) * std;
    const expected =
      distribution === "normal"
        ? generator.normal(x.shape, { std, dtype: "float64" })
        : generator.uniform(x.shape, { low: -bound, high: bound, dtype: "float64" });
    // The formulas may differ by a rounding of the scale.
    const drawn = numbers(expected);
    numbers(x).forEach((value, i) => {
      expect(Math.abs(value - drawn[i])).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(drawn[i])));
    });
    // Six standard deviations of the sample's second moment, which is that of a normal at most.
    expect(Math.abs(moment(x, 2) / std ** 2 - 1)).toBeLessThan(6 * Math.sqrt(2 / x.size));
  });

  test("refuse options outside their range", () => {
    expect(() => init.kaimingNormal(fresh(), { mode: "fanAverage" as never })).toThrow(
      'kaimingNormal: mode must be "fanIn" or "fanOut", got "fanAverage"',
    );
    expect(() => init.kaimingUniform(fresh(), { a: Number.NaN })).toThrow(
      "kaimingUniform: a must be a finite number, got NaN",
    );
    expect(() => init.kaimingNormal(fresh(), { nonlinearity: "cube" as never })).toThrow(
      "kaimingNormal: nonlinearity must be",
    );
    expect(() => init.xavierNormal(fresh(), { gain: -1 })).toThrow(
      "xavierNormal: gain must be a number ≥ 0, got -1",
    );
  });
});

describe("plain rules", () => {
  test("overwrite in place, also leaves that require a gradient, and are seen by the graph", () => {
    const x = fresh([2, 3]);
    const y = x.square().sum();
    expect(init.constant(x, 2.5)).toBe(x);
    expect(x.toArray()).toEqual([
      [2.5, 2.5, 2.5],
      [2.5, 2.5, 2.5],
    ]);
    expect([x.isLeaf, x.requiresGrad]).toEqual([true, true]);
    expect(() => y.backward()).toThrow(GradientError);
    expect(init.ones(x).sum().item()).toBe(6);
    expect(init.zeros(x).sum().item()).toBe(0);
    expect(init.eye(x).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(() => init.eye(zeros([2]))).toThrow("eye: needs a matrix, got shape [2]");
    expect(() => init.constant(x, Number.NaN)).toThrow(ArgumentError);
  });

  test("reach every element of a strided view", () => {
    const x = zeros([2, 3]);
    init.uniform(x.transpose(), { generator: new Generator(1) });
    const drawn = new Generator(1).uniform([3, 2]);
    expect(x.toArray()).toEqual(drawn.transpose().toArray());
  });

  test("uniform and normal take their range and their generator", () => {
    const x = init.uniform(fresh([40]), { low: 2, high: 3, generator: new Generator(8) });
    expect(numbers(x).every((value) => value >= 2 && value < 3)).toBe(true);
    const y = init.normal(fresh([40]), { mean: 5, std: 0.1, generator: new Generator(8) });
    const z = new Generator(8).normal([40], { mean: 5, std: 0.1, dtype: "float64" });
    expect(y.toArray()).toEqual(z.toArray());
  });
});

describe("truncatedNormal", () => {
  const draw = (options: init.TruncatedNormalOptions): Tensor =>
    init.truncatedNormal(fresh([20_000]), { generator: new Generator(6), ...options });

  // Moments of the normal distribution cut off at ±2: variance 1 − 2·2φ(2)/(2Φ(2) − 1).
  test("keeps to its bounds and has the moments of the distribution", () => {
    const x = draw({});
    expect(numbers(x).every((value) => Math.abs(value) <= 2)).toBe(true);
    const density = Math.exp(-2) / Math.sqrt(2 * Math.PI);
    const variance = 1 - (4 * density) / 0.9544997361036416;
    expect(Math.abs(moment(x, 1))).toBeLessThan(4 * Math.sqrt(variance / x.size));
    expect(Math.abs(moment(x, 2) - variance)).toBeLessThan(4 * Math.sqrt((3 - variance ** 2) / x.size));
  });

  test("has the right mean in a narrow window off center", () => {
    // Cut off at 1 and 2: mean (φ(1) − φ(2))/(Φ(2) − Φ(1)).
    const x = draw({ low: 1, high: 2 });
    const phi = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const mean = (phi(1) - phi(2)) / (0.9772498680518208 - 0.8413447460685429);
    expect(numbers(x).every((value) => value >= 1 && value <= 2)).toBe(true);
    expect(Math.abs(moment(x, 1) - mean)).toBeLessThan((4 * 0.3) / Math.sqrt(x.size));
  });

  test("refuses windows that hold next to nothing", () => {
    expect(() => draw({ low: 3, high: 4 })).toThrow(
      "truncatedNormal: [3, 4] must be an interval that begins within 2",
    );
    expect(() => draw({ low: 1, high: 1 })).toThrow(ArgumentError);
    expect(() => draw({ std: -1 })).toThrow("truncatedNormal: std must be a number ≥ 0, got -1");
  });
});
