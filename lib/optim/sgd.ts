/** Stochastic gradient descent, with momentum as PyTorch defines it. */
import { ArgumentError } from "../errors.js";
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { checkBoolean, checkNumber, FINITE, NON_NEGATIVE } from "../options.js";
import { type Tensor, zeros } from "../tensor.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { UpdateRule } from "./rule.js";

/** Options of `SGD`. */
export interface SGDOptions extends CommonOptions {
  /** β in u ← β·u + (1 − dampening)·g, ≥ 0 (default 0). */
  momentum: number;
  /** Default 0. With dampening = momentum, u is a running average that starts at the first gradient. */
  dampening: number;
  /** Adds weightDecay·θ to the gradient, ≥ 0 (default 0). */
  weightDecay: number;
  /** Step along g + β·u instead of u; needs momentum > 0 and dampening 0. */
  nesterov: boolean;
  /** Ascend. */
  maximize: boolean;
}

interface Momentum extends ParamState {
  momentum_buffer: Tensor;
}

const DEFAULTS: SGDOptions = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
};

/**
 * g ← ∇f + weightDecay·θ; u ← momentum·u + (1 − dampening)·g, at first u ← g; θ ← θ − lr·u, or with Nesterov
 * θ ← θ − lr·(g + momentum·u). Without momentum θ ← θ − lr·g.
 *
 * Source: Robbins and Monro, 1951; momentum and dampening as PyTorch defines them.
 */
export class SGD extends UpdateRule<SGDOptions, Momentum> {
  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: SGDOptions): void {
    checkNumber(this.name, "lr", options.lr, NON_NEGATIVE);
    checkNumber(this.name, "momentum", options.momentum, NON_NEGATIVE);
    checkNumber(this.name, "dampening", options.dampening, FINITE);
    checkNumber(this.name, "weightDecay", options.weightDecay, NON_NEGATIVE);
    checkBoolean(this.name, "maximize", options.maximize);
    if (
      checkBoolean(this.name, "nesterov", options.nesterov) &&
      !(options.momentum > 0 && options.dampening === 0)
    ) {
      throw new ArgumentError(
        `${this.name}: nesterov needs momentum > 0 and dampening 0, got momentum ${options.momentum} and ` +
          `dampening ${options.dampening}`,
      );
    }
  }

  protected override newState(parameter: Tensor, { momentum }: SGDOptions): Momentum | null {
    if (momentum === 0) return null;
    return { momentum_buffer: zeros(parameter.shape, { dtype: parameter.dtype }) };
  }

  protected override update(
    target: NDArray,
    state: Momentum | null,
    options: SGDOptions,
    isFirst: boolean,
  ): Update {
    const { lr, momentum, dampening, weightDecay } = options;
    const [nesterov, maximize, first] = [options.nesterov, options.maximize, isFirst].map(Number);
    const type = storageOf(target.dtype) as "f32" | "f64";
    if (state === null || momentum === 0) {
      return { kernel: `sgd_${type}`, updated: [target], scalars: [lr, weightDecay, maximize] };
    }
    return {
      kernel: `sgd_momentum_${type}`,
      updated: [target, state.momentum_buffer.array],
      scalars: [lr, momentum, dampening, weightDecay, nesterov, maximize, first],
    };
  }
}
