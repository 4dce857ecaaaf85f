/** Epochs whose batches are gathered inside the program: one run for all steps. */
import type { Tensor } from "../../autograd/tensor.js";
import type { DataLoader } from "../../data/data_loader.js";
import type { Dataset } from "../../data/dataset.js";
import { ArgumentError, BusyError, DTypeError, ShapeError } from "../../errors.js";
import { formatShape, sameShape } from "../../ndarray/shape.js";
import { type Storage, uninitializedStorage } from "../../ndarray/storage.js";
import { executor } from "../../runtime/executor.js";
import { PROGRESS, type Segment } from "../../runtime/loaded.js";
import { withRecorder } from "../../runtime/recorder.js";
import type { TypedArray } from "../../runtime/types.js";
import { BackgroundRun } from "../background.js";
import { type AnyFunction, build, StepProgram } from "../program.js";
import type { EpochFunction, EpochProgress, EpochResult, Options } from "./options.js";
import { Watch } from "./watch.js";

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

/** One epoch. */
export class InsideEpoch {
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
    await watch.settle();
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
