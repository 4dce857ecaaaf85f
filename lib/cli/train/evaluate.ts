/** How well a network does on images it was not trained on. */
import { noGrad } from "../../autograd/mode.js";
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

/** Calls `visit` with the logits of each batch, in evaluation mode; gives way to the event loop in between. */
async function forEachBatch(
  model: Module,
  images: ImageDataset,
  visit: (logits: Tensor, labels: Tensor) => boolean,
): Promise<void> {
  model.eval();
  for await (const [x, labels] of new DataLoader(images, { batchSize: BATCH_SIZE })) {
    if (!noGrad(() => visit(model.forward(x), labels))) return;
  }
}

/** Loss and accuracy; null if `isStopped` said so after a batch. */
export async function evaluate(
  model: Module,
  images: ImageDataset,
  isStopped: () => boolean,
): Promise<Evaluation | null> {
  let loss = 0;
  let correct = 0;
  let stopped = false;
  await forEachBatch(model, images, (logits, labels) => {
    loss += crossEntropy(logits, labels, { reduction: "sum" }).item();
    const predicted = logits.argmax(-1).data;
    labels.data.forEach((label, i) => {
      if (label === predicted[i]) correct++;
    });
    stopped = isStopped();
    return !stopped;
  });
  return stopped ? null : { loss: loss / images.length, accuracy: correct / images.length };
}

/** The wrong predictions, the most confident first. */
export async function findMistakes(model: Module, images: ImageDataset): Promise<Mistake[]> {
  const mistakes: Mistake[] = [];
  let start = 0;
  await forEachBatch(model, images, (logits, labels) => {
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
    return true;
  });
  return mistakes.sort((a, b) => b.confidence - a.confidence);
}
