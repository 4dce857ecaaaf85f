/** Reductions over any set of axes. */
import type { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { formatShape, MAX_RANK, normalizeAxes, type Shape, sameShape } from "../ndarray/shape.js";
import { checkBoolean, checkNumber, FINITE, withDefaults } from "../options.js";
import type { KernelStem } from "../runtime/table.js";
import { add, div, mul, sub } from "./arithmetic.js";
import { astype } from "./cast.js";
import { eq } from "./compare.js";
import { defineOperation } from "./define.js";
import { kernelFor, reduction } from "./kernel_call.js";
import { checkTensor, onlyOperand } from "./operands.js";
import { where } from "./select.js";
import { broadcastTo, concat, reshape, slice } from "./shape.js";
import { exp, sqrt, square } from "./unary.js";

/** One axis, several, or all of them (null or left out). Negative axes count from the end. */
export type AxisArgument = number | readonly number[] | null;

/** Options of reductions. */
export interface ReduceOptions {
  /** Keep the reduced axes with size 1. */
  keepDims?: boolean;
}

const NO_KEEP = { keepDims: false };

/** All axes of an array, by its rank. */
const ALL_AXES = Array.from({ length: MAX_RANK + 1 }, (_, rank) => Array.from({ length: rank }, (_, i) => i));

interface Reduced {
  axes: readonly number[];
  keepDims: boolean;
}

function resolve(
  operation: string,
  x: Tensor,
  axis: AxisArgument | undefined,
  options: ReduceOptions,
): Reduced {
  const { keepDims } = options === NO_KEEP ? NO_KEEP : withDefaults(operation, options, NO_KEEP);
  if (axis === undefined || axis === null) {
    return { axes: ALL_AXES[x.ndim], keepDims: checkBoolean(operation, "keepDims", keepDims) };
  }
  const given = axis;
  if (typeof given !== "number" && !Array.isArray(given)) {
    throw new ArgumentError(
      `${operation}: axis must be an integer, an array of them or null, got ${describe(given)}`,
    );
  }
  const axes = normalizeAxes(operation, typeof given === "number" ? [given] : given, x.ndim);
  return { axes, keepDims: checkBoolean(operation, "keepDims", keepDims) };
}

/** The gradient or result of a reduction, seen in the shape of what was reduced. */
function expand(reduced: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  const withOnes = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return broadcastTo(reshape(reduced, withOnes), x.shape);
}

const countOf = (shape: Shape, axes: readonly number[]): number =>
  axes.reduce((count, axis) => count * shape[axis], 1);

function refuseEmpty(operation: string, shape: Shape, axes: readonly number[]): void {
  if (countOf(shape, axes) > 0) return;
  throw new ShapeError(
    `${operation}: shape ${formatShape(shape)} has no elements along axes ${formatShape(axes)}; needs at least one`,
  );
}

type Reduction = (x: Tensor, axis?: AxisArgument, options?: ReduceOptions) => Tensor;

const sumOperation = defineOperation<Reduced>({
  name: "sum",
  forward: ([x], { axes, keepDims }) =>
    reduction(kernelFor("sum", "sum", x.dtype), x, axes, keepDims, x.dtype),
  derivative: (grad, { inputs: [x], options }) => [() => expand(grad, x, options.axes)],
});

/** Σ x; uint8 and bool are summed as int32. 0 for no elements. */
export const sum: Reduction = (x, axis, options = NO_KEEP) => {
  const operand = onlyOperand("sum", "sum", checkTensor("sum", x));
  return sumOperation([operand], resolve("sum", x, axis, options));
};

const meanOperation = defineOperation<Reduced>({
  name: "mean",
  forward: ([x], { axes, keepDims }) =>
    reduction(kernelFor("mean", "mean", x.dtype), x, axes, keepDims, x.dtype),
  derivative: (grad, { inputs: [x], options }) => [
    () => expand(div(grad, countOf(x.shape, options.axes)), x, options.axes),
  ],
});

/** The arithmetic mean; integers are converted to float32. NaN for no elements. */
export const mean: Reduction = (x, axis, options = NO_KEEP) => {
  const operand = onlyOperand("mean", "mean", checkTensor("mean", x));
  return meanOperation([operand], resolve("mean", x, axis, options));
};

const varianceOperation = defineOperation<Reduced & { correction: number }>({
  name: "var",
  forward: ([x], { axes, keepDims, correction }) =>
    reduction(kernelFor("var", "var", x.dtype), x, axes, keepDims, x.dtype, [correction]),
  derivative: (grad, { inputs: [x], options: { axes, correction } }) => [
    () => {
      const scale = 2 / Math.max(countOf(x.shape, axes) - correction, 0);
      return mul(mul(expand(grad, x, axes), sub(x, mean(x, axes, { keepDims: true }))), scale);
    },
  ],
});

/** Σ (x − mean)² / max(n − correction, 0), in two passes. The default correction is 1, as PyTorch's. */
export function variance(
  x: Tensor,
  axis?: AxisArgument,
  options: ReduceOptions & { correction?: number } = {},
): Tensor {
  const { correction, ...rest } = withDefaults("var", options, { keepDims: false, correction: 1 });
  checkNumber("var", "correction", correction, FINITE);
  const operand = onlyOperand("var", "var", checkTensor("var", x));
  return varianceOperation([operand], { ...resolve("var", x, axis, rest), correction });
}

/** √x whose derivative at 0 is 0: a row of equal numbers must not make every gradient NaN. */
function sqrtOrZero(x: Tensor): Tensor {
  const isZero = eq(x, 0);
  return where(isZero, 0, sqrt(where(isZero, 1, x)));
}

/** The standard deviation: the square root of `var`. The derivative at 0 is 0. */
export function std(
  x: Tensor,
  axis?: AxisArgument,
  options: ReduceOptions & { correction?: number } = {},
): Tensor {
  return sqrtOrZero(variance(x, axis, options));
}

function extremum(name: "max" | "min"): Reduction {
  const apply = defineOperation<Reduced>({
    name,
    forward: ([x], { axes, keepDims }) => {
      refuseEmpty(name, x.shape, axes);
      return reduction(kernelFor(name, name, x.dtype), x, axes, keepDims, x.dtype);
    },
    // Elements that share the extremum share its gradient.
    derivative: (grad, { inputs: [x], outputs: [y], options: { axes } }) => [
      () => {
        const isExtremum = astype(eq(x, expand(y, x, axes)), x.dtype);
        return mul(expand(grad, x, axes), div(isExtremum, sum(isExtremum, axes, { keepDims: true })));
      },
    ],
  });
  return (x, axis, options = NO_KEEP) =>
    apply([onlyOperand(name, name, checkTensor(name, x))], resolve(name, x, axis, options));
}

/** The largest element; NaN if one is. ShapeError for no elements. */
export const max: Reduction = extremum("max");
/** The smallest element; NaN if one is. ShapeError for no elements. */
export const min: Reduction = extremum("min");

const prodOperation = defineOperation<Reduced>({
  name: "prod",
  forward: ([x], { axes, keepDims }) =>
    reduction(kernelFor("prod", "prod", x.dtype), x, axes, keepDims, x.dtype),
  // Halves multiplied pairwise: unlike y/x, right to any order where elements are 0.
  decompose: ([x], { axes, keepDims }) => {
    let product = x;
    for (const axis of axes) product = foldHalves(product, axis);
    const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return reshape(product, keepDims ? shape : x.shape.filter((_, axis) => !axes.includes(axis)));
  },
});

function foldHalves(x: Tensor, axis: number): Tensor {
  const part = (from: Tensor, start: number, stop: number): Tensor =>
    slice(from, ...from.shape.map((_, i): [number, number] | null => (i === axis ? [start, stop] : null)));
  // Over no elements the product is 1; the empty sum keeps it connected to the graph.
  if (x.shape[axis] === 0) return add(sum(x, axis, { keepDims: true }), 1);
  let rest = x;
  while (rest.shape[axis] > 1) {
    const size = rest.shape[axis];
    const half = size >> 1;
    const product = mul(part(rest, 0, half), part(rest, half, 2 * half));
    rest = size % 2 === 0 ? product : concat([product, part(rest, size - 1, size)], axis);
  }
  return rest;
}

/** Π x; uint8 and bool as int32. 1 for no elements. */
export const prod: Reduction = (x, axis, options = NO_KEEP) => {
  const operand = onlyOperand("prod", "prod", checkTensor("prod", x));
  return prodOperation([operand], resolve("prod", x, axis, options));
};

const logsumexpOperation = defineOperation<Reduced>({
  name: "logsumexp",
  forward: ([x], { axes, keepDims }) =>
    reduction(kernelFor("logsumexp", "logsumexp", x.dtype), x, axes, keepDims, x.dtype),
  derivative: (grad, { inputs: [x], outputs: [y], options: { axes } }) => [
    () => mul(expand(grad, x, axes), exp(sub(x, expand(y, x, axes)))),
  ],
});

/** ln Σ eˣ, without overflow. −∞ for no elements. */
export const logsumexp: Reduction = (x, axis, options = NO_KEEP) => {
  const operand = onlyOperand("logsumexp", "logsumexp", checkTensor("logsumexp", x));
  return logsumexpOperation([operand], resolve("logsumexp", x, axis, options));
};

function argExtremum(
  name: string,
  stem: KernelStem,
): (x: Tensor, axis?: number | null, options?: ReduceOptions) => Tensor {
  const apply = defineOperation<Reduced>({
    name,
    forward: ([x], { axes, keepDims }) => {
      refuseEmpty(name, x.shape, axes);
      return reduction(kernelFor(name, stem, x.dtype), x, axes, keepDims, "int32");
    },
    derivative: "none",
  });
  return (x, axis, options = NO_KEEP) =>
    apply([onlyOperand(name, stem, checkTensor(name, x))], resolve(name, x, axis, options));
}

/** Index (int32) of the first largest element along an axis, or in row-major order; the first NaN wins. */
export const argmax: (x: Tensor, axis?: number | null, options?: ReduceOptions) => Tensor = argExtremum(
  "argmax",
  "argmax",
);
/** Index (int32) of the first smallest element along an axis, or in row-major order; the first NaN wins. */
export const argmin: (x: Tensor, axis?: number | null, options?: ReduceOptions) => Tensor = argExtremum(
  "argmin",
  "argmin",
);

/** Whether any element is true (not zero). */
export const any: Reduction = (x, axis, options) => boolReduction("any", max, false, x, axis, options);
/** Whether all elements are true (not zero). */
export const all: Reduction = (x, axis, options) => boolReduction("all", min, true, x, axis, options);

function boolReduction(
  name: string,
  reduce: Reduction,
  empty: boolean,
  x: Tensor,
  axis: AxisArgument | undefined,
  options: ReduceOptions = {},
): Tensor {
  const operand = astype(checkTensor(name, x), "bool");
  const { axes } = resolve(name, x, axis, options);
  if (countOf(x.shape, axes) > 0) return reduce(operand, axes, options);
  // The sum over no elements has the right shape; of `any` it is the value too.
  const zeros = astype(sum(operand, axes, options), "bool");
  return empty ? eq(zeros, 0) : zeros;
}

/** The L2 norm √Σx². The derivative at 0 is 0. */
export const norm: Reduction = (x, axis, options) =>
  sqrtOrZero(sum(square(checkTensor("norm", x)), axis, options));

/** Sums a gradient down to the shape that was broadcast: the one place where broadcasting is undone. */
export function sumTo(grad: Tensor, shape: Shape): Tensor {
  if (sameShape(grad.shape, shape)) return grad;
  const lead = grad.ndim - shape.length;
  const axes = grad.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < lead || (shape[axis - lead] === 1 && grad.shape[axis] !== 1));
  return reshape(sum(grad, axes), shape);
}
