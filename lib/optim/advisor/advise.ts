/** The step-size advisor: how large a learning rate the curvature of a loss allows, for each update rule. */
import { hessianOperator } from "../../autograd/hessian_operator.js";
import { ArgumentError, GradientError } from "../../errors.js";
import {
  BELOW_ONE,
  checkNumber,
  listOf,
  NON_NEGATIVE,
  POSITIVE,
  POSITIVE_INTEGER,
  withDefaults,
} from "../../options.js";
import { checkGenerator, Generator } from "../../random/generator.js";
import { recorder } from "../../runtime/recorder.js";
import type { Tensor } from "../../tensor.js";
import { flatten, unflatten } from "../newton/vectors.js";
import { extremeEigenvalues } from "../spectrum.js";
import { StepSizeAdvice } from "./advice.js";

/** Options of `adviseStepSize`. */
export interface AdviseOptions {
  /** A learning rate to say of what each rule would do with it, > 0. */
  lr?: number;
  /** The momentum coefficient that limits and predictions are for, in [0, 1) (default 0.9). */
  beta?: number;
  /** Largest number of Hessian-vector products (default 64). */
  iterations?: number;
  /** Relative change of an eigenvalue from product to product that ends the search, ≥ 0 (default 1e-6). */
  tolerance?: number;
  /** Where the first vector comes from; one of its own with seed 0 if left out, so that the advice is always the same. */
  generator?: Generator;
}

/**
 * Finds the largest and smallest curvature of a loss at the parameters as they are, by the Lanczos process (power
 * iteration that keeps what it has seen) on Hessian-vector products, and derives for which learning rates each rule is
 * stable: for gradient descent lr < 2/λ_max. `loss` evaluates the loss from the parameters, which are leaves that
 * require a gradient; it is called once. No `grad` and no parameter is changed.
 *
 * Errors: ArgumentError for options outside their range; GradientError for a loss that cannot be differentiated,
 * and for a loss or a curvature that is not finite.
 *
 * Source: Lanczos, 1950, for the curvature; the limits: Polyak, 1964, and Nesterov, 1983, on a quadratic.
 */
export function adviseStepSize(
  loss: () => Tensor,
  params: Iterable<Tensor>,
  options: AdviseOptions = {},
): StepSizeAdvice {
  recorder()?.refuse("adviseStepSize", "call it outside of compiled functions: it reads values");
  const checked = withDefaults("adviseStepSize", options, {
    lr: undefined,
    beta: 0.9,
    iterations: 64,
    tolerance: 1e-6,
    generator: new Generator(0),
  } as AdviseOptions);
  const { lr, generator } = checked;
  if (lr !== undefined) checkNumber("adviseStepSize", "lr", lr, POSITIVE);
  const beta = checkNumber("adviseStepSize", "beta", checked.beta, BELOW_ONE);
  const iterations = checkNumber("adviseStepSize", "iterations", checked.iterations, POSITIVE_INTEGER);
  const tolerance = checkNumber("adviseStepSize", "tolerance", checked.tolerance, NON_NEGATIVE);
  const list = listOf("adviseStepSize", "params", params, "tensors");
  if (list.length === 0)
    throw new ArgumentError("adviseStepSize: params is empty; there is nothing to advise on");
  const hessian = hessianOperator(loss, list, "adviseStepSize");
  const size = list.reduce((count, parameter) => count + parameter.size, 0);
  const spectrum = extremeEigenvalues((v) => flatten(hessian.multiply(unflatten(v, list))), size, {
    iterations,
    tolerance,
    generator: checkGenerator("adviseStepSize", generator),
  });
  const value = hessian.value.item();
  if (!Number.isFinite(value) || !Number.isFinite(spectrum.max) || !Number.isFinite(spectrum.min)) {
    throw new GradientError(
      `adviseStepSize: the loss or its curvature is not finite at these parameters: the loss is ${value}, the ` +
        `largest curvature ${spectrum.max}`,
    );
  }
  return new StepSizeAdvice(spectrum, beta, lr ?? null);
}
