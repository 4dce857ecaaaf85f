/** What epochs take, tell meanwhile and give. */
import type { Tensor } from "../../autograd/tensor.js";
import { DataLoader, type DataLoaderOptions } from "../../data/data_loader.js";
import { checkDataset, type Dataset } from "../../data/dataset.js";
import { describe } from "../../describe.js";
import { ArgumentError } from "../../errors.js";
import { checkBoolean, checkNumber, POSITIVE_INTEGER, withDefaults } from "../../options.js";
import { checkGenerator, type Generator } from "../../random/generator.js";
import type { AnyFunction } from "../program.js";

/** How far an epoch is. */
export interface EpochProgress {
  /** Steps done, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Samples gone through. */
  readonly samples: number;
  /** Milliseconds since the epoch began. */
  readonly elapsed: number;
  /** The first 0-d result of the last step that was done (mostly the loss); NaN where there is none yet. */
  readonly value: number;
}

/** Options of `epoch`; the first four are those of `DataLoader`, and come from the loader where one is given. */
export interface EpochOptions {
  /** Samples per batch, 1 or more (default 1). */
  batchSize?: number;
  /** A new random order (default false: the dataset's order). */
  shuffle?: boolean;
  /** Draws the order; the default generator unless given. */
  generator?: Generator;
  /** Leaves out a last batch of fewer than `batchSize` samples (default false). */
  dropLast?: boolean;
  /** At most so many steps (default: all). A loader goes on after them at the next call. */
  maxSteps?: number;
  /** Ends the epoch before its next step: the promise is rejected with the signal's reason, and the model is as after the steps that were done. */
  signal?: AbortSignal;
  /**
   * Where the signal comes after at least one step, the promise is fulfilled with the results of the steps that were
   * done instead (default false).
   */
  partial?: boolean;
  /**
   * Called about every 100 ms, and at the end. What it throws ends the epoch, whose promise is rejected with it; if it is
   * asynchronous, the epoch goes on meanwhile and waits for it in the end.
   */
  onProgress?: (progress: EpochProgress) => unknown;
}

/** What an epoch gives. */
export interface EpochResult<Result> {
  readonly steps: number;
  readonly samples: number;
  /** The function's results of all steps: each 0-d tensor becomes [steps], others are joined along their first axis. */
  readonly results: Result;
}

/** The function, its asynchronous call, and how many programs it may keep. */
export interface EpochFunction {
  readonly fn: AnyFunction;
  readonly step: (...inputs: Tensor[]) => Promise<unknown>;
  readonly cacheSize: number;
}

/** Milliseconds between two reports. */
export const PROGRESS_MS = 100;

/** What an epoch was asked for, apart from its batches. */
export type Options = Required<Pick<EpochOptions, "maxSteps" | "partial">> &
  Pick<EpochOptions, "signal" | "onProgress">;

/** The options with defaults, checked; those of the loader apart. */
export function checkOptions(given: EpochOptions): { options: Options; loading: DataLoaderOptions } {
  const all = withDefaults<EpochOptions & Options>("epoch", given, {
    batchSize: undefined,
    shuffle: undefined,
    generator: undefined,
    dropLast: undefined,
    maxSteps: Number.POSITIVE_INFINITY,
    signal: undefined,
    partial: false,
    onProgress: undefined,
  });
  const { batchSize, shuffle, generator, dropLast, ...options } = all;
  const { maxSteps, signal, partial, onProgress } = options;
  if (maxSteps !== Number.POSITIVE_INFINITY) checkNumber("epoch", "maxSteps", maxSteps, POSITIVE_INTEGER);
  checkBoolean("epoch", "partial", partial);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`epoch: signal must be an AbortSignal, got ${describe(signal)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new ArgumentError(`epoch: onProgress must be a function, got ${describe(onProgress)}`);
  }
  return { options, loading: { batchSize, shuffle, generator, dropLast } };
}

/** The loader itself, or one of a dataset with these options. */
export function loaderOf(source: Dataset | DataLoader, loading: DataLoaderOptions): DataLoader {
  if (source instanceof DataLoader) {
    const twice = Object.entries(loading).find(([, value]) => value !== undefined);
    if (twice === undefined) return source;
    throw new ArgumentError(
      `epoch: ${twice[0]} is the loader's own; leave it out, or give the dataset instead`,
    );
  }
  checkDataset("epoch", source);
  const { batchSize = 1, shuffle = false, generator, dropLast = false } = loading;
  checkNumber("epoch", "batchSize", batchSize, POSITIVE_INTEGER);
  checkBoolean("epoch", "shuffle", shuffle);
  checkBoolean("epoch", "dropLast", dropLast);
  checkGenerator("epoch", generator);
  return new DataLoader(source, { batchSize, shuffle, generator, dropLast });
}
