/** The initialization doctor: the lecture's depth-50 experiment, each way to fail, and numbers computed by hand. */
import { describe, expect, test } from "vitest";
import { compile } from "../../lib/compile/index.js";
import { ArgumentError, GradientError, TraceError } from "../../lib/errors.js";
import { type DiagnoseOptions, diagnose } from "../../lib/init/doctor/diagnose.js";
import { steadyVariance } from "../../lib/init/doctor/theory.js";
import * as init from "../../lib/init/index.js";
import * as nn from "../../lib/nn/index.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { firstOfMnist, isMnistAbsent, mnistNote } from "../mnist.js";

/** Linear layers with W ~ N(0, c/n), an activation between them, no bias. */
function network(
  sizes: readonly number[],
  c: number,
  generator: Generator,
  activation: () => nn.Module = () => new nn.ReLU(),
): nn.Sequential {
  const modules = sizes.slice(1).flatMap((outputs, i): nn.Module[] => {
    const layer = new nn.Linear(sizes[i], outputs, { bias: false, generator });
    init.normal(layer.weight, { std: Math.sqrt(c / sizes[i]), generator });
    return [layer, activation()];
  });
  return new nn.Sequential(...modules.slice(0, -1));
}

const wide = (depth: number, width = 100): number[] => Array(depth + 1).fill(width);
const normOf = (x: Tensor | null): number => Math.hypot(...Array.from(x?.data ?? [Number.NaN], Number));

describe.skipIf(isMnistAbsent)(`the depth-50 experiment${mnistNote}`, () => {
  const sizes = [784, ...Array(49).fill(100), 10];
  const SEEDS = 20;

  test.each([1, 2, 3])(
    "c = %d: norms change by √(c/2) per layer, to two percent over 20 seeds",
    async (c) => {
      const [images] = await firstOfMnist("test", 100);
      let [measured, predicted, layersSeen] = [0, 0, 0];
      for (let seed = 0; seed < SEEDS; seed++) {
        const { layers } = diagnose(network(sizes, c, new Generator(seed)), images);
        expect(layers.length).toBe(50);
        for (const layer of layers.slice(0, 49)) {
          measured += layer.measuredGrowth;
          predicted += layer.predictedGrowth ?? Number.NaN;
          layersSeen++;
        }
      }
      const theory = Math.sqrt(c / 2);
      expect(Math.abs(Math.sqrt(measured / layersSeen) / theory - 1)).toBeLessThan(0.02);
      expect(Math.abs(Math.sqrt(predicted / layersSeen) / theory - 1)).toBeLessThan(0.002);
    },
  );

  // The lecture's numbers are those of one draw; another one is of their size.
  test.each([
    { c: 1, weights: [3.1e-8, 8.4e-9, 1.2e-8], errors: [3.3e-9, 7.7e-2], kind: "vanishing" },
    { c: 2, weights: [0.8, 0.35, 0.43], errors: [0.083, 0.11], kind: undefined },
    { c: 3, weights: [3.4e4, 3.1e4, 5.3e4], errors: [3.1e3, 0.18], kind: "exploding" },
  ])(
    "c = $c: weight gradients are level, the back-propagated error is not",
    async ({ c, weights, errors, kind }) => {
      const [images, labels] = await firstOfMnist("test", 100);
      const { layers, failure } = diagnose(network(sizes, c, new Generator(0)), images, { target: labels });
      const near = (value: number | null, expected: number): void => {
        expect(Math.abs(Math.log((value ?? Number.NaN) / expected))).toBeLessThan(Math.log(4));
      };
      for (const [i, layer] of [0, 24, 49].entries()) near(layers[layer].weightGradientNorm, weights[i]);
      for (const [i, layer] of [0, 48].entries()) near(layers[layer].gradientNorm, errors[i]);
      expect(failure?.kind).toBe(kind);
      if (failure !== null) expect(failure.variance).toBeCloseTo(0.02, 12);
    },
  );
});

describe("what the doctor measures", () => {
  const generator = new Generator(5);
  const x = generator.normal([30, 12]);
  const y = generator.normal([30, 4]);
  const first = new nn.Linear(12, 20, { generator });
  const second = new nn.Linear(20, 4, { generator });
  const model = new nn.Sequential(first, new nn.ReLU(), second);

  test("is what a pass by hand gives", () => {
    const { layers, loss } = diagnose(model, x, { target: y });
    const z1 = first.forward(x).relu().retainGrad();
    const z2 = second.forward(z1).retainGrad();
    const value = nn.functional.mseLoss(z2, y);
    value.backward();
    expect(loss).toBe(value.item());
    for (const [i, { layer, z }] of [
      { layer: first, z: z1 },
      { layer: second, z: z2 },
    ].entries()) {
      const { norm, gradientNorm, weightGradientNorm, secondMoment, measuredGrowth } = layers[i];
      const input = i === 0 ? x : z1;
      const growth = normOf(z) ** 2 / z.size / (normOf(input) ** 2 / input.size);
      for (const [actual, expected] of [
        [norm, normOf(z)],
        [secondMoment, normOf(z) ** 2 / z.size],
        [measuredGrowth, growth],
        [gradientNorm ?? 0, normOf(z.grad)],
        [weightGradientNorm ?? 0, normOf(layer.weight.grad)],
      ]) {
        expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-5);
      }
    }
    model.zeroGrad();
  });

  test("takes a loss of one's own, with or without a target, and changes no grad", () => {
    const byTarget = diagnose(model, x, { target: y, loss: (a, b) => nn.functional.l1Loss(a, b) });
    const byClosure = diagnose(model, x, { loss: (a) => nn.functional.l1Loss(a, y) });
    expect(byTarget.loss).toBe(nn.functional.l1Loss(model.forward(x), y).item());
    expect(byClosure.loss).toBe(byTarget.loss);
    expect(model.parameters().every(({ grad }) => grad === null)).toBe(true);
    const none = diagnose(model, x);
    expect([none.loss, none.layers[0].gradientNorm, none.layers[0].weightGradientNorm]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test("recognizes activations that are called as functions", () => {
    class Custom extends nn.Module {
      readonly a = new nn.Linear(12, 300, { bias: false, generator });
      readonly b = new nn.Linear(300, 300, { bias: false, generator });
      readonly c = new nn.Linear(300, 300, { bias: false, generator });
      readonly d = new nn.Linear(300, 4, { bias: false, generator });
      override forward(input: Tensor): Tensor {
        const u = this.b.forward(this.a.forward(input).relu()).tanh();
        return this.d.forward(this.c.forward(u).add(1));
      }
    }
    const { layers } = diagnose(new Custom(), x);
    expect(layers.map(({ activation }) => activation)).toEqual(["relu", "tanh", "?", "linear"]);
    const [relu, tanh, unknown, linear] = layers;
    expect(relu.predictedGrowth).toBeCloseTo(relu.c / 2, 6);
    expect(Math.abs((tanh.predictedGrowth ?? 0) / tanh.measuredGrowth - 1)).toBeLessThan(0.2);
    expect(unknown.predictedGrowth).toBeNull();
    expect(linear.predictedGrowth).toBeCloseTo(linear.c, 6);
  });

  test.each([
    ["LeakyReLU", () => new nn.LeakyReLU({ negativeSlope: 0.3 }), 1e-9, (1 + 0.09) / 2],
    ["Tanh", () => new nn.Tanh(), 0.05, null],
    ["Sigmoid", () => new nn.Sigmoid(), 0.05, null],
    ["GELU", () => new nn.GELU(), 0.05, null],
    ["SiLU", () => new nn.SiLU(), 0.05, null],
    ["Softplus", () => new nn.Softplus(), 0.05, null],
    ["Dropout", () => new nn.Dropout(0.5, { generator }), 1e-9, 2],
  ] as const)("predicts the growth through %s", (name, activation, tolerance, factor) => {
    const sizes = [12, 600, 600];
    const model = network(sizes, 1.5, generator, activation);
    const gaussian = generator.normal([100, 12]);
    const [layer] = diagnose(model, gaussian).layers;
    expect(layer.activation).toBe(name);
    const expected = factor === null ? layer.measuredGrowth : factor * layer.c;
    expect(Math.abs((layer.predictedGrowth ?? 0) / expected - 1)).toBeLessThan(tolerance);
    expect(Math.abs((layer.predictedGrowth ?? 0) / layer.measuredGrowth - 1)).toBeLessThan(0.1);
  });

  test("theory is silent on modules that mix elements", () => {
    const { layers } = diagnose(new nn.Sequential(first, new nn.LayerNorm([20]), second), x);
    expect([layers[0].activation, layers[0].predictedGrowth]).toEqual(["LayerNorm", null]);
  });

  test("frozen layers have no gradient, rather than one of zero", () => {
    const frozen = new nn.Linear(12, 20, { generator });
    for (const parameter of frozen.parameters()) parameter.requiresGrad = false;
    const { layers, failure } = diagnose(new nn.Sequential(frozen, new nn.ReLU(), second), x, { target: y });
    expect(layers.map(({ gradientNorm }) => gradientNorm === null)).toEqual([true, false]);
    expect(layers.map(({ weightGradientNorm }) => weightGradientNorm === null)).toEqual([true, false]);
    expect(failure).toBeNull();
  });

  test("counts dead units", () => {
    const layer = new nn.Linear(12, 10, { generator });
    const bias = Array.from({ length: 10 }, (_, i) => (i < 3 ? -1000 : 1000));
    init.zeros(layer.bias as Tensor);
    (layer.bias as Tensor).detach().assign(tensor(bias));
    const { layers } = diagnose(new nn.Sequential(layer, new nn.ReLU()), x);
    expect(layers[0].deadUnits).toBeCloseTo(0.3, 6);
  });
});

describe("the first failure", () => {
  const x = new Generator(8).normal([50, 100]);
  const target = tensor(
    Array.from({ length: 50 }, (_, i) => i % 100),
    { dtype: "int32" },
  );
  const doctor = (model: nn.Module, options: DiagnoseOptions = { target }) =>
    diagnose(model, x, options).failure;

  test("is found where the second moment leaves the limits, and is gone with the variance named", () => {
    for (const [c, kind] of [
      [0.13, "vanishing"],
      [30, "exploding"],
    ] as const) {
      const model = network(wide(12), c, new Generator(1));
      const { failure, layers } = diagnose(model, x);
      // (c/2)ᵏ leaves 10^±3 at the third layer.
      expect([failure?.kind, failure?.pass, failure?.index, failure?.name]).toEqual([
        kind,
        "forward",
        2,
        "4",
      ]);
      expect(failure?.variance).toBeCloseTo(2 / 100, 12);
      expect(failure?.message).toContain("layer 3 (4 Linear)");
      expect(layers[2].predictedGrowth).toBeCloseTo(layers[2].c / 2, 6);
      const cured = network(wide(12), 100 * (failure?.variance ?? 0), new Generator(1));
      expect(doctor(cured)).toBeNull();
    }
  });

  test("limits are options", () => {
    const model = network(wide(4), 1, new Generator(1));
    expect(doctor(model, {})).toBeNull();
    expect(doctor(model, { limit: 1.5 })?.index).toBe(0);
  });

  test("NaN, and the layer that made it", () => {
    const model = network(wide(5), 2, new Generator(2));
    init.constant((model.at(4) as nn.Linear).weight, 1e30);
    const failure = doctor(model);
    expect([failure?.kind, failure?.index]).toEqual(["exploding", 2]);
    (model.at(4) as nn.Linear).weight.detach().assign(tensor(Number.NaN).broadcastTo([100, 100]));
    const broken = doctor(model);
    expect([broken?.kind, broken?.index, broken?.name]).toEqual(["nan", 2, "4"]);
    expect(broken?.variance).toBeCloseTo(0.02, 12);
  });

  test("dead units", () => {
    const generator = new Generator(3);
    const layer = new nn.Linear(100, 100, { generator });
    (layer.bias as Tensor).detach().assign(tensor(-100).broadcastTo([100]));
    const model = new nn.Sequential(
      new nn.Linear(100, 100, { generator }),
      new nn.ReLU(),
      layer,
      new nn.ReLU(),
      new nn.Linear(100, 100, { generator }),
    );
    const failure = doctor(model);
    expect([failure?.kind, failure?.index]).toEqual(["dead", 1]);
    expect(failure?.message).toContain("100 % of its units are 0 for every example");
    // No weights would help: the remedy that is named does.
    expect([failure?.variance, failure?.message]).toEqual([
      null,
      expect.stringContaining("biases should start near 0"),
    ]);
    init.zeros(layer.bias as Tensor);
    expect(doctor(model)).toBeNull();
  });

  test("in the backward pass alone: saturated tanh lets the gradient explode", () => {
    const model = network(wide(10), 200, new Generator(4), () => new nn.Tanh());
    const failure = doctor(model);
    expect([failure?.kind, failure?.pass]).toEqual(["exploding", "backward"]);
    expect(failure?.variance ?? 0).toBeLessThan(2);
    expect(failure?.variance ?? 0).toBeGreaterThan(0);
    expect(doctor(model, {})).toBeNull();
  });

  test("is printed below a table of the layers", () => {
    const lines = String(diagnose(network(wide(3), 2e4, new Generator(5)), x, { target })).split("\n");
    expect(lines.length).toBe(5);
    expect(lines[0]).toMatch(/^layer +weight +c +activation +growth by theory +measured +‖Z‖ +‖∂loss\/∂Z‖/);
    expect(lines[1]).toMatch(/^0 Linear +\[100,100\] .*ReLU/);
    expect(lines[4]).toMatch(/^loss .*First failure, in the forward pass: layer 1 \(0 Linear\) explodes/);
    expect(String(diagnose(network(wide(3), 2, new Generator(5)), x))).toMatch(/ — .*\nNo layer fails\.$/s);
  });
});

test("the steady variance keeps the second moment, where there is one", () => {
  const relu = { name: "ReLU", secondMoment: (v: number) => v / 2 };
  expect(steadyVariance(50, 3, relu)).toBeCloseTo(2 / 50, 14);
  // E[tanh²] never reaches 2.
  const tanh = { name: "Tanh", secondMoment: (v: number) => v / (1 + v) };
  expect(steadyVariance(50, 2, tanh)).toBeNull();
  expect(steadyVariance(50, 0.5, tanh)).toBeCloseTo(1 / 0.5 / 50, 12);
  expect(steadyVariance(50, 3, { name: "?", secondMoment: null })).toBeNull();
  expect(steadyVariance(50, Number.NaN, relu)).toBeNull();
});

test("what the doctor refuses", () => {
  const model = new nn.Sequential(new nn.Linear(3, 2));
  const x = new Generator(1).normal([4, 3]);
  const call = (options: object) => () => diagnose(model, x, options);
  expect(call({ limit: 1 })).toThrow("diagnose: limit must be a number > 1, got 1");
  expect(call({ deadShare: 0 })).toThrow("diagnose: deadShare must be a number in (0, 1], got 0");
  expect(call({ targets: x })).toThrow("diagnose: unknown option targets");
  expect(call({ target: 3 })).toThrow(ArgumentError);
  expect(call({ loss: 3 })).toThrow("diagnose: loss must be a function, got number 3");
  expect(call({ loss: () => x })).toThrow(
    "diagnose: loss must return a Tensor of one element, got a tensor of shape [4,3]",
  );
  expect(call({ loss: () => tensor(1) })).toThrow(GradientError);
  expect(() => diagnose(model, [1] as never)).toThrow(ArgumentError);
  const traced = compile((t: Tensor) => {
    diagnose(model, x);
    return t.mul(2);
  });
  expect(() => traced.sync(tensor(1))).toThrow(TraceError);
  expect(() => traced.sync(tensor(1))).toThrow("diagnose");
});
