/** lr·(1 − epoch/totalIters)^power: 0 after `totalIters` epochs. */
import { checkNumber, NON_NEGATIVE, POSITIVE_INTEGER, withDefaults } from "../../options.js";
import { RateScheduler } from "./rate_scheduler.js";
import type { Schedulable, ScheduledGroup } from "./scheduler.js";

export class PolynomialLR extends RateScheduler {
  readonly totalIters: number;
  readonly power: number;

  /** @param options `totalIters`, a positive integer (default 5); `power`, ≥ 0 (default 1) */
  constructor(optimizer: Schedulable, options: { totalIters?: number; power?: number } = {}) {
    super(optimizer);
    const { totalIters, power } = withDefaults(this.name, options, { totalIters: 5, power: 1 });
    this.totalIters = checkNumber(this.name, "totalIters", totalIters, POSITIVE_INTEGER);
    this.power = checkNumber(this.name, "power", power, NON_NEGATIVE);
    this.advance();
  }

  protected override rate({ lr }: ScheduledGroup): number {
    const { lastEpoch, totalIters } = this;
    if (lastEpoch === 0 || lastEpoch > totalIters) return lr;
    return lr * ((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** this.power;
  }

  protected override rateAt(_group: ScheduledGroup, base: number): number {
    return base * (1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters) ** this.power;
  }
}
