/**
 * Optimizer: parameter groups, per-parameter state, saving and loading. What a step does is a subclass's business:
 * UpdateRule (rule.ts) for rules that are kernels over each parameter, LBFGS for what looks at all at once.
 */
import { describe } from "../describe.js";
import { ArgumentError, GradientError, StateError } from "../errors.js";
import { isFloat } from "../ndarray/dtype.js";
import { checkGradient } from "../nn/gradient.js";
import { checkRecord, listOf, withDefaults } from "../options.js";
import { recorder } from "../runtime/recorder.js";
import { Tensor } from "../tensor.js";
import { checkClosure } from "./closure.js";
import type { PyTorchStateDict } from "./pytorch_state.js";
import { loadOptimizer, type OptimizerStateDict, saveOptimizer } from "./state_dict.js";

/** What a rule keeps for a parameter between steps: tensors of the parameter's shape, and counters. */
export type ParamState = Record<string, number | Tensor>;

/** Options that every rule has. */
export interface CommonOptions {
  /** Learning rate. */
  lr: number;
}

/** Parameters with the options they are updated with; schedulers change `lr` here. */
export type ParamGroup<Options> = Options & { params: Tensor[] };

/** A group as it is passed in: parameters, and options that differ from the optimizer's. */
export type ParamGroupInput<Options> = Partial<Options> & { params: Iterable<Tensor> };

/** What optimizers are made of: parameters, or groups of them. */
export type Params<Options> = Iterable<Tensor> | Iterable<ParamGroupInput<Options>>;

/** Base class of all optimizers. Parameters without a gradient are left alone by `step`, unless none has one. */
export abstract class Optimizer<Options extends CommonOptions, State extends ParamState> {
  readonly paramGroups: ParamGroup<Options>[] = [];
  /** What a group gets where it says nothing. */
  readonly defaults: Readonly<Options>;
  /** What is kept for each parameter that was updated. */
  readonly state = new Map<Tensor, State>();
  /** States that no update has changed yet. */
  protected readonly fresh = new Set<State>();
  /** Rises where states are replaced, which compiled steps are bound to. */
  protected revision = 0;

  constructor(params: Params<Options>, options: Partial<Options>, defaults: Options) {
    const { name } = this;
    recorder()?.refuse(`new ${name}`, "make it before the step: its state is kept from call to call");
    this.defaults = withDefaults(name, options, defaults);
    this.checkOptions(this.defaults);
    const items = listOf<Tensor | ParamGroupInput<Options>>(name, "params", params, "tensors or of groups");
    if (items.length === 0) throw new ArgumentError(`${name}: params is empty; there is nothing to optimize`);
    const isGroup = (item: Tensor | ParamGroupInput<Options>): item is ParamGroupInput<Options> =>
      typeof item === "object" && item !== null && !(item instanceof Tensor) && "params" in item;
    if (items.every(isGroup)) for (const group of items) this.addParamGroup(group);
    // What is neither a tensor nor a group is refused there.
    else this.addParamGroup({ params: items } as Partial<Options> & { params: Tensor[] });
    if (!this.paramGroups.some((group) => group.params.some(({ requiresGrad }) => requiresGrad))) {
      throw new ArgumentError(
        `${name}: none of params requires a gradient; there is nothing to optimize. Set requiresGrad = true`,
      );
    }
  }

  /** The rule's name in messages. */
  get name(): string {
    return this.constructor.name;
  }

  /** Whether `step` cannot do without a closure. */
  get needsClosure(): boolean {
    return false;
  }

  /** Throws an ArgumentError for options outside their range. */
  protected abstract checkOptions(options: Options): void;

  /** What a parameter starts with before its first update; null for a rule that keeps nothing. */
  protected abstract newState(parameter: Tensor, options: Options): State | null;

  /** Adds parameters with options of their own. Errors as in the constructor; then nothing was added. */
  addParamGroup(group: ParamGroupInput<Options>): void {
    checkRecord(this.name, "a group", group);
    const { params, ...given } = group;
    const where = `${this.name}: paramGroups[${this.paramGroups.length}].params`;
    const options = withDefaults(this.name, given as unknown as Partial<Options>, { ...this.defaults });
    this.checkOptions(options);
    const list = listOf(this.name, "params", params, "tensors");
    if (list.length === 0) throw new ArgumentError(`${where} is empty; there is nothing to optimize`);
    const seen = new Set<unknown>(this.paramGroups.flatMap((other) => other.params));
    list.forEach((parameter, i) => {
      checkParameter(`${where}[${i}]`, parameter);
      if (seen.has(parameter))
        throw new ArgumentError(`${where}[${i}] occurs twice; each parameter belongs to one group`);
      seen.add(parameter);
    });
    this.paramGroups.push({ ...options, params: list as Tensor[] });
    this.revision++;
  }

  /**
   * Updates every parameter that has a gradient. `closure`, if given, is called first, with recording on; it
   * evaluates the loss, calls `backward()` and returns the loss, a number or a tensor of one element, which is returned.
   * Options of a group outside their range are an ArgumentError, and so are a closure that returns no loss and a gradient
   * that is no tensor; a GradientError where no parameter has a gradient and for a gradient of another dtype, a ShapeError
   * for one of another shape. Then nothing was updated.
   */
  step(): undefined;
  step<Loss>(closure: () => Loss): Loss;
  step<Loss>(closure?: () => Loss): Loss | undefined;
  step<Loss>(closure?: () => Loss): Loss | undefined {
    checkClosure(this, closure);
    this.checkGroups();
    return this.advance(closure);
  }

  /** What `step` does, once closure and options are checked. */
  protected abstract advance<Loss>(closure?: () => Loss): Loss | undefined;

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const group of this.paramGroups) for (const parameter of group.params) parameter.zeroGrad();
  }

  /** Options and state as plain data and tensors (the optimizer's own, not copies); see `OptimizerStateDict`. */
  stateDict(): OptimizerStateDict {
    const updated = [...this.state].filter(([, state]) => !this.fresh.has(state));
    return saveOptimizer(this.paramGroups, new Map(updated));
  }

  /**
   * Takes over options and copies of the state; PyTorch's `{ state, param_groups }` will do as well. StateError that lists
   * all that does not fit this optimizer's groups and parameters; then nothing has changed.
   */
  loadStateDict(stateDict: OptimizerStateDict | PyTorchStateDict): void {
    const { options, states } = loadOptimizer(`${this.name}.loadStateDict`, stateDict, this.paramGroups, {
      checkOptions: (candidate) => this.checkOptions(candidate),
      newState: (parameter, candidate) => this.newState(parameter, candidate),
    });
    this.paramGroups.forEach((group, i) => {
      Object.assign(group, options[i]);
    });
    this.state.clear();
    this.fresh.clear();
    this.revision++;
    for (const [parameter, state] of states) this.state.set(parameter, state);
  }

  /** Throws for options of a group that were set outside their range. */
  protected checkGroups(): void {
    for (const group of this.paramGroups) this.checkOptions(group);
  }

  /** Throws for gradients that were set by hand and do not fit. */
  protected checkGradients(): void {
    this.paramGroups.forEach((group, i) => {
      group.params.forEach((parameter, k) => {
        checkGradient(this.name, `paramGroups[${i}].params[${k}]`, parameter);
      });
    });
  }

  /** Throws unless some parameter has a gradient: a step that changes nothing is a mistake of its caller. */
  protected checkAnyGradient(): void {
    if (this.paramGroups.some((group) => group.params.some(({ grad }) => grad !== null))) return;
    throw new GradientError(
      `${this.name}.step: no parameter has a gradient; call backward() on a loss that depends on them before the step`,
    );
  }

  /** The tensor that a state keeps; StateError where an option that needs it changed after the state was made. */
  protected kept(state: ParamState, name: string, option: string): Tensor {
    const entry = state[name];
    if (entry instanceof Tensor) return entry;
    throw new StateError(
      `${this.name}: ${option} was switched after the first step, whose state has no ${name}; make a new optimizer`,
    );
  }
}

function checkParameter(where: string, parameter: unknown): asserts parameter is Tensor {
  if (!(parameter instanceof Tensor)) {
    throw new ArgumentError(`${where} must be a Tensor, got ${describe(parameter)}`);
  }
  if (!parameter.isLeaf) {
    throw new ArgumentError(
      `${where} is the result of ${parameter.node?.operation.name}; only leaves can be optimized`,
    );
  }
  if (!isFloat(parameter.dtype)) {
    throw new ArgumentError(`${where} is ${parameter.dtype}; only float32 and float64 can be optimized`);
  }
}
