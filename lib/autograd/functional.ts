/**
 * Derivatives of functions: gradients, products with the Jacobian and the Hessian, and the matrices themselves. What
 * a function's inputs are, arguments or parameters that it closes over, is in sources.ts.
 */
import { GradientError } from "../errors.js";
import { zeros } from "../ndarray/creation.js";
import { concat, reshape, slice, stack } from "../ops/shape.js";
import { withDefaults } from "../options.js";
import { type GradOptions, gradientsOf } from "./backward.js";
import { enableGrad } from "./mode.js";
import { checkTangents, evaluateAt, evaluateScalarAt, type TensorFunction, tensorList } from "./sources.js";
import { Tensor } from "./tensor.js";

export type { GradOptions } from "./backward.js";
export type { TensorFunction } from "./sources.js";

/**
 * Σ over outputs of ∂output/∂input for each input, without touching any `grad` (PyTorch's `autograd.grad`). An input
 * that the outputs do not depend on gets zeros; GradientError if no output depends on anything that requires a
 * gradient.
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): Tensor[] {
  const known: GradOptions = { gradOutputs: undefined, createGraph: undefined, retainGraph: undefined };
  const checked = withDefaults("grad", options, known);
  const ends = tensorList("grad", "the outputs", outputs);
  const sources = tensorList("grad", "the inputs", inputs);
  if (checked.gradOutputs !== undefined) {
    checked.gradOutputs = tensorList("grad", "gradOutputs", checked.gradOutputs);
    checkTangents("grad", ends, checked.gradOutputs);
  }
  if (!ends.some((output) => output.requiresGrad)) {
    throw new GradientError("grad: no output depends on anything that requires a gradient");
  }
  return gradientsOf(ends, sources, checked);
}

/** The value of `fn` at `inputs` and vᵀJ for each input (reverse mode); `vector` has the shape of the value. */
export function vjp(
  fn: TensorFunction,
  inputs: readonly Tensor[],
  vector: Tensor,
): { output: Tensor; grads: Tensor[] } {
  const { output, sources } = evaluateAt("vjp", fn, inputs);
  checkTangents("vjp", [output], [vector]);
  return { output: output.detach(), grads: gradientsOf([output], sources, { gradOutputs: [vector] }) };
}

/**
 * The value of `fn` at `inputs` and J·v, for one tangent per input, by differentiating vᵀJ with respect to v
 * (which it is linear in), so that no second set of rules is needed.
 */
export function jvp(
  fn: TensorFunction,
  inputs: readonly Tensor[],
  tangents: readonly Tensor[],
): { output: Tensor; tangent: Tensor } {
  checkTangents("jvp", tensorList("jvp", "each input", inputs), tangents);
  const { output, sources } = evaluateAt("jvp", fn, inputs);
  const probe = new Tensor(zeros(output.shape, { dtype: output.dtype }), { requiresGrad: true });
  const grads = gradientsOf([output], sources, { gradOutputs: [probe], createGraph: true });
  const [tangent] = gradientsOf(grads, [probe], { gradOutputs: tangents });
  return { output: output.detach(), tangent };
}

/**
 * H·v of a scalar function, for one vector per input: a derivative of the gradient, never forming H. For several
 * vectors at one point `hessianOperator` evaluates the function once.
 */
export function hvp(fn: TensorFunction, inputs: readonly Tensor[], vectors: readonly Tensor[]): Tensor[] {
  checkTangents("hvp", tensorList("hvp", "each input", inputs), vectors);
  const { output, sources } = evaluateScalarAt("hvp", fn, inputs);
  const grads = gradientsOf([output], sources, { createGraph: true });
  return gradientsOf(grads, sources, { gradOutputs: vectors });
}

/** ∂output/∂input for each input, of shape [...output.shape, ...input.shape]. One backward pass per output element. */
export function jacobian(fn: TensorFunction, inputs: readonly Tensor[]): Tensor[] {
  const { output, sources } = evaluateAt("jacobian", fn, inputs);
  return rowsOf(output, sources).map((rows, i) => reshape(rows, [...output.shape, ...inputs[i].shape]));
}

/**
 * The Hessian of a scalar function of all inputs laid end to end, [n, n] for n elements in total. One Hessian-vector
 * product per element: for small n.
 */
export function hessian(fn: TensorFunction, inputs: readonly Tensor[]): Tensor {
  const { output, sources } = evaluateScalarAt("hessian", fn, inputs);
  const grads = gradientsOf([output], sources, { createGraph: true });
  const gradient = enableGrad(() => concat(grads.map((grad) => reshape(grad, [grad.size]))));
  return concat(rowsOf(gradient, sources), 1);
}

/** The gradient of each element of `output`, as [output.size, input.size] for each input. */
function rowsOf(output: Tensor, sources: readonly Tensor[]): Tensor[] {
  const flat = enableGrad(() => reshape(output, [output.size]));
  const rows = sources.map((): Tensor[] => []);
  for (let i = 0; i < output.size; i++) {
    const element = enableGrad(() => slice(flat, i));
    gradientsOf([element], sources, { retainGraph: true }).forEach((grad, k) => {
      rows[k].push(reshape(grad, [grad.size]));
    });
  }
  return rows.map((list, k) =>
    list.length > 0 ? stack(list) : new Tensor(zeros([0, sources[k].size], { dtype: output.dtype })),
  );
}
