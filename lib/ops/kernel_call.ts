/** Calls of kernels on arrays: lays out `dims` as docs/kernels.md says and allocates the output. No derivatives. */
import { DTypeError } from "../errors.js";
import { type DType, storageOf } from "../ndarray/dtype.js";
import { allocate, type NDArray } from "../ndarray/ndarray.js";
import { broadcastShapes, type Shape, sameShape } from "../ndarray/shape.js";
import { broadcastStrides, coalesce } from "../ndarray/strides.js";
import { execute } from "../runtime/execute.js";
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

/** Whether a kernel exists for a dtype. */
export function hasKernel(stem: KernelStem, dtype: DType): boolean {
  const storage = storageOf(dtype);
  return [...ROWS[stem].dtypes].some((letter) => STORAGE_OF_LETTER[letter as Letter] === storage);
}

/** The kernel of a row for a dtype. DTypeError that lists the dtypes it takes if there is none. */
export function kernelFor(operation: string, stem: KernelStem, dtype: DType): KernelName {
  if (!hasKernel(stem, dtype)) {
    const takes = [...ROWS[stem].dtypes].map((letter) => DTYPE_OF_LETTER[letter as Letter]).join(", ");
    throw new DTypeError(
      `${operation}: dtype ${dtype} is not supported; it takes ${takes} (convert with astype)`,
    );
  }
  return `${stem}_${storageOf(dtype)}` as KernelName;
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
  for (const size of letters) {
    if (typeof size === "number") dims.push(size);
    else dims.push(size.length, ...size);
  }
  for (const [, ...strides] of operands) {
    for (const stride of strides) {
      if (typeof stride === "number") dims.push(stride);
      else dims.push(...stride);
    }
  }
  execute(
    kernel,
    operands.map(([array]) => array.storage.data),
    operands.map(([array]) => array.offset),
    dims,
    scalars,
  );
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
  const { shape } = output;
  const operands = [...inputs, output];
  const buffers = operands.map((operand) => operand.storage.data);
  const offsets = operands.map((operand) => operand.offset);
  if (operands.every((operand) => operand.isContiguous && sameShape(operand.shape, shape))) {
    const dims = [1, output.size];
    for (let i = 0; i < operands.length; i++) dims.push(1);
    execute(kernel, buffers, offsets, dims, scalars);
    return;
  }
  const strides = operands.map((operand) =>
    sameShape(operand.shape, shape)
      ? operand.strides
      : broadcastStrides(kernel, operand.shape, operand.strides, shape),
  );
  const merged = coalesce(shape, ...strides);
  const dims = [merged.shape.length, ...merged.shape];
  for (const operandStrides of merged.strides) dims.push(...operandStrides);
  execute(kernel, buffers, offsets, dims, scalars);
}

function commonShape(operation: string, inputs: readonly NDArray[]): Shape {
  const [first] = inputs;
  if (inputs.every((input) => sameShape(input.shape, first.shape))) return first.shape;
  return broadcastShapes(
    operation,
    inputs.map((input) => input.shape),
  );
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
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const outer = kept.map((axis) => x.shape[axis]);
  const output = allocate(outer, result);
  const reduced = x.shape.map((_, axis) => axis).filter((axis) => axes.includes(axis));
  const o = coalesce(
    outer,
    kept.map((axis) => x.strides[axis]),
    output.strides,
  );
  const r = coalesce(
    reduced.map((axis) => x.shape[axis]),
    reduced.map((axis) => x.strides[axis]),
  );
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
