/** A whole epoch of a compiled function: all batches in one run, gathered inside the program. */
import type { Tensor } from "../autograd/tensor.js";
import { DataLoader, type DataLoaderOptions } from "../data/data_loader.js";
import { checkDataset, type Dataset } from "../data/dataset.js";
import { describe } from "../describe.js";
import { ArgumentError, BusyError, DTypeError, ShapeError } from "../errors.js";
import { formatShape, sameShape } from "../ndarray/shape.js";
import { type Storage, uninitializedStorage } from "../ndarray/storage.js";
import { concat, expandDims } from "../ops/index.js";
import { checkBoolean, checkNumber, POSITIVE_INTEGER, withDefaults } from "../options.js";
import { checkGenerator, type Generator } from "../random/generator.js";
import { executor } from "../runtime/executor.js";
import { PROGRESS, type Segment, STOP } from "../runtime/loaded.js";
import { withRecorder } from "../runtime/recorder.js";
import type { TypedArray } from "../runtime/types.js";
import { BackgroundRun } from "./background.js";
import { type AnyFunction, build, StepProgram } from "./program.js";

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
  /** Called about every 100 ms, and at the end. What it throws ends the epoch, whose promise is rejected with it. */
  onProgress?: (progress: EpochProgress) => void;
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

const PROGRESS_MS = 100;

type Options = Required<Pick<EpochOptions, "maxSteps" | "partial">> &
  Pick<EpochOptions, "signal" | "onProgress">;

/** Runs an epoch; see `Compiled.epoch`. */
export async function runEpoch(
  compiled: EpochFunction,
  source: Dataset | DataLoader,
  given: EpochOptions,
): Promise<EpochResult<unknown>> {
  const { options, loading } = checkOptions(given);
  const loader = loaderOf(source, loading);
  options.signal?.throwIfAborted();
  const { batchAt } = loader.dataset as Partial<Dataset>;
  return typeof batchAt === "function"
    ? new InsideEpoch(compiled, loader, options).run()
    : runOutside(compiled, loader, options);
}

function checkOptions(given: EpochOptions): { options: Options; loading: DataLoaderOptions } {
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
function loaderOf(source: Dataset | DataLoader, loading: DataLoaderOptions): DataLoader {
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

// ---- batches gathered inside

/** Programs by function, dataset and batch size; they go with the function. */
const caches = new WeakMap<AnyFunction, WeakMap<Dataset, Map<number, StepProgram>>>();

function programFor(
  { fn, cacheSize }: EpochFunction,
  source: DataLoader["dataset"],
  batch: number,
): StepProgram {
  const dataset = source as Dataset;
  const byDataset = caches.get(fn) ?? new WeakMap<Dataset, Map<number, StepProgram>>();
  caches.set(fn, byDataset);
  const bySize = byDataset.get(dataset) ?? new Map<number, StepProgram>();
  byDataset.set(dataset, bySize);
  const known = bySize.get(batch);
  if (known?.holds()) return known;
  const gather = (indices: Tensor): unknown => fn(...(dataset.batchAt as (at: Tensor) => Tensor[])(indices));
  const program = withRecorder(
    null,
    () => new StepProgram(gather, [{ dtype: "int32", shape: [batch], requiresGrad: false }]),
  );
  bySize.delete(batch);
  bySize.set(batch, program);
  if (bySize.size > cacheSize) bySize.delete(bySize.keys().next().value as number);
  return program;
}

/** Steps of one program. */
interface Part {
  readonly program: StepProgram;
  readonly steps: number;
}

class InsideEpoch {
  private readonly options: Options;
  private readonly loader: DataLoader;
  private readonly batchSize: number;
  private readonly parts: Part[] = [];
  private readonly steps: number;
  /** Samples that there are, all steps together. */
  private readonly samples: number;
  private readonly outputs: TypedArray[];
  /** Positions of those that are gradients: only the last step's are left. */
  private readonly gradients: ReadonlySet<number>;
  private readonly control = new Int32Array(2);
  private readonly begin = performance.now();
  private completed = 0;

  constructor(compiled: EpochFunction, loader: DataLoader, options: Options) {
    this.options = options;
    this.loader = loader;
    this.batchSize = loader.batchSize;
    const { length } = loader.dataset;
    if (loader.length === 0) {
      throw new ArgumentError(
        `epoch: a dataset of ${length} samples has no batch of ${loader.batchSize}${loader.dropLast ? " with dropLast" : ""}`,
      );
    }
    this.samples = loader.left(options.maxSteps);
    const whole = Math.floor(this.samples / this.batchSize);
    const rest = this.samples % this.batchSize;
    const part = (batch: number, steps: number): void => {
      if (steps > 0) this.parts.push({ program: programFor(compiled, loader.dataset, batch), steps });
    };
    part(this.batchSize, whole);
    part(rest, rest > 0 ? 1 : 0);
    this.steps = whole + (rest > 0 ? 1 : 0);
    this.gradients = this.parts[0].program.gradientOutputs;
    this.outputs = this.joinedShapes(this.steps).map((shape, i) =>
      uninitializedStorage(
        this.parts[0].program.outputs[i].dtype,
        shape.reduce((n, size) => n * size, 1),
        "epoch",
      ),
    );
  }

  async run(): Promise<EpochResult<unknown>> {
    const used = new Set<Storage>();
    const written = new Set<Storage>();
    for (const { program } of this.parts) {
      for (const storage of program.bound) used.add(storage);
      for (const storage of program.written) written.add(storage);
      used.add(program.arena);
      written.add(program.arena);
    }
    await BackgroundRun.around(used, written, () => this.runInTurn());
    const [{ program }] = this.parts;
    const shapes = this.joinedShapes(this.completed);
    const outputs = this.outputs.map((output, i) =>
      output.subarray(
        0,
        shapes[i].reduce((n, size) => n * size, 1),
      ),
    );
    const results = build(program.result, outputs, ({ output }) => shapes[output]);
    return { steps: this.completed, samples: this.samplesOf(this.completed), results };
  }

  private samplesOf(steps: number): number {
    return Math.min(steps * this.batchSize, this.samples);
  }

  /** The shapes of the results of the first so many steps together. */
  private joinedShapes(most: number): number[][] {
    const [first, last = first] = this.parts;
    const kinds = ({ program }: Part): string => String(program.outputs.map(({ dtype }) => dtype));
    if (kinds(first) !== kinds(last)) {
      throw new DTypeError(
        `epoch: the function gives ${kinds(first)} for a whole batch and ${kinds(last)} for the last one; ` +
          "it must give the same for both (or set dropLast)",
      );
    }
    return first.program.outputs.map(({ shape }, i) => {
      if (this.gradients.has(i)) return [...shape];
      let length = 0;
      let left = most;
      for (const { program, steps } of this.parts) {
        const own = program.outputs[i].shape;
        if (!sameShape(own.slice(1), shape.slice(1)) || own.length !== shape.length) {
          throw new ShapeError(
            `epoch: result ${i} is ${formatShape(shape)} for a whole batch and ${formatShape(own)} for the last one; ` +
              "only the first axis may differ (or set dropLast)",
          );
        }
        length += Math.min(steps, left) * (own.length === 0 ? 1 : own[0]);
        left -= Math.min(steps, left);
      }
      return [length, ...shape.slice(1)];
    });
  }

  private async runInTurn(): Promise<void> {
    this.options.signal?.throwIfAborted();
    // Drawn at its turn, so that epochs that wait for one another draw in their order.
    const order = this.loader.take(this.options.maxSteps);
    try {
      if (order.length !== this.samples) {
        throw new BusyError(
          "epoch: the DataLoader was used by somebody else while the epoch waited for its turn",
        );
      }
      await this.runSegments(order);
    } finally {
      this.loader.give(this.completed);
    }
  }

  private async runSegments(order: Int32Array): Promise<void> {
    const restores = this.parts.map(({ program }) => program.save());
    const restore = (): void => {
      for (const each of restores.toReversed()) each();
    };
    let isDone = false;
    const watch = new Watch(this.options, this.control, () => this.progress());
    try {
      const run = executor().start(this.segments(order), this.control);
      const outcome = await watch.during(run);
      this.completed = outcome.completed;
      isDone = this.completed === this.steps;
      if (outcome.error !== undefined) throw outcome.error;
      this.leaveGradients(this.completed);
      watch.throwIfStopped(this.completed);
    } finally {
      if (!isDone) this.rewind(restore, this.completed);
      for (const { program } of this.parts) program.noteWrites();
    }
    watch.report();
    watch.throwIfStopped(this.completed);
  }

  /** The segments, with the scalars of every step: all that changes outside of tensors is moved to the end. */
  private segments(order: Int32Array): Segment[] {
    let sample = 0;
    const at = this.outputs.map(() => 0);
    return this.parts.map(({ program, steps }) => {
      const { liveCount } = program;
      const scalars = new Float64Array(steps * liveCount);
      for (let i = 0; i < steps; i++) program.advance(scalars, i * liveCount);
      const indices = order.subarray(sample);
      // Only the last part has another size of batch, and nothing follows it.
      sample += steps * this.batchSize;
      const sizes = program.outputs.map(({ shape }) => shape.reduce((n, size) => n * size, 1));
      const outputs = this.outputs.map((output, i) => output.subarray(at[i]));
      const moves = sizes.map((size, i) => (this.gradients.has(i) ? 0 : size));
      moves.forEach((size, i) => {
        at[i] += steps * size;
      });
      return {
        program: program.current(),
        steps,
        scalars,
        buffers: [indices, ...outputs],
        strides: Float64Array.from([
          steps > 1 ? this.batchSize : 0,
          ...(steps > 1 ? moves : moves.map(() => 0)),
        ]),
      };
    });
  }

  /** The gradients of the last step that was done go to whom they belong. */
  private leaveGradients(completed: number): void {
    if (completed === 0) return;
    const [first, last = first] = this.parts;
    const { program } = completed > first.steps ? last : first;
    program.leaveGradients(this.outputs, []);
  }

  /** Brings counters and random positions to where the steps that were done have left them. */
  private rewind(restore: () => void, completed: number): void {
    restore();
    let left = completed;
    for (const { program, steps } of this.parts) {
      const scratch = new Float64Array(program.liveCount);
      for (let i = 0; i < steps && left > 0; i++, left--) program.advance(scratch);
    }
  }

  private progress(): EpochProgress {
    const step = Atomics.load(this.control, PROGRESS);
    const scalar = this.parts[0].program.outputs.findIndex(
      ({ shape }, i) => shape.length === 0 && !this.gradients.has(i),
    );
    return {
      step,
      steps: this.steps,
      samples: this.samplesOf(step),
      elapsed: performance.now() - this.begin,
      value: scalar >= 0 && step > 0 ? Number(this.outputs[scalar][step - 1]) : Number.NaN,
    };
  }
}

/** Reports on a run, and stops it where the signal or the callback says so. */
class Watch {
  private readonly options: Options;
  private readonly control: Int32Array;
  private readonly progress: () => EpochProgress;
  private failure: { error: unknown; isAbort: boolean } | undefined;

  constructor(options: Options, control: Int32Array, progress: () => EpochProgress) {
    this.options = options;
    this.control = control;
    this.progress = progress;
  }

  async during<R>(run: Promise<R>): Promise<R> {
    const { signal, onProgress } = this.options;
    const stop = (): void => this.stop(signal?.reason, true);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    const timer = onProgress === undefined ? undefined : setInterval(() => this.report(), PROGRESS_MS);
    try {
      return await run;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Calls the callback; what it throws stops the run. */
  report(): void {
    try {
      this.options.onProgress?.(this.progress());
    } catch (error) {
      this.stop(error, false);
    }
  }

  throwIfStopped(completed: number): void {
    if (this.failure === undefined) return;
    if (this.failure.isAbort && this.options.partial && completed > 0) return;
    throw this.failure.error;
  }

  private stop(error: unknown, isAbort: boolean): void {
    this.failure ??= { error, isAbort };
    Atomics.store(this.control, STOP, 1);
  }
}

// ---- datasets that only JavaScript can ask

async function runOutside(
  { step }: EpochFunction,
  loader: DataLoader,
  { signal, onProgress, partial, maxSteps }: Options,
): Promise<EpochResult<unknown>> {
  const { dataset, batchSize } = loader;
  const order = loader.take(maxSteps);
  const steps = Math.ceil(order.length / batchSize);
  const begin = performance.now();
  const results: unknown[] = [];
  let samples = 0;
  let reported = begin;
  try {
    while (results.length < steps) {
      if (partial && results.length > 0 && signal?.aborted) break;
      signal?.throwIfAborted();
      const batch = dataset.batch(
        order.subarray(results.length * batchSize, (results.length + 1) * batchSize),
      );
      results.push(await step(...batch));
      samples = Math.min(results.length * batchSize, order.length);
      const now = performance.now();
      if (onProgress === undefined || (now - reported < PROGRESS_MS && results.length < steps)) continue;
      reported = now;
      const value = firstScalar(results[results.length - 1]);
      onProgress({ step: results.length, steps, samples, elapsed: now - begin, value });
    }
  } finally {
    loader.give(results.length);
  }
  if (results.length === 0) throw new ArgumentError("epoch: the dataset has no batch");
  return { steps: results.length, samples, results: joinResults(results) };
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && "array" in value && "requiresGrad" in value;

function firstScalar(result: unknown): number {
  if (isTensor(result)) return result.ndim === 0 ? result.item() : Number.NaN;
  if (typeof result !== "object" || result === null) return Number.NaN;
  return (
    Object.values(result)
      .map(firstScalar)
      .find((value) => !Number.isNaN(value)) ?? Number.NaN
  );
}

/** Results of several steps, or of several runs of steps, joined in the form of one. */
export function joinResults(results: readonly unknown[]): unknown {
  const [first] = results;
  if (isTensor(first)) {
    const tensors = results as Tensor[];
    return concat(tensors.map((tensor) => (tensor.ndim === 0 ? expandDims(tensor, 0) : tensor)));
  }
  if (Array.isArray(first))
    return first.map((_, i) => joinResults(results.map((each) => (each as unknown[])[i])));
  if (typeof first !== "object" || first === null) return first;
  return Object.fromEntries(
    Object.keys(first).map((name) => [
      name,
      joinResults(results.map((each) => (each as Record<string, unknown>)[name])),
    ]),
  );
}
