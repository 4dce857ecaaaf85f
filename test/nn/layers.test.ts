/** Layers as modules: that they compute what their functions do, their first values, and what they refuse. */
import { describe, expect, test } from "vitest";
import { gradcheck } from "../../lib/autograd/gradcheck.js";
import { ArgumentError, IndexError, ShapeError } from "../../lib/errors.js";
import * as nn from "../../lib/nn/index.js";
import { Generator } from "../../lib/random/index.js";
import { ones, type Tensor, tensor, zeros } from "../../lib/tensor.js";

const F = nn.functional;
const x = new Generator(7).normal([3, 4], { dtype: "float64" });

describe("Linear", () => {
  test("computes Z W + 1bᵀ with its weight stored as Wᵀ", () => {
    const layer = new nn.Linear(2, 3);
    layer.loadStateDict({
      weight: tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      bias: tensor([10, 20, 30]),
    });
    expect(
      layer
        .forward(
          tensor([
            [1, 0],
            [0, 1],
            [1, 1],
          ]),
        )
        .toArray(),
    ).toEqual([
      [11, 23, 35],
      [12, 24, 36],
      [13, 27, 41],
    ]);
    expect(layer.forward(tensor([1, 1])).toArray()).toEqual([13, 27, 41]);
    expect(layer.forward(ones([2, 5, 2])).shape).toEqual([2, 5, 3]);
    expect(layer.forward(zeros([0, 4, 2])).shape).toEqual([0, 4, 3]);
  });

  test("starts uniform on ±1/√in, weight first, from its generator", () => {
    const layer = new nn.Linear(16, 8, { generator: new Generator(3), dtype: "float64" });
    const generator = new Generator(3);
    const draw = (shape: number[]) =>
      generator.uniform(shape, { low: -0.25, high: 0.25, dtype: "float64" }).toArray();
    // √3 · √(1/3) is not exactly 1 in floating point.
    const drawn = (draw([8, 16]) as number[][]).flat();
    const weight = (layer.weight.toArray() as number[][]).flat();
    for (const [i, value] of weight.entries()) expect(value).toBeCloseTo(drawn[i], 14);
    expect(layer.bias?.toArray()).toEqual(draw([8]));
  });

  test("goes without a bias", () => {
    const layer = new nn.Linear(4, 2, { bias: false });
    expect(layer.bias).toBe(null);
    expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
  });

  test("names the layer and both sizes when the input does not fit", () => {
    const layer = new nn.Linear(784, 10);
    expect(() => layer.forward(zeros([32, 783]))).toThrow(ShapeError);
    expect(() => layer.forward(zeros([32, 783]))).toThrow(
      "Linear: input has 783 features in its last axis (shape [32,783]), the layer needs 784",
    );
    expect(() => layer.forward(tensor(1))).toThrow("Linear: input is 0-d, the layer needs 784 features");
    expect(() => F.linear(zeros([2, 3]), zeros([4, 2]))).toThrow(
      "linear: input is [2,3], weight [4,2]; they must be [..., in] and [out, in]",
    );
    expect(() => F.linear(zeros([2, 3]), zeros([4, 3]), zeros([3]))).toThrow("the bias must be [4]");
  });

  test("refuses sizes and options that it cannot use", () => {
    expect(() => new nn.Linear(0, 3)).toThrow("Linear: inFeatures must be a positive integer, got 0");
    expect(() => new nn.Linear(3, 2.5)).toThrow("Linear: outFeatures must be a positive integer, got 2.5");
    expect(() => new nn.Linear(3, 2, { biass: true } as never)).toThrow(
      "Linear: unknown option biass; it takes bias, dtype, generator",
    );
    expect(() => new nn.Linear(3, 2, false as never)).toThrow(
      "Linear: options must be an object, got boolean false",
    );
    expect(() => new nn.Linear(3, 2, { bias: 1 } as never)).toThrow(
      "Linear: bias must be true or false, got 1",
    );
  });
});

const sameAs: [nn.Module, (input: Tensor) => Tensor][] = [
  [new nn.ReLU(), F.relu],
  [new nn.LeakyReLU({ negativeSlope: 0.3 }), (input) => F.leakyRelu(input, 0.3)],
  [new nn.Sigmoid(), F.sigmoid],
  [new nn.Tanh(), F.tanh],
  [new nn.SiLU(), F.silu],
  [new nn.GELU(), F.gelu],
  [new nn.GELU({ approximate: "tanh" }), (input) => F.gelu(input, { approximate: "tanh" })],
  [new nn.Softplus({ beta: 3, threshold: 1 }), (input) => F.softplus(input, { beta: 3, threshold: 1 })],
  [new nn.Softmax(0), (input) => F.softmax(input, 0)],
  [new nn.LogSoftmax(), (input) => F.logSoftmax(input, 1)],
  [new nn.Identity(), (input) => input],
  [new nn.Flatten(0), (input) => input.reshape([12])],
  [new nn.Residual(new nn.Tanh()), (input) => input.add(input.tanh())],
  [new nn.Sequential(new nn.Tanh(), new nn.Softmax(0)), (input) => input.tanh().softmax(0)],
  [new nn.Sequential(), (input) => input],
];

test.each(
  sameAs.map(([layer, fn]): [string, nn.Module, (input: Tensor) => Tensor] => [String(layer), layer, fn]),
)("%s computes what its function does, and is differentiable twice", (_, layer, fn) => {
  expect(layer.forward(x).toArray()).toEqual(fn(x).toArray());
  const input = tensor(x.array, { requiresGrad: true });
  expect(gradcheck((value) => layer.forward(value), [input], { secondOrder: true })).toBe(true);
});

test("Flatten keeps the examples apart", () => {
  expect(new nn.Flatten().forward(zeros([5, 2, 3])).shape).toEqual([5, 6]);
});

describe("containers", () => {
  test("Sequential and ModuleList give their modules by position and in order", () => {
    const [a, b] = [new nn.ReLU(), new nn.Tanh()];
    const both = [new nn.Sequential(a, b), new nn.ModuleList([a]).append(b)];
    for (const container of both) {
      expect([container.length, container.at(-1), container.at(2)]).toEqual([2, b, undefined]);
      expect([...container]).toEqual([a, b]);
    }
  });

  test("refuse what is not a module", () => {
    expect(() => new nn.Sequential(new nn.ReLU(), F.relu as never)).toThrow(
      "Sequential: module 1 must be a Module",
    );
    expect(() => new nn.Residual(null as never)).toThrow(ArgumentError);
    expect(() => new nn.ModuleList().forward()).toThrow("ModuleList: it has no forward");
  });
});

describe("Dropout", () => {
  const wide = ones([100, 100], { dtype: "float64" });

  test("zeroes a fraction p and scales the rest, for the gradient alike", () => {
    const layer = new nn.Dropout(0.25, { generator: new Generator(1) });
    const input = tensor(wide.array, { requiresGrad: true });
    const output = layer.forward(input);
    const values = Array.from(output.data, Number);
    expect(new Set(values)).toEqual(new Set([0, 1 / 0.75]));
    // Four standard deviations of a binomial fraction of 10,000.
    const zeroed = values.filter((value) => value === 0).length / values.length;
    expect(Math.abs(zeroed - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 10_000));
    output.sum().backward();
    expect(input.grad?.toArray()).toEqual(output.toArray());
    expect(layer.forward(wide).toArray()).not.toEqual(output.toArray());
  });

  test("draws the same from equal generators, and nothing in evaluation or for p = 0", () => {
    const draw = () => new nn.Dropout(0.5, { generator: new Generator(9) }).forward(wide).toArray();
    expect(draw()).toEqual(draw());
    expect(new nn.Dropout(0.5).eval().forward(wide)).toBe(wide);
    expect(new nn.Dropout(0).forward(wide)).toBe(wide);
    expect(new nn.Dropout(1).forward(wide).sum().item()).toBe(0);
  });

  test("refuses a p outside [0, 1]", () => {
    expect(() => new nn.Dropout(1.5)).toThrow("Dropout: p must be a number in [0, 1], got 1.5");
    expect(() => F.dropout(wide, { p: -0.1 })).toThrow("dropout: p must be a number in [0, 1], got -0.1");
  });
});

describe("Embedding", () => {
  test("looks rows up; the padding row is zero and gets no gradient", () => {
    const layer = new nn.Embedding(5, 2, { paddingIdx: -1, generator: new Generator(2) });
    expect(layer.paddingIdx).toBe(4);
    expect((layer.weight.toArray() as number[][])[4]).toEqual([0, 0]);
    const output = layer.forward(tensor(BigInt64Array.from([1n, 4n, 1n]), { shape: [3, 1] }));
    expect(output.shape).toEqual([3, 1, 2]);
    output.sum().backward();
    expect(layer.weight.grad?.toArray()).toEqual([
      [0, 0],
      [2, 2],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test("refuses indices outside the table, negative ones too, and fractions", () => {
    const layer = new nn.Embedding(5, 2);
    expect(() => layer.forward(tensor([1, 5], { dtype: "int32" }))).toThrow(IndexError);
    expect(() => layer.forward(tensor([1, -1], { dtype: "int32" }))).toThrow(
      "embedding: index -1 at position 1 is outside [0, 5)",
    );
    expect(() => layer.forward(tensor([1, 2]))).toThrow(
      "embedding: indices must be int32 (or uint8 or int64), got float32",
    );
    expect(() => new nn.Embedding(5, 2, { paddingIdx: 5 })).toThrow("paddingIdx 5 is outside [-5, 5)");
  });
});
