/**
 * Update rules: optimizers whose step is one kernel over each parameter. A rule is a subclass that says which kernel
 * updates a parameter with which scalars; here all updates of a step become one program, or a part of a trace.
 */
import type { NDArray } from "../ndarray/ndarray.js";
import { type Recorder, recorder } from "../runtime/recorder.js";
import type { Tensor } from "../tensor.js";
import { evaluate } from "./closure.js";
import { type Update, UpdateProgram } from "./kernel.js";
import { type CommonOptions, Optimizer, type ParamGroup, type ParamState } from "./optimizer.js";

const NONE: readonly unknown[] = [];

/** A parameter that a step changes. */
export interface Target<Options, State> {
  readonly group: ParamGroup<Options>;
  readonly parameter: Tensor;
  /** Its elements, compact: a copy where the parameter is a strided view. */
  readonly array: NDArray;
  /** What is kept for it. */
  readonly state: State | null;
}

/** One kernel of a step. */
export interface Change<State> {
  /** The kernel's first operand, compact. */
  readonly input: NDArray;
  readonly state: State | null;
  /** The rest of the call for the next step; counters of the state go on. */
  readonly next: () => Update;
}

/** Base class of all rules that are kernels. Parameters without a gradient are left alone by `step`. */
export abstract class UpdateRule<Options extends CommonOptions, State extends ParamState> extends Optimizer<
  Options,
  State
> {
  private readonly program = new UpdateProgram();

  /**
   * The update of one parameter, whose elements are in `target`; counters of the state go on. `isFirst` says that the
   * state is new.
   */
  protected abstract update(target: NDArray, state: State | null, options: Options, isFirst: boolean): Update;

  /** What the kernels take as gradients; a rule may make something else of them first. */
  protected directions(
    _targets: readonly Target<Options, State>[],
    gradients: readonly NDArray[],
  ): readonly NDArray[] {
    return gradients;
  }

  protected override advance<Loss>(closure?: () => Loss): Loss | undefined {
    const loss = closure === undefined ? undefined : evaluate(this.name, closure);
    // All is checked before anything changes: the closure may have changed options too.
    this.checkGroups();
    this.checkGradients();
    this.checkAnyGradient();
    this.updateAll();
    return loss;
  }

  /** Updates all parameters with the gradients that they have. */
  protected updateAll(): void {
    const trace = recorder();
    const targets: Target<Options, State>[] = [];
    const gradients: NDArray[] = [];
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        const { grad } = parameter;
        if (grad === null) continue;
        targets.push(this.targetOf(parameter, group));
        gradients.push(grad.array.contiguous());
        trace?.noteUpdate(parameter);
      }
    }
    const inputs = this.directions(targets, gradients);
    this.run(
      targets.map(({ array, state, group }, i) => ({
        input: inputs[i],
        state,
        next: () => this.update(array, state, group, state === null || this.fresh.delete(state)),
      })),
    );
    copyBack(targets);
  }

  /** A parameter made ready to be changed. */
  protected targetOf(parameter: Tensor, group: ParamGroup<Options>): Target<Options, State> {
    const trace = recorder();
    if (trace === null) {
      return { group, parameter, array: parameter.array.contiguous(), state: this.stateOf(parameter, group) };
    }
    if (!parameter.array.isContiguous) {
      trace.refuse(`${this.name}.step with a strided view`, "optimize its contiguous()");
    }
    const state = trace.outside(() => this.stateOf(parameter, group));
    return { group, parameter, array: parameter.array, state };
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

  /** Runs kernels as one program, or writes them down where a step is traced. */
  protected run(changes: readonly Change<State>[]): void {
    if (changes.length === 0) return;
    const trace = recorder();
    if (trace !== null) this.trace(trace, changes);
    else {
      const updates = changes.map((change) => change.next());
      const inputs = changes.map((change) => change.input);
      this.program.run(updates, inputs);
    }
  }

  /** Writes kernels down for a compiled program, whose scalars follow options and counters at every step. */
  private trace(trace: Recorder, changes: readonly Change<State>[]): void {
    const recorded = changes.map(({ input, state, next }) => {
      const restore = this.counters([state])();
      const { kernel, updated, scalars } = next();
      restore();
      const arrays = [input, ...updated];
      const live = trace.within(`${this.name}.step`, () =>
        trace.recordLive(
          kernel,
          arrays.map(({ storage }) => storage),
          arrays.map(({ offset }) => offset),
          [input.size, ...arrays.map(() => 1)],
          scalars,
        ),
      );
      for (const { storage } of updated) storage.version++;
      return { live, next };
    });
    const { revision } = this;
    trace.guard(() => this.revision === revision);
    for (const group of this.paramGroups) trace.guard(this.unchanged(group));
    trace.everyStep({
      advance: () => {
        this.checkGroups();
        for (const { live, next } of recorded) {
          live.set(next().scalars);
        }
      },
      save: this.counters(changes.map(({ state }) => state)),
    });
  }

  /**
   * Whether a recording of this group's updates still holds. Booleans and choices decide which kernels run on which
   * states, and so does whether a number is 0; all other numbers are live.
   */
  private unchanged(group: ParamGroup<Options>): () => boolean {
    const names = Object.keys(group) as (keyof Options)[];
    const decides = (name: keyof Options): unknown => {
      const value: unknown = group[name];
      return typeof value === "number" ? value === 0 : typeof value === "object" ? null : value;
    };
    const decided = names.map(decides);
    const constants = this.constants(group);
    return () => {
      for (let i = 0; i < names.length; i++) if (decides(names[i]) !== decided[i]) return false;
      return (
        constants.length === 0 || this.constants(group).every((value, i) => Object.is(value, constants[i]))
      );
    };
  }

  /** Numbers among the options that are no scalars of kernels: recordings hold them as they are. Not checked yet. */
  protected constants(_options: Options): readonly unknown[] {
    return NONE;
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

/** Hands what was changed in compact copies back to strided parameters. */
export function copyBack(targets: readonly Target<unknown, unknown>[]): void {
  for (const { parameter, array } of targets) {
    if (array.storage !== parameter.array.storage) parameter.detach().assign(array);
  }
}
