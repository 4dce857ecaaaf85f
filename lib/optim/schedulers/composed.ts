/** Schedulers made of others: one after the other, or all at once. */
import { describe } from "../../describe.js";
import { ArgumentError, StateError } from "../../errors.js";
import { checkNumber, listOf, POSITIVE_INTEGER, withDefaults } from "../../options.js";
import { initialRate, LRScheduler, type Schedulable, type SchedulerStateDict } from "./scheduler.js";

/** What the two have in common. */
abstract class ComposedScheduler extends LRScheduler {
  readonly schedulers: readonly LRScheduler[];

  constructor(optimizer: Schedulable, schedulers: readonly LRScheduler[]) {
    super(optimizer);
    this.schedulers = schedulers;
  }

  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  override loadStateDict(state: SchedulerStateDict): void {
    const { length } = this.schedulers;
    const parts = state?.schedulers ?? null;
    if (!Array.isArray(parts) || parts.length !== length) {
      throw new StateError(
        `${this.name}.loadStateDict: needs the states of ${length} schedulers, got ${describe(parts)}`,
      );
    }
    const before = this.schedulers.map((scheduler) => scheduler.stateDict());
    try {
      this.schedulers.forEach((scheduler, i) => {
        scheduler.loadStateDict(parts[i] as SchedulerStateDict);
      });
      super.loadStateDict(state);
    } catch (error) {
      // All or nothing.
      this.schedulers.forEach((scheduler, i) => {
        scheduler.loadStateDict(before[i]);
      });
      throw error;
    }
  }

  override save(): () => void {
    const restores = this.schedulers.map((scheduler) => scheduler.save());
    const restore = super.save();
    return () => {
      for (const each of restores) each();
      restore();
    };
  }
}

/** Schedulers of one optimizer, at least one. */
function checkSchedulers(name: string, given: Iterable<LRScheduler>, optimizer?: Schedulable): LRScheduler[] {
  const schedulers = listOf(name, "schedulers", given, "schedulers");
  if (schedulers.length === 0)
    throw new ArgumentError(`${name}: schedulers is empty; at least one is needed`);
  schedulers.forEach((scheduler, i) => {
    if (!(scheduler instanceof LRScheduler)) {
      throw new ArgumentError(
        `${name}: schedulers[${i}] must be a scheduler that steps by itself, got ${describe(scheduler)}`,
      );
    }
    if (scheduler.optimizer !== (optimizer ?? schedulers[0].optimizer)) {
      throw new ArgumentError(`${name}: schedulers[${i}] is of another optimizer; all must be of one`);
    }
    const first = schedulers.indexOf(scheduler);
    if (first < i) {
      throw new ArgumentError(
        `${name}: schedulers[${i}] is schedulers[${first}] again, which counts its epochs once; make another`,
      );
    }
  });
  return schedulers;
}

/** One scheduler after the other: the next takes over, at its own epoch 0, at each milestone. */
export class SequentialLR extends ComposedScheduler {
  readonly milestones: readonly number[];

  /** @param options `schedulers` of the optimizer, and `milestones`, one fewer, ascending positive integers */
  constructor(
    optimizer: Schedulable,
    options: { schedulers: Iterable<LRScheduler>; milestones: readonly number[] },
  ) {
    const name = "SequentialLR";
    const { schedulers, milestones } = withDefaults<{
      schedulers: Iterable<LRScheduler>;
      milestones: readonly number[];
    }>(name, options, { schedulers: [], milestones: [] });
    super(optimizer, checkSchedulers(name, schedulers, optimizer));
    this.milestones = listOf(name, "milestones", milestones, "integers");
    const { length } = this.schedulers;
    if (this.milestones.length !== length - 1) {
      throw new ArgumentError(
        `${name}: ${length} schedulers need ${length - 1} milestones, got ${this.milestones.length}`,
      );
    }
    this.milestones.forEach((milestone, i) => {
      checkNumber(name, `milestones[${i}]`, milestone, POSITIVE_INTEGER);
      if (i > 0 && milestone <= this.milestones[i - 1]) {
        throw new ArgumentError(`${name}: milestones must ascend, got ${this.milestones.join(", ")}`);
      }
    });
    // What is chained has no formula for its rate, so it cannot begin at a rate that others have left.
    if (this.schedulers.slice(1).some((scheduler) => scheduler instanceof ChainedScheduler)) {
      throw new ArgumentError(`${name}: a ChainedScheduler can only be the first of schedulers`);
    }
    // Each has set its rates of epoch 0 when it was made; only the first should have.
    for (const group of optimizer.paramGroups) group.lr = initialRate(group);
    for (const scheduler of this.schedulers) scheduler.rewind();
    this.advance();
  }

  override advance(): void {
    this.lastEpoch++;
    const place = this.milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    const scheduler = this.schedulers[place];
    if (place > 0 && this.milestones[place - 1] === this.lastEpoch) scheduler.jump(0);
    else scheduler.advance();
  }

  override jump(epoch: number): void {
    this.lastEpoch = epoch;
    const place = this.milestones.filter((milestone) => milestone <= epoch).length;
    this.schedulers[place].jump(epoch - (place > 0 ? this.milestones[place - 1] : 0));
  }

  override rewind(): void {
    super.rewind();
    this.schedulers[0].rewind();
  }
}

/** All schedulers at every step, each changing the rate that the one before has left. */
export class ChainedScheduler extends ComposedScheduler {
  constructor(schedulers: Iterable<LRScheduler>) {
    const list = checkSchedulers("ChainedScheduler", schedulers);
    super(list[0].optimizer, list);
    // They have set the rates of epoch 0 when they were made.
    this.lastEpoch = 0;
  }

  override advance(): void {
    this.lastEpoch++;
    for (const scheduler of this.schedulers) scheduler.advance();
  }

  override jump(): never {
    throw new ArgumentError(`${this.name}: cannot go to an epoch, only on from where it is`);
  }

  override rewind(): void {
    super.rewind();
    for (const scheduler of this.schedulers) scheduler.rewind();
  }
}
