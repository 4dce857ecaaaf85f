/** The initial rate times any function of the epoch. */
import { describe } from "../../describe.js";
import { ArgumentError } from "../../errors.js";
import { withDefaults } from "../../options.js";
import { RateScheduler } from "./rate_scheduler.js";
import type { Schedulable, ScheduledGroup } from "./scheduler.js";

/** The factor of an epoch. */
export type Factor = (epoch: number) => number;

/** lr = initial lr · lrLambda(epoch). The function is no part of the state dict. */
export class LambdaLR extends RateScheduler {
  private readonly factors: readonly Factor[];

  /** @param options `lrLambda`, a function of the epoch (0, 1, …), or one for each group */
  constructor(optimizer: Schedulable, options: { lrLambda: Factor | readonly Factor[] }) {
    super(optimizer);
    const { lrLambda } = withDefaults<{ lrLambda?: Factor | readonly Factor[] }>(this.name, options, {
      lrLambda: undefined,
    });
    const { length } = optimizer.paramGroups;
    const factors = Array.isArray(lrLambda) ? lrLambda : new Array(length).fill(lrLambda);
    if (factors.length !== length || !factors.every((factor) => typeof factor === "function")) {
      throw new ArgumentError(
        `${this.name}: lrLambda must be a function of the epoch or an array of ${length}, one for each group, got ` +
          describe(lrLambda),
      );
    }
    this.factors = factors;
    this.advance();
  }

  protected override rate(_group: ScheduledGroup, base: number, index: number): number {
    return base * this.factors[index](this.lastEpoch);
  }
}
