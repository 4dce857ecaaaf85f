/** A rate that falls when a loss, or another measure, has stopped getting better. */
import { describe } from "../../describe.js";
import { ArgumentError } from "../../errors.js";
import {
  BELOW_ONE,
  checkChoice,
  checkNumber,
  NON_NEGATIVE,
  type Range,
  withDefaults,
} from "../../options.js";
import { recorder } from "../../runtime/recorder.js";
import { Tensor } from "../../tensor.js";
import {
  checkSchedulable,
  checkState,
  numberOf,
  perGroup,
  type Schedulable,
  type SchedulerStateDict,
} from "./scheduler.js";

const MODES = ["min", "max"] as const;
const THRESHOLD_MODES = ["rel", "abs"] as const;
const COUNT: Range = { text: "an integer ≥ 0", holds: (x) => Number.isSafeInteger(x) && x >= 0 };

/** Options of `ReduceLROnPlateau`. */
export interface PlateauOptions {
  /** Whether the measure should fall (default) or rise. */
  mode?: (typeof MODES)[number];
  /** lr ← lr·factor, in [0, 1) (default 0.1). */
  factor?: number;
  /** Epochs without improvement that are put up with (default 10). */
  patience?: number;
  /** What counts as an improvement, ≥ 0 (default 1e-4). */
  threshold?: number;
  /** Whether `threshold` is a share of the best value (default) or a difference from it. */
  thresholdMode?: (typeof THRESHOLD_MODES)[number];
  /** Epochs after a fall that are not counted (default 0). */
  cooldown?: number;
  /** The least rate, ≥ 0 (default 0): a number, or one for each group. */
  minLr?: number | readonly number[];
  /** A fall smaller than this is left out, ≥ 0 (default 1e-8). */
  eps?: number;
}

/** Not part of a compiled function, since it looks at a value: call `step(loss)` outside. */
export class ReduceLROnPlateau {
  readonly optimizer: Schedulable;
  readonly options: Readonly<Required<PlateauOptions>>;
  lastEpoch = 0;
  /** The best value so far. */
  best: number;
  /** Epochs since then that count. */
  numBadEpochs = 0;
  private cooldownCounter = 0;
  private readonly minLrs: readonly number[];

  constructor(optimizer: Schedulable, options: PlateauOptions = {}) {
    const { name } = this;
    checkSchedulable(name, optimizer);
    this.optimizer = optimizer;
    const all = withDefaults<Required<PlateauOptions>>(name, options, {
      mode: "min",
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: "rel",
      cooldown: 0,
      minLr: 0,
      eps: 1e-8,
    });
    checkChoice(name, "mode", all.mode, MODES);
    checkNumber(name, "factor", all.factor, BELOW_ONE);
    checkNumber(name, "patience", all.patience, COUNT);
    checkNumber(name, "threshold", all.threshold, NON_NEGATIVE);
    checkChoice(name, "thresholdMode", all.thresholdMode, THRESHOLD_MODES);
    checkNumber(name, "cooldown", all.cooldown, COUNT);
    this.minLrs = perGroup(name, "minLr", optimizer, all.minLr);
    for (const minLr of this.minLrs) checkNumber(name, "minLr", minLr, NON_NEGATIVE);
    checkNumber(name, "eps", all.eps, NON_NEGATIVE);
    this.options = all;
    this.best = all.mode === "min" ? Infinity : -Infinity;
  }

  get name(): string {
    return this.constructor.name;
  }

  /** Takes the value of an epoch, a number or a tensor of one element. */
  step(metric: number | Tensor): void {
    recorder()?.refuse(`${this.name}.step`, "it looks at a value; call it after the step");
    const value = metric instanceof Tensor && metric.size === 1 ? metric.item() : metric;
    if (typeof value !== "number") {
      throw new ArgumentError(
        `${this.name}.step: needs a number or a tensor of one element, got ${describe(metric)}`,
      );
    }
    this.lastEpoch++;
    if (this.isBetter(value)) {
      this.best = value;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs <= this.options.patience) return;
    this.reduce();
    this.cooldownCounter = this.options.cooldown;
    this.numBadEpochs = 0;
  }

  /** The rates that the groups have now. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** What changes from step to step, as plain data; `best` is null before the first step. */
  stateDict(): SchedulerStateDict {
    const { lastEpoch, numBadEpochs, cooldownCounter } = this;
    const best = Number.isFinite(this.best) ? this.best : null;
    return { scheduler: this.name, lastEpoch, best, numBadEpochs, cooldownCounter, lastLr: this.getLastLr() };
  }

  /** Goes on from a saved state. StateError for what is not the state of such a scheduler; then nothing has changed. */
  loadStateDict(state: SchedulerStateDict): void {
    checkState(this.name, state);
    const worst = this.options.mode === "min" ? Infinity : -Infinity;
    const best = state.best === null ? worst : numberOf(this.name, state, "best");
    const [lastEpoch, numBadEpochs, cooldownCounter] = ["lastEpoch", "numBadEpochs", "cooldownCounter"].map(
      (key) => numberOf(this.name, state, key),
    );
    Object.assign(this, { best, lastEpoch, numBadEpochs, cooldownCounter });
  }

  private isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const isRelative = thresholdMode === "rel";
    if (mode === "min") {
      return value < (isRelative ? this.best * (1 - threshold) : this.best - threshold);
    }
    return value > (isRelative ? this.best * (1 + threshold) : this.best + threshold);
  }

  private reduce(): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      const lr = Math.max(group.lr * this.options.factor, this.minLrs[i]);
      if (group.lr - lr > this.options.eps) group.lr = lr;
    });
  }
}
