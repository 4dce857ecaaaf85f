/** Cross-entropy from logits and integer labels, per example; nn/functional reduces it. */
import { Tensor } from "../autograd/tensor.js";
import { arange } from "../ndarray/creation.js";
import { allocate, type NDArray } from "../ndarray/ndarray.js";
import { add, mul } from "./arithmetic.js";
import { eq, ne } from "./compare.js";
import { defineMultiOutput } from "./define.js";
import { callKernel, kernelFor, type Operand } from "./kernel_call.js";
import { sum } from "./reduce.js";
import { where } from "./select.js";
import { expandDims } from "./shape.js";
import { logSoftmax } from "./softmax.js";
import { neg } from "./unary.js";

/** Options of the per-example cross-entropy, all given. */
export interface CrossEntropyScalars {
  labelSmoothing: number;
  ignoreIndex: number;
}

const vector = (array: NDArray): Operand => [array, array.strides[0]];
const matrix = (array: NDArray): Operand => [array, array.strides[0], array.strides[1]];
const scalarsOf = ({ labelSmoothing, ignoreIndex }: CrossEntropyScalars): number[] => [
  labelSmoothing,
  ignoreIndex,
];

const crossEntropyOperation = defineMultiOutput<CrossEntropyScalars>({
  name: "crossEntropy",
  forward: ([logits, labels, weights], options) => {
    const [b, c] = logits.shape;
    const outputs = [0, 1, 2, 3].map(() => allocate([b], logits.dtype));
    callKernel(
      kernelFor("crossEntropy", "cross_entropy", logits.dtype),
      [b, c],
      [matrix(logits), vector(labels), vector(weights), ...outputs.map(vector)],
      scalarsOf(options),
    );
    return outputs;
  },
  derivative: (grad, { inputs: [logits, labels, weights], outputs: [, , max, total], options }) => [
    () => {
      const result = allocate(logits.shape, logits.dtype);
      const [b, c] = logits.shape;
      callKernel(
        kernelFor("crossEntropy", "cross_entropy_grad", logits.dtype),
        [b, c],
        [
          vector(grad.array),
          matrix(logits.array),
          vector(labels.array),
          vector(weights.array),
          vector(max.array),
          vector(total.array),
          matrix(result),
        ],
        scalarsOf(options),
      );
      return new Tensor(result);
    },
    null,
    null,
  ],
  decompose: ([logits, labels, weights], { labelSmoothing, ignoreIndex }) => {
    const classes = new Tensor(arange(logits.shape[1], { dtype: "int32" }));
    const isLabel = eq(expandDims(labels, 1), classes);
    const isCounted = ne(labels, ignoreIndex);
    // A NaN in an ignored row is not to reach its derivatives.
    const counted = where(expandDims(isCounted, 1), logits, 0);
    const loss = mul(neg(logSoftmax(counted, 1)), weights);
    const ofLabel = mul(sum(where(isLabel, loss, 0), 1), 1 - labelSmoothing);
    const smooth = mul(sum(loss, 1), labelSmoothing / logits.shape[1]);
    return where(isCounted, labelSmoothing === 0 ? ofLabel : add(ofLabel, smooth), 0);
  },
});

/**
 * Per example: the loss and the weight of its class (both 0 where the label is `ignoreIndex`). Logits are [b, c],
 * labels int32 [b], class weights [c] of the logits' dtype. IndexError for a label outside the classes.
 */
export function crossEntropyPerExample(
  logits: Tensor,
  labels: Tensor,
  weights: Tensor,
  options: CrossEntropyScalars,
): { loss: Tensor; weight: Tensor } {
  const [loss, weight] = crossEntropyOperation([logits, labels, weights], options);
  return { loss, weight };
}
