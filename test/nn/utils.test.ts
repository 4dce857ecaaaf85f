/** Gradient clipping, against PyTorch. */
import { describe, expect, test } from "vitest";
import { GradientError } from "../../lib/errors.js";
import { Parameter, utils } from "../../lib/nn/index.js";
import { ones, tensor, zeros } from "../../lib/tensor.js";
import { type Dump, expectClose, fromDump, readFixture } from "./fixtures.js";

interface Norms {
  grads: Dump[];
  results: { maxNorm: number; normType: number | "Infinity"; total: number; grads: Dump[] }[];
}

const { clipGradNorm } = readFixture<{ clipGradNorm: Norms }>("nn.json");
const parametersOf = () =>
  clipGradNorm.grads.map((grad) => {
    const parameter = new Parameter(zeros(grad.shape, { dtype: "float64" }));
    parameter.grad = fromDump(grad);
    return parameter;
  });

describe("clipGradNorm", () => {
  test.each(clipGradNorm.results)("norm $normType, at most $maxNorm", (result) => {
    const parameters = parametersOf();
    const before = parameters.map(({ grad }) => grad?.toArray());
    const grads = parameters.map(({ grad }) => grad);
    const total = utils
      .clipGradNorm(parameters, result.maxNorm, { normType: Number(result.normType) })
      .item();
    expect(total).toBeCloseTo(result.total, 12);
    parameters.forEach(({ grad }, i) => {
      expectClose(grad, result.grads[i], `gradient ${i}`);
    });
    // The memory of the gradients before may be shared: it stays as it was.
    expect(grads.map((grad) => grad?.toArray())).toEqual(before);
  });

  test("skips parameters without a gradient and takes a single tensor", () => {
    const parameter = new Parameter(zeros([2]));
    expect(utils.clipGradNorm(parameter, 1).item()).toBe(0);
    parameter.grad = tensor([3, 4]);
    expect(utils.clipGradNorm([parameter, new Parameter(zeros([1]))], 10).item()).toBe(5);
    expect(parameter.grad.toArray()).toEqual([3, 4]);
  });

  test("an infinite bound measures only", () => {
    const parameters = parametersOf();
    const before = parameters.map(({ grad }) => grad?.toArray());
    expect(utils.clipGradNorm(parameters, Number.POSITIVE_INFINITY).item()).toBeGreaterThan(0);
    expect(parameters.map(({ grad }) => grad?.toArray())).toEqual(before);
  });

  test("a NaN makes the norm and all gradients NaN, or is an error on request", () => {
    const parameters = parametersOf();
    parameters[0].grad = tensor([Number.NaN, 0], { dtype: "float64" });
    const before = parameters[1].grad?.toArray();
    expect(() => utils.clipGradNorm(parameters, 1, { errorIfNonfinite: true })).toThrow(GradientError);
    expect(parameters[1].grad?.toArray()).toEqual(before);
    expect(utils.clipGradNorm(parameters, 1).item()).toBeNaN();
    expect(parameters[1].grad?.toArray()).toEqual([[Number.NaN], [Number.NaN]]);
  });

  test("refuses arguments that it cannot use", () => {
    expect(() => utils.clipGradNorm([], -1)).toThrow("clipGradNorm: maxNorm must be a number ≥ 0, got -1");
    expect(() => utils.clipGradValue([], Number.POSITIVE_INFINITY)).toThrow(
      "clipValue must be finite and a number ≥ 0",
    );
    expect(() => utils.clipGradNorm([], 1, { normType: 0 })).toThrow(
      "clipGradNorm: normType must be a number > 0",
    );
    expect(() => utils.clipGradNorm([3 as never], 1)).toThrow(
      "clipGradNorm: parameters[0] must be a Tensor, got number 3",
    );
    for (const clip of [utils.clipGradNorm, utils.clipGradValue]) {
      expect(() => clip(undefined as never, 1)).toThrow(
        `${clip.name}: parameters must be an array of tensors, got undefined`,
      );
      const x = ones([2], { requiresGrad: true });
      x.grad = 5 as never;
      expect(() => clip(x, 1)).toThrow(
        `${clip.name}: the gradient of parameters[0] must be a Tensor or null, got number 5`,
      );
      x.grad = ones([3]);
      expect(() => clip([x], 1)).toThrow(
        `${clip.name}: the gradient of parameters[0] is [3]; it must be [2]`,
      );
    }
  });
});

test("clipGradValue bounds every element", () => {
  const [parameter] = parametersOf();
  utils.clipGradValue([parameter], 3.5);
  expect(parameter.grad?.toArray()).toEqual([3, -3.5]);
  expect(() => utils.clipGradValue([parameter], Number.NaN)).toThrow(
    "clipGradValue: clipValue must be a number ≥ 0",
  );
});
