/** Every function and loss against PyTorch: values and gradients, for all combinations of options. */
import { describe, expect, test } from "vitest";
import { gradcheck } from "../../lib/autograd/gradcheck.js";
import { functional as F } from "../../lib/nn/index.js";
import { exp, max, sum } from "../../lib/ops/index.js";
import { manualSeed, randn } from "../../lib/random/index.js";
import type { Tensor } from "../../lib/tensor.js";
import { type Dump, expectClose, fromDump, readFixture } from "./fixtures.js";

interface Case {
  fn: string;
  tensors: Record<string, Dump>;
  options: Record<string, never>;
  output: Dump;
  cotangent: Dump;
  grads: Record<string, Dump>;
}

type Tensors = Record<string, Tensor>;
type Call = (tensors: Tensors, options: Record<string, never>) => Tensor;

/** How PyTorch's arguments are passed here. */
const CALLS: Record<string, Call> = {
  crossEntropy: ({ input, target, weight }, options) => F.crossEntropy(input, target, { weight, ...options }),
  nllLoss: ({ input, target, weight }, options) => F.nllLoss(input, target, { weight, ...options }),
  mseLoss: ({ input, target }, options) => F.mseLoss(input, target, options),
  l1Loss: ({ input, target }, options) => F.l1Loss(input, target, options),
  huberLoss: ({ input, target }, options) => F.huberLoss(input, target, options),
  smoothL1Loss: ({ input, target }, options) => F.smoothL1Loss(input, target, options),
  binaryCrossEntropyWithLogits: ({ input, target, weight, pos_weight: posWeight }, options) =>
    F.binaryCrossEntropyWithLogits(input, target, { weight, posWeight, ...options }),
  relu: ({ input }) => F.relu(input),
  leakyRelu: ({ input }, { negativeSlope }) => F.leakyRelu(input, negativeSlope),
  sigmoid: ({ input }) => F.sigmoid(input),
  tanh: ({ input }) => F.tanh(input),
  silu: ({ input }) => F.silu(input),
  gelu: ({ input }, options) => F.gelu(input, options),
  softplus: ({ input }, options) => F.softplus(input, options),
  softmax: ({ input }, { axis }) => F.softmax(input, axis),
  logSoftmax: ({ input }, { axis }) => F.logSoftmax(input, axis),
  linear: ({ input, weight, bias }) => F.linear(input, weight, bias),
  layerNorm: ({ input, weight, bias }, { normalizedShape, eps }) =>
    F.layerNorm(input, normalizedShape, { weight, bias, eps }),
  embedding: ({ input, weight }, options) => F.embedding(input, weight, options),
};

const { cases } = readFixture<{ cases: Case[] }>("nn.json");

const leavesOf = ({ tensors, grads }: Case): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, dump]) => [name, fromDump(dump, name in grads)]));

describe.each(Object.keys(CALLS))("%s", (fn) => {
  const own = cases.filter((each) => each.fn === fn);
  const titled = own.map((each): [string, Case] => [
    `${JSON.stringify(each.options)} of ${Object.entries(each.tensors).map(([name, { shape }]) => `${name} [${shape}]`)}`,
    each,
  ]);

  test.each(titled)("%s", (_, each) => {
    const leaves = leavesOf(each);
    const output = CALLS[fn](leaves, each.options);
    expectClose(output, each.output, "the value");
    output.backward({ gradient: fromDump(each.cotangent) });
    for (const [name, grad] of Object.entries(each.grads)) {
      expectClose(leaves[name].grad, grad, `the gradient of ${name}`);
    }
  });

  test("first and second derivatives agree with differences", () => {
    // The row of paddingIdx has no gradient on purpose.
    for (const each of own.filter(({ options }) => !("paddingIdx" in options))) {
      const names = Object.keys(each.tensors);
      const leaves = leavesOf(each);
      const call = (...inputs: Tensor[]): Tensor =>
        CALLS[fn](Object.fromEntries(names.map((name, i) => [name, inputs[i]])), each.options);
      const inputs = names.map((name) => leaves[name]);
      expect(gradcheck(call, inputs, { secondOrder: true })).toBe(true);
    }
  });
});

test("every function with a fixture is called", () => {
  expect([...new Set(cases.map(({ fn }) => fn))].sort()).toEqual(Object.keys(CALLS).sort());
});

describe("softmax over the last axis", () => {
  test.each([1, 10, 16, 17, 100, 5000])("of rows of %i numbers is e / Σe to the last bit", (n) => {
    manualSeed(3);
    const x = randn([7, n]);
    const e = exp(x.sub(max(x, 1, { keepDims: true })));
    const expected = e.div(sum(e, 1, { keepDims: true }));
    expect([...F.softmax(x).data]).toEqual([...expected.data]);
  });
});
