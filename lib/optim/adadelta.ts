/** Adadelta (Zeiler 2012): steps as long as the recent ones were, over the size of recent gradients. */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { BELOW_ONE, checkNumber, NON_NEGATIVE } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `Adadelta`. */
export interface AdadeltaOptions extends CommonOptions {
  /** ρ, the decay rate of both running means of squares, in [0, 1) (default 0.9). */
  rho: number;
  /** Added inside both roots, ≥ 0 (default 1e-6). */
  eps: number;
  /** Adds weightDecay·θ to the gradient, ≥ 0 (default 0). */
  weightDecay: number;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  step: number;
  square_avg: Tensor;
  acc_delta: Tensor;
}

const DEFAULTS: AdadeltaOptions = { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false };

/**
 * g ← ∇f + weightDecay·θ; v ← ρv + (1 − ρ)g²; d ← g·√(a + eps)/√(v + eps); a ← ρa + (1 − ρ)d²; θ ← θ − lr·d.
 *
 * Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
 */
export class Adadelta extends UpdateRule<AdadeltaOptions, State> {
  constructor(params: Params<AdadeltaOptions>, options: Partial<AdadeltaOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: AdadeltaOptions): void {
    checkUsual(this.name, options);
    checkNumber(this.name, "rho", options.rho, BELOW_ONE);
    checkNumber(this.name, "eps", options.eps, NON_NEGATIVE);
  }

  protected override newState({ shape, dtype }: Tensor): State {
    return { step: 0, square_avg: zeros(shape, { dtype }), acc_delta: zeros(shape, { dtype }) };
  }

  protected override update(target: NDArray, state: State, options: AdadeltaOptions): Update {
    state.step++;
    const { lr, rho, eps, weightDecay, maximize } = options;
    return {
      kernel: `adadelta_${storageOf(target.dtype) as "f32" | "f64"}`,
      updated: [target, state.square_avg.array, state.acc_delta.array],
      scalars: [lr, rho, eps, weightDecay, Number(maximize)],
    };
  }
}
