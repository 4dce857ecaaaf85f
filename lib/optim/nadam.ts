/** NAdam (Dozat 2016): Adam with Nesterov's momentum, whose coefficient warms up. */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { checkBoolean, checkNumber, NON_NEGATIVE } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkBetas, checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `NAdam`. */
export interface NAdamOptions extends CommonOptions {
  /** β₁ and β₂, the decay rates of the running means of the gradient and of its square, in [0, 1). */
  betas: readonly [number, number];
  /** Added to the denominator after the bias correction, ≥ 0 (default 1e-8). */
  eps: number;
  /** ≥ 0 (default 0). */
  weightDecay: number;
  /** ψ, how slowly the momentum's coefficient rises to β₁, ≥ 0 (default 4e-3). */
  momentumDecay: number;
  /** Whether weight decay shrinks θ by lr·weightDecay instead of adding weightDecay·θ to the gradient (default false). */
  decoupledWeightDecay: boolean;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  step: number;
  /** Π μᵢ so far. */
  mu_product: number;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
}

const DEFAULTS: NAdamOptions = {
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  momentumDecay: 4e-3,
  decoupledWeightDecay: false,
  maximize: false,
};

/** The base of the warm-up, Dozat's. */
const WARM_UP = 0.96;

/**
 * g ← ∇f + weightDecay·θ; m and v as in Adam; μₖ = β₁(1 − ½·0.96^(kψ));
 * θ ← θ − lr · ((1 − μₖ)/(1 − Πμᵢ≤ₖ) · g + μₖ₊₁/(1 − Πμᵢ≤ₖ₊₁) · m) / (√(v/(1 − β₂ᵏ)) + eps), k counting from 1.
 *
 * Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016.
 */
export class NAdam extends UpdateRule<NAdamOptions, State> {
  constructor(params: Params<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: NAdamOptions): void {
    checkUsual(this.name, options);
    checkBetas(this.name, "betas", options.betas);
    checkNumber(this.name, "eps", options.eps, NON_NEGATIVE);
    checkNumber(this.name, "momentumDecay", options.momentumDecay, NON_NEGATIVE);
    checkBoolean(this.name, "decoupledWeightDecay", options.decoupledWeightDecay);
  }

  protected override newState({ shape, dtype }: Tensor): State {
    return { step: 0, mu_product: 1, exp_avg: zeros(shape, { dtype }), exp_avg_sq: zeros(shape, { dtype }) };
  }

  protected override update(target: NDArray, state: State, options: NAdamOptions): Update {
    const { lr, eps, weightDecay, momentumDecay, decoupledWeightDecay, maximize } = options;
    const [beta1, beta2] = options.betas;
    state.step++;
    const { step } = state;
    const mu = beta1 * (1 - 0.5 * WARM_UP ** (step * momentumDecay));
    const next = beta1 * (1 - 0.5 * WARM_UP ** ((step + 1) * momentumDecay));
    state.mu_product *= mu;
    const gradientRate = (lr * (1 - mu)) / (1 - state.mu_product);
    const momentumRate = (lr * next) / (1 - state.mu_product * next);
    return {
      kernel: `nadam_${storageOf(target.dtype) as "f32" | "f64"}`,
      updated: [target, state.exp_avg.array, state.exp_avg_sq.array],
      scalars: [
        gradientRate,
        momentumRate,
        beta1,
        beta2,
        eps,
        decoupledWeightDecay ? lr * weightDecay : weightDecay,
        Number(decoupledWeightDecay),
        Number(maximize),
        1 - beta2 ** step,
        1,
      ],
    };
  }
}
