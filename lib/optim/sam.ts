/**
 * Sharpness-aware minimization (Foret et al. 2021): the gradient is taken where the loss is nearly worst within a small
 * ball around the parameters, and another optimizer steps with it. Adaptive as by Kwon et al. (2021).
 */
import { noGrad } from "../autograd/mode.js";
import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { checkGradient } from "../nn/gradient.js";
import { stack } from "../ops/shape.js";
import { checkBoolean, checkNumber, NON_NEGATIVE, withDefaults } from "../options.js";
import type { Tensor } from "../tensor.js";
import { checkClosure, evaluate } from "./closure.js";
import { type CommonOptions, Optimizer, type ParamState } from "./optimizer.js";
import type { PyTorchStateDict } from "./pytorch_state.js";
import type { OptimizerStateDict } from "./state_dict.js";

/** Options of `SAM`. */
export interface SAMOptions {
  /** The radius of the ball, ≥ 0 (default 0.05). */
  rho: number;
  /** Measures the ball in units of the parameters' sizes, for which rho should be about ten times larger (default false). */
  adaptive: boolean;
}

const DEFAULTS: SAMOptions = { rho: 0.05, adaptive: false };
/** Keeps the quotient finite for a gradient of 0. */
const NORM_EPS = 1e-12;

/** A parameter with the gradient that says where to go, and what that is measured in. */
interface Ascent {
  parameter: Tensor;
  /** ∇f, or θ²∇f if adaptive. */
  direction: Tensor;
  /** ∇f, or |θ|∇f if adaptive: what the norm is taken of. */
  scaled: Tensor;
}

/**
 * ε ← rho·∇f(θ)/‖∇f(θ)‖, the norm over all parameters together; then the base optimizer steps with ∇f(θ + ε).
 *
 * Source: Foret et al., "Sharpness-aware minimization", 2021; adaptive: Kwon et al., 2021.
 */
export class SAM<Base extends Optimizer<CommonOptions, ParamState>> {
  /** The optimizer that makes the steps. */
  readonly base: Base;
  readonly options: Readonly<SAMOptions>;
  readonly needsClosure = true;

  constructor(base: Base, options: Partial<SAMOptions> = {}) {
    const { name } = this;
    if (!(base instanceof Optimizer)) {
      throw new ArgumentError(`${name}: base must be an optimizer, got ${describe(base)}`);
    }
    if (base.needsClosure) {
      throw new ArgumentError(
        `${name}: ${base.name} takes gradients at points of its own; base must be one that steps without a closure`,
      );
    }
    this.base = base;
    this.options = withDefaults(name, options, DEFAULTS);
    checkNumber(name, "rho", this.options.rho, NON_NEGATIVE);
    checkBoolean(name, "adaptive", this.options.adaptive);
  }

  get name(): string {
    return this.constructor.name;
  }

  /** The base optimizer's groups; schedulers change `lr` here. */
  get paramGroups(): Base["paramGroups"] {
    return this.base.paramGroups;
  }

  /**
   * Calls the closure, which evaluates the loss and calls `backward()`, at the parameters and again at the worst point
   * near them, and steps. Returns the first loss. Errors as of every `step`; then nothing was updated.
   */
  step<Loss>(closure: () => Loss): Loss {
    checkClosure(this, closure);
    const loss = evaluate(this.name, closure);
    const origins = noGrad(() => this.ascend());
    try {
      this.zeroGrad();
      evaluate(this.name, closure);
    } finally {
      noGrad(() => {
        for (const [parameter, origin] of origins) parameter.assign(origin);
      });
    }
    this.base.step();
    return loss;
  }

  zeroGrad(): void {
    this.base.zeroGrad();
  }

  /** The base optimizer's; SAM keeps nothing itself. */
  stateDict(): OptimizerStateDict {
    return this.base.stateDict();
  }

  loadStateDict(stateDict: OptimizerStateDict | PyTorchStateDict): void {
    this.base.loadStateDict(stateDict);
  }

  /** Moves the parameters to the worst point near them; returns where they were. */
  private ascend(): Map<Tensor, Tensor> {
    const ascents = this.ascents();
    const origins = new Map<Tensor, Tensor>();
    if (ascents.length === 0) return origins;
    const { dtype } = ascents[0].scaled;
    const norm = stack(ascents.map(({ scaled }) => scaled.norm().astype(dtype))).norm();
    const scale = norm.add(NORM_EPS).reciprocal().mul(this.options.rho);
    for (const { parameter, direction } of ascents) {
      origins.set(parameter, parameter.clone());
      parameter.assign(parameter.add(direction.mul(scale.astype(parameter.dtype))));
    }
    return origins;
  }

  private ascents(): Ascent[] {
    const ascents: Ascent[] = [];
    this.paramGroups.forEach((group, i) => {
      // Where the base optimizer ascends, the worst point lies below.
      const sign = "maximize" in group && group.maximize === true ? -1 : 1;
      group.params.forEach((parameter, k) => {
        checkGradient(this.name, `paramGroups[${i}].params[${k}]`, parameter);
        const { grad } = parameter;
        if (grad === null) return;
        const gradient = sign < 0 ? grad.neg() : grad;
        ascents.push(
          this.options.adaptive
            ? {
                parameter,
                direction: parameter.square().mul(gradient),
                scaled: parameter.abs().mul(gradient),
              }
            : { parameter, direction: gradient, scaled: gradient },
        );
      });
    });
    return ascents;
  }
}
