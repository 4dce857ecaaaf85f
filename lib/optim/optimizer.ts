/**
 * Optimizer: parameter groups, per-parameter state, saving and loading. An update rule is a subclass that checks its
 * options, makes a parameter's first state and says which kernel updates a parameter with which scalars.
 */
import { enableGrad } from "../autograd/mode.js";
import { describe } from "../describe.js";
import { ArgumentError, StateError } from "../errors.js";
import { isFloat } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { checkGradient } from "../nn/gradient.js";
import { checkRecord, listOf, withDefaults } from "../options.js";
import { type Recorder, recorder } from "../runtime/recorder.js";
import { Tensor } from "../tensor.js";
import { type Update, UpdateProgram } from "./kernel.js";
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

/** Base class of all optimizers. Parameters without a gradient are left alone by `step`. */
export abstract class Optimizer<Options extends CommonOptions, State extends ParamState> {
  readonly paramGroups: ParamGroup<Options>[] = [];
  /** What a group gets where it says nothing. */
  readonly defaults: Readonly<Options>;
  /** What is kept for each parameter that was updated. */
  readonly state = new Map<Tensor, State>();
  private readonly program = new UpdateProgram();
  /** States that no update has changed yet. */
  private readonly fresh = new Set<State>();
  /** Rises where states are replaced, which compiled steps are bound to. */
  private revision = 0;

  constructor(params: Params<Options>, options: Partial<Options>, defaults: Options) {
    const { name } = this;
    this.defaults = withDefaults(name, options, defaults);
    this.checkOptions(this.defaults);
    const items = listOf<Tensor | ParamGroupInput<Options>>(name, "params", params, "tensors or of groups");
    if (items.length === 0) throw new ArgumentError(`${name}: params is empty; there is nothing to optimize`);
    const isGroup = (item: Tensor | ParamGroupInput<Options>): item is ParamGroupInput<Options> =>
      typeof item === "object" && item !== null && !(item instanceof Tensor) && "params" in item;
    if (items.every(isGroup)) for (const group of items) this.addParamGroup(group);
    // What is neither a tensor nor a group is refused there.
    else this.addParamGroup({ params: items } as Partial<Options> & { params: Tensor[] });
  }

  /** The rule's name in messages. */
  get name(): string {
    return this.constructor.name;
  }

  /** Throws an ArgumentError for options outside their range. */
  protected abstract checkOptions(options: Options): void;

  /** What a parameter starts with before its first update; null for a rule that keeps nothing. */
  protected abstract newState(parameter: Tensor, options: Options): State | null;

  /**
   * The update of one parameter, whose elements are in `target`; counters of the state go on. `isFirst` says that the
   * state is new.
   */
  protected abstract update(target: NDArray, state: State | null, options: Options, isFirst: boolean): Update;

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
   * evaluates the loss, calls `backward()`, and its value is returned. Options of a group outside their range are an
   * ArgumentError, and so is a gradient that is no tensor; one of another dtype is a GradientError, of another shape a
   * ShapeError. Then nothing was updated.
   */
  step(): undefined;
  step<Loss>(closure: () => Loss): Loss;
  step<Loss>(closure?: () => Loss): Loss | undefined {
    if (closure !== undefined && typeof closure !== "function") {
      throw new ArgumentError(`${this.name}.step: the closure must be a function, got ${describe(closure)}`);
    }
    const loss = closure === undefined ? undefined : enableGrad(closure);
    // All is checked before anything changes: options and gradients may have been set by hand.
    this.paramGroups.forEach((group, i) => {
      this.checkOptions(group);
      group.params.forEach((parameter, k) => {
        checkGradient(this.name, `paramGroups[${i}].params[${k}]`, parameter);
      });
    });
    this.updateAll();
    return loss;
  }

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
   * Takes over options and copies of the state. StateError that lists all that does not fit this optimizer's groups
   * and parameters; then nothing has changed.
   */
  loadStateDict(stateDict: OptimizerStateDict): void {
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

  private updateAll(): void {
    const trace = recorder();
    if (trace !== null) {
      this.traceUpdates(trace);
      return;
    }
    const updates: Update[] = [];
    const gradients: NDArray[] = [];
    const copies: { parameter: Tensor; target: NDArray }[] = [];
    for (const { group, parameter, gradient } of this.updatable()) {
      const state = this.stateOf(parameter, group);
      const target = parameter.array.contiguous();
      // A parameter that is a strided view is updated through a compact copy.
      if (target !== parameter.array) copies.push({ parameter, target });
      updates.push(this.next(target, state, group));
      gradients.push(gradient);
    }
    this.program.run(updates, gradients);
    for (const { parameter, target } of copies) parameter.detach().assign(target);
  }

  /** The parameters that a step updates, and their gradients laid out compactly. */
  private updatable(): { group: ParamGroup<Options>; parameter: Tensor; gradient: NDArray }[] {
    const list: { group: ParamGroup<Options>; parameter: Tensor; gradient: NDArray }[] = [];
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        const { grad } = parameter;
        if (grad !== null) list.push({ group, parameter, gradient: grad.array.contiguous() });
      }
    }
    return list;
  }

  /** What is kept for a parameter; made when it is first asked for. */
  private stateOf(parameter: Tensor, group: ParamGroup<Options>): State | null {
    const known = this.state.get(parameter);
    if (known !== undefined) return known;
    const state = this.newState(parameter, group);
    if (state === null) return null;
    this.state.set(parameter, state);
    this.fresh.add(state);
    return state;
  }

  private next(target: NDArray, state: State | null, group: ParamGroup<Options>): Update {
    return this.update(target, state, group, state === null || this.fresh.delete(state));
  }

  /** Writes the updates down for a compiled program, whose scalars follow options and counters at every step. */
  private traceUpdates(trace: Recorder): void {
    const updates = this.updatable().map(({ group, parameter, gradient }) => {
      const target = parameter.array;
      if (!target.isContiguous)
        trace.refuse(`${this.name}.step with a strided view`, "optimize its contiguous()");
      const state = trace.outside(() => this.stateOf(parameter, group));
      const restore = this.counters([state])();
      const { kernel, updated, scalars } = this.next(target, state, group);
      restore();
      trace.noteUpdate(parameter);
      const arrays = [gradient, ...updated];
      const live = trace.within(`${this.name}.step`, () =>
        trace.recordLive(
          kernel,
          arrays.map(({ storage }) => storage),
          arrays.map(({ offset }) => offset),
          [gradient.size, ...arrays.map(() => 1)],
          scalars,
        ),
      );
      for (const { storage } of updated) storage.version++;
      return { kernel, live, state, next: () => this.next(target, state, group) };
    });
    const { revision } = this;
    trace.guard(() => this.revision === revision);
    // Whether an option is 0 decides what is kept for a parameter (momentum) and which kernel updates it.
    for (const group of this.paramGroups) {
      const isZero = (value: unknown): boolean => value === 0;
      const zeros = Object.entries(group).map(([name, value]) => [name, isZero(value)] as const);
      trace.guard(() => zeros.every(([name, was]) => isZero(group[name as keyof Options]) === was));
    }
    trace.everyStep({
      advance: () => {
        for (const group of this.paramGroups) this.checkOptions(group);
        for (const { kernel, live, next } of updates) {
          const update = next();
          if (update.kernel !== kernel) {
            throw new StateError(
              `${this.name}: its options now need ${update.kernel}, the compiled step has ${kernel}; compile it again`,
            );
          }
          live.set(update.scalars);
        }
      },
      save: this.counters(updates.map(({ state }) => state)),
    });
  }

  /** What remembers the counters of states without allocating, since it does so at every step. */
  private counters(states: readonly (State | null)[]): () => () => void {
    const entries = states.flatMap((state): [Record<string, number | Tensor>, string][] =>
      state === null
        ? []
        : Object.keys(state)
            .filter((key) => typeof state[key] === "number")
            .map((key) => [state, key]),
    );
    const kept = states.filter((state) => state !== null);
    const values = new Float64Array(entries.length);
    const areFresh: boolean[] = [];
    const restore = (): void => {
      entries.forEach(([state, key], i) => {
        state[key] = values[i];
      });
      kept.forEach((state, i) => {
        if (areFresh[i]) this.fresh.add(state);
        else this.fresh.delete(state);
      });
    };
    return () => {
      for (let i = 0; i < entries.length; i++) values[i] = entries[i][0][entries[i][1]] as number;
      for (let i = 0; i < kept.length; i++) areFresh[i] = this.fresh.size > 0 && this.fresh.has(kept[i]);
      return restore;
    };
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
