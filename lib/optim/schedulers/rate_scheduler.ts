/**
 * Schedulers that are a formula for the rate of each group. Most formulas are for the change from the rate that is there,
 * so that several schedulers can act on one optimizer; others say the rate outright.
 */
import { describe } from "../../describe.js";
import { StateError } from "../../errors.js";
import {
  checkState,
  initialRate,
  LRScheduler,
  type Schedulable,
  type ScheduledGroup,
  type SchedulerStateDict,
  setInitialRate,
} from "./scheduler.js";

/** Base class of these. A subclass calls `advance()` at the end of its constructor, which sets the rates of epoch 0. */
export abstract class RateScheduler extends LRScheduler {
  /** The groups' rates before any scheduler. */
  protected baseLrs: number[];

  constructor(optimizer: Schedulable) {
    super(optimizer);
    this.baseLrs = optimizer.paramGroups.map(initialRate);
  }

  /** The group's next rate, `lastEpoch` being the new epoch; `base` is its rate before any scheduler. */
  protected abstract rate(group: ScheduledGroup, base: number, index: number): number;

  /** The group's rate at `lastEpoch` whatever it is now, where that is another formula. */
  protected rateAt(group: ScheduledGroup, base: number, index: number): number {
    return this.rate(group, base, index);
  }

  override advance(): void {
    this.lastEpoch++;
    this.setRates((group, base, i) => this.rate(group, base, i));
  }

  override jump(epoch: number): void {
    this.lastEpoch = epoch;
    this.setRates((group, base, i) => this.rateAt(group, base, i));
  }

  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), baseLrs: [...this.baseLrs] };
  }

  override loadStateDict(state: SchedulerStateDict): void {
    const baseLrs = state?.baseLrs ?? null;
    const { length } = this.optimizer.paramGroups;
    const isFitting = Array.isArray(baseLrs) && baseLrs.length === length;
    if (isFitting && baseLrs.every((lr) => typeof lr === "number")) {
      super.loadStateDict(state);
      this.baseLrs = [...(baseLrs as number[])];
      this.optimizer.paramGroups.forEach((group, i) => {
        setInitialRate(group, this.baseLrs[i]);
      });
      return;
    }
    checkState(this.name, state);
    throw new StateError(
      `${this.name}.loadStateDict: baseLrs must be ${length} numbers, one for each group, got ${describe(baseLrs)}`,
    );
  }

  private setRates(rate: (group: ScheduledGroup, base: number, index: number) => number): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = rate(group, this.baseLrs[i] ?? initialRate(group), i);
    });
  }
}
