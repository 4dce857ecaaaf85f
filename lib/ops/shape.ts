/** Views and joins: they move no elements, or only copy them. Semantics are NDArray's, which are NumPy's. */
import type { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { copyInto } from "../ndarray/copy.js";
import { promote } from "../ndarray/dtype.js";
import { concat as concatArrays, split as splitArrays } from "../ndarray/joining.js";
import { formatShape, normalizeAxis, type Shape, sameShape } from "../ndarray/shape.js";
import type { SliceRange } from "../ndarray/slicing.js";
import { astype } from "./cast.js";
import { defineOperation } from "./define.js";
import { checkTensor, zerosLike } from "./operands.js";
import { sumTo } from "./reduce.js";

const reshapeOperation = defineOperation<{ shape: Shape }>({
  name: "reshape",
  forward: ([x], { shape }) => x.reshape(shape),
  derivative: (grad, { inputs: [x] }) => [() => reshape(grad, x.shape)],
});

/** The same elements in row-major order under another shape; one size may be −1. A view where possible. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const from = checkTensor("reshape", x).shape;
  return Array.isArray(shape) && sameShape(from, shape) ? x : reshapeOperation([x], { shape });
}

const permuteOperation = defineOperation<{ axes: readonly number[] }>({
  name: "permute",
  forward: ([x], { axes }) => x.permute(axes),
  derivative: (grad, { options: { axes } }) => [
    () => {
      const inverse = new Array<number>(axes.length);
      axes.forEach((axis, i) => {
        inverse[axis < 0 ? axis + axes.length : axis] = i;
      });
      return permute(grad, inverse);
    },
  ],
});

/** The axes in the order given: axis i of the result is `axes[i]` of x. A view. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  if (!Array.isArray(axes)) throw new ArgumentError(`permute: axes must be an array, got ${describe(axes)}`);
  return permuteOperation([checkTensor("permute", x)], { axes });
}

/** Swaps two axes, the last two unless others are given. A view. */
export function transpose(x: Tensor, axis0 = -2, axis1 = -1): Tensor {
  const rank = checkTensor("transpose", x).ndim;
  const a = normalizeAxis("transpose", axis0, rank);
  const b = normalizeAxis("transpose", axis1, rank);
  const axes = x.shape.map((_, axis) => axis);
  axes[a] = b;
  axes[b] = a;
  return permute(x, axes);
}

const broadcastToOperation = defineOperation<{ shape: Shape }>({
  name: "broadcastTo",
  forward: ([x], { shape }) => x.broadcastTo(shape),
  derivative: (grad, { inputs: [x] }) => [() => sumTo(grad, x.shape)],
});

/** Repeats axes of size 1, and adds axes in front. A view. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const from = checkTensor("broadcastTo", x).shape;
  return Array.isArray(shape) && sameShape(from, shape) ? x : broadcastToOperation([x], { shape });
}

/** Adds an axis of size 1 that has position `axis` in the result. A view. */
export function expandDims(x: Tensor, axis: number): Tensor {
  return reshape(x, checkTensor("expandDims", x).array.expandDims(axis).shape);
}

/** Drops the given axes, which must have size 1, or all axes of size 1. A view. */
export function squeeze(x: Tensor, axis?: number | readonly number[]): Tensor {
  return reshape(x, checkTensor("squeeze", x).array.squeeze(axis).shape);
}

/** Merges the axes from `startAxis` to `endAxis`, both included. A view where possible. */
export function flatten(x: Tensor, startAxis = 0, endAxis = -1): Tensor {
  const { shape, ndim } = checkTensor("flatten", x);
  if (ndim === 0) return reshape(x, [1]);
  const start = normalizeAxis("flatten", startAxis, ndim);
  const end = normalizeAxis("flatten", endAxis, ndim);
  if (start > end) throw new ShapeError(`flatten: startAxis ${startAxis} comes after endAxis ${endAxis}`);
  const merged = shape.slice(start, end + 1).reduce((product, size) => product * size, 1);
  return reshape(x, shape.toSpliced(start, end - start + 1, merged));
}

interface Ranges {
  ranges: readonly SliceRange[];
}

const sliceOperation = defineOperation<Ranges>({
  name: "slice",
  forward: ([x], { ranges }) => x.slice(...ranges),
  derivative: (grad, { inputs: [x], options: { ranges } }) => [
    () => sliceScatter(zerosLike(x), grad, ...ranges),
  ],
});

/** NumPy's basic slicing, one range per axis from the front; see `NDArray.slice`. A view. */
export function slice(x: Tensor, ...ranges: SliceRange[]): Tensor {
  return sliceOperation([checkTensor("slice", x)], { ranges });
}

const sliceScatterOperation = defineOperation<Ranges>({
  name: "sliceScatter",
  forward: ([x, source], { ranges }) => {
    const result = x.clone();
    const target = result.slice(...ranges);
    copyInto(source.broadcastTo(target.shape), result.dtype, result.storage, target.offset, target.strides);
    return result;
  },
  derivative: (grad, { inputs: [, source], options: { ranges } }) => [
    () => sliceScatter(grad, zerosLike(source), ...ranges),
    () => slice(grad, ...ranges),
  ],
});

/** A copy of x in which the part that `slice(x, ...ranges)` selects is replaced by `source`. */
export function sliceScatter(x: Tensor, source: Tensor, ...ranges: SliceRange[]): Tensor {
  const part = astype(checkTensor("sliceScatter", source), checkTensor("sliceScatter", x).dtype);
  return sliceScatterOperation([x, part], { ranges });
}

const concatOperation = defineOperation<{ axis: number }>({
  name: "concat",
  forward: (arrays, { axis }) => concatArrays(arrays, axis),
  derivative: (grad, { inputs, options: { axis } }) => {
    let start = 0;
    return inputs.map((input) => {
      const from = start;
      start += input.shape[axis];
      const to = start;
      return () => slice(grad, ...input.shape.map((_, i): SliceRange => (i === axis ? [from, to] : null)));
    });
  },
});

/** Joins tensors along an axis that they have already; all other sizes must agree. Dtypes are promoted. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const operands = sameDType("concat", tensors);
  return concatOperation(operands, { axis: normalizeAxis("concat", axis, operands[0].ndim) });
}

/** Joins tensors of equal shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const operands = sameDType("stack", tensors);
  const differs = operands.find((tensor) => !sameShape(tensor.shape, operands[0].shape));
  if (differs !== undefined) {
    throw new ShapeError(
      `stack: shapes ${formatShape(operands[0].shape)} and ${formatShape(differs.shape)} differ; all must be equal`,
    );
  }
  const at = normalizeAxis("stack", axis, operands[0].ndim + 1);
  return concat(
    operands.map((tensor) => expandDims(tensor, at)),
    at,
  );
}

/** Cuts a tensor along an axis into parts of the given sizes, or into that many equal ones. Views. */
export function split(x: Tensor, sizesOrCount: number | readonly number[], axis = 0): Tensor[] {
  const at = normalizeAxis("split", axis, checkTensor("split", x).ndim);
  let start = 0;
  return splitArrays(x.array, sizesOrCount, at).map((part) => {
    const from = start;
    start += part.shape[at];
    return slice(x, ...x.shape.map((_, i): SliceRange => (i === at ? [from, start] : null)));
  });
}

function sameDType(operation: string, tensors: readonly Tensor[]): readonly Tensor[] {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new ArgumentError(`${operation}: needs an array of at least one tensor`);
  }
  const dtype = tensors.map((tensor) => checkTensor(operation, tensor).dtype).reduce(promote);
  return tensors.map((tensor) => astype(tensor, dtype));
}

const cloneOperation = defineOperation<object>({
  name: "clone",
  forward: ([x]) => x.clone(),
  derivative: (grad) => [() => grad],
});

/** A compact copy that gradients flow through. */
export const clone = (x: Tensor): Tensor => cloneOperation([checkTensor("clone", x)], {});

/** The tensor itself if it is contiguous, else a compact copy. */
export const contiguous = (x: Tensor): Tensor =>
  checkTensor("contiguous", x).array.isContiguous ? x : clone(x);
