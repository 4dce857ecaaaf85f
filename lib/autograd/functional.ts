/** Derivatives of functions: gradients, products with the Jacobian and the Hessian, and the matrices themselves. */
import { describe } from "../describe.js";
import { ArgumentError, GradientError, ShapeError } from "../errors.js";
import { zeros } from "../ndarray/creation.js";
import { formatShape, sameShape } from "../ndarray/shape.js";
import { checkTensor } from "../ops/operands.js";
import { concat, reshape, slice, stack } from "../ops/shape.js";
import { withDefaults } from "../options.js";
import { type GradOptions, gradientsOf } from "./backward.js";
import { enableGrad } from "./mode.js";
import { Tensor } from "./tensor.js";

export type { GradOptions } from "./backward.js";

/** A function of tensors. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor;

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

/** One tensor or several, as a list of tensors. */
function tensorList(operation: string, what: string, tensors: Tensor | readonly Tensor[]): readonly Tensor[] {
  const list = Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor];
  return list.map((tensor) => checkTensor(operation, tensor, what));
}

/** Fresh leaves with the values of `inputs`, so that differentiating does not reach into any other graph. */
const leaves = (operation: string, inputs: readonly Tensor[]): Tensor[] =>
  tensorList(operation, "each input", inputs).map((input) => new Tensor(input.array, { requiresGrad: true }));

function evaluate(operation: string, fn: TensorFunction, inputs: readonly Tensor[]): Tensor {
  if (typeof fn !== "function")
    throw new ArgumentError(`${operation}: needs a function, got ${describe(fn)}`);
  const output = enableGrad(() => fn(...inputs));
  if (output instanceof Tensor) return output;
  throw new ArgumentError(`${operation}: the function must return a Tensor, got ${describe(output)}`);
}

function checkTangents(operation: string, inputs: readonly Tensor[], tangents: readonly Tensor[]): void {
  const vectors = tensorList(operation, "each vector", tangents);
  const fits = (x: Tensor, i: number): boolean =>
    sameShape(x.shape, vectors[i].shape) && x.dtype === vectors[i].dtype;
  if (inputs.length === vectors.length && inputs.every(fits)) return;
  const shown = (list: readonly Tensor[]): string =>
    list.map((x) => `${x.dtype} ${formatShape(x.shape)}`).join(", ");
  throw new ShapeError(
    `${operation}: the tensors are ${shown(inputs)}, the vectors ${shown(vectors)}; they must be of equal number, ` +
      "shape and dtype",
  );
}

/** The value of `fn` at `inputs` and vᵀJ for each input (reverse mode); `vector` has the shape of the value. */
export function vjp(
  fn: TensorFunction,
  inputs: readonly Tensor[],
  vector: Tensor,
): { output: Tensor; grads: Tensor[] } {
  const sources = leaves("vjp", inputs);
  const output = evaluate("vjp", fn, sources);
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
  const sources = leaves("jvp", inputs);
  checkTangents("jvp", sources, tangents);
  const output = evaluate("jvp", fn, sources);
  const probe = new Tensor(zeros(output.shape, { dtype: output.dtype }), { requiresGrad: true });
  const grads = gradientsOf([output], sources, { gradOutputs: [probe], createGraph: true });
  const [tangent] = gradientsOf(grads, [probe], { gradOutputs: tangents });
  return { output: output.detach(), tangent };
}

/** H·v of a scalar function, for one vector per input: a derivative of the gradient, never forming H. */
export function hvp(fn: TensorFunction, inputs: readonly Tensor[], vectors: readonly Tensor[]): Tensor[] {
  const sources = leaves("hvp", inputs);
  checkTangents("hvp", sources, vectors);
  const grads = gradientsOf([scalar("hvp", evaluate("hvp", fn, sources))], sources, { createGraph: true });
  return gradientsOf(grads, sources, { gradOutputs: vectors });
}

/** ∂output/∂input for each input, of shape [...output.shape, ...input.shape]. One backward pass per output element. */
export function jacobian(fn: TensorFunction, inputs: readonly Tensor[]): Tensor[] {
  const sources = leaves("jacobian", inputs);
  const output = evaluate("jacobian", fn, sources);
  return rowsOf(output, sources).map((rows, i) => reshape(rows, [...output.shape, ...inputs[i].shape]));
}

/**
 * The Hessian of a scalar function of all inputs laid end to end, [n, n] for n elements in total. One Hessian-vector
 * product per element: for small n.
 */
export function hessian(fn: TensorFunction, inputs: readonly Tensor[]): Tensor {
  const sources = leaves("hessian", inputs);
  const grads = gradientsOf([scalar("hessian", evaluate("hessian", fn, sources))], sources, {
    createGraph: true,
  });
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

function scalar(operation: string, output: Tensor): Tensor {
  if (output.size === 1) return output;
  throw new GradientError(
    `${operation}: the function must return one element, got shape ${formatShape(output.shape)}`,
  );
}
