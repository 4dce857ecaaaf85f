/** Layer and batch normalization as fused operations on canonical shapes; nn/functional brings inputs to them. */
import { Tensor } from "../autograd/tensor.js";
import { allocate, type NDArray } from "../ndarray/ndarray.js";
import { add, mul, sub } from "./arithmetic.js";
import { type DerivativeContext, defineMultiOutput } from "./define.js";
import { callKernel, kernelFor, type Operand } from "./kernel_call.js";
import { mean, variance } from "./reduce.js";
import { reshape } from "./shape.js";
import { rsqrt } from "./unary.js";

interface Epsilon {
  eps: number;
}

/** An operand whose letters are single axes: all strides as they are. */
const plain = (array: NDArray): Operand => [array, ...array.strides];

/** Three gradients that one kernel makes: computed when the first of them is asked for. */
function together(compute: () => readonly NDArray[]): (() => Tensor)[] {
  let results: readonly NDArray[] | undefined;
  return [0, 1, 2].map((i) => () => {
    results ??= compute();
    return new Tensor(results[i]);
  });
}

/** (x − mean)·rstd·weight + bias over the given axes. */
function normalized(
  inputs: readonly Tensor[],
  axes: readonly number[],
  parameterShape: number[],
  eps: number,
): Tensor {
  const [x, weight, bias] = inputs;
  const centered = sub(x, mean(x, axes, { keepDims: true }));
  const scale = rsqrt(add(variance(x, axes, { keepDims: true, correction: 0 }), eps));
  return add(mul(mul(centered, scale), reshape(weight, parameterShape)), reshape(bias, parameterShape));
}

const layerNormOperation = defineMultiOutput<Epsilon>({
  name: "layerNorm",
  forward: ([x, weight, bias], { eps }) => {
    const [b, n] = x.shape;
    const outputs = [allocate(x.shape, x.dtype), allocate([b], x.dtype), allocate([b], x.dtype)];
    const batched = (array: NDArray): Operand => [array, [array.strides[0]], ...array.strides.slice(1)];
    callKernel(
      kernelFor("layerNorm", "layer_norm", x.dtype),
      [[b], n],
      [batched(x), plain(weight), plain(bias), ...outputs.map(batched)],
      [eps],
    );
    return outputs;
  },
  derivative: (grad, { inputs: [x, weight], outputs: [, average, rstd] }: DerivativeContext<Epsilon>) =>
    together(() => {
      const [b, n] = x.shape;
      const results = [allocate([b, n], x.dtype), allocate([n], x.dtype), allocate([n], x.dtype)];
      const batched = (array: NDArray): Operand => [array, [array.strides[0]], ...array.strides.slice(1)];
      callKernel(
        kernelFor("layerNorm", "layer_norm_grad", x.dtype),
        [[b], n],
        [
          batched(grad.array),
          batched(x.array),
          plain(weight.array),
          batched(average.array),
          batched(rstd.array),
          batched(results[0]),
          plain(results[1]),
          plain(results[2]),
        ],
      );
      return results;
    }),
  decompose: (inputs, { eps }) => normalized(inputs, [1], [1, inputs[0].shape[1]], eps),
});

/** Normalizes each row of x [b, n] to mean 0 and variance 1, then scales and shifts by weight and bias [n]. */
export function layerNormRows(x: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor {
  return layerNormOperation([x, weight, bias], { eps })[0];
}

const batchNormOperation = defineMultiOutput<Epsilon>({
  name: "batchNorm",
  forward: ([x, weight, bias], { eps }) => {
    const [, c] = x.shape;
    const outputs = [allocate(x.shape, x.dtype), allocate([c], x.dtype), allocate([c], x.dtype)];
    callKernel(
      kernelFor("batchNorm", "batch_norm", x.dtype),
      x.shape,
      [plain(x), plain(weight), plain(bias), ...outputs.map(plain)],
      [eps],
    );
    return outputs;
  },
  derivative: (grad, { inputs: [x, weight], outputs: [, average, spread], options: { eps } }) =>
    together(() => {
      const [, c] = x.shape;
      const results = [allocate(x.shape, x.dtype), allocate([c], x.dtype), allocate([c], x.dtype)];
      const operands = [grad, x, weight, average, spread].map((tensor) => tensor.array);
      callKernel(
        kernelFor("batchNorm", "batch_norm_grad", x.dtype),
        x.shape,
        [...operands, ...results].map(plain),
        [eps],
      );
      return results;
    }),
  decompose: (inputs, { eps }) => normalized(inputs, [0, 2], [1, inputs[0].shape[1], 1], eps),
});

/**
 * Normalizes each channel c of x [b, c, l] over b and l, then scales and shifts by weight and bias [c]. Returns the
 * result, and the batch's mean and biased variance [c] for the running statistics.
 */
export function batchNormChannels(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  eps: number,
): { output: Tensor; mean: Tensor; variance: Tensor } {
  const [output, average, spread] = batchNormOperation([x, weight, bias], { eps });
  return { output, mean: average, variance: spread };
}
