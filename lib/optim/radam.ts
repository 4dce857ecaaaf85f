/** RAdam (Liu et al. 2020): Adam that does without its denominator while the variance of that is too uncertain. */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { checkBoolean, checkNumber, NON_NEGATIVE } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkBetas, checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `RAdam`. */
export interface RAdamOptions extends CommonOptions {
  /** β₁ and β₂, the decay rates of the running means of the gradient and of its square, in [0, 1). */
  betas: readonly [number, number];
  /** Added to √v, ≥ 0 (default 1e-8). */
  eps: number;
  /** ≥ 0 (default 0). */
  weightDecay: number;
  /** Whether weight decay shrinks θ by lr·weightDecay instead of adding weightDecay·θ to the gradient (default false). */
  decoupledWeightDecay: boolean;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  step: number;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
}

const DEFAULTS: RAdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  decoupledWeightDecay: false,
  maximize: false,
};

/** The length of the moving average below which the variance is not trusted. */
const TRUSTED = 5;

/**
 * g ← ∇f + weightDecay·θ; m and v as in Adam; ρ∞ = 2/(1 − β₂) − 1; ρ = ρ∞ − 2kβ₂ᵏ/(1 − β₂ᵏ). Where ρ > 5,
 * θ ← θ − lr · r · m/(1 − β₁ᵏ) · √(1 − β₂ᵏ)/(√v + eps) with r = √((ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ)); before
 * that θ ← θ − lr · m/(1 − β₁ᵏ). k counts from 1.
 *
 * Source: Liu et al., "On the variance of the adaptive learning rate and beyond", 2020.
 */
export class RAdam extends UpdateRule<RAdamOptions, State> {
  constructor(params: Params<RAdamOptions>, options: Partial<RAdamOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: RAdamOptions): void {
    checkUsual(this.name, options);
    checkBetas(this.name, "betas", options.betas);
    checkNumber(this.name, "eps", options.eps, NON_NEGATIVE);
    checkBoolean(this.name, "decoupledWeightDecay", options.decoupledWeightDecay);
  }

  protected override newState({ shape, dtype }: Tensor): State {
    return { step: 0, exp_avg: zeros(shape, { dtype }), exp_avg_sq: zeros(shape, { dtype }) };
  }

  protected override update(target: NDArray, state: State, options: RAdamOptions): Update {
    const { lr, eps, weightDecay, decoupledWeightDecay, maximize } = options;
    const [beta1, beta2] = options.betas;
    state.step++;
    const rectification = rectify(beta2, state.step);
    const rate = lr / (1 - beta1 ** state.step);
    return {
      kernel: `nadam_${storageOf(target.dtype) as "f32" | "f64"}`,
      updated: [target, state.exp_avg.array, state.exp_avg_sq.array],
      scalars: [
        0,
        rate * (rectification ?? 1),
        beta1,
        beta2,
        eps,
        decoupledWeightDecay ? lr * weightDecay : weightDecay,
        Number(decoupledWeightDecay),
        Number(maximize),
        1,
        Number(rectification !== null),
      ],
    };
  }
}

/** r·√(1 − β₂ᵏ), null while the variance is not trusted. */
function rectify(beta2: number, step: number): number | null {
  const correction = 1 - beta2 ** step;
  const limit = 2 / (1 - beta2) - 1;
  const length = limit - (2 * step * beta2 ** step) / correction;
  if (length <= TRUSTED) return null;
  const ratio = ((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length);
  return Math.sqrt(ratio) * Math.sqrt(correction);
}
