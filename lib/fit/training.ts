/** One training under way: its epochs, what was measured, and how it is saved and resumed. */
import { existsSync } from "node:fs";
import { joinResults } from "../compile/epoch/outside.js";
import { type Compiled, compile, type EpochProgress, type EpochResult } from "../compile/index.js";
import { DataLoader } from "../data/data_loader.js";
import type { Dataset } from "../data/dataset.js";
import { AnomalyError, ArgumentError, FormatError, StateError } from "../errors.js";
import { loadCheckpoint, saveCheckpointAsync } from "../io/index.js";
import type { Module } from "../nn/index.js";
import type { Tensor } from "../tensor.js";
import { type Diagnostics, StepWatch } from "./diagnostics.js";
import { type Evaluation, Evaluator, meanLoss, withMode } from "./evaluate.js";
import type { ResolvedOptions } from "./options.js";
import { findSource, isAllFinite } from "./provenance.js";
import { ScheduleRunner, type ScheduleState } from "./schedule.js";
import { type Changing, generatorsOf, snapshot } from "./snapshot.js";
import { parametersOf, type StepParts, type StepResult, trainStep } from "./step.js";

/** A finished epoch. */
export interface EpochSummary {
  /** From 1. */
  readonly epoch: number;
  /** Steps since the beginning of the training. */
  readonly steps: number;
  /** The mean over the epoch's samples, each with the weights of its step. */
  readonly trainLoss: number;
  /** Null without a validation set. */
  readonly validationLoss: number | null;
  /** Null without a validation set, or where targets are no labels. */
  readonly validationAccuracy: number | null;
  /** The first group's, at the epoch's last step. */
  readonly learningRate: number;
  /** Time spent on training steps. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** The loss of each step, [steps of the epoch]. */
  readonly losses: Tensor;
  /** Null unless asked for. */
  readonly diagnostics: Diagnostics | null;
}

/** The steps of an epoch that is not finished. */
interface Part {
  readonly steps: number;
  readonly samples: number;
  readonly seconds: number;
  readonly results: StepResult;
}

/** What a checkpoint holds beside model, optimizer, generators and the loader's position. */
interface Extra {
  readonly kind: typeof KIND;
  readonly history: readonly EpochSummary[];
  readonly part: Part | null;
  readonly schedule: ScheduleState;
  readonly watch: Record<string, Tensor> | null;
}

const KIND = "fit";

export class Training {
  readonly history: EpochSummary[] = [];
  private readonly options: ResolvedOptions;
  private readonly changing: Changing;
  private readonly parts: StepParts;
  private readonly step: Compiled<[Tensor, Tensor], StepResult>;
  private readonly evaluator: Evaluator;
  private part: Part | null = null;

  constructor(model: Module, dataset: Dataset<[Tensor, Tensor]>, options: ResolvedOptions) {
    this.options = options;
    const { batchSize, shuffle, generator, dropLast, optimizer, epochs, diagnostics, checkpoint } = options;
    const loader = new DataLoader(dataset, { batchSize, shuffle, generator, dropLast });
    if (loader.length === 0) {
      throw new ArgumentError(
        `fit: a dataset of ${dataset.length} samples has no batch of ${batchSize}${dropLast ? " with dropLast" : ""}`,
      );
    }
    const schedule = new ScheduleRunner(options.schedule, options.scheduleEvery, optimizer.paramGroups, {
      stepsPerEpoch: loader.length,
      epochs,
      isSaved: diagnostics || checkpoint !== null,
    });
    this.changing = { model, optimizer, loader, schedule, generators: generatorsOf(model, loader) };
    const watch = diagnostics ? new StepWatch(model, parametersOf(optimizer)) : null;
    this.parts = { model, optimizer, schedule, loss: options.loss, clipNorm: options.clipNorm, watch };
    this.step = compile((x, target) => trainStep(this.parts, x, target));
    this.evaluator = new Evaluator(model, options.loss);
  }

  /** The epochs that are left, each when it is done. */
  async *run(): AsyncGenerator<EpochSummary, void, undefined> {
    this.resume();
    while (this.history.length < this.options.epochs) {
      this.options.signal?.throwIfAborted();
      yield await this.epoch();
    }
  }

  private async epoch(): Promise<EpochSummary> {
    const { options, changing, parts } = this;
    const restoreMode = withMode(changing.model, true);
    try {
      await this.trainSteps();
      const part = this.part as Part;
      const validation = await this.validate();
      const trainLoss = meanLoss(part.results.loss, options.batchSize, part.samples);
      const learningRate = changing.optimizer.paramGroups[0].lr;
      changing.schedule.afterEpoch(validation?.loss ?? trainLoss);
      const summary: EpochSummary = {
        epoch: this.history.length + 1,
        steps: (this.history.at(-1)?.steps ?? 0) + part.steps,
        trainLoss,
        validationLoss: validation?.loss ?? null,
        validationAccuracy: validation?.accuracy ?? null,
        learningRate,
        seconds: part.seconds,
        samplesPerSecond: part.samples / Math.max(part.seconds, 1e-9),
        losses: part.results.loss,
        diagnostics: part.results.norms && (parts.watch?.summarize(part.results.norms) ?? null),
      };
      this.history.push(summary);
      this.part = null;
      parts.watch?.beginEpoch();
      const { checkpoint, epochs } = options;
      if (checkpoint !== null && (summary.epoch % checkpoint.every === 0 || summary.epoch === epochs))
        await this.save();
      await options.callbacks.onEpoch?.(summary);
      return summary;
    } finally {
      restoreMode();
    }
  }

  // ---- steps

  /** Takes the steps that are left of the epoch. On an abort those that were taken are kept, and saved. */
  private async trainSteps(): Promise<void> {
    const { changing, options } = this;
    const done = this.part?.steps ?? 0;
    if (done === changing.loader.length) return;
    const restore = options.diagnostics ? snapshot(changing) : null;
    const watchState = this.watchState();
    const halt = new Halt(options.signal);
    const begin = performance.now();
    try {
      const result = await this.step.epoch(changing.loader, {
        signal: halt.signal,
        partial: true,
        onProgress: (progress) => this.progress(progress, halt),
      });
      await this.checkLosses(result, done, restore, watchState);
      this.keep(result, (performance.now() - begin) / 1000);
    } catch (error) {
      // No step was taken before the halt.
      if (!halt.is(error)) throw error;
    } finally {
      halt.dispose();
    }
    if (!halt.isAsked) return;
    if (options.checkpoint !== null) await this.save();
    halt.throw();
  }

  private progress({ step, steps, samples, elapsed, value }: EpochProgress, halt: Halt): void {
    const done = this.part?.steps ?? 0;
    if (step > 0 && Number.isNaN(value)) {
      halt.stop();
      return;
    }
    try {
      this.options.callbacks.onProgress?.({
        epoch: this.history.length + 1,
        epochs: this.options.epochs,
        step: done + step,
        steps: done + steps,
        loss: value,
        samplesPerSecond: samples / Math.max(elapsed / 1000, 1e-9),
      });
    } catch (error) {
      halt.fail(error);
    }
  }

  /** Adds the steps of a run to those that the epoch has already. */
  private keep({ steps, samples, results }: EpochResult<StepResult>, seconds: number): void {
    const { part } = this;
    this.part =
      part === null
        ? { steps, samples, seconds, results }
        : {
            steps: part.steps + steps,
            samples: part.samples + samples,
            seconds: part.seconds + seconds,
            results: joinResults([part.results, results]) as StepResult,
          };
  }

  private async validate(): Promise<Evaluation | null> {
    const { validation, validationBatchSize, signal, checkpoint } = this.options;
    if (validation === null) return null;
    try {
      return await this.evaluator.run(validation, validationBatchSize, signal);
    } catch (error) {
      // The epoch's steps are not lost: what is resumed begins with the validation.
      if (signal?.aborted && checkpoint !== null) await this.save();
      throw error;
    }
  }

  // ---- NaN

  private async checkLosses(
    { results }: EpochResult<StepResult>,
    done: number,
    restore: (() => void) | null,
    watchState: Record<string, Tensor> | null,
  ): Promise<void> {
    const bad = (results.loss.data as Float32Array).findIndex(Number.isNaN);
    if (bad < 0) return;
    const at = { epoch: this.history.length + 1, step: done + bad + 1 };
    const text = `fit: the loss is NaN in step ${at.step} of epoch ${at.epoch}`;
    if (restore === null) {
      throw new AnomalyError(`${text}; with { diagnostics: true } fit finds the operation it came from`, at);
    }
    restore();
    const before = Math.max(bad - 1, 0);
    const { model, loader } = this.changing;
    if (before > 0) await this.step.epoch(loader, { maxSteps: before });
    const found = findSource(
      model,
      loader,
      (x, target) => trainStep(this.parts, x, target),
      bad - before + 1,
    );
    restore();
    for (const parameter of model.parameters()) parameter.zeroGrad();
    this.parts.watch?.beginEpoch();
    if (watchState !== null) this.parts.watch?.setState(watchState);
    const state = "Model and optimizer are as before the epoch's steps";
    if (found === null) throw new AnomalyError(`${text}, from no single operation. ${state}`, at);
    const step = at.step - found.stepsBefore;
    throw new AnomalyError(`${text}: in step ${step}, ${found.text}. ${state}`, {
      ...found.place,
      epoch: at.epoch,
      step,
    });
  }

  private watchState(): Record<string, Tensor> | null {
    const state = this.parts.watch?.getState();
    if (state === undefined) return null;
    return Object.fromEntries(Object.entries(state).map(([layer, tensor]) => [layer, tensor.clone()]));
  }

  // ---- checkpoints

  /** Written while the event loop goes on; nothing of the training changes meanwhile. */
  private async save(): Promise<void> {
    const { checkpoint } = this.options;
    if (checkpoint === null) return;
    const { model, optimizer, loader, schedule, generators } = this.changing;
    // A damaged model must not replace the last good one.
    for (const [name, parameter] of model.namedParameters()) {
      if (isAllFinite(parameter)) continue;
      throw new AnomalyError(`fit: ${name} is no longer finite; ${checkpoint.path} was not overwritten`, {
        phase: "update",
        layer: name,
        epoch: this.history.length,
      });
    }
    const extra: Extra = {
      kind: KIND,
      history: this.history,
      part: this.part,
      schedule: schedule.getState(),
      watch: this.parts.watch?.getState() ?? null,
    };
    await saveCheckpointAsync(checkpoint.path, { model, optimizer, loader, generators, extra });
  }

  private resume(): void {
    const { checkpoint, diagnostics } = this.options;
    if (checkpoint === null || !checkpoint.resume || !existsSync(checkpoint.path)) return;
    const { model, optimizer, loader, schedule, generators } = this.changing;
    const { path } = checkpoint;
    const peek = loadCheckpoint(path, { generators: {} }).extra as Partial<Extra> | undefined;
    if (peek?.kind !== KIND || !Array.isArray(peek.history)) {
      throw new FormatError(`fit: ${path} is a checkpoint, but not one of fit`);
    }
    if (peek.part && (peek.part.results.norms !== null) !== diagnostics) {
      throw new StateError(
        `fit: ${path} was written within an epoch with diagnostics: ${!diagnostics}; resume it with the same`,
      );
    }
    const extra = loadCheckpoint(path, { model, optimizer, loader, generators }).extra as Extra;
    schedule.setState(extra.schedule);
    if (extra.watch !== null) this.parts.watch?.setState(extra.watch);
    this.history.push(...extra.history);
    this.part = extra.part;
  }
}

/** Ends the steps of an epoch: for the caller's signal, for a callback that threw, or to look at a loss. */
class Halt {
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal | undefined;
  private failure: { readonly error: unknown } | null = null;

  constructor(outer: AbortSignal | undefined) {
    this.outer = outer;
    outer?.addEventListener("abort", this.onAbort);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whether somebody else wants the training to end. */
  get isAsked(): boolean {
    return this.failure !== null;
  }

  fail(error: unknown): void {
    this.failure ??= { error };
    this.controller.abort();
  }

  stop(): void {
    this.controller.abort();
  }

  /** Whether an error is the one by which this ends an epoch. */
  is(error: unknown): boolean {
    return this.controller.signal.aborted && error === this.controller.signal.reason;
  }

  throw(): never {
    throw this.failure?.error;
  }

  dispose(): void {
    this.outer?.removeEventListener("abort", this.onAbort);
  }

  private readonly onAbort = (): void => this.fail(this.outer?.reason);
}
