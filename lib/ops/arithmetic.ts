/** Arithmetic of two tensors, elementwise with broadcasting. */
import type { Tensor } from "../autograd/tensor.js";
import type { KernelStem } from "../runtime/table.js";
import { eq, gt, lt } from "./compare.js";
import { type Derivative, defineOperation } from "./define.js";
import { elementwise } from "./kernel_call.js";
import { commonOperands, type TensorLike } from "./operands.js";
import { where } from "./select.js";
import { log, neg } from "./unary.js";

type Binary = (a: TensorLike, b: TensorLike) => Tensor;

function binary(stem: KernelStem & string, derivative: Derivative<object>): Binary {
  const apply = defineOperation<object>({
    name: stem,
    forward: (inputs) => elementwise(stem, stem, inputs, inputs[0].dtype),
    derivative,
  });
  return (a, b) => apply(commonOperands(stem, stem, [a, b]), {});
}

/** a + b. */
export const add: Binary = binary("add", (grad) => [() => grad, () => grad]);

/** a − b. */
export const sub: Binary = binary("sub", (grad) => [() => grad, () => neg(grad)]);

/** a · b. */
export const mul: Binary = binary("mul", (grad, { inputs: [a, b] }) => [
  () => mul(grad, b),
  () => mul(grad, a),
]);

/** a / b, in floating point: integers are converted to float32. */
export const div: Binary = binary("div", (grad, { inputs: [, b], outputs: [y] }) => [
  () => div(grad, b),
  () => neg(mul(grad, div(y, b))),
]);

/** a to the power b, as C99's `pow`; a derivative with respect to b only where a > 0 (0 where a = 0 ≤ b). */
export const pow: Binary = binary("pow", (grad, { inputs: [a, b], outputs: [y] }) => [
  // The unused branch of a `where` must stay finite, or its derivative would be 0 · ∞.
  () => mul(grad, mul(b, pow(a, where(eq(b, 0), 1, sub(b, 1))))),
  () => mul(grad, mul(y, log(where(eq(a, 0), 1, a)))),
]);

// Where both are equal, each gets half of the gradient.
const share = (won: Tensor, tied: Tensor, grad: Tensor): Tensor =>
  where(tied, mul(grad, 0.5), where(won, grad, 0));

/** The larger of a and b; NaN if either is. */
export const maximum: Binary = binary("maximum", (grad, { inputs: [a, b] }) => [
  () => share(gt(a, b), eq(a, b), grad),
  () => share(lt(a, b), eq(a, b), grad),
]);

/** The smaller of a and b; NaN if either is. */
export const minimum: Binary = binary("minimum", (grad, { inputs: [a, b] }) => [
  () => share(lt(a, b), eq(a, b), grad),
  () => share(gt(a, b), eq(a, b), grad),
]);
