/** What operations accept: tensors, and JavaScript numbers, which take the dtype of what they meet. */
import { Tensor } from "../autograd/tensor.js";
import { ArgumentError, DTypeError } from "../errors.js";
import { full } from "../ndarray/creation.js";
import { type DType, isFloat, promote } from "../ndarray/dtype.js";
import type { KernelStem } from "../runtime/table.js";
import { astype } from "./cast.js";
import { hasKernel } from "./kernel_call.js";

/** A tensor, or a number that stands for a 0-d tensor of the dtype it meets. */
export type TensorLike = Tensor | number;

/** Throws an ArgumentError unless `value` is a Tensor. */
export function checkTensor(operation: string, value: unknown, name = "the argument"): Tensor {
  if (value instanceof Tensor) return value;
  throw new ArgumentError(`${operation}: ${name} must be a Tensor, got ${describe(value)}`);
}

/** What an error message says of a value that should have been something else. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "object") return `a value of class ${value.constructor?.name ?? "Object"}`;
  return `${typeof value} ${String(value)}`;
}

/** A 0-d tensor. */
export const scalarTensor = (value: number, dtype: DType): Tensor => new Tensor(full([], value, { dtype }));

/** Zeros of the shape and dtype of a tensor. */
export const zerosLike = (x: Tensor): Tensor => new Tensor(full(x.shape, 0, { dtype: x.dtype }));

/** The dtype in which a number meets a tensor: the tensor's, unless a fraction meets integers. */
function weakDType(value: number, other: DType): DType {
  if (isFloat(other)) return other;
  if (!Number.isInteger(value)) return "float32";
  return other === "int64" ? "int64" : "int32";
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
