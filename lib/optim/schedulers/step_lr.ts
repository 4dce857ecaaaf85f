/** Rates that fall by a factor now and then. */
import { ArgumentError } from "../../errors.js";
import {
  checkNumber,
  INTEGER,
  listOf,
  NON_NEGATIVE,
  POSITIVE_INTEGER,
  REQUIRED,
  withDefaults,
} from "../../options.js";
import { RateScheduler } from "./rate_scheduler.js";
import type { Schedulable, ScheduledGroup } from "./scheduler.js";

/** lr ← lr·gamma every `stepSize` epochs. */
export class StepLR extends RateScheduler {
  readonly stepSize: number;
  readonly gamma: number;

  /** @param options `stepSize`, a positive integer; `gamma`, ≥ 0 (default 0.1) */
  constructor(optimizer: Schedulable, options: { stepSize: number; gamma?: number }) {
    super(optimizer);
    const { stepSize, gamma } = withDefaults(this.name, options, { stepSize: REQUIRED, gamma: 0.1 });
    this.stepSize = checkNumber(this.name, "stepSize", stepSize, POSITIVE_INTEGER);
    this.gamma = checkNumber(this.name, "gamma", gamma, NON_NEGATIVE);
    this.advance();
  }

  protected override rate({ lr }: ScheduledGroup): number {
    return this.lastEpoch > 0 && this.lastEpoch % this.stepSize === 0 ? lr * this.gamma : lr;
  }

  protected override rateAt(_group: ScheduledGroup, base: number): number {
    return base * this.gamma ** Math.floor(this.lastEpoch / this.stepSize);
  }
}

/** lr ← lr·gamma at each of the given epochs. */
export class MultiStepLR extends RateScheduler {
  /** Ascending; one that occurs twice counts twice. */
  readonly milestones: readonly number[];
  readonly gamma: number;

  /** @param options `milestones`, integers; `gamma`, ≥ 0 (default 0.1) */
  constructor(optimizer: Schedulable, options: { milestones: readonly number[]; gamma?: number }) {
    super(optimizer);
    const none: readonly number[] | undefined = undefined;
    const { milestones, gamma } = withDefaults<{ milestones?: readonly number[]; gamma: number }>(
      this.name,
      options,
      { milestones: none, gamma: 0.1 },
    );
    if (milestones === undefined)
      throw new ArgumentError(`${this.name}: needs milestones, the epochs at which lr falls`);
    this.milestones = listOf(this.name, "milestones", milestones, "integers").sort((a, b) => a - b);
    this.milestones.forEach((milestone, i) => {
      checkNumber(this.name, `milestones[${i}]`, milestone, INTEGER);
    });
    this.gamma = checkNumber(this.name, "gamma", gamma, NON_NEGATIVE);
    this.advance();
  }

  protected override rate({ lr }: ScheduledGroup): number {
    const times = this.milestones.filter((milestone) => milestone === this.lastEpoch).length;
    return times > 0 ? lr * this.gamma ** times : lr;
  }

  protected override rateAt(_group: ScheduledGroup, base: number): number {
    return base * this.gamma ** this.milestones.filter((milestone) => milestone <= this.lastEpoch).length;
  }
}

/** lr ← lr·gamma at every epoch. */
export class ExponentialLR extends RateScheduler {
  readonly gamma: number;

  /** @param options `gamma`, ≥ 0 */
  constructor(optimizer: Schedulable, options: { gamma: number }) {
    super(optimizer);
    const { gamma } = withDefaults(this.name, options, { gamma: REQUIRED });
    this.gamma = checkNumber(this.name, "gamma", gamma, NON_NEGATIVE);
    this.advance();
  }

  protected override rate({ lr }: ScheduledGroup): number {
    return this.lastEpoch > 0 ? lr * this.gamma : lr;
  }

  protected override rateAt(_group: ScheduledGroup, base: number): number {
    return base * this.gamma ** this.lastEpoch;
  }
}
