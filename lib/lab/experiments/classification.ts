/** All optimizers on a real classification task, from the same weights and in the same order of batches. */
import { noGrad } from "../../autograd/mode.js";
import { compile } from "../../compile/index.js";
import { type Dataset, Subset } from "../../data/dataset.js";
import { crossEntropy } from "../../nn/functional/index.js";
import { Linear, ReLU, Sequential } from "../../nn/index.js";
import { Generator } from "../../random/generator.js";
import type { Tensor } from "../../tensor.js";
import { atLeast, atMost } from "../checks.js";
import type { Experiment, LabContext } from "../experiment.js";
import { CONTESTANTS, type Contestant, type Family } from "../optimizers.js";
import type { Rule } from "../quadratic.js";

/** Where an optimizer stands after an epoch. */
export interface Standing {
  readonly epoch: number;
  /** Of training, without measuring. */
  readonly seconds: number;
  /** Cross-entropy on the training images, and the share of test images that are classified correctly. */
  readonly loss: number;
  readonly accuracy: number;
}

/** The course of one optimizer; epoch 0 is before training. */
export interface Course {
  readonly name: string;
  readonly family: Family;
  readonly settings: string;
  readonly standings: readonly Standing[];
}

export interface ClassificationData {
  readonly layers: readonly number[];
  readonly trainImages: number;
  readonly testImages: number;
  readonly batchSize: number;
  readonly courses: readonly Course[];
}

const HIDDEN = 64;
const CLASSES = 10;
const EPOCHS = 8;
const BATCH_SIZE = 100;
const MOST_IMAGES = { train: 6000, test: 2000 };
const SEED = 12;
/** Any of them does better than that after eight epochs, on these digits as on MNIST. */
const LEAST_ACCURACY = 0.8;
const LOSS_LEFT = 0.3;

type Batch = [Tensor, Tensor];

export const classification: Experiment<ClassificationData> = {
  name: "classification",
  async run(context) {
    const task = taskOf(context);
    // Once for nothing: else the first would pay for what the process does only once.
    await courseOf(CONTESTANTS[0], task, () => {});
    const courses: Course[] = [];
    for (const contestant of CONTESTANTS) {
      const { name, family, settings } = contestant;
      const standings = await courseOf(contestant, task, (share) =>
        context.progress((courses.length + share) / CONTESTANTS.length),
      );
      courses.push({ name, family, settings, standings });
    }
    return {
      layers: [task.inputs, HIDDEN, CLASSES],
      trainImages: task.train.length,
      testImages: task.test[0].shape[0],
      batchSize: BATCH_SIZE,
      courses,
    };
  },
  check: ({ courses }) =>
    courses.flatMap(({ name, standings }) => {
      const [first, last] = [standings[0], standings[standings.length - 1]];
      return [
        atLeast(`${name}: test accuracy after ${EPOCHS} epochs`, last.accuracy, LEAST_ACCURACY),
        atMost(`${name}: training loss over that at the start`, last.loss / first.loss, LOSS_LEFT),
      ];
    }),
};

/** What is trained on and measured with. */
interface Task {
  readonly inputs: number;
  readonly train: Dataset<Batch>;
  readonly whole: Batch;
  readonly test: Batch;
}

function taskOf({ images: { train, test } }: LabContext): Task {
  const positions = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);
  const [, height, width] = train.shape;
  const trained = positions(Math.min(MOST_IMAGES.train, train.length));
  return {
    inputs: height * width,
    train: new Subset(train, trained),
    whole: train.batch(trained),
    test: test.batch(positions(Math.min(MOST_IMAGES.test, test.length))),
  };
}

function networkFor({ inputs }: Task): Sequential {
  const generator = new Generator(SEED);
  return new Sequential(
    new Linear(inputs, HIDDEN, { generator }),
    new ReLU(),
    new Linear(HIDDEN, CLASSES, { generator }),
  );
}

async function courseOf(
  contestant: Contestant,
  task: Task,
  progress: (share: number) => void,
): Promise<Standing[]> {
  const network = networkFor(task);
  const epoch = epochOf(contestant, network, task);
  const measure = compile((x: Tensor, y: Tensor) => {
    const logits = network.forward(x);
    return { loss: crossEntropy(logits, y), accuracy: logits.argmax(1).eq(y).astype("float32").mean() };
  });
  const standingAfter = (epochs: number, seconds: number): Standing =>
    noGrad(() => ({
      epoch: epochs,
      seconds,
      loss: measure.sync(...task.whole).loss.item(),
      accuracy: measure.sync(...task.test).accuracy.item(),
    }));
  const standings = [standingAfter(0, 0)];
  let seconds = 0;
  for (let k = 1; k <= EPOCHS; k++) {
    const begin = performance.now();
    await epoch();
    seconds += (performance.now() - begin) / 1000;
    standings.push(standingAfter(k, seconds));
    progress(k / EPOCHS);
  }
  return standings;
}

/** One pass over the training images, as the optimizer takes them. */
function epochOf(
  { make, feed }: Contestant,
  network: Sequential,
  { train, whole }: Task,
): () => Promise<void> {
  const rule = make([...network.parameters()]);
  if (feed === "batches") {
    const step = compile((x: Tensor, y: Tensor) => rule.step(backwardClosure(rule, network, x, y)) as Tensor);
    const generator = new Generator(SEED);
    return async () => {
      await step.epoch(train, { batchSize: BATCH_SIZE, shuffle: true, generator });
    };
  }
  if (feed === "whole") return async () => void rule.step(backwardClosure(rule, network, ...whole));
  const [x, y] = whole;
  return async () => void rule.step(() => crossEntropy(network.forward(x), y));
}

const backwardClosure =
  (rule: Rule, network: Sequential, x: Tensor, y: Tensor): (() => Tensor) =>
  () => {
    rule.zeroGrad();
    const loss = crossEntropy(network.forward(x), y);
    loss.backward();
    return loss;
  };
