/** Newton's method without the Hessian as a matrix: for networks. */
import { grad } from "../../autograd/functional.js";
import { enableGrad } from "../../autograd/mode.js";
import { checkChoice, checkNumber, NON_NEGATIVE, POSITIVE_INTEGER, type Range } from "../../options.js";
import type { Tensor } from "../../tensor.js";
import type { CommonOptions, ParamGroup } from "../optimizer.js";
import { truncatedCg } from "./conjugate_gradients.js";
import { searchLine } from "./line_search.js";
import { type Point, SecondOrderOptimizer } from "./second_order.js";
import { addScaled, along, dot, flatten, norm, overwriteAll } from "./vectors.js";

/** Options of `NewtonCG`. */
export interface NewtonCGOptions extends CommonOptions {
  /** The first step length tried, or without a line search the only one, ≥ 0 (default 1). */
  lr: number;
  /** Largest number of Hessian-vector products in a step (default 250). */
  maxCg: number;
  /**
   * Conjugate gradients stop at this share of the gradient's norm, in [0, 1). "auto" (default): where maxCg reaches
   * the number of parameters, 1e-12, since they end by themselves there; else min(0.5, √‖∇f‖), which makes the steps
   * converge faster than linearly.
   */
  tolerance: number | "auto";
  /** Added to the diagonal of the Hessian, ≥ 0 (default 0). */
  damping: number;
  /** "armijo" (default) shortens until the loss decreases enough, "wolfe" also lengthens, "none" takes lr. */
  lineSearch: "armijo" | "wolfe" | "none";
  /** Largest number of step lengths tried (default 30). */
  maxLineSearch: number;
}

/** What the last step did. */
export interface NewtonCGReport {
  /** The loss and the norm of its gradient before the step. */
  loss: number;
  gradientNorm: number;
  /** Hessian-vector products. */
  cgIterations: number;
  /** The curvature, not positive, that ended conjugate gradients; null if they met none. */
  negativeCurvature: number | null;
  /** Step length; 0 where none was found that decreases the loss, and the parameters are as they were. */
  stepLength: number;
  /** Step lengths tried. */
  trials: number;
}

const DEFAULTS: NewtonCGOptions = {
  lr: 1,
  maxCg: 250,
  tolerance: "auto",
  damping: 0,
  lineSearch: "armijo",
  maxLineSearch: 30,
};

const TOLERANCE: Range = { text: '"auto" or a number in [0, 1)', holds: (x) => x >= 0 && x < 1 };
const EXACT = 1e-12;
/** Roundings of a loss that is a sum over a batch, in units of the last place. */
const ROUNDINGS = 4;
const UNIT = { float32: 2 ** -23, float64: 2 ** -52 };

/**
 * θ ← θ + t·d with (∇²f + damping·I)·d ≈ −∇f by truncated conjugate gradients on Hessian-vector products, and t from
 * a line search. Where a direction of curvature ≤ 0 is met, d is what was found before, at first −∇f. With lr = 1 a
 * quadratic's optimum is reached in one step if maxCg is at least the number of parameters.
 *
 * Source: Nocedal and Wright, "Numerical optimization", 2006, algorithm 7.1.
 */
export class NewtonCG extends SecondOrderOptimizer<NewtonCGOptions> {
  /** What the last step did; null before the first. */
  lastStep: Readonly<NewtonCGReport> | null = null;

  constructor(params: Iterable<Tensor>, options: Partial<NewtonCGOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  protected override checkOptions(options: NewtonCGOptions): void {
    checkNumber(this.name, "lr", options.lr, NON_NEGATIVE);
    checkNumber(this.name, "maxCg", options.maxCg, POSITIVE_INTEGER);
    if (options.tolerance !== "auto") checkNumber(this.name, "tolerance", options.tolerance, TOLERANCE);
    checkNumber(this.name, "damping", options.damping, NON_NEGATIVE);
    checkChoice(this.name, "lineSearch", options.lineSearch, ["armijo", "wolfe", "none"]);
    checkNumber(this.name, "maxLineSearch", options.maxLineSearch, POSITIVE_INTEGER);
  }

  protected override move(point: Point, group: ParamGroup<NewtonCGOptions>, closure: () => Tensor): void {
    const { loss, gradient } = point;
    const { params, maxCg, damping } = group;
    const gradientNorm = norm(gradient);
    const auto = maxCg >= gradient.length ? EXACT : Math.min(0.5, Math.sqrt(gradientNorm));
    const { direction, iterations, negativeCurvature } = truncatedCg(
      (v) => {
        const product = this.product(point, v);
        addScaled(product, damping, v);
        return product;
      },
      gradient,
      { maxIterations: maxCg, tolerance: group.tolerance === "auto" ? auto : group.tolerance },
    );
    const { length, trials } = this.search(point, direction, group, closure);
    overwriteAll(params, along(point.parameters, length, direction));
    this.lastStep = {
      loss,
      gradientNorm,
      cgIterations: iterations,
      negativeCurvature,
      stepLength: length,
      trials,
    };
  }

  /** Leaves the parameters where the last length tried took them. */
  private search(
    { loss, parameters, gradient, hessian }: Point,
    direction: Float64Array,
    { params, lr, lineSearch, maxLineSearch }: ParamGroup<NewtonCGOptions>,
    closure: () => Tensor,
  ): { length: number; trials: number } {
    const slope = dot(gradient, direction);
    if (lineSearch === "none" || slope === 0) return { length: lr, trials: 0 };
    const unit = UNIT[hessian.value.dtype as keyof typeof UNIT];
    try {
      return searchLine(
        {
          value: (length) => {
            overwriteAll(params, along(parameters, length, direction));
            return this.lossNow(closure);
          },
          slope: () => dot(flatten(enableGrad(() => grad(closure(), params))), direction),
        },
        {
          value: loss,
          slope,
          first: lr,
          kind: lineSearch,
          rounding: ROUNDINGS * unit * Math.abs(loss),
          trials: maxLineSearch,
        },
      );
    } catch (error) {
      // A loss that fails on the way must not leave the parameters half-way.
      overwriteAll(params, parameters);
      throw error;
    }
  }
}
