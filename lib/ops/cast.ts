/** Conversion of the element type. */
import type { Tensor } from "../autograd/tensor.js";
import { checkDType, type DType } from "../ndarray/dtype.js";
import { defineOperation } from "./define.js";
import { checkTensor } from "./operands.js";

const astypeOperation = defineOperation<{ dtype: DType; from: DType }>({
  name: "astype",
  forward: ([x], { dtype }) => x.astype(dtype),
  derivative: (grad, { options }) => [() => astype(grad, options.from)],
});

/**
 * The elements in another dtype. Floats become integers by truncation toward zero with saturation, NaN gives 0;
 * wider integers wrap; to bool everything but 0 is true. Differentiable between float32 and float64. The tensor
 * itself if it has the dtype already.
 */
export function astype(x: Tensor, dtype: DType): Tensor {
  checkDType("astype", dtype);
  checkTensor("astype", x);
  return x.dtype === dtype ? x : astypeOperation([x], { dtype, from: x.dtype });
}
