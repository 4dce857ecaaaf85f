/**
 * One forward pass, watched: what each layer with a weight took and gave, in the order of the calls. It works for any
 * model, since it stands in for `forward` of the layers while the pass runs.
 */
import { noGrad } from "../autograd/mode.js";
import { describe } from "../describe.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { isFloat } from "../ndarray/dtype.js";
import { type AnyModule, Module } from "../nn/module.js";
import { checkTensor } from "../ops/operands.js";
import { Tensor } from "../tensor.js";

/** A layer: a module whose `weight`, [out, in, ...], multiplies its input. */
export type WeightLayer = AnyModule & { weight: Tensor; bias?: Tensor | null };

/** One call of a layer. */
export interface ObservedCall {
  /** The module's name in the model. */
  name: string;
  module: WeightLayer;
  input: Tensor;
  /** What the layer gave, before any activation. */
  output: Tensor;
  /** What the next layer took, or what the model gave: the activations. */
  activation: Tensor;
  /** The modules without submodules or weights that were called before the next layer. */
  between: AnyModule[];
}

/** The calls of a forward pass, and what the model gave. */
export interface Observation {
  calls: ObservedCall[];
  output: Tensor;
}

/** The forward of a module as it may be replaced. */
type Replaceable = { forward: (...inputs: unknown[]) => unknown };

function isWeightLayer(module: AnyModule): module is WeightLayer {
  const { weight } = module as { weight?: unknown };
  return weight instanceof Tensor && weight.ndim >= 2 && isFloat(weight.dtype);
}

/**
 * Runs `model.forward(batch)` as recording is set. ArgumentError if the model is none, or calls no layer with a
 * weight of two axes or more; ShapeError for an empty batch.
 */
export function observe(operation: string, model: Module, batch: Tensor): Observation {
  if (!(model instanceof Module)) {
    throw new ArgumentError(`${operation}: the model must be a Module, got ${describe(model)}`);
  }
  if (checkTensor(operation, batch, "the batch").size === 0) {
    throw new ShapeError(`${operation}: the batch is empty; it needs at least one example`);
  }
  const calls: ObservedCall[] = [];
  const restore: (() => void)[] = [];
  const watch = (name: string, module: AnyModule): void => {
    const target = module as unknown as Replaceable;
    const own = Object.getOwnPropertyDescriptor(target, "forward");
    const { forward } = target;
    const value = (...inputs: unknown[]): unknown => {
      const output = forward.apply(module, inputs);
      const [input] = inputs;
      if (!(input instanceof Tensor) || !(output instanceof Tensor)) return output;
      if (isWeightLayer(module) && isFloat(input.dtype)) {
        const last = calls.at(-1);
        if (last !== undefined) last.activation = input;
        calls.push({ name, module, input, output, activation: output, between: [] });
      } else calls.at(-1)?.between.push(module);
      return output;
    };
    // Not enumerable: modules look for their parts among their properties.
    Object.defineProperty(target, "forward", {
      value,
      configurable: true,
      writable: true,
      enumerable: false,
    });
    restore.push(() => {
      if (own === undefined) Reflect.deleteProperty(target, "forward");
      else Object.defineProperty(target, "forward", own);
    });
  };
  try {
    for (const [name, module] of model.namedModules()) {
      if (isWeightLayer(module) || module.children().length === 0) watch(name, module);
    }
    const output = checkTensor(operation, model.forward(batch), "the model's output");
    const last = calls.at(-1);
    if (last === undefined) {
      throw new ArgumentError(
        `${operation}: the model calls no layer that has a weight of two axes or more and takes floats`,
      );
    }
    last.activation = output;
    return { calls, output };
  } finally {
    for (const undo of restore) undo();
  }
}

/** The mean of the squares of a tensor's elements, in float64; of the distances from the mean if `isCentered`. */
export function secondMoment(x: Tensor, isCentered = false): number {
  return noGrad(() => {
    const wide = x.detach().astype("float64");
    return (isCentered ? wide.sub(wide.mean()) : wide).square().mean().item();
  });
}
