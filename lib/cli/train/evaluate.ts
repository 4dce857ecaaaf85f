/** How well a network does on images it was not trained on. */
import { noGrad } from "../../autograd/mode.js";
import { type Compiled, compile } from "../../compile/index.js";
import { DataLoader } from "../../data/data_loader.js";
import type { ImageDataset } from "../../data/image_dataset.js";
import { crossEntropy } from "../../nn/functional/index.js";
import type { Module } from "../../nn/index.js";
import type { Tensor } from "../../tensor.js";

const BATCH_SIZE = 500;

/** Results over a whole dataset. */
export interface Evaluation {
  /** Mean cross-entropy. */
  loss: number;
  /** Share of correct predictions. */
  accuracy: number;
}

/** A wrong prediction. */
export interface Mistake {
  /** Position in the dataset. */
  index: number;
  label: number;
  predicted: number;
  /** The probability that the network gave to what it predicted. */
  confidence: number;
}

/** Loss and accuracy over a dataset, in the background; compiled once for all epochs. */
export class Evaluator {
  private readonly model: Module;
  private readonly step: Compiled<[Tensor, Tensor], { loss: Tensor; predicted: Tensor }>;

  constructor(model: Module) {
    this.model = model;
    this.step = compile((x: Tensor, labels: Tensor) =>
      noGrad(() => {
        const logits = model.forward(x);
        return { loss: crossEntropy(logits, labels, { reduction: "sum" }), predicted: logits.argmax(-1) };
      }),
    );
  }

  /** Null if the signal came before the end. */
  async run(images: ImageDataset, signal: AbortSignal): Promise<Evaluation | null> {
    this.model.eval();
    let results: { loss: Tensor; predicted: Tensor };
    try {
      ({ results } = await this.step.epoch(images, { batchSize: BATCH_SIZE, signal }));
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
    let loss = 0;
    for (const batch of results.loss.data) loss += Number(batch);
    let correct = 0;
    const labels = images.labels.data;
    results.predicted.data.forEach((predicted: number | bigint, i: number) => {
      if (Number(predicted) === Number(labels[i])) correct++;
    });
    return { loss: loss / images.length, accuracy: correct / images.length };
  }
}

/** The wrong predictions, the most confident first. */
export async function findMistakes(model: Module, images: ImageDataset): Promise<Mistake[]> {
  const mistakes: Mistake[] = [];
  model.eval();
  let start = 0;
  for await (const [x, labels] of new DataLoader(images, { batchSize: BATCH_SIZE })) {
    const logits = noGrad(() => model.forward(x));
    const predicted = logits.argmax(-1).data;
    const confidence = logits.softmax(-1).max(-1).data;
    labels.data.forEach((label, i) => {
      if (label === predicted[i]) return;
      mistakes.push({
        index: start + i,
        label: Number(label),
        predicted: Number(predicted[i]),
        confidence: Number(confidence[i]),
      });
    });
    start += labels.size;
  }
  return mistakes.sort((a, b) => b.confidence - a.confidence);
}
