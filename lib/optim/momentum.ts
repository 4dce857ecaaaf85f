/** Gradient descent with momentum (Polyak 1964), in the three forms that textbooks and libraries mean by it. */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { BELOW_ONE, checkChoice, checkNumber } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

const FORMS = ["classic", "averaged", "unbiased"] as const;

/** Options of `Momentum`. */
export interface MomentumOptions extends CommonOptions {
  /** β, how much of the last step's u is kept, in [0, 1) (default 0.9). */
  beta: number;
  /**
   * `"classic"` (default): u is a sum of gradients, as `SGD` has it. `"averaged"`: u is their running average, so that
   * lr means the same for every β. `"unbiased"`: the average divided by 1 − βᵏ, since it starts at 0.
   */
  form: (typeof FORMS)[number];
  /** Adds weightDecay·θ to the gradient, ≥ 0 (default 0). */
  weightDecay: number;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  step: number;
  momentum_buffer: Tensor;
}

const DEFAULTS: MomentumOptions = {
  lr: 1e-3,
  beta: 0.9,
  form: "classic",
  weightDecay: 0,
  maximize: false,
};

/**
 * g ← ∇f + weightDecay·θ. Classic: u ← βu + g; θ ← θ − lr·u. Averaged: u ← βu + (1 − β)g; θ ← θ − lr·u. Unbiased: the
 * same with θ ← θ − lr·u/(1 − βᵏ), k counting the updates from 1. u starts at 0.
 *
 * Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
 */
export class Momentum extends UpdateRule<MomentumOptions, State> {
  constructor(params: Params<MomentumOptions>, options: Partial<MomentumOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: MomentumOptions): void {
    checkUsual(this.name, options);
    checkNumber(this.name, "beta", options.beta, BELOW_ONE);
    checkChoice(this.name, "form", options.form, FORMS);
  }

  protected override newState({ shape, dtype }: Tensor): State {
    return { step: 0, momentum_buffer: zeros(shape, { dtype }) };
  }

  protected override update(target: NDArray, state: State, options: MomentumOptions): Update {
    const { lr, beta, form, weightDecay, maximize } = options;
    state.step++;
    const rate = form === "unbiased" ? lr / (1 - beta ** state.step) : lr;
    const dampening = form === "classic" ? 0 : beta;
    return {
      kernel: `sgd_momentum_${storageOf(target.dtype) as "f32" | "f64"}`,
      updated: [target, state.momentum_buffer.array],
      scalars: [rate, beta, dampening, weightDecay, 0, Number(maximize), 0],
    };
  }
}
