/** Calls of kernels on arrays: lays out `dims` as docs/kernels.md says and allocates the output. No derivatives. */
import { DTypeError } from "../errors.js";
import { DTYPES, type DType, storageOf } from "../ndarray/dtype.js";
import { allocate, type NDArray } from "../ndarray/ndarray.js";
import { broadcastShapes, type Shape, sameShape } from "../ndarray/shape.js";
import { broadcastStrides, coalesce } from "../ndarray/strides.js";
import { execute } from "../runtime/execute.js";
import type { Storage } from "../runtime/storage.js";
import { type KernelName, type KernelStem, ROWS } from "../runtime/table.js";
import { STORAGE_OF_LETTER } from "../runtime/types.js";

type Letter = keyof typeof STORAGE_OF_LETTER;
const DTYPE_OF_LETTER: Record<Letter, string> = {
  F: "float32",
  D: "float64",
  I: "int32",
  U: "uint8 or bool",
  L: "int64",
};

/** The kernels of a row by dtype. */
type KernelsByDType = Readonly<Record<DType, KernelName | undefined>>;

// Made once, since putting a name together and looking it up by its characters costs as much as a small kernel.
const KERNELS_OF = new Map<KernelStem, KernelsByDType>(
  (Object.keys(ROWS) as KernelStem[]).map((stem) => {
    const types = [...ROWS[stem].dtypes].map((letter): string => STORAGE_OF_LETTER[letter as Letter]);
    const byDType = DTYPES.map((dtype) => {
      const storage = storageOf(dtype);
      return [dtype, types.includes(storage) ? `${stem}_${storage}` : undefined];
    });
    return [stem, Object.fromEntries(byDType) as KernelsByDType];
  }),
);

/** Whether a kernel exists for a dtype. */
export const hasKernel = (stem: KernelStem, dtype: DType): boolean =>
  KERNELS_OF.get(stem)?.[dtype] !== undefined;

/** The kernel of a row for a dtype. DTypeError that lists the dtypes it takes if there is none. */
export function kernelFor(operation: string, stem: KernelStem, dtype: DType): KernelName {
  const kernel = KERNELS_OF.get(stem)?.[dtype];
  if (kernel !== undefined) return kernel;
  const takes = [...ROWS[stem].dtypes].map((letter) => DTYPE_OF_LETTER[letter as Letter]).join(", ");
  throw new DTypeError(
    `${operation}: dtype ${dtype} is not supported; it takes ${takes} (convert with astype)`,
  );
}

/** A single axis or a group of axes: its size or sizes, its stride or strides. */
export type Axes = number | readonly number[];

/** An operand and its strides, one entry for each letter of its signature. */
export type Operand = readonly [array: NDArray, ...strides: Axes[]];

/** Runs a kernel, given the size of each letter in order of first appearance, and the operands. */
export function callKernel(
  kernel: KernelName,
  letters: readonly Axes[],
  operands: readonly Operand[],
  scalars?: readonly number[],
): void {
  const dims: number[] = [];
  const storages: Storage[] = [];
  const offsets: number[] = [];
  for (const size of letters) {
    if (typeof size !== "number") dims.push(size.length);
    pushAxes(dims, size);
  }
  for (const operand of operands) {
    const [array] = operand;
    storages.push(array.storage);
    offsets.push(array.offset);
    for (let i = 1; i < operand.length; i++) pushAxes(dims, operand[i] as Axes);
  }
  execute(kernel, storages, offsets, dims, scalars);
}

function pushAxes(dims: number[], axes: Axes): void {
  if (typeof axes === "number") dims.push(axes);
  else for (let axis = 0; axis < axes.length; axis++) dims.push(axes[axis]);
}

/**
 * Runs an elementwise kernel over broadcast inputs into a fresh array. `dtype` is that of the kernel, `result` that
 * of the output.
 */
export function elementwise(
  operation: string,
  stem: KernelStem,
  inputs: readonly NDArray[],
  dtype: DType,
  result: DType = dtype,
  scalars?: readonly number[],
): NDArray {
  const kernel = kernelFor(operation, stem, dtype);
  const shape = commonShape(operation, inputs);
  const output = allocate(shape, result);
  elementwiseInto(kernel, inputs, output, scalars);
  return output;
}

/** The same into an existing array of the inputs' broadcast shape. */
export function elementwiseInto(
  kernel: KernelName,
  inputs: readonly NDArray[],
  output: NDArray,
  scalars?: readonly number[],
): void {
  const { shape, size } = output;
  // One axis with a step of 1, or of 0 where an operand is a single number, is by far the most common layout; the
  // literals spare small operations what growing and mapping arrays would cost.
  if (inputs.length <= 2 && walksFlat(output, shape)) {
    const [x] = inputs;
    const target = output.storage;
    if (walksFlat(x, shape)) {
      const xStep = x.size === size ? 1 : 0;
      if (inputs.length === 1) {
        execute(kernel, [x.storage, target], [x.offset, output.offset], [1, size, xStep, 1], scalars);
        return;
      }
      const y = inputs[1];
      if (walksFlat(y, shape)) {
        const yStep = y.size === size ? 1 : 0;
        const storages = [x.storage, y.storage, target];
        const offsets = [x.offset, y.offset, output.offset];
        execute(kernel, storages, offsets, [1, size, xStep, yStep, 1], scalars);
        return;
      }
    }
  }
  const strides = inputs.map((input) => broadcastStrides(kernel, input.shape, input.strides, shape));
  const merged = coalesce(shape, ...strides, output.strides);
  const operands = inputs.map((input, i): Operand => [input, merged.strides[i]]);
  operands.push([output, merged.strides[inputs.length]]);
  callKernel(kernel, [merged.shape], operands, scalars);
}

/** Whether the elements, broadcast to `shape` and taken in row-major order, lie in equal steps of 1 or 0. */
const walksFlat = (operand: NDArray, shape: Shape): boolean =>
  sameShape(operand.shape, shape) ? operand.isContiguous : operand.size === 1;

function commonShape(operation: string, inputs: readonly NDArray[]): Shape {
  let { shape } = inputs[0];
  for (let i = 1; i < inputs.length; i++) {
    const other = inputs[i].shape;
    if (shape.length === 0) shape = other;
    else if (other.length > 0 && !sameShape(other, shape)) {
      return broadcastShapes(
        operation,
        inputs.map((input) => input.shape),
      );
    }
  }
  return shape;
}

/** Runs a reduction kernel over `axes` (counted from the front), which stay with size 1 where `keepDims`. */
export function reduction(
  kernel: KernelName,
  x: NDArray,
  axes: readonly number[],
  keepDims: boolean,
  result: DType,
  scalars?: readonly number[],
): NDArray {
  const outer: number[] = [];
  const outerStrides: number[] = [];
  const reduced: number[] = [];
  const reducedStrides: number[] = [];
  for (let axis = 0; axis < x.ndim; axis++) {
    const isReduced = axes.includes(axis);
    (isReduced ? reduced : outer).push(x.shape[axis]);
    (isReduced ? reducedStrides : outerStrides).push(x.strides[axis]);
  }
  const output = allocate(outer, result);
  const o = coalesce(outer, outerStrides, output.strides);
  const r = coalesce(reduced, reducedStrides);
  const operands: Operand[] = [
    [x, o.strides[0], r.strides[0]],
    [output, o.strides[1]],
  ];
  callKernel(kernel, [o.shape, r.shape], operands, scalars);
  return keepDims ? output.reshape(x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))) : output;
}

/** The axes of an array without one, as sizes and as strides: the batch group of a kernel along that axis. */
export function withoutAxis(array: NDArray, axis: number): { sizes: number[]; strides: number[] } {
  return { sizes: array.shape.toSpliced(axis, 1), strides: array.strides.toSpliced(axis, 1) };
}
