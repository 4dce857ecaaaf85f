/**
 * One entry per operation: how it is called, on what, and what a plain reference says. The generic suites run each
 * through every check; an operation without an entry fails them.
 */
import { crossEntropyPerExample } from "../../lib/ops/cross_entropy.js";
import * as ops from "../../lib/ops/index.js";
import { batchNormChannels, layerNormRows } from "../../lib/ops/normalize.js";
import { Generator } from "../../lib/random/generator.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { along, at, build, elementwise, type Plain } from "./plain.js";
import {
  argReduce,
  average,
  binary,
  type Case,
  constant,
  gradientOf,
  largest,
  logSumExp,
  reduce,
  type Samples,
  TRANSCENDENTAL,
  total,
  truth,
  ULP,
  unary,
} from "./sample_families.js";

/** erf by its Maclaurin series and, further out, the continued fraction of erfc. */
export function erf(x: number): number {
  if (Math.abs(x) > 3) {
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / 2 / (Math.abs(x) + fraction);
    return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (Math.abs(x) + fraction));
  }
  let term = x;
  let sum = x;
  for (let n = 1; n < 100; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const matmulReference = (a: Plain, b: Plain): Plain => {
  const batch = elementwise((x) => x)({ shape: a.shape.slice(0, -2), data: [] }).shape;
  const other = b.shape.slice(0, -2);
  const lead = batch.length >= other.length ? batch : other;
  const [m, k] = a.shape.slice(-2);
  return build([...lead, m, b.shape[b.shape.length - 1]], (index) => {
    const outer = index.slice(0, -2);
    const [i, j] = index.slice(-2);
    return total(Array.from({ length: k }, (_, p) => at(a, [...outer, i, p]) * at(b, [...outer, p, j])));
  });
};

const softmaxReference =
  (axis: number, logarithm: boolean) =>
  (x: Plain): Plain => {
    const sums = along((values) => total(values.map(Math.exp)), [axis], true)(x);
    return elementwise((value, sum) => (logarithm ? value - Math.log(sum) : Math.exp(value) / sum))(x, sums);
  };

const normalizeReference =
  (axes: readonly number[], parameterShape: (shape: number[]) => number[]) =>
  (x: Plain, weight: Plain, bias: Plain): Plain => {
    const means = along(average, axes, true)(x);
    const spread = along(
      (values) => average(values.map((value) => (value - average(values)) ** 2)),
      axes,
      true,
    )(x);
    const shaped = (p: Plain): Plain => ({ shape: parameterShape(x.shape), data: p.data });
    return elementwise((value, m, v, w, b) => ((value - m) / Math.sqrt(v + 1e-5)) * w + b)(
      x,
      means,
      spread,
      shaped(weight),
      shaped(bias),
    );
  };

const LABELS = tensor([0, 2, -1, 1], { dtype: "int32" });
const CLASS_WEIGHTS = [1, 0.5, 2];
const weightsLike = (x: Tensor): Tensor => tensor(CLASS_WEIGHTS, { dtype: x.dtype });

const crossEntropyCase = (labelSmoothing: number): Case => ({
  inputs: [[[4, 3]]],
  call: (x) => crossEntropyPerExample(x, LABELS, weightsLike(x), { labelSmoothing, ignoreIndex: -1 }).loss,
  reference: (x) => ({
    shape: [4],
    data: [0, 2, -1, 1].map((label, i) => {
      if (label === -1) return 0;
      const row = x.data.slice(3 * i, 3 * i + 3);
      const losses = row.map((value, j) => CLASS_WEIGHTS[j] * (logSumExp(row) - value));
      return (1 - labelSmoothing) * losses[label] + (labelSmoothing / 3) * total(losses);
    }),
  }),
});

const generator = new Generator(3);
const MASK = generator.integers(0, 2, [3, 4]).astype("bool");
const maskValue = (index: number[]): number => Number(MASK.data[index[0] * 4 + index[1]]);

/** The samples of every operation, by its name. */
export const SAMPLES: Record<string, Samples> = {
  neg: unary(ops.neg, (x) => -x),
  abs: unary(ops.abs, Math.abs, "spread"),
  sign: unary(ops.sign, Math.sign, "spread"),
  square: unary(ops.square, (x) => x * x),
  sqrt: unary(ops.sqrt, Math.sqrt, "positive"),
  rsqrt: unary(ops.rsqrt, (x) => 1 / Math.sqrt(x), "positive"),
  reciprocal: unary(ops.reciprocal, (x) => 1 / x, "spread"),
  floor: unary(ops.floor, Math.floor, "spread"),
  ceil: unary(ops.ceil, Math.ceil, "spread"),
  round: unary(ops.round, (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)), "spread"),
  trunc: unary(ops.trunc, Math.trunc, "spread"),
  exp: unary(ops.exp, Math.exp, "real", TRANSCENDENTAL),
  expm1: unary(ops.expm1, Math.expm1, "real", TRANSCENDENTAL),
  log: unary(ops.log, Math.log, "positive", TRANSCENDENTAL),
  log1p: unary(ops.log1p, Math.log1p, "positive", TRANSCENDENTAL),
  sin: unary(ops.sin, Math.sin, "real", TRANSCENDENTAL),
  cos: unary(ops.cos, Math.cos, "real", TRANSCENDENTAL),
  tan: unary(ops.tan, Math.tan, "unit", TRANSCENDENTAL),
  tanh: unary(ops.tanh, Math.tanh, "real", TRANSCENDENTAL),
  erf: unary(ops.erf, erf, "real", TRANSCENDENTAL),
  sigmoid: unary(ops.sigmoid, sigmoid, "real", TRANSCENDENTAL),
  softplus: unary(ops.softplus, (x) => Math.log1p(Math.exp(x)), "real", TRANSCENDENTAL),
  gelu: unary(ops.gelu, (x) => (x * (1 + erf(x / Math.SQRT2))) / 2, "real", 2 * TRANSCENDENTAL),
  silu: unary(ops.silu, (x) => x * sigmoid(x), "real", TRANSCENDENTAL),
  relu: unary(ops.relu, (x) => Math.max(x, 0), "spread"),
  leakyRelu: unary(
    (x) => ops.leakyRelu(x, 0.25),
    (x) => (x > 0 ? x : x / 4),
    "spread",
  ),
  reluGrad: gradientOf(ops.relu, (x) => truth(x > 0)),
  leakyReluGrad: gradientOf(
    (x) => ops.leakyRelu(x, 0.25),
    (x) => (x > 0 ? 1 : 0.25),
  ),
  clip: unary(
    (x) => ops.clip(x, -0.75, 1.25),
    (x) => Math.min(Math.max(x, -0.75), 1.25),
    "spread",
  ),
  isNaN: constant(unary(ops.isNaN, () => 0)),
  isFinite: constant(unary(ops.isFinite, () => 1)),
  logicalNot: constant(unary(ops.logicalNot, (x) => truth(x === 0), "bool")),

  add: binary(ops.add, (a, b) => a + b),
  sub: binary(ops.sub, (a, b) => a - b),
  mul: binary(ops.mul, (a, b) => a * b),
  div: binary(ops.div, (a, b) => a / b, "spread"),
  pow: binary(ops.pow, (a, b) => a ** b, "positive", TRANSCENDENTAL),
  maximum: binary(ops.maximum, Math.max, "spread"),
  minimum: binary(ops.minimum, Math.min, "spread"),
  eq: constant(binary(ops.eq, (a, b) => truth(a === b), "bool")),
  ne: constant(binary(ops.ne, (a, b) => truth(a !== b), "bool")),
  lt: constant(binary(ops.lt, (a, b) => truth(a < b), "bool")),
  le: constant(binary(ops.le, (a, b) => truth(a <= b), "bool")),
  gt: constant(binary(ops.gt, (a, b) => truth(a > b), "bool")),
  ge: constant(binary(ops.ge, (a, b) => truth(a >= b), "bool")),
  logicalAnd: constant(binary(ops.logicalAnd, (a, b) => a & b, "bool")),
  logicalOr: constant(binary(ops.logicalOr, (a, b) => a | b, "bool")),
  logicalXor: constant(binary(ops.logicalXor, (a, b) => a ^ b, "bool")),
  where: {
    cases: [
      {
        inputs: [[[3, 4]], [[4]]],
        call: (a, b) => ops.where(MASK, a, b),
        reference: (a, b) => build([3, 4], (index) => (maskValue(index) ? at(a, index) : at(b, index))),
      },
    ],
  },

  sum: reduce(ops.sum, total),
  mean: reduce(ops.mean, average, { empty: false }),
  prod: reduce(ops.prod, (values) => values.reduce((product, value) => product * value, 1), {
    domain: "positive",
  }),
  max: reduce(ops.max, largest, { empty: false }),
  min: reduce(ops.min, (values) => -largest(values.map((value) => -value)), { empty: false }),
  logsumexp: reduce(ops.logsumexp, logSumExp, { tolerance: TRANSCENDENTAL }),
  var: reduce(
    (x, axis, options) => ops.var(x, axis, { ...options, correction: 0 }),
    (values) => average(values.map((value) => (value - average(values)) ** 2)),
  ),
  argmax: constant(argReduce(ops.argmax, (a, b) => a > b)),
  argmin: constant(argReduce(ops.argmin, (a, b) => a < b)),

  matmul: {
    tolerance: 64 * ULP,
    cases: (
      [
        [
          [3, 4],
          [4, 5],
        ],
        [
          [2, 3, 4],
          [2, 4, 2],
        ],
        [
          [3, 4],
          [2, 4, 2],
        ],
        [
          [1, 1],
          [1, 1],
        ],
        [
          [0, 3],
          [3, 2],
        ],
        [
          [2, 0],
          [0, 3],
        ],
        [
          [7, 19],
          [19, 17],
        ],
      ] as const
    ).map(([a, b]) => ({ inputs: [[a], [b]], call: ops.matmul, reference: matmulReference })),
  },
  softmax: {
    tolerance: 8 * ULP,
    cases: [0, 1, 2].map((axis) => ({
      inputs: [[[2, 3, 5]]],
      call: (x) => ops.softmax(x, axis),
      reference: softmaxReference(axis, false),
    })),
  },
  logSoftmax: {
    tolerance: 8 * ULP,
    cases: [0, 1, 2].map((axis) => ({
      inputs: [[[2, 3, 5]]],
      call: (x) => ops.logSoftmax(x, axis),
      reference: softmaxReference(axis, true),
    })),
  },
  crossEntropy: { tolerance: 16 * ULP, cases: [crossEntropyCase(0), crossEntropyCase(0.1)] },
  layerNorm: {
    tolerance: 0,
    cases: [
      {
        inputs: [[[4, 5]], [[5]], [[5]]],
        call: (x, w, b) => layerNormRows(x, w, b, 1e-5),
        reference: normalizeReference([1], ([, n]) => [1, n]),
      },
    ],
  },
  batchNorm: {
    tolerance: 0,
    cases: (
      [
        [5, 3, 1],
        [4, 3, 2],
      ] as const
    ).map((shape) => ({
      inputs: [[shape], [[3]], [[3]]],
      call: (x, w, b) => batchNormChannels(x, w, b, 1e-5).output,
      reference: normalizeReference([0, 2], ([, c]) => [1, c, 1]),
    })),
  },

  astype: unary(
    (x) => ops.astype(ops.astype(x, "float64"), x.dtype),
    (x) => x,
  ),
  clone: unary(ops.clone, (x) => x),
  reshape: {
    cases: [
      {
        inputs: [[[2, 6]]],
        call: (x) => ops.reshape(x, [3, -1]),
        reference: (x) => ({ ...x, shape: [3, 4] }),
      },
      {
        inputs: [[[0, 4]]],
        call: (x) => ops.reshape(x, [2, 0]),
        reference: (x) => ({ ...x, shape: [2, 0] }),
      },
    ],
  },
  permute: {
    cases: [
      {
        inputs: [[[2, 3, 4]]],
        call: (x) => ops.permute(x, [2, 0, -2]),
        reference: (x) => build([4, 2, 3], ([i, j, k]) => at(x, [j, k, i])),
      },
    ],
  },
  broadcastTo: {
    cases: [
      {
        inputs: [[[3, 1]]],
        call: (x) => ops.broadcastTo(x, [2, 3, 4]),
        reference: (x) => build([2, 3, 4], (index) => at(x, index)),
      },
    ],
  },
  slice: {
    cases: [
      {
        inputs: [[[4, 7]]],
        call: (x) => ops.slice(x, [1, null], [null, null, -2]),
        reference: (x) => build([3, 4], ([i, j]) => at(x, [i + 1, 6 - 2 * j])),
      },
      {
        inputs: [[[4, 3]]],
        call: (x) => ops.slice(x, -1),
        reference: (x) => build([3], ([j]) => at(x, [3, j])),
      },
    ],
  },
  sliceScatter: {
    cases: [
      {
        inputs: [[[4, 3]], [[2, 3]]],
        call: (x, source) => ops.sliceScatter(x, source, [null, null, 2]),
        reference: (x, source) =>
          build([4, 3], ([i, j]) => (i % 2 === 0 ? at(source, [i / 2, j]) : at(x, [i, j]))),
      },
    ],
  },
  concat: {
    cases: [
      {
        inputs: [[[2, 3]], [[2, 2]]],
        call: (a, b) => ops.concat([a, b], 1),
        reference: (a, b) => build([2, 5], ([i, j]) => (j < 3 ? at(a, [i, j]) : at(b, [i, j - 3]))),
      },
    ],
  },
  take: {
    cases: [
      {
        inputs: [[[3, 4]]],
        call: (x) =>
          ops.take(
            x,
            [
              [0, -1],
              [2, 2],
            ],
            1,
          ),
        reference: (x) =>
          build([3, 2, 2], ([i, j, k]) =>
            at(x, [
              i,
              [
                [0, 3],
                [2, 2],
              ][j][k],
            ]),
          ),
      },
    ],
  },
  indexAdd: {
    cases: [
      {
        inputs: [[[3, 4]], [[3, 2]]],
        call: (x, source) => ops.indexAdd(x, 1, [2, 2], source),
        reference: (x, source) =>
          build([3, 4], ([i, j]) => at(x, [i, j]) + (j === 2 ? at(source, [i, 0]) + at(source, [i, 1]) : 0)),
      },
    ],
  },
};
