/**
 * L-BFGS (Liu and Nocedal 1989): a quasi-Newton method that knows the curvature from its last steps. It takes the
 * parameters as one vector and evaluates the loss as often as it likes; it is for whole batches, not for noisy ones.
 */
import { noGrad } from "../autograd/mode.js";
import { ArgumentError } from "../errors.js";
import { concat, split, stack } from "../ops/shape.js";
import { checkChoice, checkNumber, NON_NEGATIVE, POSITIVE_INTEGER } from "../options.js";
import { recorder } from "../runtime/recorder.js";
import { Tensor, zeros } from "../tensor.js";
import { evaluate } from "./closure.js";
import { strongWolfe, type Trial } from "./line_search.js";
import {
  type CommonOptions,
  Optimizer,
  type ParamGroupInput,
  type ParamState,
  type Params,
} from "./optimizer.js";
import { fromPyTorch, type PyTorchStateDict } from "./pytorch_state.js";
import type { OptimizerStateDict } from "./state_dict.js";

/** Options of `LBFGS`. */
export interface LBFGSOptions extends CommonOptions {
  /** Iterations of one `step`, a positive integer (default 20). */
  maxIter: number;
  /** Evaluations of one `step`, a positive integer; null (default) for 1.25 times `maxIter`. */
  maxEval: number | null;
  /** Ends where no element of the gradient is larger, ≥ 0 (default 1e-7). */
  toleranceGrad: number;
  /** Ends where loss and parameters change by less, ≥ 0 (default 1e-9). */
  toleranceChange: number;
  /** Steps that are remembered, a positive integer (default 100). */
  historySize: number;
  /** `"strongWolfe"`: a line search for the strong Wolfe conditions, which starts at lr; null (default): steps of lr. */
  lineSearch: "strongWolfe" | null;
}

const DEFAULTS: LBFGSOptions = {
  lr: 1,
  maxIter: 20,
  maxEval: null,
  toleranceGrad: 1e-7,
  toleranceChange: 1e-9,
  historySize: 100,
  lineSearch: null,
};

/** Curvature that is remembered must be above this: sᵀy > 0 keeps the approximate Hessian positive definite. */
const LEAST_CURVATURE = 1e-10;

/** A step s and how it changed the gradient, y. */
interface Pair {
  readonly s: Tensor;
  readonly y: Tensor;
  /** 1/sᵀy. */
  readonly rho: number;
}

/** What is kept from one iteration to the next. */
interface Memory {
  iterations: number;
  pairs: Pair[];
  /** sᵀy/yᵀy of the last pair: the size of the inverse Hessian before any pair is applied. */
  scale: number;
  direction: Tensor;
  step: number;
  gradient: Tensor;
  loss: number;
}

/**
 * d ← −H∇f, H the inverse Hessian as the last `historySize` steps show it; θ ← θ − t·d with t = lr or from a line search.
 * `step(closure)` makes up to `maxIter` such iterations and returns the loss before them. One group of parameters of one
 * dtype; not part of a compiled function, which has no branches.
 *
 * Source: Liu and Nocedal, "On the limited memory BFGS method", 1989.
 */
export class LBFGS extends Optimizer<LBFGSOptions, ParamState> {
  private memory: Memory | null = null;
  /** Calls of closures so far. */
  private evaluations = 0;
  /** Pairs in the state dict that is being loaded. */
  private rows = 0;

  constructor(params: Params<LBFGSOptions>, options: Partial<LBFGSOptions> = {}) {
    super(params, options, DEFAULTS);
    const [first, ...others] = this.parameters;
    const odd = others.find(({ dtype }) => dtype !== first.dtype);
    if (odd !== undefined) {
      throw new ArgumentError(
        `${this.name}: parameters are ${first.dtype} and ${odd.dtype}; all must have one dtype`,
      );
    }
  }

  override get needsClosure(): boolean {
    return true;
  }

  override addParamGroup(group: ParamGroupInput<LBFGSOptions>): void {
    if (this.paramGroups.length > 0) {
      throw new ArgumentError(`${this.name}: takes one group of parameters, got a second`);
    }
    super.addParamGroup(group);
  }

  private get parameters(): readonly Tensor[] {
    return this.paramGroups[0].params;
  }

  protected override checkOptions(options: LBFGSOptions): void {
    const { name } = this;
    checkNumber(name, "lr", options.lr, NON_NEGATIVE);
    checkNumber(name, "maxIter", options.maxIter, POSITIVE_INTEGER);
    if (options.maxEval !== null) checkNumber(name, "maxEval", options.maxEval, POSITIVE_INTEGER);
    checkNumber(name, "toleranceGrad", options.toleranceGrad, NON_NEGATIVE);
    checkNumber(name, "toleranceChange", options.toleranceChange, NON_NEGATIVE);
    checkNumber(name, "historySize", options.historySize, POSITIVE_INTEGER);
    if (options.lineSearch !== null) {
      checkChoice(name, "lineSearch", options.lineSearch, ["strongWolfe"] as const);
    }
  }

  protected override advance<Loss>(closure?: () => Loss): Loss {
    recorder()?.refuse(
      `${this.name}.step`,
      "how many iterations it makes depends on values; compile the closure",
    );
    const first = this.probe(closure as () => Loss);
    const origins = this.parameters.map((parameter) => parameter.detach().clone());
    const memory = this.memory && { ...this.memory, pairs: [...this.memory.pairs] };
    try {
      noGrad(() => this.iterate(closure as () => Loss, first));
    } catch (error) {
      // The closure failed at some point on the way: as if the step had not been tried.
      noGrad(() => this.moveTo(origins));
      this.memory = memory;
      throw error;
    }
    return first.value;
  }

  private iterate(closure: () => unknown, first: { loss: number; gradient: Tensor }): void {
    const { lr, maxIter, toleranceGrad, toleranceChange, lineSearch } = this.paramGroups[0];
    const maxEval = this.paramGroups[0].maxEval ?? Math.floor((maxIter * 5) / 4);
    let { loss, gradient } = first;
    if (largest(gradient) <= toleranceGrad) return;
    let evaluations = 1;
    for (let iteration = 1; iteration <= maxIter; iteration++) {
      const memory = this.remember(gradient, loss);
      const { direction } = memory;
      const slope = dot(gradient, direction);
      const isFirst = memory.iterations === 1;
      memory.step = isFirst ? Math.min(1, 1 / gradient.abs().sum().item()) * lr : lr;
      if (slope > -toleranceChange) break;

      const before = loss;
      if (lineSearch !== null) {
        const origins = this.parameters.map((parameter) => parameter.clone());
        const probe = (step: number): Trial => {
          this.move(direction, step);
          const trial = this.probe(closure);
          this.moveTo(origins);
          return { step, loss: trial.loss, gradient: trial.gradient, slope: dot(trial.gradient, direction) };
        };
        const { best, probes } = strongWolfe({
          probe,
          start: { step: 0, loss, gradient, slope },
          firstStep: memory.step,
          reach: largest(direction),
          smallest: toleranceChange,
        });
        ({ loss, gradient } = best);
        memory.step = best.step;
        evaluations += probes;
        this.move(direction, best.step);
      } else {
        this.move(direction, memory.step);
        // At noisy losses, one more value at the end would be of no use.
        if (iteration < maxIter) {
          ({ loss, gradient } = this.probe(closure));
          evaluations++;
        }
      }
      if (iteration === maxIter || evaluations >= maxEval) break;
      if (largest(gradient) <= toleranceGrad) break;
      if (largest(direction) * Math.abs(memory.step) <= toleranceChange) break;
      if (Math.abs(loss - before) < toleranceChange) break;
    }
  }

  /** Takes the last step into account and sets out in a new direction. */
  private remember(gradient: Tensor, loss: number): Memory {
    const { historySize } = this.paramGroups[0];
    const { memory } = this;
    if (memory === null) {
      const direction = gradient.neg();
      this.memory = {
        iterations: 1,
        pairs: [],
        scale: 1,
        direction,
        step: 0,
        gradient,
        loss,
      };
      return this.memory;
    }
    memory.iterations++;
    const y = gradient.sub(memory.gradient);
    const s = memory.direction.mul(memory.step);
    const curvature = dot(y, s);
    if (curvature > LEAST_CURVATURE) {
      while (memory.pairs.length >= historySize) memory.pairs.shift();
      memory.pairs.push({ s, y, rho: 1 / curvature });
      memory.scale = curvature / dot(y, y);
    }
    memory.direction = newtonDirection(gradient, memory.pairs, memory.scale);
    memory.gradient = gradient;
    memory.loss = loss;
    return memory;
  }

  // ---- the parameters as one vector

  /** The loss and its gradient here. */
  private probe<Loss>(closure: () => Loss): { value: Loss; loss: number; gradient: Tensor } {
    const value = evaluate(this.name, closure);
    this.evaluations++;
    this.checkGradients();
    this.checkAnyGradient();
    const gradients = this.parameters.map(
      ({ grad, size, dtype }) => grad?.flatten() ?? zeros([size], { dtype }),
    );
    return {
      value,
      loss: value instanceof Tensor ? value.item() : Number(value),
      gradient: noGrad(() => concat(gradients)),
    };
  }

  /** Moves the parameters by a multiple of a direction. */
  private move(direction: Tensor, step: number): void {
    const parts = split(
      direction,
      this.parameters.map(({ size }) => size),
    );
    this.parameters.forEach((parameter, i) => {
      parameter.assign(parameter.add(parts[i].reshape([...parameter.shape]).mul(step)));
    });
  }

  private moveTo(origins: readonly Tensor[]): void {
    this.parameters.forEach((parameter, i) => {
      parameter.assign(origins[i]);
    });
  }

  // ---- saving and loading, with PyTorch's names; pairs are rows of one tensor

  /** As of every optimizer; all that is kept is the entry of the first parameter. */
  override stateDict(): OptimizerStateDict {
    const { memory } = this;
    if (memory !== null) {
      const rows = (vectors: readonly Tensor[]): Tensor =>
        vectors.length > 0 ? stack(vectors) : zeros([0, this.size], { dtype: memory.direction.dtype });
      this.state.set(this.parameters[0], {
        func_evals: this.evaluations,
        n_iter: memory.iterations,
        d: memory.direction,
        t: memory.step,
        old_dirs: rows(memory.pairs.map(({ y }) => y)),
        old_stps: rows(memory.pairs.map(({ s }) => s)),
        H_diag: memory.scale,
        prev_flat_grad: memory.gradient,
        prev_loss: memory.loss,
      });
    }
    return super.stateDict();
  }

  override loadStateDict(given: OptimizerStateDict | PyTorchStateDict): void {
    const stateDict = fromPyTorch(given, this.paramGroups);
    const rows = stateDict?.state?.["0"]?.old_dirs;
    this.rows = rows instanceof Tensor ? rows.shape[0] : 0;
    super.loadStateDict(stateDict);
    const state = this.state.get(this.parameters[0]);
    if (state === undefined) {
      this.memory = null;
      this.evaluations = 0;
      return;
    }
    const { old_dirs: ys, old_stps: ss } = state as Record<string, Tensor>;
    const row = (matrix: Tensor, i: number): Tensor => matrix.slice(i).clone();
    this.evaluations = Number(state.func_evals);
    this.memory = {
      iterations: Number(state.n_iter),
      pairs: Array.from({ length: this.rows }, (_, i) => {
        const [y, s] = [row(ys, i), row(ss, i)];
        return { y, s, rho: 1 / dot(y, s) };
      }),
      scale: Number(state.H_diag),
      direction: state.d as Tensor,
      step: Number(state.t),
      gradient: state.prev_flat_grad as Tensor,
      loss: Number(state.prev_loss),
    };
  }

  private get size(): number {
    return this.parameters.reduce((sum, { size }) => sum + size, 0);
  }

  /** What a state that is loaded must look like. */
  protected override newState(parameter: Tensor): ParamState | null {
    if (parameter !== this.parameters[0]) return null;
    const { dtype } = parameter;
    const vector = (): Tensor => zeros([this.size], { dtype });
    const matrix = (): Tensor => zeros([this.rows, this.size], { dtype });
    return {
      func_evals: 0,
      n_iter: 0,
      d: vector(),
      t: 0,
      old_dirs: matrix(),
      old_stps: matrix(),
      H_diag: 1,
      prev_flat_grad: vector(),
      prev_loss: 0,
    };
  }
}

const dot = (a: Tensor, b: Tensor): number => a.mul(b).sum().item();

/** The largest |xᵢ|. */
const largest = (x: Tensor): number => x.abs().max().item();

/** −H·gradient, by the recursion over the remembered steps, newest to oldest and back. */
function newtonDirection(gradient: Tensor, pairs: readonly Pair[], scale: number): Tensor {
  let q = gradient.neg();
  const alphas = new Float64Array(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, rho } = pairs[i];
    alphas[i] = dot(s, q) * rho;
    q = q.sub(y.mul(alphas[i]));
  }
  q = q.mul(scale);
  pairs.forEach(({ s, y, rho }, i) => {
    q = q.add(s.mul(alphas[i] - dot(y, q) * rho));
  });
  return q;
}
