/** Gradients can be set by hand, so they are checked before anything is made of them. */

import { describe } from "../describe.js";
import { ArgumentError, GradientError, ShapeError } from "../errors.js";
import { formatShape, sameShape } from "../ndarray/shape.js";
import { Tensor } from "../tensor.js";

/**
 * Throws unless the gradient of a tensor is null, or a Tensor of its dtype and shape; `name` says which tensor it is.
 * Errors: ArgumentError, GradientError, ShapeError.
 */
export function checkGradient(operation: string, name: string, { grad, shape, dtype }: Tensor): void {
  if (grad === null) return;
  const what = `${operation}: the gradient of ${name}`;
  if (!(grad instanceof Tensor)) {
    throw new ArgumentError(`${what} must be a Tensor or null, got ${describe(grad)}`);
  }
  if (grad.dtype !== dtype) throw new GradientError(`${what} is ${grad.dtype}; it must be ${dtype}`);
  if (sameShape(grad.shape, shape)) return;
  throw new ShapeError(`${what} is ${formatShape(grad.shape)}; it must be ${formatShape(shape)}`);
}
