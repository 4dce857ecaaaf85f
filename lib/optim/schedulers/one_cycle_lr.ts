/** The 1cycle policy (Smith and Topin 2018): once up and once down, with the momentum going the other way. */
import { ArgumentError, StateError } from "../../errors.js";
import {
  BELOW_ONE,
  checkBoolean,
  checkChoice,
  checkNumber,
  POSITIVE,
  POSITIVE_INTEGER,
  REQUIRED,
  UNIT_INTERVAL,
  withDefaults,
} from "../../options.js";
import { RateScheduler } from "./rate_scheduler.js";
import { perGroup, type Schedulable, type ScheduledGroup, setInitialRate } from "./scheduler.js";

const STRATEGIES = ["cos", "linear"] as const;

/** Options of `OneCycleLR`. */
export interface OneCycleOptions {
  /** The highest rate, > 0: a number, or one for each group. */
  maxLr: number | readonly number[];
  /** Steps of the cycle, a positive integer; or give `epochs` and `stepsPerEpoch`. */
  totalSteps?: number;
  epochs?: number;
  stepsPerEpoch?: number;
  /** The share of the steps that go up, in [0, 1] (default 0.3). */
  pctStart?: number;
  /** Half a cosine (default) or a line. */
  annealStrategy?: (typeof STRATEGIES)[number];
  /** Moves `momentum`, `beta` or `betas[0]` of the groups too, from `maxMomentum` to `baseMomentum` and back (default). */
  cycleMomentum?: boolean;
  /** In [0, 1) (default 0.85). */
  baseMomentum?: number | readonly number[];
  /** In [0, 1) (default 0.95). */
  maxMomentum?: number | readonly number[];
  /** The first rate is maxLr/divFactor (default 25). */
  divFactor?: number;
  /** The last is the first over this (default 1e4). */
  finalDivFactor?: number;
  /** Goes down to the first rate as fast as up, and from there to the last in a phase of its own (default false). */
  threePhase?: boolean;
}

type Level = "first" | "max" | "last";

/** A stretch of the cycle. */
interface Phase {
  readonly end: number;
  readonly from: Level;
  readonly to: Level;
}

type Cycled = ScheduledGroup & { momentum?: number; beta?: number; betas?: readonly [number, number] };

/**
 * Sets the rate outright at every step, so nothing else should set it. StateError for a step beyond the last.
 *
 * Source: Smith and Topin, "Super-convergence", 2018.
 */
export class OneCycleLR extends RateScheduler {
  readonly totalSteps: number;
  private readonly phases: readonly Phase[];
  private readonly anneal: (from: number, to: number, share: number) => number;
  private readonly rates: readonly Readonly<Record<Level, number>>[];
  private readonly momenta: readonly Readonly<Record<Level, number>>[] | null;

  constructor(optimizer: Schedulable, options: OneCycleOptions) {
    super(optimizer);
    const { name } = this;
    const all = withDefaults<Record<keyof OneCycleOptions, unknown> & OneCycleOptions>(name, options, {
      maxLr: REQUIRED,
      totalSteps: undefined,
      epochs: undefined,
      stepsPerEpoch: undefined,
      pctStart: 0.3,
      annealStrategy: "cos",
      cycleMomentum: true,
      baseMomentum: 0.85,
      maxMomentum: 0.95,
      divFactor: 25,
      finalDivFactor: 1e4,
      threePhase: false,
    });
    this.totalSteps = stepsOf(name, all);
    const pctStart = checkNumber(name, "pctStart", all.pctStart, UNIT_INTERVAL);
    this.phases = phasesOf(pctStart, this.totalSteps, checkBoolean(name, "threePhase", all.threePhase));
    this.anneal =
      checkChoice(name, "annealStrategy", all.annealStrategy, STRATEGIES) === "cos" ? cosine : line;
    const divFactor = checkNumber(name, "divFactor", all.divFactor, POSITIVE);
    const finalDivFactor = checkNumber(name, "finalDivFactor", all.finalDivFactor, POSITIVE);
    this.rates = perGroup(name, "maxLr", optimizer, all.maxLr).map((max) => {
      const first = checkNumber(name, "maxLr", max, POSITIVE) / divFactor;
      return { first, max, last: first / finalDivFactor };
    });
    this.momenta = checkBoolean(name, "cycleMomentum", all.cycleMomentum)
      ? momentaOf(name, optimizer, all.baseMomentum ?? 0.85, all.maxMomentum ?? 0.95)
      : null;
    this.baseLrs = this.rates.map(({ first }) => first);
    optimizer.paramGroups.forEach((group, i) => {
      setInitialRate(group, this.baseLrs[i]);
    });
    this.advance();
  }

  override advance(): void {
    if (this.lastEpoch >= this.totalSteps) {
      throw new StateError(
        `${this.name}.step: the cycle has totalSteps ${this.totalSteps}, this is step ${this.lastEpoch + 1}`,
      );
    }
    super.advance();
  }

  protected override rate(group: ScheduledGroup, _base: number, index: number): number {
    const at = this.phases.findIndex(({ end }) => this.lastEpoch <= end);
    const place = at < 0 ? this.phases.length - 1 : at;
    const { end, from, to } = this.phases[place];
    const begin = place === 0 ? 0 : this.phases[place - 1].end;
    const share = (this.lastEpoch - begin) / (end - begin);
    if (this.momenta !== null) {
      const momentum = this.momenta[index];
      setMomentum(group, this.anneal(momentum[from], momentum[to], share));
    }
    const rate = this.rates[index];
    return this.anneal(rate[from], rate[to], share);
  }

  override save(): () => void {
    const restore = super.save();
    const momenta = this.momenta === null ? [] : this.optimizer.paramGroups.map(momentumOf);
    return () => {
      restore();
      momenta.forEach((momentum, i) => {
        setMomentum(this.optimizer.paramGroups[i], momentum as number);
      });
    };
  }
}

function stepsOf(name: string, { totalSteps, epochs, stepsPerEpoch }: OneCycleOptions): number {
  if (totalSteps !== undefined) {
    if (epochs !== undefined || stepsPerEpoch !== undefined) {
      throw new ArgumentError(`${name}: takes totalSteps, or epochs and stepsPerEpoch, not all of them`);
    }
    return checkNumber(name, "totalSteps", totalSteps, POSITIVE_INTEGER);
  }
  if (epochs === undefined || stepsPerEpoch === undefined) {
    throw new ArgumentError(`${name}: needs totalSteps, or epochs and stepsPerEpoch`);
  }
  return (
    checkNumber(name, "epochs", epochs, POSITIVE_INTEGER) *
    checkNumber(name, "stepsPerEpoch", stepsPerEpoch, POSITIVE_INTEGER)
  );
}

function phasesOf(pctStart: number, totalSteps: number, isThreePhase: boolean): Phase[] {
  const up: Phase = { end: pctStart * totalSteps - 1, from: "first", to: "max" };
  return isThreePhase
    ? [
        up,
        { end: 2 * pctStart * totalSteps - 2, from: "max", to: "first" },
        { end: totalSteps - 1, from: "first", to: "last" },
      ]
    : [up, { end: totalSteps - 1, from: "max", to: "last" }];
}

/** Momenta at the levels of the rate: highest where that is lowest. */
function momentaOf(
  name: string,
  optimizer: Schedulable,
  base: number | readonly number[],
  max: number | readonly number[],
): Record<Level, number>[] {
  const lows = perGroup(name, "baseMomentum", optimizer, base);
  const highs = perGroup(name, "maxMomentum", optimizer, max);
  return optimizer.paramGroups.map((group, i) => {
    if (momentumOf(group) === undefined) {
      throw new ArgumentError(
        `${name}: cycleMomentum needs an optimizer with momentum, beta or betas; set it to false for others`,
      );
    }
    const low = checkNumber(name, "baseMomentum", lows[i], BELOW_ONE);
    const high = checkNumber(name, "maxMomentum", highs[i], BELOW_ONE);
    return { first: high, max: low, last: high };
  });
}

function momentumOf({ momentum, beta, betas }: Cycled): number | undefined {
  return momentum ?? beta ?? betas?.[0];
}

function setMomentum(group: Cycled, value: number): void {
  if (group.momentum !== undefined) group.momentum = value;
  else if (group.beta !== undefined) group.beta = value;
  else if (group.betas !== undefined) group.betas = [value, group.betas[1]];
}

function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1);
}

function line(from: number, to: number, share: number): number {
  return (to - from) * share + from;
}
