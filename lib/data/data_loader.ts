/**
 * Batches of a dataset, epoch by epoch, in order or shuffled, from a position that can be saved and resumed.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Tensor } from "../autograd/tensor.js";
import { BusyError, StateError } from "../errors.js";
import { checkBoolean, checkNumber, POSITIVE_INTEGER, withDefaults } from "../options.js";
import { checkGenerator, type Generator } from "../random/generator.js";
import type { GeneratorState } from "../random/source.js";
import { batchOf, checkDataset, type Dataset } from "./dataset.js";

/** Options of `DataLoader`. */
export interface DataLoaderOptions {
  /** Samples per batch, 1 or more (default 1). */
  batchSize?: number;
  /** A new random order in every epoch (default false: the dataset's order). */
  shuffle?: boolean;
  /** Draws the orders; the default generator unless given. */
  generator?: Generator;
  /** Leaves out a last batch of fewer than `batchSize` samples (default false). */
  dropLast?: boolean;
}

/** Where a loader stands, as JSON can hold it. */
export interface DataLoaderState {
  /** Epochs begun before the current one. */
  epoch: number;
  /** Batches of the current epoch already given. */
  batch: number;
  /** Length of the dataset. */
  samples: number;
  batchSize: number;
  dropLast: boolean;
  /** The generator before the current epoch's order was drawn, and now; null without `shuffle`. */
  shuffle: { epochStart: GeneratorState; now: GeneratorState } | null;
}

/** An epoch under way. */
interface Epoch {
  readonly order: Int32Array;
  /** The generator before the order was drawn, and after. */
  readonly start: GeneratorState;
  readonly drawn: GeneratorState;
  given: number;
}

type Source<Batch extends Tensor[]> = Pick<Dataset<Batch>, "length" | "batch">;

/**
 * Goes through a dataset in batches. Each `for … of` or `for await … of` is one epoch; the second form gives
 * way to the event loop between batches. An epoch left by `break` is not taken up again: the next loop begins
 * a new one.
 *
 * To resume: `getState()` at any time (a batch counts as given once the loop's body has it), and later
 * `setState()` on a loader made alike. The next loop then gives exactly the batches that were left of that
 * epoch, perhaps none, the epochs after it are those that would have followed, and the generator is where it
 * was.
 */
export class DataLoader<Batch extends Tensor[] = Tensor[]> {
  readonly dataset: Source<Batch>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly generator: Generator;
  private epoch = 0;
  private current: Epoch | null = null;
  private resumes = false;
  private isTaken = false;

  /** ArgumentError for an unknown option or one outside its range. */
  constructor(dataset: Source<Batch>, options: DataLoaderOptions = {}) {
    checkDataset("DataLoader", dataset);
    const { batchSize, shuffle, generator, dropLast } = withDefaults<DataLoaderOptions>(
      "DataLoader",
      options,
      { batchSize: 1, shuffle: false, generator: undefined, dropLast: false },
    );
    this.dataset = dataset;
    this.batchSize = checkNumber("DataLoader", "batchSize", batchSize, POSITIVE_INTEGER);
    this.shuffle = checkBoolean("DataLoader", "shuffle", shuffle);
    this.dropLast = checkBoolean("DataLoader", "dropLast", dropLast);
    this.generator = checkGenerator("DataLoader", generator);
  }

  /** Batches per epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<Batch, void, undefined> {
    const epoch = this.begin();
    const { order } = epoch;
    for (const batches = this.length; epoch.given < batches; ) {
      const start = epoch.given * this.batchSize;
      const batch = batchOf("DataLoader", this.dataset, order.subarray(start, start + this.batchSize));
      epoch.given++;
      yield batch;
    }
    if (this.current === epoch) this.end();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Batch, void, undefined> {
    for (const batch of this) {
      yield batch;
      // Awaiting settled promises alone would starve timers and sockets for a whole epoch.
      await nextTurn();
    }
  }

  /** How many positions `take` would give. @internal */
  left(most = Number.POSITIVE_INFINITY): number {
    const { current, length, batchSize } = this;
    const whole = this.dropLast ? length * batchSize : this.dataset.length;
    const given = this.resumes && current !== null && current.given < length ? current.given : 0;
    return Math.min(most * batchSize, whole - given * batchSize);
  }

  /**
   * The positions of the next batches, at most so many, one after the other: of the epoch that was resumed or that
   * `give` has left unfinished, else of a new one. They count as given once `give` says so, and until then nobody else
   * can take any: BusyError. @internal
   */
  take(most = Number.POSITIVE_INFINITY): Int32Array {
    if (this.isTaken) {
      throw new BusyError("DataLoader: an epoch in the background is using this loader; await it first");
    }
    let epoch = this.begin();
    // Left with all its batches given, it had only to be ended.
    if (epoch.given >= this.length && this.length > 0) {
      this.end();
      epoch = this.begin();
    }
    this.isTaken = true;
    const first = epoch.given * this.batchSize;
    const whole = this.dropLast ? this.length * this.batchSize : epoch.order.length;
    return epoch.order.subarray(first, Math.min(first + most * this.batchSize, whole));
  }

  /** Counts so many of the batches that were taken as given; an epoch of which none was has not begun. @internal */
  give(batches: number): void {
    this.isTaken = false;
    const { current } = this;
    if (current === null) return;
    current.given += batches;
    if (current.given >= this.length) this.end();
    else if (current.given > 0) this.resumes = true;
    else this.undraw(current);
  }

  /** The position, for a checkpoint. */
  getState(): DataLoaderState {
    const now = this.generator.getState();
    return {
      epoch: this.epoch,
      batch: this.current?.given ?? 0,
      samples: this.dataset.length,
      batchSize: this.batchSize,
      dropLast: this.dropLast,
      shuffle: this.shuffle ? { epochStart: this.current?.start ?? now, now } : null,
    };
  }

  /**
   * Continues from a saved position; sets the generator too if the loader shuffles. StateError as
   * `checkState`.
   */
  setState(state: DataLoaderState): this {
    this.checkState(state);
    const { epoch, batch, shuffle } = state;
    this.epoch = epoch;
    this.current = null;
    this.resumes = batch > 0;
    // With no batch given yet the epoch begins anew, and draws its order from where it drew it before.
    if (shuffle) this.generator.setState(shuffle.epochStart);
    if (this.resumes) {
      this.current = { ...this.draw(), given: batch };
      if (shuffle) this.generator.setState(shuffle.now);
    }
    return this;
  }

  /** Throws a StateError unless `state` is one that a loader like this one gave. Changes nothing. */
  checkState(state: DataLoaderState): void {
    const { samples, batchSize, dropLast, shuffle } = this.getState();
    const own = { samples, batchSize, dropLast, shuffle: shuffle !== null };
    const given = { ...state, shuffle: Boolean(state?.shuffle) };
    for (const [name, value] of Object.entries(own)) {
      const saved = given[name as keyof typeof own];
      if (saved !== value) {
        throw new StateError(
          `DataLoader: the state is of a loader with ${name} ${saved}, this one has ${value}`,
        );
      }
    }
    const isCount = (value: number, most: number) =>
      Number.isSafeInteger(value) && value >= 0 && value <= most;
    if (!isCount(given.epoch, Number.MAX_SAFE_INTEGER) || !isCount(given.batch, this.length)) {
      throw new StateError(
        `DataLoader: the state has epoch ${given.epoch} and batch ${given.batch}; ` +
          `needs integers, epoch ≥ 0 and batch in [0, ${this.length}]`,
      );
    }
    if (!state.shuffle) return;
    this.generator.checkState(state.shuffle.epochStart);
    this.generator.checkState(state.shuffle.now);
  }

  /** The epoch that was resumed, or a new one. */
  private begin(): Epoch {
    const resumed = this.resumes ? this.current : null;
    this.resumes = false;
    if (resumed !== null) return resumed;
    if (this.current !== null) this.epoch++;
    this.current = { ...this.draw(), given: 0 };
    return this.current;
  }

  private end(): void {
    this.current = null;
    this.epoch++;
  }

  /** Gives up an epoch that has not begun, unless somebody else has drawn from the generator since. */
  private undraw({ start, drawn }: Epoch): void {
    const now = this.generator.getState();
    if (isDeepStrictEqual(now, drawn)) this.generator.setState(start);
    this.current = null;
  }

  private draw(): Omit<Epoch, "given"> {
    const { length } = this.dataset;
    const start = this.generator.getState();
    const order = this.shuffle
      ? this.generator.permutation(length)
      : Int32Array.from({ length }, (_, i) => i);
    return { order, start, drawn: this.generator.getState() };
  }
}
