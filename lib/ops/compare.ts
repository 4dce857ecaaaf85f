/** Comparisons and logic, elementwise with broadcasting; the result is bool. No derivatives. */
import type { Tensor } from "../autograd/tensor.js";
import type { KernelStem } from "../runtime/table.js";
import { astype } from "./cast.js";
import { defineOperation } from "./define.js";
import { elementwise } from "./kernel_call.js";
import { checkTensor, commonOperands, onlyOperand, type TensorLike } from "./operands.js";

type Comparison = (a: TensorLike, b: TensorLike) => Tensor;

function comparison(stem: KernelStem & string): Comparison {
  const apply = defineOperation<object>({
    name: stem,
    forward: ([a, b]) => elementwise(stem, stem, [a, b], a.dtype, "bool"),
    derivative: "none",
  });
  return (a, b) => apply(commonOperands(stem, stem, [a, b]), {});
}

/** a = b; false where either is NaN. */
export const eq: Comparison = comparison("eq");
/** a ≠ b; true where either is NaN. */
export const ne: Comparison = comparison("ne");
/** a < b; false where either is NaN. */
export const lt: Comparison = comparison("lt");
/** a ≤ b; false where either is NaN. */
export const le: Comparison = comparison("le");
/** a > b; false where either is NaN. */
export const gt: Comparison = comparison("gt");
/** a ≥ b; false where either is NaN. */
export const ge: Comparison = comparison("ge");

function logic(name: string, stem: KernelStem): (a: Tensor, b: Tensor) => Tensor {
  const apply = defineOperation<object>({
    name,
    forward: ([a, b]) => elementwise(name, stem, [a, b], "bool"),
    derivative: "none",
  });
  return (a, b) => apply([toBool(name, a), toBool(name, b)], {});
}

const toBool = (operation: string, x: Tensor): Tensor => astype(checkTensor(operation, x), "bool");

/** Both are true (not zero). */
export const logicalAnd: (a: Tensor, b: Tensor) => Tensor = logic("logicalAnd", "logical_and");
/** At least one is true. */
export const logicalOr: (a: Tensor, b: Tensor) => Tensor = logic("logicalOr", "logical_or");
/** Exactly one is true. */
export const logicalXor: (a: Tensor, b: Tensor) => Tensor = logic("logicalXor", "logical_xor");

const logicalNotOperation = defineOperation<object>({
  name: "logicalNot",
  forward: ([x]) => elementwise("logicalNot", "logical_not", [x], "bool"),
  derivative: "none",
});

/** x is false (zero). */
export const logicalNot = (x: Tensor): Tensor => logicalNotOperation([toBool("logicalNot", x)], {});

function predicate(name: string, stem: KernelStem): (x: TensorLike) => Tensor {
  const apply = defineOperation<object>({
    name,
    forward: ([x]) => elementwise(name, stem, [x], x.dtype, "bool"),
    derivative: "none",
  });
  return (x) => apply([onlyOperand(name, stem, x)], {});
}

/** x is NaN. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name of the operation in NumPy and PyTorch.
export const isNaN: (x: TensorLike) => Tensor = predicate("isNaN", "is_nan");
/** x is neither NaN nor infinite. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name of the operation in NumPy and PyTorch.
export const isFinite: (x: TensorLike) => Tensor = predicate("isFinite", "is_finite");
