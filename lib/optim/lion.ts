/** Lion (Chen et al. 2023): every element moves by lr, in the direction of a momentum's sign. */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkBetas, checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `Lion`. */
export interface LionOptions extends CommonOptions {
  /** β₁ mixes momentum and gradient for the step, β₂ is the momentum's decay rate, both in [0, 1) (0.9, 0.99). */
  betas: readonly [number, number];
  /** Decoupled: shrinks θ by lr·weightDecay, ≥ 0 (default 0). */
  weightDecay: number;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  exp_avg: Tensor;
}

const DEFAULTS: LionOptions = { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false };

/**
 * θ ← (1 − lr·weightDecay)·θ; θ ← θ − lr · sign(β₁m + (1 − β₁)g); m ← β₂m + (1 − β₂)g. Its authors advise a learning
 * rate three to ten times smaller than Adam's, and as much more weight decay.
 *
 * Source: Chen et al., "Symbolic discovery of optimization algorithms", 2023.
 */
export class Lion extends UpdateRule<LionOptions, State> {
  constructor(params: Params<LionOptions>, options: Partial<LionOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: LionOptions): void {
    checkUsual(this.name, options);
    checkBetas(this.name, "betas", options.betas);
  }

  protected override newState({ shape, dtype }: Tensor): State {
    return { exp_avg: zeros(shape, { dtype }) };
  }

  protected override update(target: NDArray, state: State, options: LionOptions): Update {
    const { lr, weightDecay, maximize } = options;
    const [beta1, beta2] = options.betas;
    return {
      kernel: `lion_${storageOf(target.dtype) as "f32" | "f64"}`,
      updated: [target, state.exp_avg.array],
      scalars: [lr, beta1, beta2, weightDecay, Number(maximize)],
    };
  }
}
