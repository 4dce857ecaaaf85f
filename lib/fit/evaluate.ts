/** How well a model does on a dataset. */
import { noGrad } from "../autograd/mode.js";
import { type Compiled, compile } from "../compile/index.js";
import type { Dataset } from "../data/dataset.js";
import { isFloat } from "../ndarray/dtype.js";
import type { Module } from "../nn/index.js";
import { checkNumber, POSITIVE_INTEGER, withDefaults } from "../options.js";
import type { Tensor } from "../tensor.js";
import { type LossFunction, type LossName, lossFunction } from "./loss.js";

/** What an evaluation gives. */
export interface Evaluation {
  /** The mean of the batches' losses, each weighed by its samples. */
  readonly loss: number;
  /** The share of samples whose largest output is their label's; null for targets that are no labels. */
  readonly accuracy: number | null;
}

/** Options of `evaluate`. */
export interface EvaluateOptions {
  loss: LossFunction | LossName;
  /** Samples per batch (default 512). */
  batchSize?: number;
  /** Ends the evaluation between two batches. */
  signal?: AbortSignal;
}

/** Evaluates a model on a dataset, in evaluation mode and in the background. */
export function evaluate(
  model: Module,
  dataset: Dataset<[Tensor, Tensor]>,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { loss, batchSize, signal } = withDefaults<EvaluateOptions & { batchSize: number }>(
    "evaluate",
    options,
    { loss: undefined as unknown as LossName, batchSize: 512, signal: undefined },
  );
  checkNumber("evaluate", "batchSize", batchSize, POSITIVE_INTEGER);
  return new Evaluator(model, lossFunction("evaluate", loss)).run(dataset, batchSize, signal);
}

interface BatchResult {
  loss: Tensor;
  correct: Tensor | null;
}

/** An evaluation that is compiled once and used after each epoch. */
export class Evaluator {
  private readonly model: Module;
  private readonly step: Compiled<[Tensor, Tensor], BatchResult>;

  constructor(model: Module, loss: LossFunction) {
    this.model = model;
    this.step = compile((x: Tensor, target: Tensor) =>
      noGrad((): BatchResult => {
        const output = model.forward(x);
        return { loss: loss(output, target), correct: countCorrect(output, target) };
      }),
    );
  }

  async run(
    dataset: Dataset<[Tensor, Tensor]>,
    batchSize: number,
    signal?: AbortSignal,
  ): Promise<Evaluation> {
    const restore = withMode(this.model, false);
    try {
      const { results, samples } = await this.step.epoch(dataset, { batchSize, signal });
      const correct = results.correct?.data as Float32Array | undefined;
      return {
        loss: meanLoss(results.loss, batchSize, samples),
        accuracy: correct === undefined ? null : correct.reduce((sum, count) => sum + count, 0) / samples,
      };
    } finally {
      restore();
    }
  }
}

/** Labels are integers, one for each row of outputs. */
function countCorrect(output: Tensor, target: Tensor): Tensor | null {
  if (isFloat(target.dtype) || output.ndim !== 2 || target.ndim !== 1) return null;
  return output.argmax(1).eq(target).astype("float32").sum();
}

/** The mean over the samples of losses that are means of their batches. */
export function meanLoss(losses: Tensor, batchSize: number, samples: number): number {
  let sum = 0;
  losses.data.forEach((loss: number | bigint, i: number) => {
    sum += Number(loss) * Math.min(batchSize, samples - i * batchSize);
  });
  return sum / samples;
}

/** Switches the model and all below it to training or evaluation; returns what switches each back. */
export function withMode(model: Module, training: boolean): () => void {
  const before = model.modules().map((module) => [module, module.training] as const);
  model.train(training);
  return () => {
    for (const [module, mode] of before) module.training = mode;
  };
}
