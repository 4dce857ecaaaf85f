/** What operations accept: tensors, and JavaScript numbers, which take the dtype of what they meet. */
import { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { ArgumentError, DTypeError } from "../errors.js";
import { type DType, isFloat, promote, zeroedStorage } from "../ndarray/dtype.js";
import { NDArray } from "../ndarray/ndarray.js";
import { formatShape } from "../ndarray/shape.js";
import { Storage, uninitializedStorage } from "../ndarray/storage.js";
import type { KernelStem } from "../runtime/table.js";
import { astype } from "./cast.js";
import { hasKernel } from "./kernel_call.js";

/** A tensor, or a number that stands for a 0-d tensor of the dtype it meets. */
export type TensorLike = Tensor | number;

/** What an error message says of a value that should have been a tensor of another shape, or a tensor at all. */
export const describeResult = (value: unknown): string =>
  value instanceof Tensor ? `a tensor of shape ${formatShape(value.shape)}` : describe(value);

/** Throws an ArgumentError unless `value` is a Tensor. */
export function checkTensor(operation: string, value: unknown, name = "the argument"): Tensor {
  if (value instanceof Tensor) return value;
  throw new ArgumentError(`${operation}: ${name} must be a Tensor, got ${describe(value)}`);
}

/** A 0-d tensor. */
export function scalarTensor(value: number, dtype: DType): Tensor {
  const data = uninitializedStorage(dtype, 1);
  data[0] = data instanceof BigInt64Array ? BigInt(value) : value;
  return new Tensor(new NDArray(new Storage(data), dtype, []));
}

/** Zeros of the shape and dtype of a tensor. */
export const zerosLike = (x: Tensor): Tensor =>
  new Tensor(new NDArray(new Storage(zeroedStorage(x.dtype, x.size)), x.dtype, x.shape));

/**
 * The dtype in which a number meets a tensor: the tensor's, unless a fraction meets integers (float32) or an integer
 * that int32 cannot hold does (float64, which holds both).
 */
function weakDType(value: number, other: DType): DType {
  if (isFloat(other)) return other;
  if (!Number.isInteger(value)) return "float32";
  if (other === "int64") return "int64";
  return value === (value | 0) ? "int32" : "float64";
}

/**
 * The arguments of a several-argument elementwise operation in the one dtype its kernel takes: tensors are promoted
 * (uint8 and bool to int32 where there is no kernel for them, integers to float32 where there is one for floats
 * only), numbers follow the tensors.
 */
export function commonOperands(
  operation: string,
  stem: KernelStem,
  values: readonly TensorLike[],
): readonly Tensor[] {
  if (needNothing(stem, values)) return values;
  let dtype: DType | undefined;
  for (const value of values) {
    if (value instanceof Tensor) dtype = dtype === undefined ? value.dtype : promote(dtype, value.dtype);
    else if (typeof value !== "number") {
      throw new ArgumentError(`${operation}: needs tensors and numbers, got ${describe(value)}`);
    }
  }
  let common: DType = dtype ?? "float32";
  for (const value of values)
    if (typeof value === "number") common = promote(common, weakDType(value, common));
  const target = kernelDType(operation, stem, common);
  return values.map((value) =>
    typeof value === "number"
      ? scalarTensor(value, target)
      : value.dtype === target
        ? value
        : astype(value, target),
  );
}

/** Whether all are tensors of one dtype that the kernel takes: the common case, and nothing to convert. */
function needNothing(stem: KernelStem, values: readonly TensorLike[]): values is readonly Tensor[] {
  const [first] = values;
  if (!(first instanceof Tensor) || !hasKernel(stem, first.dtype)) return false;
  for (let i = 1; i < values.length; i++) {
    const value = values[i];
    if (!(value instanceof Tensor) || value.dtype !== first.dtype) return false;
  }
  return true;
}

/** The argument of a one-argument operation in a dtype its kernel takes. */
export function onlyOperand(operation: string, stem: KernelStem, value: TensorLike): Tensor {
  return commonOperands(operation, stem, [value])[0];
}

function kernelDType(operation: string, stem: KernelStem, dtype: DType): DType {
  if (hasKernel(stem, dtype)) return dtype;
  if (dtype === "int64") {
    throw new DTypeError(`${operation}: int64 is for storage and conversion only; convert with astype first`);
  }
  if (hasKernel(stem, "int32")) return "int32";
  return "float32";
}
