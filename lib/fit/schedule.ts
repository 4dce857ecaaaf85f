/**
 * Learning rates that change as training goes on. What changes them is written into the traced step as an effect, so
 * that each step of a compiled epoch has its own.
 */
import { describe } from "../describe.js";
import { ArgumentError, StateError } from "../errors.js";
import { checkChoice, checkNumber, NON_NEGATIVE } from "../options.js";
import { recorder } from "../runtime/recorder.js";

/** Where training stands before a step. */
export interface SchedulePosition {
  /** The epoch, from 0. */
  readonly epoch: number;
  /** The step since the beginning, from 0, of `steps` in all. */
  readonly step: number;
  readonly steps: number;
}

/** What each group's first learning rate is multiplied by at a step; it depends on the position alone. */
export type ScheduleFunction = (position: SchedulePosition) => number;

/** A scheduler that sets `paramGroups[i].lr` itself, at each call of `step`. */
export interface Scheduler {
  /** One whose `step` has a parameter is given the validation loss, or without validation the training loss. */
  step(metric?: number): unknown;
  /** Needed for checkpoints and for `scheduleEvery: "step"`. */
  stateDict?(): unknown;
  loadStateDict?(state: never): unknown;
}

export type Schedule = ScheduleFunction | Scheduler;

/** Groups of parameters with their learning rates. */
type Groups = readonly { lr: number }[];

/** What a checkpoint holds of it. */
export interface ScheduleState {
  /** Each group's first learning rate. */
  readonly base: readonly number[];
  readonly step: number;
  readonly scheduler?: unknown;
}

/** A schedule at work on an optimizer's groups. */
export class ScheduleRunner {
  private readonly schedule: Schedule | null;
  private readonly every: "epoch" | "step";
  private readonly groups: Groups;
  private readonly stepsPerEpoch: number;
  private readonly steps: number;
  private base: readonly number[];
  private step = 0;

  constructor(
    schedule: Schedule | null,
    every: unknown,
    groups: Groups,
    sizes: { stepsPerEpoch: number; epochs: number; isSaved: boolean },
  ) {
    this.every = checkChoice("fit", "scheduleEvery", every, ["epoch", "step"]);
    this.schedule = checkSchedule(schedule, this.every === "step" || sizes.isSaved);
    this.groups = groups;
    this.stepsPerEpoch = sizes.stepsPerEpoch;
    this.steps = sizes.stepsPerEpoch * sizes.epochs;
    this.base = groups.map(({ lr }) => lr);
  }

  /** To be called in the step, before the optimizer's. */
  beforeUpdate(): void {
    const schedule = this.schedule;
    if (typeof schedule === "function") this.atEveryStep(() => this.apply(schedule));
  }

  /** To be called in the step, after the optimizer's. */
  afterUpdate(): void {
    const { schedule, every } = this;
    if (schedule !== null && typeof schedule !== "function" && every === "step") {
      this.atEveryStep(() => schedule.step());
    }
  }

  /** To be called after each epoch. */
  afterEpoch(metric: number): void {
    const { schedule, every } = this;
    if (schedule === null || typeof schedule === "function" || every === "step") return;
    if (schedule.step.length > 0) schedule.step(metric);
    else schedule.step();
  }

  getState(): ScheduleState {
    const { schedule, base, step } = this;
    const scheduler =
      schedule === null || typeof schedule === "function" ? undefined : schedule.stateDict?.();
    return { base: [...base], step, scheduler: structuredClone(scheduler) };
  }

  setState({ base, step, scheduler }: ScheduleState): void {
    this.base = base;
    this.step = step;
    const { schedule } = this;
    if (schedule === null || typeof schedule === "function" || scheduler === undefined) return;
    schedule.loadStateDict?.(structuredClone(scheduler) as never);
  }

  private apply(schedule: ScheduleFunction): void {
    const { step } = this;
    const epoch = Math.floor(step / this.stepsPerEpoch);
    const factor = schedule({ epoch, step, steps: this.steps });
    checkNumber("fit", `schedule at step ${step}`, factor, NON_NEGATIVE);
    this.groups.forEach((group, i) => {
      group.lr = this.base[i] * factor;
    });
    this.step++;
  }

  /** Before each step of a compiled function; now, if it runs as it is. */
  private atEveryStep(advance: () => void): void {
    const trace = recorder();
    if (trace === null) {
      advance();
      return;
    }
    trace.everyStep({
      advance,
      save: () => {
        const state = this.getState();
        const rates = this.groups.map(({ lr }) => lr);
        return () => {
          this.setState(state);
          this.groups.forEach((group, i) => {
            group.lr = rates[i];
          });
        };
      },
    });
  }
}

function checkSchedule(schedule: unknown, mustSave: boolean): Schedule | null {
  if (schedule === null || typeof schedule === "function") return schedule as ScheduleFunction | null;
  const { step, stateDict, loadStateDict } = (schedule ?? {}) as Partial<Scheduler>;
  if (typeof schedule !== "object" || typeof step !== "function") {
    throw new ArgumentError(
      `fit: schedule must be a function of the position or an object with step(), got ${describe(schedule)}`,
    );
  }
  if (mustSave && (typeof stateDict !== "function" || typeof loadStateDict !== "function")) {
    throw new StateError(
      "fit: a scheduler without stateDict() and loadStateDict() cannot be used with checkpoints, diagnostics or " +
        'scheduleEvery: "step", which save and restore it',
    );
  }
  return schedule as Scheduler;
}
