/**
 * A training run: network, optimizer, images and their position, and what was measured, from the first step to the
 * last, with checkpoints in between. Prints nothing; what is shown is the observer's business.
 */
import { existsSync } from "node:fs";
import { detectAnomaly } from "../../autograd/mode.js";
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
import { evaluate } from "./evaluate.js";
import { buildModel, buildOptimizer } from "./network.js";
import { FLAGS, type RunOptions } from "./options.js";
import { type EpochMetrics, type RecordState, RunRecord } from "./record.js";
import { prepareFolder, type RunFiles, removeResults, runFiles, writeMetrics } from "./run_files.js";

/** What is told while a run goes on. */
export interface Observer {
  beginEpoch(epoch: number): void;
  step(): void;
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
   * Trains up to the last epoch, or until `isStopped` says so between two steps; either way the checkpoint is the
   * state it ended in.
   *
   * @returns whether the run is complete
   * @throws AnomalyError for a loss or weights that are not finite; the checkpoint then holds an earlier state
   */
  async train(observer: Observer, isStopped: () => boolean): Promise<boolean> {
    const { record, config, images } = this;
    while (record.history.length < config.epochs) {
      observer.beginEpoch(record.history.length + 1);
      const isWhole = await this.trainEpoch(observer, isStopped);
      const test = isWhole ? await evaluate(this.model, images.test, isStopped) : null;
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
  private async trainEpoch(observer: Observer, isStopped: () => boolean): Promise<boolean> {
    const { record } = this;
    const { checkpointEvery } = this.run;
    if (record.isEpochTrained) return true;
    this.model.train();
    let before = performance.now();
    for await (const [x, labels] of this.loader) {
      const loss = this.step(x, labels);
      record.addStep(loss, labels.size, (performance.now() - before) / 1000);
      observer.step();
      // The loader is ready for the next epoch only when this loop has ended: no checkpoint after the last batch.
      if (record.isEpochTrained) continue;
      if (isStopped()) return false;
      if (checkpointEvery !== null && record.steps % checkpointEvery === 0) this.save();
      before = performance.now();
    }
    return true;
  }

  /** One update of the weights; returns the loss before it. */
  private step(x: Tensor, labels: Tensor): number {
    const compute = (): number => {
      this.optimizer.zeroGrad();
      const loss = crossEntropy(this.model.forward(x), labels);
      const value = loss.item();
      if (!Number.isFinite(value)) throw new AnomalyError(`the loss is ${value}`);
      loss.backward();
      this.optimizer.step();
      const problem = this.run.detectAnomaly ? this.damage() : null;
      if (problem !== null) throw new AnomalyError(problem);
      return value;
    };
    try {
      return this.run.detectAnomaly ? detectAnomaly(compute) : compute();
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
