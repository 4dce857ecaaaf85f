/** Rates that follow half a cosine from the initial one down to `etaMin` (Loshchilov and Hutter 2017). */
import { shown } from "../../describe.js";
import { ArgumentError } from "../../errors.js";
import { checkNumber, NON_NEGATIVE, POSITIVE_INTEGER, REQUIRED, withDefaults } from "../../options.js";
import { recorder } from "../../runtime/recorder.js";
import { RateScheduler } from "./rate_scheduler.js";
import { numberOf, type Schedulable, type ScheduledGroup, type SchedulerStateDict } from "./scheduler.js";

/**
 * Down in `tMax` epochs and, beyond them, up again.
 *
 * Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
 */
export class CosineAnnealingLR extends RateScheduler {
  readonly tMax: number;
  readonly etaMin: number;

  /** @param options `tMax`, a positive integer; `etaMin`, ≥ 0 (default 0) */
  constructor(optimizer: Schedulable, options: { tMax: number; etaMin?: number }) {
    super(optimizer);
    const { tMax, etaMin } = withDefaults(this.name, options, { tMax: REQUIRED, etaMin: 0 });
    this.tMax = checkNumber(this.name, "tMax", tMax, POSITIVE_INTEGER);
    this.etaMin = checkNumber(this.name, "etaMin", etaMin, NON_NEGATIVE);
    this.advance();
  }

  protected override rate({ lr }: ScheduledGroup, base: number): number {
    const { lastEpoch, tMax, etaMin } = this;
    if (lastEpoch === 0) return lr;
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      return lr + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    }
    const height = (epoch: number): number => 1 + Math.cos((Math.PI * epoch) / tMax);
    return (height(lastEpoch) / height(lastEpoch - 1)) * (lr - etaMin) + etaMin;
  }

  protected override rateAt(_group: ScheduledGroup, base: number): number {
    return cosine(base, this.etaMin, this.lastEpoch, this.tMax);
  }
}

/**
 * Down in `t0` epochs, then from the top again, each time in `tMult` times as many.
 *
 * Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
 */
export class CosineAnnealingWarmRestarts extends RateScheduler {
  readonly t0: number;
  readonly tMult: number;
  readonly etaMin: number;
  /** Epochs since the last restart. */
  private current = -1;
  /** Epochs from that to the next. */
  private period: number;

  /** @param options `t0` and `tMult` (default 1), positive integers; `etaMin`, ≥ 0 (default 0) */
  constructor(optimizer: Schedulable, options: { t0: number; tMult?: number; etaMin?: number }) {
    super(optimizer);
    const { t0, tMult, etaMin } = withDefaults(this.name, options, { t0: REQUIRED, tMult: 1, etaMin: 0 });
    this.t0 = checkNumber(this.name, "t0", t0, POSITIVE_INTEGER);
    this.tMult = checkNumber(this.name, "tMult", tMult, POSITIVE_INTEGER);
    this.etaMin = checkNumber(this.name, "etaMin", etaMin, NON_NEGATIVE);
    this.period = t0;
    this.advance();
  }

  /** Goes on by one epoch, or to `epoch`, which may be a fraction: 3 + batch/batches. */
  override step(epoch?: number): void {
    if (epoch === undefined) {
      super.step();
      return;
    }
    recorder()?.refuse(`${this.name}.step with an epoch`, "leave the epoch out");
    if (typeof epoch !== "number" || !(epoch >= 0 && epoch < Infinity)) {
      throw new ArgumentError(`${this.name}.step: the epoch must be a number ≥ 0, got ${shown(epoch)}`);
    }
    this.jump(epoch);
  }

  override advance(): void {
    this.current++;
    if (this.current >= this.period) {
      this.current -= this.period;
      this.period *= this.tMult;
    }
    super.advance();
  }

  override jump(epoch: number): void {
    const { t0, tMult } = this;
    let start = 0;
    this.period = t0;
    // Restarts by their sums, since logarithms are off by one at the restarts themselves.
    if (tMult === 1) start = epoch - (epoch % t0);
    else {
      while (epoch >= start + this.period) {
        start += this.period;
        this.period *= tMult;
      }
    }
    this.current = epoch - start;
    super.jump(epoch);
    this.lastEpoch = Math.floor(epoch);
  }

  override rewind(): void {
    super.rewind();
    this.current--;
  }

  protected override rate(_group: ScheduledGroup, base: number): number {
    return cosine(base, this.etaMin, this.current, this.period);
  }

  override save(): () => void {
    const restore = super.save();
    const { current, period } = this;
    return () => {
      restore();
      this.current = current;
      this.period = period;
    };
  }

  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), tCur: this.current, tI: this.period };
  }

  override loadStateDict(state: SchedulerStateDict): void {
    const [current, period] = ["tCur", "tI"].map((key) => numberOf(this.name, state, key));
    super.loadStateDict(state);
    this.current = current;
    this.period = period;
  }
}

const cosine = (from: number, to: number, epoch: number, epochs: number): number =>
  to + ((from - to) * (1 + Math.cos((Math.PI * epoch) / epochs))) / 2;
