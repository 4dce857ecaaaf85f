/** Adagrad (Duchi, Hazan and Singer 2011): each element's step shrinks with the squares of all its gradients. */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { checkNumber, NON_NEGATIVE } from "../options.js";
import { full, type Tensor } from "../tensor.js";
import { checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `Adagrad`. */
export interface AdagradOptions extends CommonOptions {
  /** Divides lr by 1 + (k − 1)·lrDecay at update k, ≥ 0 (default 0). */
  lrDecay: number;
  /** Adds weightDecay·θ to the gradient, ≥ 0 (default 0). */
  weightDecay: number;
  /** What the sums of squares start at, ≥ 0 (default 0). */
  initialAccumulatorValue: number;
  /** Added to the root of the sum, ≥ 0 (default 1e-10). */
  eps: number;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  step: number;
  sum: Tensor;
}

const DEFAULTS: AdagradOptions = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  maximize: false,
};

/**
 * g ← ∇f + weightDecay·θ; s ← s + g²; θ ← θ − lr/(1 + (k − 1)·lrDecay) · g/(√s + eps), k counting from 1.
 *
 * Source: Duchi, Hazan and Singer, "Adaptive subgradient methods", 2011; lrDecay is PyTorch's.
 */
export class Adagrad extends UpdateRule<AdagradOptions, State> {
  constructor(params: Params<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: AdagradOptions): void {
    checkUsual(this.name, options);
    checkNumber(this.name, "lrDecay", options.lrDecay, NON_NEGATIVE);
    checkNumber(this.name, "initialAccumulatorValue", options.initialAccumulatorValue, NON_NEGATIVE);
    checkNumber(this.name, "eps", options.eps, NON_NEGATIVE);
  }

  protected override newState({ shape, dtype }: Tensor, options: AdagradOptions): State {
    return { step: 0, sum: full(shape, options.initialAccumulatorValue, { dtype }) };
  }

  protected override update(target: NDArray, state: State, options: AdagradOptions): Update {
    const { lr, lrDecay, eps, weightDecay, maximize } = options;
    const rate = lr / (1 + state.step * lrDecay);
    state.step++;
    return {
      kernel: `adagrad_${storageOf(target.dtype) as "f32" | "f64"}`,
      updated: [target, state.sum.array],
      scalars: [rate, eps, weightDecay, Number(maximize)],
    };
  }
}
