/**
 * Muon (Jordan et al. 2024): momentum whose matrices are made orthogonal before they are applied. It is a rule for the
 * matrices of hidden layers; what is no matrix is updated by AdamW.
 */

import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import {
  BELOW_ONE,
  checkBoolean,
  checkChoice,
  checkNumber,
  FINITE,
  NON_NEGATIVE,
  POSITIVE_INTEGER,
} from "../options.js";
import { recorder } from "../runtime/recorder.js";
import { Tensor, zeros } from "../tensor.js";
import { checkBetas, checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { type Coefficients, orthogonalize } from "./orthogonalize.js";
import { type Target, UpdateRule } from "./rule.js";

const ADJUSTMENTS = ["original", "matchRmsAdamW"] as const;

/** Options of `Muon`. */
export interface MuonOptions extends CommonOptions {
  /** The decay rate of the running mean of gradients, in [0, 1) (default 0.95). */
  momentum: number;
  /** Whether the newest gradient is mixed in once more (default true). */
  nesterov: boolean;
  /** Decoupled: shrinks θ by lr·weightDecay, ≥ 0 (default 0.1). */
  weightDecay: number;
  /** Newton-Schulz steps, a positive integer (default 5). */
  nsSteps: number;
  /** Coefficients of a step (default 3.4445, −4.775, 2.0315). */
  nsCoefficients: Coefficients;
  /** The smallest norm that a matrix is divided by, ≥ 0 (default 1e-7). */
  eps: number;
  /**
   * How lr depends on a matrix with r rows and c columns: `"original"` (default) lr·√max(1, r/c); `"matchRmsAdamW"`
   * lr·0.2·√max(r, c), whose elements move as far as AdamW's at the same lr.
   */
  adjustLr: (typeof ADJUSTMENTS)[number];
  /** False for a group whose matrices are AdamW's too, as embeddings and last layers should be (default true). */
  useMuon: boolean;
  /** AdamW's learning rate is lr·adamScale, ≥ 0 (default 1). */
  adamScale: number;
  /** AdamW's β₁ and β₂, in [0, 1) (default 0.9, 0.999). */
  betas: readonly [number, number];
  /** AdamW's ε, ≥ 0 (default 1e-8). */
  adamEps: number;
  /** Ascend. */
  maximize: boolean;
}

const DEFAULTS: MuonOptions = {
  lr: 1e-3,
  momentum: 0.95,
  nesterov: true,
  weightDecay: 0.1,
  nsSteps: 5,
  nsCoefficients: [3.4445, -4.775, 2.0315],
  eps: 1e-7,
  adjustLr: "original",
  useMuon: true,
  adamScale: 1,
  betas: [0.9, 0.999],
  adamEps: 1e-8,
  maximize: false,
};

/** The root mean square of AdamW's steps, as a share of lr (Liu et al. 2025). */
const ADAMW_RMS = 0.2;

/**
 * Matrices: u ← βu + (1 − β)g; d ← βu + (1 − β)g with Nesterov, else u; O ← the orthogonal matrix near d;
 * θ ← θ − lr·weightDecay·θ − adjusted lr·O. All else: AdamW with lr·adamScale.
 *
 * Source: Jordan et al., "Muon: an optimizer for hidden layers", 2024; matchRmsAdamW: Liu et al., 2025.
 */
export class Muon extends UpdateRule<MuonOptions, ParamState> {
  /** Memory for d, by the state of its matrix. */
  private readonly scratch = new WeakMap<ParamState, NDArray>();

  constructor(params: Params<MuonOptions>, options: Partial<MuonOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: MuonOptions): void {
    const { name } = this;
    checkUsual(name, options);
    checkNumber(name, "momentum", options.momentum, BELOW_ONE);
    checkBoolean(name, "nesterov", options.nesterov);
    checkNumber(name, "nsSteps", options.nsSteps, POSITIVE_INTEGER);
    const { nsCoefficients } = options;
    if (!Array.isArray(nsCoefficients) || nsCoefficients.length !== 3) {
      throw new ArgumentError(
        `${name}: nsCoefficients must be an array of three numbers, got ${describe(nsCoefficients)}`,
      );
    }
    nsCoefficients.forEach((coefficient: unknown, i) => {
      checkNumber(name, `nsCoefficients[${i}]`, coefficient, FINITE);
    });
    checkNumber(name, "eps", options.eps, NON_NEGATIVE);
    checkChoice(name, "adjustLr", options.adjustLr, ADJUSTMENTS);
    checkBoolean(name, "useMuon", options.useMuon);
    checkNumber(name, "adamScale", options.adamScale, NON_NEGATIVE);
    checkBetas(name, "betas", options.betas);
    checkNumber(name, "adamEps", options.adamEps, NON_NEGATIVE);
  }

  protected override constants({ nsSteps, nsCoefficients, eps }: MuonOptions): readonly unknown[] {
    return [nsSteps, eps, nsCoefficients?.[0], nsCoefficients?.[1], nsCoefficients?.[2]];
  }

  protected override newState({ shape, dtype }: Tensor, options: MuonOptions): ParamState {
    if (isMatrix(shape, options)) return { momentum_buffer: zeros(shape, { dtype }) };
    return { step: 0, exp_avg: zeros(shape, { dtype }), exp_avg_sq: zeros(shape, { dtype }) };
  }

  /** The orthogonal matrices that go in the place of the gradients. */
  protected override directions(
    targets: readonly Target<MuonOptions, ParamState>[],
    gradients: readonly NDArray[],
  ): readonly NDArray[] {
    const matrices = targets.flatMap(({ group, array, state }, i) =>
      state !== null && isMatrix(array.shape, group) ? [{ group, state, input: gradients[i] }] : [],
    );
    this.run(
      matrices.map(({ group, state, input }) => {
        const updated = [this.kept(state, "momentum_buffer", "useMuon").array, this.scratchOf(state, input)];
        const kernel = `muon_momentum_${storageOf(input.dtype) as "f32" | "f64"}` as const;
        return {
          input,
          state,
          next: () => {
            const { momentum, nesterov, maximize } = group;
            return { kernel, updated, scalars: [momentum, Number(nesterov), Number(maximize)] };
          },
        };
      }),
    );
    return targets.map(({ group, array, state }, i) => {
      if (state === null || !isMatrix(array.shape, group)) return gradients[i];
      const { nsSteps, nsCoefficients, eps } = group;
      const direction = new Tensor(this.scratchOf(state, gradients[i]));
      const make = (): NDArray => orthogonalize(direction, nsSteps, nsCoefficients, eps).contiguous().array;
      return recorder()?.within(`${this.name}.step`, make) ?? make();
    });
  }

  private scratchOf(state: ParamState, { shape, dtype }: NDArray): NDArray {
    const known = this.scratch.get(state);
    if (known !== undefined) return known;
    const make = (): NDArray => zeros(shape, { dtype }).array;
    const scratch = recorder()?.outside(make) ?? make();
    this.scratch.set(state, scratch);
    return scratch;
  }

  protected override update(target: NDArray, state: ParamState, options: MuonOptions): Update {
    const type = storageOf(target.dtype) as "f32" | "f64";
    const { lr, weightDecay, adamScale, betas, adamEps, maximize } = options;
    if (isMatrix(target.shape, options)) {
      const rate = lr * adjustment(options, target.shape);
      // p −= rate·(O + (lr·weightDecay/rate)·p) is the decoupled decay.
      const decay = rate > 0 ? (lr * weightDecay) / rate : 0;
      return { kernel: `sgd_${type}`, updated: [target], scalars: [rate, decay, 0] };
    }
    const moments = ["exp_avg", "exp_avg_sq"].map((name) => this.kept(state, name, "useMuon").array);
    const step = Number(state.step) + 1;
    state.step = step;
    const corrections = betas.map((beta) => 1 - beta ** step);
    return {
      kernel: `adam_${type}`,
      updated: [target, ...moments],
      scalars: [lr * adamScale, ...betas, adamEps, weightDecay, 1, Number(maximize), ...corrections],
    };
  }
}

/** Whether a parameter of this shape is Muon's, not AdamW's. */
const isMatrix = (shape: readonly number[], { useMuon }: MuonOptions): boolean =>
  useMuon && shape.length === 2;

/** What lr is multiplied with for a matrix of this shape. */
function adjustment({ adjustLr }: MuonOptions, [rows, columns]: readonly number[]): number {
  return adjustLr === "original"
    ? Math.sqrt(Math.max(1, rows / columns))
    : ADAMW_RMS * Math.sqrt(Math.max(rows, columns));
}
