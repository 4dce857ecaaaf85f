/** Softmax along an axis, and its logarithm. */
import { Tensor } from "../autograd/tensor.js";
import { allocate, type NDArray } from "../ndarray/ndarray.js";
import { normalizeAxis } from "../ndarray/shape.js";
import type { KernelStem } from "../runtime/table.js";
import { div, sub } from "./arithmetic.js";
import { defineOperation } from "./define.js";
import { callKernel, kernelFor, type Operand, withoutAxis } from "./kernel_call.js";
import { checkTensor, onlyOperand } from "./operands.js";
import { max, sum } from "./reduce.js";
import { exp, log } from "./unary.js";

interface Along {
  axis: number;
}

/** Runs a kernel of signature `T[Bn], … -> T[Bn]` along an axis. */
function along(stem: KernelStem, inputs: readonly NDArray[], axis: number): NDArray {
  const [first] = inputs;
  const output = allocate(first.shape, first.dtype);
  const operand = (array: NDArray): Operand => [array, withoutAxis(array, axis).strides, array.strides[axis]];
  callKernel(
    kernelFor(stem, stem, first.dtype),
    [withoutAxis(first, axis).sizes, first.shape[axis]],
    [...inputs.map(operand), operand(output)],
  );
  return output;
}

/** x − max x, which does not change a softmax, so that the maximum needs no derivative. */
const shifted = (x: Tensor, axis: number): Tensor => sub(x, max(x.detach(), axis, { keepDims: true }));

const softmaxOperation = defineOperation<Along>({
  name: "softmax",
  forward: ([x], { axis }) => along("softmax", [x], axis),
  derivative: (grad, { outputs: [y], options: { axis } }) => [
    () => new Tensor(along("softmax_grad", [y.array, grad.array], axis)),
  ],
  decompose: ([x], { axis }) => {
    const e = exp(shifted(x, axis));
    return div(e, sum(e, axis, { keepDims: true }));
  },
});

/** eˣ / Σ eˣ along an axis (the last by default). */
export function softmax(x: Tensor, axis = -1): Tensor {
  const operand = onlyOperand("softmax", "softmax", checkTensor("softmax", x));
  return softmaxOperation([operand], { axis: normalizeAxis("softmax", axis, x.ndim) });
}

const logSoftmaxOperation = defineOperation<Along>({
  name: "logSoftmax",
  forward: ([x], { axis }) => along("log_softmax", [x], axis),
  derivative: (grad, { outputs: [y], options: { axis } }) => [
    () => new Tensor(along("log_softmax_grad", [y.array, grad.array], axis)),
  ],
  // Not x − logsumexp(x): beside a large maximum the logarithm would be lost.
  decompose: ([x], { axis }) => {
    const z = shifted(x, axis);
    return sub(z, log(sum(exp(z), axis, { keepDims: true })));
  },
});

/** x − ln Σ eˣ along an axis (the last by default). */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  const operand = onlyOperand("logSoftmax", "log_softmax", checkTensor("logSoftmax", x));
  return logSoftmaxOperation([operand], { axis: normalizeAxis("logSoftmax", axis, x.ndim) });
}
