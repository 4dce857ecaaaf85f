/** The affine map of fully connected layers. */
import { ShapeError } from "../../errors.js";
import { formatShape } from "../../ndarray/shape.js";
import { checkTensor } from "../../ops/operands.js";
import type { Tensor } from "../../tensor.js";

/**
 * x weightᵀ + bias for x [..., in], weight [out, in] and bias [out]: [..., out]. ShapeError if they do not fit.
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  checkTensor("linear", x, "the input");
  const { shape } = checkTensor("linear", weight, "the weight");
  const [outputs, inputs] = shape;
  const shapes = (): string => `input is ${formatShape(x.shape)}, weight ${formatShape(shape)}`;
  if (shape.length !== 2 || x.shape.at(-1) !== inputs) {
    throw new ShapeError(`linear: ${shapes()}; they must be [..., in] and [out, in]`);
  }
  if (bias !== null && (checkTensor("linear", bias, "the bias").ndim !== 1 || bias.shape[0] !== outputs)) {
    throw new ShapeError(
      `linear: ${shapes()}, bias ${formatShape(bias.shape)}; the bias must be [${outputs}]`,
    );
  }
  // One product of two matrices, whatever the leading axes: a batched one would need a batch of weight gradients.
  const rows = x.ndim > 2 ? x.reshape([x.size / Math.max(inputs, 1), inputs]) : x;
  const product = rows.matmul(weight.transpose());
  const result = bias === null ? product : product.add(bias);
  return x.ndim > 2 ? result.reshape([...x.shape.slice(0, -1), outputs]) : result;
}
