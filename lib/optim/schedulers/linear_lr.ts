/** Rates that start at a part of what they will be, or end at a part of what they were. */
import {
  checkNumber,
  POSITIVE_INTEGER,
  type Range,
  REQUIRED,
  UNIT_INTERVAL,
  withDefaults,
} from "../../options.js";
import { RateScheduler } from "./rate_scheduler.js";
import type { Schedulable, ScheduledGroup } from "./scheduler.js";

const FACTOR: Range = { text: "a number in (0, 1]", holds: (x) => x > 0 && x <= 1 };

/** lr·factor for the first `totalIters` epochs, then lr. */
export class ConstantLR extends RateScheduler {
  readonly factor: number;
  readonly totalIters: number;

  /** @param options `factor` in (0, 1] (default 1/3); `totalIters`, a positive integer (default 5) */
  constructor(optimizer: Schedulable, options: { factor?: number; totalIters?: number } = {}) {
    super(optimizer);
    const { factor, totalIters } = withDefaults(this.name, options, { factor: 1 / 3, totalIters: 5 });
    this.factor = checkNumber(this.name, "factor", factor, FACTOR);
    this.totalIters = checkNumber(this.name, "totalIters", totalIters, POSITIVE_INTEGER);
    this.advance();
  }

  protected override rate({ lr }: ScheduledGroup): number {
    if (this.lastEpoch === 0) return lr * this.factor;
    return this.lastEpoch === this.totalIters ? lr * (1 / this.factor) : lr;
  }

  protected override rateAt(_group: ScheduledGroup, base: number): number {
    return base * (this.factor + Number(this.lastEpoch >= this.totalIters) * (1 - this.factor));
  }
}

/** lr times a factor that goes from `startFactor` to `endFactor` in a line, over `totalIters` epochs. */
export class LinearLR extends RateScheduler {
  readonly startFactor: number;
  readonly endFactor: number;
  readonly totalIters: number;

  /**
   * @param options `startFactor` in (0, 1] (default 1/3); `endFactor` in [0, 1] (default 1); `totalIters`, a positive
   *   integer (default 5)
   */
  constructor(
    optimizer: Schedulable,
    options: { startFactor?: number; endFactor?: number; totalIters?: number } = {},
  ) {
    super(optimizer);
    const defaults = { startFactor: 1 / 3, endFactor: 1, totalIters: 5 };
    const { startFactor, endFactor, totalIters } = withDefaults(this.name, options, defaults);
    this.startFactor = checkNumber(this.name, "startFactor", startFactor, FACTOR);
    this.endFactor = checkNumber(this.name, "endFactor", endFactor, UNIT_INTERVAL);
    this.totalIters = checkNumber(this.name, "totalIters", totalIters, POSITIVE_INTEGER);
    this.advance();
  }

  protected override rate({ lr }: ScheduledGroup): number {
    const { startFactor, totalIters, lastEpoch } = this;
    if (lastEpoch === 0) return lr * startFactor;
    if (lastEpoch > totalIters) return lr;
    const rise = this.endFactor - startFactor;
    return lr * (1 + rise / (totalIters * startFactor + (lastEpoch - 1) * rise));
  }

  protected override rateAt(_group: ScheduledGroup, base: number): number {
    const { startFactor, totalIters } = this;
    const rise = this.endFactor - startFactor;
    return base * (startFactor + (rise * Math.min(totalIters, this.lastEpoch)) / totalIters);
  }
}

/**
 * Warm-up: the first `warmupSteps` steps have 1/n, 2/n, … n/n of lr, or start at `startFactor` of it; then lr. Unlike
 * LinearLR the first step is one on the way up already, so that nothing is wasted on a step of size 0.
 */
export class WarmupLR extends RateScheduler {
  readonly warmupSteps: number;
  readonly startFactor: number;

  /** @param options `warmupSteps`, a positive integer; `startFactor` in [0, 1] (default 0) */
  constructor(optimizer: Schedulable, options: { warmupSteps: number; startFactor?: number }) {
    super(optimizer);
    const defaults = { warmupSteps: REQUIRED, startFactor: 0 };
    const { warmupSteps, startFactor } = withDefaults(this.name, options, defaults);
    this.warmupSteps = checkNumber(this.name, "warmupSteps", warmupSteps, POSITIVE_INTEGER);
    this.startFactor = checkNumber(this.name, "startFactor", startFactor, UNIT_INTERVAL);
    this.advance();
  }

  private factor(epoch: number): number {
    const { startFactor } = this;
    return startFactor + (1 - startFactor) * Math.min(1, (epoch + 1) / this.warmupSteps);
  }

  protected override rate({ lr }: ScheduledGroup): number {
    if (this.lastEpoch === 0) return lr * this.factor(0);
    if (this.lastEpoch >= this.warmupSteps) return lr;
    return lr * (this.factor(this.lastEpoch) / this.factor(this.lastEpoch - 1));
  }

  protected override rateAt(_group: ScheduledGroup, base: number): number {
    return base * this.factor(this.lastEpoch);
  }
}
