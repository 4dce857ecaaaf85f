/** Layer-sequential unit-variance initialization (Mishkin and Matas 2016): measured on data instead of derived. */
import { noGrad } from "../autograd/mode.js";
import { ArgumentError } from "../errors.js";
import type { Module } from "../nn/module.js";
import { checkBoolean, checkNumber, POSITIVE, POSITIVE_INTEGER, withDefaults } from "../options.js";
import { checkGenerator } from "../random/generator.js";
import { recorder } from "../runtime/recorder.js";
import type { Tensor } from "../tensor.js";
import { overwrite, RANDOM_INIT, type RandomInit, zeros } from "./fill.js";
import { observe, secondMoment } from "./observe.js";
import { orthogonal } from "./orthogonal.js";

/** Options of `lsuv`. */
export interface LsuvOptions extends RandomInit {
  /** The variance that each layer's output is brought to, > 0 (default 1). */
  variance?: number;
  /** Relative distance from it that is near enough, > 0 (default 0.01). */
  tolerance?: number;
  /** Largest number of corrections of a layer (default 10). */
  maxIterations?: number;
  /** Draw orthonormal weights and set biases to zero first (default true); else scale the weights that are there. */
  orthogonal?: boolean;
}

/** What became of one layer. */
export interface LsuvLayer {
  /** The layer's name in the model. */
  name: string;
  /** The variance of its output, before any activation, at first and in the end. */
  before: number;
  after: number;
  /** Corrections made. */
  iterations: number;
}

/**
 * Overwrites the weights of all layers of a model, in the order in which they are called: each is scaled until the
 * variance of its output on `batch`, over all examples and units, is the one asked for. Layers are modules with a
 * `weight` of two axes or more. The model runs in the mode it is in; layers below are not changed any more, so that
 * one that is used twice is set by its first use.
 *
 * Errors: ArgumentError for options outside their range, and for a layer whose output has a variance of 0 or none
 * on this batch; the layers before it are then already set.
 *
 * Source: Mishkin and Matas, "All you need is a good init", 2016.
 */
export function lsuv(model: Module, batch: Tensor, options: LsuvOptions = {}): LsuvLayer[] {
  recorder()?.refuse("lsuv", "initialize before the step is compiled");
  const checked = withDefaults("lsuv", options, {
    ...RANDOM_INIT,
    variance: 1,
    tolerance: 0.01,
    maxIterations: 10,
    orthogonal: true,
  } as Required<Omit<LsuvOptions, "generator">> & RandomInit);
  const { variance, tolerance, maxIterations } = checked;
  checkNumber("lsuv", "variance", variance, POSITIVE);
  checkNumber("lsuv", "tolerance", tolerance, POSITIVE);
  checkNumber("lsuv", "maxIterations", maxIterations, POSITIVE_INTEGER);
  const generator = checkGenerator("lsuv", checked.generator);
  const isFresh = checkBoolean("lsuv", "orthogonal", checked.orthogonal);
  const run = () => noGrad(() => observe("lsuv", model, batch).calls);
  const layers = new Map(run().map(({ module, name }) => [module, name]));
  if (isFresh) {
    for (const { weight, bias } of layers.keys()) {
      orthogonal(weight, { generator });
      if (bias !== null && bias !== undefined) zeros(bias);
    }
  }
  return [...layers].map(([module, name]): LsuvLayer => {
    const measure = (): number => {
      const call = run().find((each) => each.module === module);
      const measured = call === undefined ? Number.NaN : secondMoment(call.output, true);
      if (measured > 0 && measured < Infinity) return measured;
      throw new ArgumentError(
        `lsuv: the output of layer ${name} (${module.constructor.name}) has variance ${measured} on this batch; ` +
          "it must be above 0 and finite for a scale of the weights to change it",
      );
    };
    const before = measure();
    let after = before;
    let iterations = 0;
    while (Math.abs(after / variance - 1) > tolerance && iterations < maxIterations) {
      const factor = Math.sqrt(variance / after);
      overwrite(
        module.weight,
        noGrad(() => module.weight.mul(factor)),
      );
      iterations++;
      after = measure();
    }
    return { name, before, after, iterations };
  });
}
