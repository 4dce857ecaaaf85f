/** Adamax (Kingma and Ba 2015): Adam with the largest recent gradient in the place of the root of the mean square. */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { checkNumber, NON_NEGATIVE } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkBetas, checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `Adamax`. */
export interface AdamaxOptions extends CommonOptions {
  /** β₁ of the running mean of the gradient and β₂ of its fading maximum, in [0, 1). */
  betas: readonly [number, number];
  /** Added to |g|, ≥ 0 (default 1e-8). */
  eps: number;
  /** Adds weightDecay·θ to the gradient, ≥ 0 (default 0). */
  weightDecay: number;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  step: number;
  exp_avg: Tensor;
  exp_inf: Tensor;
}

const DEFAULTS: AdamaxOptions = {
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  maximize: false,
};

/**
 * g ← ∇f + weightDecay·θ; m ← β₁m + (1 − β₁)g; u ← max(β₂u, |g| + eps); θ ← θ − lr/(1 − β₁ᵏ) · m/u, k counting the
 * updates from 1.
 *
 * Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1.
 */
export class Adamax extends UpdateRule<AdamaxOptions, State> {
  constructor(params: Params<AdamaxOptions>, options: Partial<AdamaxOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: AdamaxOptions): void {
    checkUsual(this.name, options);
    checkBetas(this.name, "betas", options.betas);
    checkNumber(this.name, "eps", options.eps, NON_NEGATIVE);
  }

  protected override newState({ shape, dtype }: Tensor): State {
    return { step: 0, exp_avg: zeros(shape, { dtype }), exp_inf: zeros(shape, { dtype }) };
  }

  protected override update(target: NDArray, state: State, options: AdamaxOptions): Update {
    state.step++;
    const { lr, eps, weightDecay, maximize } = options;
    const [beta1, beta2] = options.betas;
    return {
      kernel: `adamax_${storageOf(target.dtype) as "f32" | "f64"}`,
      updated: [target, state.exp_avg.array, state.exp_inf.array],
      scalars: [lr, beta1, beta2, eps, weightDecay, Number(maximize), 1 - beta1 ** state.step],
    };
  }
}
