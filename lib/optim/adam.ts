/**
 * Adam (Kingma and Ba 2015), AdamW with decoupled weight decay (Loshchilov and Hutter 2019), and AMSGrad (Reddi et al.
 * 2018) of both.
 */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { checkBoolean, checkNumber, NON_NEGATIVE } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkBetas, checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions extends CommonOptions {
  /** β₁ and β₂, the decay rates of the running means of the gradient and of its square, in [0, 1). */
  betas: readonly [number, number];
  /** Added to the denominator after the bias correction, ≥ 0 (default 1e-8). */
  eps: number;
  /** ≥ 0; default 0 for Adam, 1e-2 for AdamW. */
  weightDecay: number;
  /** Divides u by 1 − β₁ᵏ and v by 1 − β₂ᵏ (default true). False is Adam without this correction of the start. */
  biasCorrection: boolean;
  /** Takes the largest v so far in the denominator (default false). */
  amsgrad: boolean;
  /** Ascend. */
  maximize: boolean;
}

interface Moments extends ParamState {
  step: number;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
}

const DEFAULTS: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  biasCorrection: true,
  amsgrad: false,
  maximize: false,
};
const DECOUPLED_WEIGHT_DECAY = 1e-2;
const UNCORRECTED: readonly [number, number] = [1, 1];

/** What the two have in common; they differ in where weight decay acts. */
abstract class AdamRule extends UpdateRule<AdamOptions, Moments> {
  private lastCorrections = { beta1: 0, beta2: 0, step: 0, values: UNCORRECTED };

  /** Whether weight decay shrinks the parameter itself instead of adding to the gradient. */
  protected abstract get isDecoupled(): boolean;

  protected override checkOptions(options: AdamOptions): void {
    checkUsual(this.name, options);
    checkBetas(this.name, "betas", options.betas);
    checkNumber(this.name, "eps", options.eps, NON_NEGATIVE);
    checkBoolean(this.name, "biasCorrection", options.biasCorrection);
    checkBoolean(this.name, "amsgrad", options.amsgrad);
  }

  protected override newState({ shape, dtype }: Tensor, { amsgrad }: AdamOptions): Moments {
    const moments = { step: 0, exp_avg: zeros(shape, { dtype }), exp_avg_sq: zeros(shape, { dtype }) };
    return amsgrad ? { ...moments, max_exp_avg_sq: zeros(shape, { dtype }) } : moments;
  }

  protected override update(target: NDArray, state: Moments, options: AdamOptions): Update {
    state.step++;
    const { lr, eps, weightDecay, maximize, amsgrad } = options;
    const [beta1, beta2] = options.betas;
    const [correction1, correction2] = options.biasCorrection
      ? this.corrections(beta1, beta2, state.step)
      : UNCORRECTED;
    const type = storageOf(target.dtype) as "f32" | "f64";
    const updated = [target, state.exp_avg.array, state.exp_avg_sq.array];
    if (amsgrad) updated.push(this.kept(state, "max_exp_avg_sq", "amsgrad").array);
    return {
      kernel: amsgrad ? `amsgrad_${type}` : `adam_${type}`,
      updated,
      scalars: [
        lr,
        beta1,
        beta2,
        eps,
        weightDecay,
        Number(this.isDecoupled),
        Number(maximize),
        correction1,
        correction2,
      ],
    };
  }

  /** 1 − β₁ᵏ and 1 − β₂ᵏ; kept, since nearly all parameters of a step ask for the same. */
  private corrections(beta1: number, beta2: number, step: number): readonly [number, number] {
    const last = this.lastCorrections;
    if (last.beta1 !== beta1 || last.beta2 !== beta2 || last.step !== step) {
      this.lastCorrections = { beta1, beta2, step, values: [1 - beta1 ** step, 1 - beta2 ** step] };
    }
    return this.lastCorrections.values;
  }
}

/**
 * g ← ∇f + weightDecay·θ; u ← β₁u + (1 − β₁)g; v ← β₂v + (1 − β₂)g²;
 * θ ← θ − lr · u/(1 − β₁ᵏ) / (√(v/(1 − β₂ᵏ)) + eps), k counting the updates from 1. Without `biasCorrection`
 * θ ← θ − lr · u/(√v + eps); with `amsgrad` the largest v so far in its place.
 *
 * Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015; amsgrad: Reddi, Kale and Kumar, 2018.
 */
export class Adam extends AdamRule {
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override get isDecoupled(): boolean {
    return false;
  }
}

/**
 * As Adam, but θ ← (1 − lr·weightDecay)·θ before the step instead of weightDecay·θ in the gradient.
 *
 * Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
 */
export class AdamW extends AdamRule {
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, options, { ...DEFAULTS, weightDecay: DECOUPLED_WEIGHT_DECAY });
  }

  protected override get isDecoupled(): boolean {
    return true;
  }
}
