/**
 * A training run: network, optimizer, images and their position, and what was measured, from the first step to the
 * last, with checkpoints in between. Prints nothing; what is shown is the observer's business.
 */
import { existsSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { detectAnomaly } from "../../autograd/mode.js";
import { type Compiled, compile } from "../../compile/index.js";
import { DataLoader } from "../../data/data_loader.js";
import type { ImageDatasets } from "../../data/index.js";
import { AnomalyError, FormatError, StateError } from "../../errors.js";
import { loadCheckpoint, saveCheckpoint } from "../../io/index.js";
import { crossEntropy } from "../../nn/functional/index.js";
import type { Sequential } from "../../nn/index.js";
import { manualSeed } from "../../random/generator.js";
import { backendInfo } from "../../runtime/executor.js";
import type { Tensor } from "../../tensor.js";
import { completeConfig, resumeConfig, type TrainConfig } from "./config.js";
import { loadImages } from "./datasets.js";
import { Evaluator } from "./evaluate.js";
import { buildModel, buildOptimizer } from "./network.js";
import { FLAGS, type RunOptions } from "./options.js";
import { type EpochMetrics, type RecordState, RunRecord } from "./record.js";
import { prepareFolder, type RunFiles, removeResults, runFiles, writeMetrics } from "./run_files.js";

/** What is told while a run goes on. */
export interface Observer {
  beginEpoch(epoch: number): void;
  /** So many steps of the epoch are done; now and then while they run, and after the last. */
  step(epochSteps: number, current: { loss: number; samplesPerSecond: number }): void;
  endEpoch(metrics: EpochMetrics): void;
}

/** What a checkpoint holds beside model, optimizer, generator and loader position. */
interface Extra {
  config: TrainConfig;
  record: RecordState;
  backend: string;
}

/** One run, new or resumed. */
export class TrainSession {
  readonly config: TrainConfig;
  readonly images: ImageDatasets;
  readonly files: RunFiles;
  readonly model: Sequential;
  readonly record: RunRecord;
  /** The executor that wrote the checkpoint this run went on from, or null for a new run. */
  readonly resumedFrom: string | null = null;
  private readonly run: RunOptions;
  private readonly optimizer: ReturnType<typeof buildOptimizer>;
  private readonly loader: DataLoader<[Tensor, Tensor]>;
  private readonly compiled: Compiled<[Tensor, Tensor], Tensor>;
  private readonly evaluator: Evaluator;

  private constructor(config: TrainConfig, images: ImageDatasets, run: RunOptions, isNew: boolean) {
    this.config = config;
    this.images = images;
    this.run = run;
    this.files = runFiles(run.out);
    // One generator for all: initial values here, then the order of each epoch and dropout, drawn as they come.
    const generator = manualSeed(config.seed);
    this.model = buildModel(config);
    this.optimizer = buildOptimizer(config, this.model);
    this.loader = new DataLoader(images.train, { batchSize: config.batchSize, shuffle: true, generator });
    this.record = new RunRecord(this.loader.length);
    this.compiled = compile((x, labels) => this.update(x, labels));
    this.evaluator = new Evaluator(this.model);
    if (isNew) return;
    const { model, optimizer, loader } = this;
    const extra = loadCheckpoint(this.files.checkpoint, { model, optimizer, loader }).extra as Extra;
    this.record.setState(extra.record);
    this.resumedFrom = extra.backend;
  }

  /**
   * Goes on with the run in the folder if that is asked for and it has a checkpoint, else starts one; from here on the
   * folder has a checkpoint to go on from.
   */
  static async open(given: Partial<TrainConfig>, run: RunOptions): Promise<TrainSession> {
    const { checkpoint, metrics } = runFiles(run.out);
    // A run may have been killed before its first checkpoint: then resuming it is starting it, if we know with what.
    const resumes = run.resume && existsSync(checkpoint);
    if (run.resume && !resumes && Object.keys(given).length === 0) {
      throw new StateError(
        `--resume: there is no checkpoint at ${checkpoint}; give the run's options too, and it starts from the beginning`,
      );
    }
    const config = resumes ? resumeConfig(given, savedConfig(checkpoint), FLAGS) : completeConfig(given);
    const images = await loadImages(config);
    const session = new TrainSession(config, images, run, !resumes);
    prepareFolder(run.out);
    if (!resumes) {
      // In this order: where nothing can be written, nothing of an earlier run is lost.
      session.save();
      removeResults(run.out);
    }
    writeMetrics(metrics, session.record.history);
    return session;
  }

  /**
   * Trains up to the last epoch, or until the signal ends it between two steps; either way the checkpoint is the state
   * it ended in.
   *
   * @returns whether the run is complete
   * @throws AnomalyError for a loss or weights that are not finite; the checkpoint then holds an earlier state
   */
  async train(observer: Observer, signal: AbortSignal): Promise<boolean> {
    const { record, config, images } = this;
    while (record.history.length < config.epochs) {
      observer.beginEpoch(record.history.length + 1);
      const isWhole = await this.trainEpoch(observer, signal);
      const test = isWhole ? await this.evaluator.run(images.test, signal) : null;
      if (test === null) {
        this.save();
        return false;
      }
      observer.endEpoch(record.endEpoch(test));
      this.save();
      writeMetrics(this.files.metrics, record.history);
    }
    return true;
  }

  /** Takes the steps that are left of the epoch; false if it was stopped before the last. */
  private async trainEpoch(observer: Observer, signal: AbortSignal): Promise<boolean> {
    const { record } = this;
    const { checkpointEvery, detectAnomaly: isWatched } = this.run;
    this.model.train();
    while (!record.isEpochTrained) {
      if (signal.aborted) return false;
      // Up to the next checkpoint.
      const steps =
        checkpointEvery === null ? record.stepsPerEpoch : checkpointEvery - (record.steps % checkpointEvery);
      if (isWatched)
        await this.takeWatchedSteps(
          Math.min(steps, record.stepsPerEpoch - record.epochSteps),
          observer,
          signal,
        );
      else await this.takeSteps(steps, observer, signal);
      observer.step(record.epochSteps, record.current);
      const isDue = checkpointEvery !== null && record.steps % checkpointEvery === 0;
      // The epoch's own checkpoint comes after its test.
      if (isDue && !record.isEpochTrained && !signal.aborted) this.save();
    }
    return !signal.aborted;
  }

  /** At most so many steps of this epoch in one run, whose losses are counted when it has ended. */
  private async takeSteps(maxSteps: number, observer: Observer, signal: AbortSignal): Promise<void> {
    const { record, loader, config } = this;
    const halt = new AbortController();
    const stop = (): void => halt.abort();
    signal.addEventListener("abort", stop);
    const before = performance.now();
    try {
      const { results, samples } = await this.compiled.epoch(loader, {
        maxSteps,
        signal: halt.signal,
        partial: true,
        onProgress: ({ step, value, elapsed, samples }) => {
          if (step === 0) return;
          // What follows would be computed for nothing.
          if (!Number.isFinite(value)) stop();
          const samplesPerSecond = samples / Math.max(elapsed / 1000, 1e-9);
          observer.step(record.epochSteps + step, { loss: value, samplesPerSecond });
        },
      });
      const losses = results.data as Float32Array;
      const seconds = (performance.now() - before) / 1000 / losses.length;
      losses.forEach((loss, i) => {
        if (!Number.isFinite(loss)) throw this.anomaly(record.steps + 1, `the loss is ${loss}`);
        record.addStep(loss, Math.min(config.batchSize, samples - i * config.batchSize), seconds);
      });
    } catch (error) {
      // Stopped before the first step.
      if (error !== halt.signal.reason || !halt.signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** The same steps, operation by operation under the search for what is not finite. */
  private async takeWatchedSteps(most: number, observer: Observer, signal: AbortSignal): Promise<void> {
    const { record, loader } = this;
    for (let i = 0; i < most && !signal.aborted; i++) {
      const before = performance.now();
      const [x, labels] = loader.dataset.batch(loader.take(1));
      const loss = this.watchedStep(x, labels);
      loader.give(1);
      record.addStep(loss, labels.size, (performance.now() - before) / 1000);
      observer.step(record.epochSteps, record.current);
      await nextTurn();
    }
  }

  /** One update of the weights; the loss before it. */
  private update(x: Tensor, labels: Tensor): Tensor {
    this.optimizer.zeroGrad();
    const loss = crossEntropy(this.model.forward(x), labels);
    loss.backward();
    this.optimizer.step();
    return loss;
  }

  private watchedStep(x: Tensor, labels: Tensor): number {
    try {
      const loss = detectAnomaly(() => this.update(x, labels)).item();
      const problem = Number.isFinite(loss) ? this.damage() : `the loss is ${loss}`;
      if (problem !== null) throw new AnomalyError(problem);
      return loss;
    } catch (error) {
      throw error instanceof AnomalyError ? this.anomaly(this.record.steps + 1, error.message) : error;
    }
  }

  /** The first parameter that is not finite any more, put as a problem, or null. */
  private damage(): string | null {
    for (const [name, { data }] of this.model.namedParameters()) {
      if (data.every((value) => Number.isFinite(value))) continue;
      return `${name} is no longer finite after the ${this.config.optimizer} update`;
    }
    return null;
  }

  private save(): void {
    const { config, record } = this;
    // A damaged network must not replace the last good one.
    const problem = this.damage();
    if (problem !== null) throw this.anomaly(record.steps, problem);
    const extra: Extra = { config, record: record.getState(), backend: backendInfo().backend };
    saveCheckpoint(this.files.checkpoint, {
      model: this.model,
      optimizer: this.optimizer,
      loader: this.loader,
      extra,
    });
  }

  private anomaly(step: number, problem: string): AnomalyError {
    const epoch = this.record.history.length + 1;
    const advice = this.run.detectAnomaly ? "" : ", or find the operation that did it with --detect-anomaly";
    return new AnomalyError(
      `step ${step} (epoch ${epoch}): ${problem}. Training stopped; ${this.files.checkpoint} holds the last good ` +
        `state. Try a smaller --lr${advice}`,
    );
  }
}

/** The configuration in a checkpoint. FormatError if it is not one that this command wrote. */
function savedConfig(path: string): TrainConfig {
  const extra = loadCheckpoint(path, { generators: {} }).extra as Partial<Extra> | undefined;
  if (extra?.config && extra.record && extra.backend) return extra.config;
  throw new FormatError(`--resume: ${path} is a checkpoint, but not one of thalweg train`);
}
