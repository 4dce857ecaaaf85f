/** Joining arrays along an axis, and cutting them again. */
import { describe } from "../describe.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { copyInto } from "./copy.js";
import { type DType, promote } from "./dtype.js";
import { allocate, NDArray } from "./ndarray.js";
import { checkRank, formatShape, normalizeAxis, sameShape } from "./shape.js";

/**
 * Joins arrays along an existing axis. All other sizes must agree; the dtype is the strongest of theirs.
 * ShapeError for shapes that do not fit, ArgumentError for an empty list.
 */
export function concat(arrays: readonly NDArray[], axis = 0): NDArray {
  const first = firstOf("concat", arrays);
  const along = normalizeAxis("concat", axis, first.ndim);
  let total = 0;
  for (const [i, { shape }] of arrays.entries()) {
    const fits = shape.length === first.ndim && sameShape(shape.with(along, 0), first.shape.with(along, 0));
    if (!fits) {
      throw new ShapeError(
        `concat: array ${i} has shape ${formatShape(shape)}, array 0 has ${formatShape(first.shape)}; ` +
          `shapes may differ on axis ${along} only`,
      );
    }
    total += shape[along];
  }
  return join("concat", arrays, first.shape.with(along, total), along);
}

/** Joins arrays of one shape along a new axis that has position `axis` in the result. Errors as `concat`. */
export function stack(arrays: readonly NDArray[], axis = 0): NDArray {
  const first = firstOf("stack", arrays);
  checkRank("stack", first.ndim + 1);
  const along = normalizeAxis("stack", axis, first.ndim + 1);
  const wrong = arrays.findIndex(({ shape }) => !sameShape(shape, first.shape));
  if (wrong >= 0) {
    throw new ShapeError(
      `stack: array ${wrong} has shape ${formatShape(arrays[wrong].shape)}, ` +
        `array 0 has ${formatShape(first.shape)}; all shapes must be the same`,
    );
  }
  const parts = arrays.map((array) => array.expandDims(along));
  return join("stack", parts, first.shape.toSpliced(along, 0, arrays.length), along);
}

/**
 * Cuts an axis into a number of equal parts, or into parts of the given sizes. The parts are views.
 * ShapeError if the parts do not make up the axis.
 */
export function split(array: NDArray, sizesOrCount: number | readonly number[], axis = 0): NDArray[] {
  if (!(array instanceof NDArray)) throw new ArgumentError(`split: needs an NDArray, got ${describe(array)}`);
  const along = normalizeAxis("split", axis, array.ndim);
  const length = array.shape[along];
  const sizes = typeof sizesOrCount === "number" ? equalParts(sizesOrCount, length, along) : sizesOrCount;
  if (!Array.isArray(sizes)) {
    throw new ArgumentError(
      `split: needs a number of parts or an array of sizes, got ${describe(sizesOrCount)}`,
    );
  }
  const valid = sizes.every((size) => Number.isInteger(size) && size >= 0);
  if (!valid || sizes.reduce((sum, size) => sum + size, 0) !== length) {
    throw new ShapeError(
      `split: sizes ${formatShape(sizes)} must be non-negative integers that add up to ${length}, ` +
        `the size of axis ${along}`,
    );
  }
  const whole = new Array<null>(along).fill(null);
  let start = 0;
  return sizes.map((size) => {
    const part = array.slice(...whole, [start, start + size]);
    start += size;
    return part;
  });
}

function equalParts(count: number, length: number, axis: number): number[] {
  if (!Number.isInteger(count) || count < 1) {
    throw new ArgumentError(`split: the number of parts must be a positive integer, got ${String(count)}`);
  }
  if (length % count !== 0 || count > 2 ** 24) {
    throw new ShapeError(
      `split: axis ${axis} has size ${length} and cannot be cut into ${count} equal parts; give the sizes`,
    );
  }
  return new Array<number>(count).fill(length / count);
}

function firstOf(operation: string, arrays: readonly NDArray[]): NDArray {
  if (!Array.isArray(arrays) || arrays.length === 0) {
    throw new ArgumentError(`${operation}: needs an array of at least one NDArray, got ${describe(arrays)}`);
  }
  const wrong = arrays.find((array) => !(array instanceof NDArray));
  if (wrong !== undefined) throw new ArgumentError(`${operation}: needs NDArrays, got ${describe(wrong)}`);
  return arrays[0];
}

/** Copies the parts one after the other along an axis of a new array. */
function join(operation: string, parts: readonly NDArray[], shape: number[], along: number): NDArray {
  const dtype = parts.reduce<DType>((strongest, part) => promote(strongest, part.dtype), parts[0].dtype);
  const result = allocate(shape, dtype, operation);
  let position = 0;
  for (const part of parts) {
    copyInto(part, dtype, result.storage, position * result.strides[along], result.strides);
    position += part.shape[along];
  }
  return result;
}
