/** `fit`: trains a model on a dataset, one compiled epoch after the other. */
import { checkDataset, type Dataset } from "../data/dataset.js";
import { describe } from "../describe.js";
import { ArgumentError, StateError } from "../errors.js";
import { Module } from "../nn/index.js";
import type { Tensor } from "../tensor.js";
import { type FitOptions, resolveOptions } from "./options.js";
import { type EpochSummary, Training } from "./training.js";

/** What `fit` trains: a module that maps a tensor to a tensor. */
export type FitModel = Module;

/**
 * A training: `for await (const epoch of training)` gives each epoch when it is done, and a loop that is left ends the
 * training there; `await training` goes to the end and gives all epochs. It can be gone through once.
 */
export interface Fit extends AsyncIterable<EpochSummary>, PromiseLike<readonly EpochSummary[]> {
  /** The epochs that are done, those before a checkpoint included. */
  readonly history: readonly EpochSummary[];
}

/**
 * Trains `model` on `dataset`, whose samples are an input and a target. Each epoch runs as one program in the
 * background, and the event loop stays free; its losses and weights are, bit for bit, those of the plain loop
 *
 *     for (const [x, y] of new data.DataLoader(dataset, { batchSize, shuffle, generator, dropLast })) {
 *       optimizer.zeroGrad();
 *       const value = loss(model.forward(x), y);
 *       value.backward();
 *       if (clipNorm) nn.utils.clipGradNorm(parameters, clipNorm);
 *       optimizer.step();
 *     }
 *
 * While an epoch runs, touching the model's parameters is a BusyError; between epochs and in `onEpoch` they are free.
 * Nothing runs before the first epoch is asked for.
 *
 * On an abort, or when a callback throws, the model is as after the last whole step; with `checkpoint` the file holds
 * that state, and the same call goes on from there with the bits of an uninterrupted training.
 *
 * ArgumentError for options that do not fit; AnomalyError when a loss is NaN (see `diagnostics`), or where a checkpoint
 * would hold weights that are not finite; the signal's reason; what a callback threw; errors of the step, such as
 * IndexError for a label that is no class, and TraceError for a model or loss that reads values.
 */
export function fit(model: FitModel, dataset: Dataset<[Tensor, Tensor]>, options: FitOptions): Fit {
  if (!(model instanceof Module)) {
    throw new ArgumentError(`fit: model must be a Module, got ${describe(model)}`);
  }
  checkDataset("fit", dataset);
  return new Run(new Training(model, dataset, resolveOptions(options)));
}

class Run implements Fit {
  private readonly training: Training;
  private hasBegun = false;
  private end: Promise<readonly EpochSummary[]> | null = null;

  constructor(training: Training) {
    this.training = training;
  }

  get history(): readonly EpochSummary[] {
    return this.training.history;
  }

  [Symbol.asyncIterator](): AsyncIterator<EpochSummary, void, undefined> {
    if (this.hasBegun) {
      throw new StateError("fit: this training has been gone through already; call fit again for another");
    }
    this.hasBegun = true;
    return this.training.run();
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting a training is going through it to its end
  then<A = readonly EpochSummary[], B = never>(
    onFulfilled?: ((history: readonly EpochSummary[]) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.end ??= this.toEnd();
    return this.end.then(onFulfilled, onRejected);
  }

  private async toEnd(): Promise<readonly EpochSummary[]> {
    for await (const _ of this);
    return this.history;
  }
}
