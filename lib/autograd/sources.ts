/**
 * What a function is differentiated with respect to: its arguments, or leaves that it closes over, such as the
 * parameters of a model. Both read the same: `hvp((x) => …, [x], [v])`, `hvp(() => loss(), model.parameters(), vs)`.
 */
import { describe } from "../describe.js";
import { ArgumentError, GradientError, ShapeError } from "../errors.js";
import { formatShape, sameShape } from "../ndarray/shape.js";
import { checkTensor } from "../ops/operands.js";
import { enableGrad } from "./mode.js";
import { Tensor } from "./tensor.js";

/**
 * A function of tensors. It is called with the inputs; it may also ignore them and use leaves among them that require
 * a gradient, such as `model.parameters()`, by closing over them.
 */
export type TensorFunction = (...inputs: Tensor[]) => Tensor;

/** One tensor or several, as a list of tensors. */
export function tensorList(
  operation: string,
  what: string,
  tensors: Tensor | readonly Tensor[],
): readonly Tensor[] {
  const list = Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor];
  return list.map((tensor) => checkTensor(operation, tensor, what));
}

/** A function's value, recorded, and what to differentiate it with respect to. */
export interface Evaluation {
  output: Tensor;
  /** One for each input: itself or, where that will not do, a fresh leaf of its value. */
  sources: Tensor[];
}

/** Calls a function with its inputs. Errors: ArgumentError, GradientError. */
export function evaluateAt(operation: string, fn: TensorFunction, inputs: readonly Tensor[]): Evaluation {
  if (typeof fn !== "function")
    throw new ArgumentError(`${operation}: needs a function, got ${describe(fn)}`);
  const sources = sourcesOf(tensorList(operation, "each input", inputs));
  const output = enableGrad(() => fn(...sources));
  if (!(output instanceof Tensor)) {
    throw new ArgumentError(`${operation}: the function must return a Tensor, got ${describe(output)}`);
  }
  checkClosure(operation, fn, output, inputs, sources);
  return { output, sources };
}

/** The same for a function whose value has one element; GradientError for any other. */
export function evaluateScalarAt(
  operation: string,
  fn: TensorFunction,
  inputs: readonly Tensor[],
): Evaluation {
  const evaluation = evaluateAt(operation, fn, inputs);
  const { size, shape } = evaluation.output;
  if (size === 1) return evaluation;
  throw new GradientError(
    `${operation}: the function must return one element, got shape ${formatShape(shape)}`,
  );
}

/**
 * The tensors to differentiate with respect to. A leaf that requires a gradient is one itself, so that a function that
 * closes over it is differentiated through it; in place of any other input, and of one that occurs twice, stands a
 * fresh leaf of its value, so that differentiating does not reach into any other graph.
 */
function sourcesOf(list: readonly Tensor[]): Tensor[] {
  return list.map((input, i) => {
    const isOwn = input.isLeaf && input.requiresGrad;
    const isOnce = list.indexOf(input) === i && list.lastIndexOf(input) === i;
    return isOwn && isOnce ? input : new Tensor(input.array, { requiresGrad: true });
  });
}

/**
 * Throws a GradientError where a function that declares no arguments cannot see an input: it closes over the tensor,
 * but a fresh leaf stands for it. Its derivative would be zero, silently.
 */
function checkClosure(
  operation: string,
  fn: TensorFunction,
  output: Tensor,
  inputs: readonly Tensor[],
  sources: readonly Tensor[],
): void {
  if (fn.length > 0) return;
  const fresh = new Set(sources.filter((source, i) => source !== inputs[i]));
  if (fresh.size === 0 || reaches(output, fresh)) return;
  const first = inputs.findIndex((input, i) => sources[i] !== input);
  throw new GradientError(
    `${operation}: the function uses none of its arguments, and input ${first} is no leaf that requires a gradient ` +
      "and occurs once, which it could close over",
  );
}

/** Whether a tensor was made from one of the targets. */
function reaches(output: Tensor, targets: ReadonlySet<Tensor>): boolean {
  const seen = new Set<Tensor>([output]);
  for (const tensor of seen) {
    if (targets.has(tensor)) return true;
    for (const input of tensor.node?.inputs ?? []) seen.add(input);
  }
  return false;
}

/** Throws a ShapeError unless there is one vector for each tensor, of its shape and dtype. */
export function checkTangents(
  operation: string,
  inputs: readonly Tensor[],
  tangents: readonly Tensor[],
): void {
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
