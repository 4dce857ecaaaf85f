/** RMSprop (Tieleman and Hinton 2012), plain, centered (Graves 2013) and with momentum. */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { BELOW_ONE, checkBoolean, checkNumber, NON_NEGATIVE } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `RMSprop`. */
export interface RMSpropOptions extends CommonOptions {
  /** The decay rate of the running means, in [0, 1) (default 0.99). */
  alpha: number;
  /** Added to the root, ≥ 0 (default 1e-8). */
  eps: number;
  /** Adds weightDecay·θ to the gradient, ≥ 0 (default 0). */
  weightDecay: number;
  /** How much of the last step is kept, ≥ 0 (default 0). */
  momentum: number;
  /** Divides by the standard deviation of the gradient instead of its root mean square (default false). */
  centered: boolean;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  step: number;
  square_avg: Tensor;
}

const DEFAULTS: RMSpropOptions = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
};

/**
 * g ← ∇f + weightDecay·θ; v ← αv + (1 − α)g²; d ← g/(√v + eps); θ ← θ − lr·d. Centered: a ← αa + (1 − α)g, and v − a² in
 * the place of v (0 where rounding makes that negative). With momentum: b ← momentum·b + d; θ ← θ − lr·b.
 *
 * Source: Tieleman and Hinton, Coursera lecture 6.5, 2012; centered: Graves, 2013.
 */
export class RMSprop extends UpdateRule<RMSpropOptions, State> {
  constructor(params: Params<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: RMSpropOptions): void {
    checkUsual(this.name, options);
    checkNumber(this.name, "alpha", options.alpha, BELOW_ONE);
    checkNumber(this.name, "eps", options.eps, NON_NEGATIVE);
    checkNumber(this.name, "momentum", options.momentum, NON_NEGATIVE);
    checkBoolean(this.name, "centered", options.centered);
  }

  protected override newState({ shape, dtype }: Tensor, { momentum, centered }: RMSpropOptions): State {
    return {
      step: 0,
      square_avg: zeros(shape, { dtype }),
      ...(momentum > 0 ? { momentum_buffer: zeros(shape, { dtype }) } : {}),
      ...(centered ? { grad_avg: zeros(shape, { dtype }) } : {}),
    };
  }

  protected override update(target: NDArray, state: State, options: RMSpropOptions): Update {
    const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = options;
    const type = storageOf(target.dtype) as "f32" | "f64";
    const updated = [target, state.square_avg.array];
    const scalars = [lr, alpha, eps, weightDecay, Number(maximize)];
    if (momentum > 0) {
      updated.push(this.kept(state, "momentum_buffer", "momentum").array);
      scalars.push(momentum);
    }
    if (centered) updated.push(this.kept(state, "grad_avg", "centered").array);
    state.step++;
    const [plain, heavy] = centered
      ? (["rmsprop_centered", "rmsprop_centered_momentum"] as const)
      : (["rmsprop", "rmsprop_momentum"] as const);
    const kernel = `${momentum > 0 ? heavy : plain}_${type}` as const;
    return { kernel, updated, scalars };
  }
}
