/** Losses beyond PyTorch's numbers: modules, one-hot vectors, label dtypes, and what they refuse. */
import { describe, expect, test } from "vitest";
import { grad } from "../../lib/autograd/functional.js";
import { gradcheck } from "../../lib/autograd/gradcheck.js";
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../../lib/errors.js";
import * as nn from "../../lib/nn/index.js";
import { Generator } from "../../lib/random/index.js";
import { ones, type Tensor, tensor, zeros } from "../../lib/tensor.js";

const F = nn.functional;
const generator = new Generator(11);
const logits = generator.normal([4, 3], { dtype: "float64" });
const labels = tensor([0, 2, 1, 2], { dtype: "int32" });
const other = generator.normal([4, 3], { dtype: "float64" });
const binary = other.gt(0).astype("float64");
const weight = tensor([1, 2, 3], { dtype: "float64" });
const posWeight = tensor([3, 1, 2], { dtype: "float64" });

const modules: [string, nn.Module<[Tensor, Tensor]>, Tensor, Tensor][] = [
  [
    "CrossEntropyLoss",
    new nn.CrossEntropyLoss({ weight, labelSmoothing: 0.1, ignoreIndex: 1, reduction: "sum" }),
    labels,
    F.crossEntropy(logits, labels, { weight, labelSmoothing: 0.1, ignoreIndex: 1, reduction: "sum" }),
  ],
  [
    "NLLLoss",
    new nn.NLLLoss({ weight, ignoreIndex: 1, reduction: "none" }),
    labels,
    F.nllLoss(logits, labels, { weight, ignoreIndex: 1, reduction: "none" }),
  ],
  ["MSELoss", new nn.MSELoss({ reduction: "sum" }), other, F.mseLoss(logits, other, { reduction: "sum" })],
  ["L1Loss", new nn.L1Loss({ reduction: "none" }), other, F.l1Loss(logits, other, { reduction: "none" })],
  ["HuberLoss", new nn.HuberLoss({ delta: 0.3 }), other, F.huberLoss(logits, other, { delta: 0.3 })],
  ["SmoothL1Loss", new nn.SmoothL1Loss({ beta: 0.3 }), other, F.smoothL1Loss(logits, other, { beta: 0.3 })],
  [
    "BCEWithLogitsLoss",
    new nn.BCEWithLogitsLoss({ weight, posWeight, reduction: "sum" }),
    binary,
    F.binaryCrossEntropyWithLogits(logits, binary, { weight, posWeight, reduction: "sum" }),
  ],
];

test.each(modules)("%s computes what its function does with its options", (_, module, target, expected) => {
  expect(module.forward(logits, target).toArray()).toEqual(expected.toArray());
});

test("loss modules keep their weights in the state dict, as PyTorch's do", () => {
  expect(Object.keys(new nn.CrossEntropyLoss({ weight }).stateDict())).toEqual(["weight"]);
  expect(Object.keys(new nn.BCEWithLogitsLoss({ weight, posWeight }).stateDict())).toEqual([
    "weight",
    "pos_weight",
  ]);
  expect(Object.keys(new nn.CrossEntropyLoss().stateDict())).toEqual([]);
  expect(new nn.CrossEntropyLoss({ weight }).parameters()).toEqual([]);
});

describe("crossEntropy", () => {
  test("is log C for equal logits, and takes every integer dtype", () => {
    for (const dtype of ["int32", "uint8", "int64"] as const) {
      const loss = F.crossEntropy(zeros([4, 3], { dtype: "float64" }), labels.astype(dtype)).item();
      // The logarithm itself may be off by its last bit.
      expect(Math.abs(loss - Math.log(3))).toBeLessThanOrEqual(Number.EPSILON);
    }
  });

  test("agrees with probabilities that are one-hot", () => {
    const oneHot = F.oneHot(labels, { dtype: "float64" });
    const difference = F.crossEntropy(logits, labels).sub(F.crossEntropy(logits, oneHot)).item();
    expect(Math.abs(difference)).toBeLessThan(1e-15);
  });

  test("stays finite for huge logits", () => {
    const huge = tensor([[1e4, -1e4, 0]], { requiresGrad: true });
    const loss = F.crossEntropy(huge, tensor([1], { dtype: "int32" }));
    loss.backward();
    expect(loss.item()).toBe(2e4);
    expect(huge.grad?.toArray()).toEqual([[1, -1, 0]]);
  });

  describe("differentiated twice", () => {
    // A derivative that is itself differentiated is made of operations instead of one kernel.
    const both = (x: Tensor, loss: () => Tensor): [number[], number[]] => {
      const [plain] = grad(loss(), [x]);
      const [made] = grad(loss(), [x], { createGraph: true });
      return [[...plain.data] as number[], [...made.data] as number[]];
    };

    test.each([
      ["crossEntropy", (x: Tensor) => F.crossEntropy(x, tensor([1], { dtype: "int32" }))],
      [
        "logSoftmax",
        (x: Tensor) =>
          F.logSoftmax(x)
            .mul(tensor([0, -1, 0]))
            .sum(),
      ],
    ])("%s has the derivatives of small logits at huge ones", (_, loss) => {
      const second = (offset: number): number[] => {
        const x = tensor([[offset, offset + 1, offset]], { requiresGrad: true });
        const [plain, made] = both(x, () => loss(x));
        for (const [i, value] of made.entries()) expect(value).toBeCloseTo(plain[i], 6);
        const [g] = grad(loss(x), [x], { createGraph: true });
        return [...plain, ...(grad(g.mul(g).sum(), [x])[0].data as Float32Array)];
      };
      const small = second(0);
      for (const [i, value] of second(1e7).entries()) expect(value).toBeCloseTo(small[i], 6);
    });

    test("keeps a NaN out of the derivatives of an ignored row", () => {
      const x = tensor(
        [
          [Number.NaN, 2, 3],
          [1, 2, 3],
        ],
        { requiresGrad: true },
      );
      const [plain, made] = both(x, () => F.crossEntropy(x, tensor([-100, 1], { dtype: "int32" })));
      expect(made.slice(0, 3)).toEqual([0, 0, 0]);
      expect(plain.slice(0, 3)).toEqual([0, 0, 0]);
    });
  });

  test("is NaN when every example is ignored, as PyTorch's", () => {
    expect(F.crossEntropy(logits, labels.mul(0).sub(100)).item()).toBeNaN();
  });

  test("refuses labels outside the classes, of other dtypes and shapes", () => {
    const bad = tensor([0, 1, 3, 0], { dtype: "int32" });
    expect(() => F.crossEntropy(logits, bad)).toThrow(IndexError);
    expect(() => F.crossEntropy(logits, bad)).toThrow(
      /^crossEntropy: label 3 at position 2 is outside \[0, 3\)$/,
    );
    expect(() => F.nllLoss(logits, bad)).toThrow("nllLoss: label 3 at position 2 is outside [0, 3)");
    const wide = tensor(BigInt64Array.from([0n, 2n ** 32n, 0n, 0n]));
    expect(() => F.crossEntropy(logits, wide)).toThrow(
      "crossEntropy: label 4294967296 at position 1 is outside the range of int32",
    );
    expect(() => F.crossEntropy(logits, labels.astype("bool"))).toThrow(DTypeError);
    expect(() => F.crossEntropy(logits, labels.expandDims(1))).toThrow(
      "crossEntropy: input is [4,3], labels are [4,1]; for this input they must be [4]",
    );
    expect(() => F.crossEntropy(logits, labels.astype("float32"))).toThrow(DTypeError);
    expect(() => F.crossEntropy(logits, labels.astype("float32"))).toThrow(
      "crossEntropy: labels must be int32 (or uint8 or int64), got float32; " +
        'make them with tensor(labels, { dtype: "int32" })',
    );
    expect(() => F.crossEntropy(logits, ones([3]))).toThrow(
      "crossEntropy: input is [4,3], target is [3]; they must be equal",
    );
    expect(() => F.crossEntropy(tensor(1), labels)).toThrow("crossEntropy: the input is 0-d");
    expect(() => F.crossEntropy(logits, labels, { weight: ones([2]) })).toThrow(
      "crossEntropy: weight is [2]; for 3 classes it must be [3]",
    );
  });

  test("refuses options outside their range", () => {
    expect(() => F.crossEntropy(logits, labels, { labelSmoothing: 1.1 })).toThrow(
      "crossEntropy: labelSmoothing must be a number in [0, 1], got 1.1",
    );
    expect(() => F.crossEntropy(logits, labels, { ignoreIndex: 0.5 })).toThrow(ArgumentError);
    expect(() => new nn.CrossEntropyLoss({ reduction: "avg" as never })).toThrow(
      'CrossEntropyLoss: reduction must be "mean" or "sum" or "none", got "avg"',
    );
  });
});

describe("losses of two tensors", () => {
  const calls = {
    mseLoss: F.mseLoss,
    l1Loss: F.l1Loss,
    huberLoss: F.huberLoss,
    smoothL1Loss: F.smoothL1Loss,
  };
  test.each(Object.entries(calls))("%s never broadcasts", (name, loss) => {
    expect(() => loss(zeros([4, 1]), zeros([4]))).toThrow(ShapeError);
    expect(() => loss(zeros([4, 1]), zeros([4]))).toThrow(
      `${name}: input is [4,1], target is [4]; they must be equal`,
    );
    expect(() => loss(zeros([4]), zeros([4]), { reduction: "avg" as never })).toThrow(
      `${name}: reduction must be`,
    );
    expect(() => loss(zeros([4]), 3 as never)).toThrow(ArgumentError);
  });

  test("refuse options outside their range", () => {
    expect(() => F.huberLoss(logits, other, { delta: 0 })).toThrow(
      "huberLoss: delta must be a number > 0, got 0",
    );
    expect(() => new nn.SmoothL1Loss({ beta: -1 })).toThrow(
      "SmoothL1Loss: beta must be a number ≥ 0, got -1",
    );
  });

  // The logits are exact in float32, so σ in float64 is the truth to within a rounding.
  test.each([0, 1])(
    "binaryCrossEntropyWithLogits keeps the digits of confident predictions of %d",
    (label) => {
      const sign = label === 0 ? 1 : -1;
      const logits = [-100, -20, -17, -10, -1, 0, 3, 17, 100].map((value) => sign * value);
      const x = tensor(logits, { requiresGrad: true });
      const loss = F.binaryCrossEntropyWithLogits(x, x.detach().mul(0).add(label), { reduction: "none" });
      loss.sum().backward();
      const grad = x.grad as Tensor;
      logits.forEach((value, i) => {
        const odds = Math.exp(sign * value);
        const ulp = (truth: number): number => Math.max(Math.abs(truth) * 2 ** -23, 2 ** -149);
        const wrong = odds / (1 + odds);
        expect(Math.abs(Number(grad.data[i]) - sign * wrong)).toBeLessThanOrEqual(4 * ulp(wrong));
        const truth = odds > 1e40 ? Math.abs(value) : Math.log1p(odds);
        expect(Math.abs(Number(loss.data[i]) - truth)).toBeLessThanOrEqual(4 * ulp(truth));
      });
    },
  );

  test("binaryCrossEntropyWithLogits is infinite for certain and wrong, 0 for certain and right", () => {
    const x = tensor([Infinity, -Infinity, Infinity, -Infinity], { requiresGrad: true });
    const y = tensor([0, 1, 1, 0]);
    const loss = F.binaryCrossEntropyWithLogits(x, y, { reduction: "none" });
    loss.sum().backward();
    expect(loss.toArray()).toEqual([Infinity, Infinity, 0, 0]);
    expect(x.grad?.add(0).toArray()).toEqual([1, -1, 0, 0]);
  });

  test("binaryCrossEntropyWithLogits has the derivatives of its definition, the second too", () => {
    const call = (x: Tensor, y: Tensor) => F.binaryCrossEntropyWithLogits(x, y, { posWeight, weight });
    const x = tensor(other.array, { requiresGrad: true });
    for (const y of [binary.mul(0.7).add(0.1), binary]) {
      const target = tensor(y.array, { requiresGrad: true });
      expect(gradcheck(call, [x, target], { secondOrder: true })).toBe(true);
    }
  });

  test("binaryCrossEntropyWithLogits refuses weights that would enlarge the loss", () => {
    const call = () => F.binaryCrossEntropyWithLogits(zeros([3]), zeros([3]), { weight: ones([2, 3]) });
    expect(call).toThrow("a weight of shape [2,3] does not broadcast to the input's [3]");
  });
});

describe("oneHot", () => {
  test("marks each label, with as many classes as are needed or asked for", () => {
    expect(F.oneHot(labels).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(F.oneHot(labels).dtype).toBe("int32");
    expect(
      F.oneHot(tensor([[1], [0]], { dtype: "uint8" }), { numClasses: 4, dtype: "float32" }).shape,
    ).toEqual([2, 1, 4]);
  });

  test("refuses labels outside the classes", () => {
    expect(() => F.oneHot(labels, { numClasses: 2 })).toThrow(
      "oneHot: label 2 at position 1 is outside [0, 2)",
    );
    expect(() => F.oneHot(tensor([-1], { dtype: "int32" }))).toThrow(IndexError);
  });
});
