/** The Hessian at one point as a linear map: one evaluation of the function, then any number of products. */

import { gradientsOf } from "./backward.js";
import { checkTangents, evaluateScalarAt, type TensorFunction } from "./sources.js";
import type { Tensor } from "./tensor.js";

/** A scalar function's value, gradient and Hessian-vector products at one point. */
export interface HessianOperator {
  /** The function's value, one element. */
  readonly value: Tensor;
  /** The gradient with respect to each input. */
  readonly gradient: readonly Tensor[];
  /** H·v, for one vector per input. ShapeError unless they have the inputs' shapes and dtypes. */
  multiply(vectors: readonly Tensor[]): Tensor[];
}

/**
 * Evaluates `fn` and records its gradient, so that each Hessian-vector product costs one walk backward, about twice a
 * gradient, whatever their number. `inputs` are the function's arguments, or leaves it closes over, such as
 * `model.parameters()`. No `grad` is touched. Changing an input in place ends it: products then are a GradientError.
 * `owner` is who errors speak of.
 */
export function hessianOperator(
  fn: TensorFunction,
  inputs: readonly Tensor[],
  owner = "hessianOperator",
): HessianOperator {
  const { output, sources } = evaluateScalarAt(owner, fn, inputs);
  const gradient = gradientsOf([output], sources, { createGraph: true });
  return {
    value: output.detach(),
    gradient: gradient.map((grad) => grad.detach()),
    multiply(vectors) {
      checkTangents(owner, sources, vectors);
      return gradientsOf(gradient, sources, { gradOutputs: vectors, retainGraph: true });
    },
  };
}
