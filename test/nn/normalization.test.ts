/** BatchNorm1d against PyTorch over several batches, and what the normalizations refuse. */
import { describe, expect, test } from "vitest";
import { gradcheck } from "../../lib/autograd/gradcheck.js";
import { ArgumentError, ShapeError } from "../../lib/errors.js";
import { BatchNorm1d, type BatchNorm1dOptions, functional as F, LayerNorm } from "../../lib/nn/index.js";
import { Generator } from "../../lib/random/index.js";
import { zeros } from "../../lib/tensor.js";
import { type Dump, expectClose, fromDump, readFixture } from "./fixtures.js";

interface Run {
  options: BatchNorm1dOptions;
  channels: number;
  initial: Record<string, Dump>;
  batches: Dump[];
  cotangent: Dump;
  trained: Dump;
  grads: Record<string, Dump>;
  evaluated: Dump;
  state: Record<string, Dump>;
}

const { batchNorm } = readFixture<{ batchNorm: Run[] }>("nn.json");
const runs = batchNorm.map((run): [string, Run] => [
  `${JSON.stringify(run.options)} of [${run.batches[0].shape}]`,
  run,
]);

const layerOf = ({ channels, options, initial }: Run): BatchNorm1d => {
  const layer = new BatchNorm1d(channels, { ...options, dtype: "float64" });
  const given = Object.entries(initial).map(([name, dump]) => [name, fromDump(dump)]);
  layer.loadStateDict(Object.fromEntries(given), { strict: false });
  return layer;
};

describe("BatchNorm1d", () => {
  test.each(runs)("trains, keeps statistics and evaluates as PyTorch's: %s", (_, run) => {
    const layer = layerOf(run);
    for (const batch of run.batches.slice(0, 2)) layer.forward(fromDump(batch));
    const input = fromDump(run.batches[2], true);
    const trained = layer.forward(input);
    expectClose(trained, run.trained, "the training output");
    trained.backward({ gradient: fromDump(run.cotangent) });
    expectClose(input.grad, run.grads.input, "the gradient of the input");
    for (const [name, parameter] of layer.namedParameters()) {
      expectClose(parameter.grad, run.grads[name], `the gradient of ${name}`);
    }
    const state = layer.stateDict();
    expect(Object.keys(state)).toEqual(Object.keys(run.state));
    for (const [name, dump] of Object.entries(run.state)) expectClose(state[name], dump, name);
    expectClose(layer.eval().forward(fromDump(run.batches[0])), run.evaluated, "the evaluation output");
  });

  test.each(runs)("first and second derivatives agree with differences: %s", (_, run) => {
    const layer = layerOf(run);
    const inputs = [fromDump(run.batches[0], true), ...layer.parameters()];
    for (const training of [true, false]) {
      layer.train(training);
      const call = (x = inputs[0], weight = inputs[1], bias = inputs[2]) =>
        F.batchNorm(x, layer.runningMean, layer.runningVar, {
          weight,
          bias,
          eps: layer.eps,
          training,
          momentum: 0,
        });
      expect(gradcheck(call, inputs, { secondOrder: true })).toBe(true);
    }
  });

  test("evaluation leaves the statistics alone", () => {
    const layer = new BatchNorm1d(2).eval();
    layer.forward(new Generator(3).normal([4, 2]));
    expect(layer.stateDict().running_mean.toArray()).toEqual([0, 0]);
    expect(layer.stateDict().num_batches_tracked.toArray()).toBe(0n);
    expect(layer.stateDict().num_batches_tracked.dtype).toBe("int64");
  });

  test("refuses a batch without variance, other channels and other ranks", () => {
    const layer = new BatchNorm1d(3);
    expect(() => layer.forward(zeros([1, 3]))).toThrow(ShapeError);
    expect(() => layer.forward(zeros([1, 3]))).toThrow("batchNorm: input [1,3] has 1 value per channel");
    expect(layer.stateDict().num_batches_tracked.toArray()).toBe(0n);
    expect(() => layer.forward(zeros([5, 4]))).toThrow(
      "BatchNorm1d: input is [5,4]; it must be [N,3] or [N,3,L]",
    );
    expect(() => layer.forward(zeros([3]))).toThrow(ShapeError);
    expect(() => layer.forward(zeros([2, 3, 2, 2]))).toThrow(ShapeError);
    expect(layer.eval().forward(zeros([1, 3])).shape).toEqual([1, 3]);
  });

  test("refuses options outside their range", () => {
    expect(() => new BatchNorm1d(0)).toThrow(ArgumentError);
    expect(() => new BatchNorm1d(3, { eps: -1 })).toThrow("BatchNorm1d: eps must be a number ≥ 0, got -1");
    expect(() => new BatchNorm1d(3, { momentum: 2 })).toThrow("momentum must be a number in [0, 1], got 2");
  });
});

describe("LayerNorm", () => {
  test("starts with a factor of 1 and a summand of 0", () => {
    const x = new Generator(5).normal([4, 6], { dtype: "float64" });
    const layer = new LayerNorm(6, { dtype: "float64" });
    expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
    const plain = F.layerNorm(x, [6]);
    expect(layer.forward(x).toArray()).toEqual(plain.toArray());
    for (const row of plain.toArray() as number[][]) {
      expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(0, 12);
      expect(row.reduce((sum, value) => sum + value ** 2, 0) / 6).toBeCloseTo(1, 4);
    }
  });

  test("leaves out what is not asked for", () => {
    expect(Object.keys(new LayerNorm([2, 3], { bias: false }).stateDict())).toEqual(["weight"]);
    expect(Object.keys(new LayerNorm([2, 3], { elementwiseAffine: false }).stateDict())).toEqual([]);
  });

  test("refuses other last axes", () => {
    expect(() => new LayerNorm([2, 3]).forward(zeros([3, 2]))).toThrow(
      "layerNorm: input is [3,2]; its last axes must be [2,3]",
    );
    expect(() => F.layerNorm(zeros([3, 2]), [2], { weight: zeros([3]) })).toThrow(
      "layerNorm: weight is [3]; it must be [2]",
    );
  });
});
