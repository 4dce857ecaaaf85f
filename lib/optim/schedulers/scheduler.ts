/**
 * Learning-rate schedulers: what all of them share. A scheduler is told by `step()` that an epoch (or a batch, whatever
 * it is counted in) is over and sets `lr` of its optimizer's groups. Most multiply the rate that is there, so that
 * several can act on one optimizer.
 */
import { describe } from "../../describe.js";
import { ArgumentError, StateError } from "../../errors.js";
import { recorder } from "../../runtime/recorder.js";

/** A group, as far as a scheduler is concerned. */
export interface ScheduledGroup {
  lr: number;
}

/** An optimizer, as far as a scheduler is concerned. */
export interface Schedulable {
  readonly paramGroups: readonly ScheduledGroup[];
}

/** A value that a state dict can hold. */
export type StateValue = number | string | boolean | null | readonly StateValue[] | SchedulerStateDict;

/** What `stateDict()` of a scheduler returns: plain data, for a checkpoint's `extra`. */
export interface SchedulerStateDict {
  [name: string]: StateValue;
}

/** The rate that a group had before any scheduler, for all of them alike. */
const INITIAL = new WeakMap<ScheduledGroup, number>();

/** Declares a group's rate before any scheduler. */
export function setInitialRate(group: ScheduledGroup, lr: number): void {
  INITIAL.set(group, lr);
}

/** The rate that a group had when the first scheduler came. */
export function initialRate(group: ScheduledGroup): number {
  const known = INITIAL.get(group);
  if (known !== undefined) return known;
  INITIAL.set(group, group.lr);
  return group.lr;
}

/** ArgumentError unless it is an optimizer. */
export function checkSchedulable(owner: string, optimizer: unknown): void {
  const groups = (optimizer as Partial<Schedulable> | null | undefined)?.paramGroups;
  if (Array.isArray(groups)) return;
  throw new ArgumentError(`${owner}: the first argument must be an optimizer, got ${describe(optimizer)}`);
}

/** Base class of schedulers. */
export abstract class LRScheduler {
  readonly optimizer: Schedulable;
  /** Steps so far: 0 for a new scheduler. */
  lastEpoch = -1;

  constructor(optimizer: Schedulable) {
    checkSchedulable(this.name, optimizer);
    this.optimizer = optimizer;
  }

  /** The scheduler's name in messages. */
  get name(): string {
    return this.constructor.name;
  }

  /** Goes on by one epoch. In a compiled function this happens at each of its calls. */
  step(): void {
    const trace = recorder();
    if (trace === null) this.advance();
    else trace.everyStep({ advance: () => this.advance(), save: () => this.save() });
  }

  /** The rates that the groups have now. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** What changes from step to step, as plain data. Options are the constructor's business, rates the optimizer's. */
  stateDict(): SchedulerStateDict {
    return { scheduler: this.name, lastEpoch: this.lastEpoch, lastLr: this.getLastLr() };
  }

  /**
   * Goes on from a saved state; the groups' rates are loaded with the optimizer. StateError for what is not the state of
   * such a scheduler.
   */
  loadStateDict(state: SchedulerStateDict): void {
    checkState(this.name, state);
    this.lastEpoch = numberOf(this.name, state, "lastEpoch");
  }

  /** Makes a step, now; a new scheduler's first is to epoch 0. @internal */
  abstract advance(): void;

  /** Goes to an epoch, whatever the rates are. @internal */
  abstract jump(epoch: number): void;

  /** Goes back to before the first step, for a scheduler that begins later. The rates stay. @internal */
  rewind(): void {
    this.lastEpoch--;
  }

  /** Remembers what a step changes; returns what brings it back. @internal */
  save(): () => void {
    const { lastEpoch } = this;
    const rates = this.getLastLr();
    return () => {
      this.lastEpoch = lastEpoch;
      this.optimizer.paramGroups.forEach((group, i) => {
        group.lr = rates[i];
      });
    };
  }
}

/** StateError unless it is the state of a scheduler of this kind. */
export function checkState(name: string, state: SchedulerStateDict): void {
  if (typeof state === "object" && state !== null && state.scheduler === name) return;
  const found =
    typeof state === "object" && state !== null && typeof state.scheduler === "string"
      ? `the state of ${state.scheduler}`
      : describe(state);
  throw new StateError(`${name}.loadStateDict: needs the state of ${name}, got ${found}`);
}

/** The number of a state, checked. */
export function numberOf(name: string, state: SchedulerStateDict, key: string): number {
  const value = state[key];
  if (typeof value === "number") return value;
  throw new StateError(`${name}.loadStateDict: ${key} is ${describe(value)}, not a number`);
}

/** One number for every group, or a list of one for each. ArgumentError for a list of another length. */
export function perGroup(
  owner: string,
  option: string,
  { paramGroups }: Schedulable,
  value: number | readonly number[],
): number[] {
  if (typeof value === "number") return paramGroups.map(() => value);
  if (Array.isArray(value) && value.length === paramGroups.length) return [...value];
  throw new ArgumentError(
    `${owner}: ${option} must be a number or an array of ${paramGroups.length}, one for each group, got ${describe(value)}`,
  );
}
