/** Adam (Kingma and Ba 2015), and AdamW with decoupled weight decay (Loshchilov and Hutter 2019). */

import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { BELOW_ONE, checkBoolean, checkNumber, NON_NEGATIVE } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import type { Update } from "./kernel.js";
import { type CommonOptions, Optimizer, type ParamState, type Params } from "./optimizer.js";

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions extends CommonOptions {
  /** β₁ and β₂, the decay rates of the running means of the gradient and of its square, in [0, 1). */
  betas: readonly [number, number];
  /** Added to the denominator after the bias correction, ≥ 0 (default 1e-8). */
  eps: number;
  /** ≥ 0; default 0 for Adam, 1e-2 for AdamW. */
  weightDecay: number;
  /** Ascend. */
  maximize: boolean;
}

interface Moments extends ParamState {
  step: number;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
}

const DEFAULTS: AdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false };
const DECOUPLED_WEIGHT_DECAY = 1e-2;

/** What the two have in common; they differ in where weight decay acts. */
abstract class AdamRule extends Optimizer<AdamOptions, Moments> {
  private lastCorrections = { beta1: 0, beta2: 0, step: 0, values: [1, 1] as readonly [number, number] };

  /** Whether weight decay shrinks the parameter itself instead of adding to the gradient. */
  protected abstract get isDecoupled(): boolean;

  protected override checkOptions({ lr, betas, eps, weightDecay, maximize }: AdamOptions): void {
    checkNumber(this.name, "lr", lr, NON_NEGATIVE);
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw new ArgumentError(`${this.name}: betas must be an array of two numbers, got ${describe(betas)}`);
    }
    betas.forEach((beta: unknown, i) => {
      checkNumber(this.name, `betas[${i}]`, beta, BELOW_ONE);
    });
    checkNumber(this.name, "eps", eps, NON_NEGATIVE);
    checkNumber(this.name, "weightDecay", weightDecay, NON_NEGATIVE);
    checkBoolean(this.name, "maximize", maximize);
  }

  protected override newState({ shape, dtype }: Tensor): Moments {
    return { step: 0, exp_avg: zeros(shape, { dtype }), exp_avg_sq: zeros(shape, { dtype }) };
  }

  protected override update(target: NDArray, state: Moments, options: AdamOptions): Update {
    state.step++;
    const { lr, eps, weightDecay, maximize } = options;
    const [beta1, beta2] = options.betas;
    const corrections = this.corrections(beta1, beta2, state.step);
    return {
      kernel: `adam_${storageOf(target.dtype) as "f32" | "f64"}`,
      updated: [target, state.exp_avg.array, state.exp_avg_sq.array],
      scalars: [
        lr,
        beta1,
        beta2,
        eps,
        weightDecay,
        Number(this.isDecoupled),
        Number(maximize),
        ...corrections,
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
 * θ ← θ − lr · u/(1 − β₁ᵏ) / (√(v/(1 − β₂ᵏ)) + eps).
 */
export class Adam extends AdamRule {
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override get isDecoupled(): boolean {
    return false;
  }
}

/** As Adam, but θ ← (1 − lr·weightDecay)·θ before the step instead of weightDecay·θ in the gradient. */
export class AdamW extends AdamRule {
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, options, { ...DEFAULTS, weightDecay: DECOUPLED_WEIGHT_DECAY });
  }

  protected override get isDecoupled(): boolean {
    return true;
  }
}
