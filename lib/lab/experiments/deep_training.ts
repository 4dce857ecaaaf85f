/** Depth 50: what training makes of each initialization, and where the first NaN comes from. */
import { detectAnomaly } from "../../autograd/mode.js";
import { compile } from "../../compile/index.js";
import { Subset } from "../../data/dataset.js";
import { AnomalyError } from "../../errors.js";
import { crossEntropy } from "../../nn/functional/index.js";
import type { Sequential } from "../../nn/index.js";
import * as optim from "../../optim/index.js";
import type { Tensor } from "../../tensor.js";
import { atLeast, atMost, holds, near } from "../checks.js";
import { deepNetwork, drawWeights, linearLayers } from "../deep_network.js";
import type { Experiment, LabContext } from "../experiment.js";

/** The first NaN of a run. */
export interface FirstNaN {
  /** 1-based number of the training step. */
  readonly step: number;
  /** The operation that produced it, in the words of `detectAnomaly`. */
  readonly operation: string;
}

/** One training run. */
export interface DeepRun {
  readonly name: string;
  readonly c: number;
  /** Loss of each step; up to the chunk of the first NaN. */
  readonly losses: readonly number[];
  readonly firstNaN: FirstNaN | null;
}

export interface DeepTrainingData {
  readonly runs: readonly DeepRun[];
  readonly steps: number;
  readonly lr: number;
  /** Of the network of zeros, before any step: largest |∂loss/∂W| over all weights. */
  readonly zeroWeightGradient: number;
  /** After training it: largest |weight| or |bias| of all but the last bias, and largest |element| of that one. */
  readonly zeroMoved: number;
  readonly lastBiasMoved: number;
}

const RUNS = [
  { name: "c = 1", c: 1 },
  { name: "c = 2 (Kaiming)", c: 2 },
  { name: "c = 3", c: 3 },
  { name: "zero", c: 0 },
] as const;
const LR = 0.005;
const BATCH = 100;
const STEPS = 500;
const SEED = 3;
/** Steps between looks at the loss: training after a NaN would only make more of them. */
const CHUNK = 100;
/** Losses that a curve ends with are averaged over this many steps: a batch is not the whole. */
const WINDOW = 50;
/** Clearly below chance, 2.30: batches differ by about 0.1. */
const LEARNT = 2;
const CHANCE = Math.log(10);

export const deepTraining: Experiment<DeepTrainingData> = {
  name: "deepTraining",
  async run({ images, progress }) {
    const runs: DeepRun[] = [];
    let zero = { zeroWeightGradient: Number.NaN, zeroMoved: Number.NaN, lastBiasMoved: Number.NaN };
    for (const { name, c } of RUNS) {
      const trainer = new Trainer(images, c);
      const zeroWeightGradient = c === 0 ? trainer.largestWeightGradient() : 0;
      const losses = await trainer.run((share) => progress((runs.length + share) / RUNS.length));
      const isBroken = losses.some(Number.isNaN);
      runs.push({ name, c, losses, firstNaN: isBroken ? new Trainer(images, c).firstNaN() : null });
      if (c === 0) zero = { zeroWeightGradient, ...movementOf(trainer.network) };
    }
    return { runs, steps: STEPS, lr: LR, ...zero };
  },
  check({ runs, zeroWeightGradient, zeroMoved, lastBiasMoved }) {
    const [one, two, three, zero] = runs.map(({ losses }) => meanOfEnd(losses));
    const learnsNothing = three > CHANCE || Number.isNaN(three);
    return [
      near("c = 1: loss at the end, that of chance", one, CHANCE, 0.05),
      atMost("c = 2: loss at the end", two, LEARNT),
      holds("c = 3: NaN, or nothing learnt", learnsNothing),
      holds(
        "c = 3: a NaN has its step and operation",
        runs[2].firstNaN !== null || !runs[2].losses.some(Number.isNaN),
      ),
      near("zero: loss at the end, that of chance", zero, CHANCE, 0.05),
      near("zero: largest gradient of a weight", zeroWeightGradient, 0, 0),
      near("zero: largest change but of the last bias", zeroMoved, 0, 0),
      atLeast("zero: change of the last bias", lastBiasMoved, 1e-4),
    ];
  },
};

/** A network with its optimizer and its batches, the same for the same c. */
class Trainer {
  readonly network: Sequential;
  private readonly optimizer: optim.SGD;
  private readonly samples: Subset<[Tensor, Tensor]>;

  constructor({ train }: LabContext["images"], c: number) {
    const [, height, width] = train.shape;
    // The lecture's network has no bias; zeros are shown with one, since nothing at all would move without.
    this.network = deepNetwork(height * width, { bias: c === 0 });
    drawWeights(this.network, c, SEED);
    this.optimizer = new optim.SGD(this.network.parameters(), { lr: LR });
    const positions = Int32Array.from({ length: STEPS * BATCH }, (_, i) => i % train.length);
    this.samples = new Subset(train, positions);
  }

  private step = (x: Tensor, y: Tensor): Tensor => {
    const loss = crossEntropy(this.network.forward(x), y);
    this.optimizer.zeroGrad();
    loss.backward();
    this.optimizer.step();
    return loss;
  };

  /** The losses of all steps, in compiled epochs; they end where a NaN makes going on pointless. */
  async run(progress: (share: number) => void): Promise<number[]> {
    const compiled = compile(this.step);
    const losses: number[] = [];
    while (losses.length < STEPS && !Number.isNaN(losses.at(-1))) {
      const from = losses.length * BATCH;
      const positions = Int32Array.from({ length: CHUNK * BATCH }, (_, i) => from + i);
      const { results } = await compiled.epoch(new Subset(this.samples, positions), {
        batchSize: BATCH,
        onProgress: ({ step }) => progress((from / BATCH + step) / STEPS),
      });
      losses.push(...[...results.data].map(Number));
    }
    return losses;
  }

  /** The same steps, each operation watched, until one produces a NaN. */
  firstNaN(): FirstNaN | null {
    for (let k = 0; k < STEPS; k++) {
      const batch = this.samples.batch(Int32Array.from({ length: BATCH }, (_, i) => k * BATCH + i));
      try {
        detectAnomaly(() => this.step(...batch));
      } catch (error) {
        if (!(error instanceof AnomalyError)) throw error;
        return { step: k + 1, operation: error.message };
      }
    }
    return null;
  }

  /** Largest |∂loss/∂W| at the first batch. */
  largestWeightGradient(): number {
    const [x, y] = this.samples.batch(Int32Array.from({ length: BATCH }, (_, i) => i));
    crossEntropy(this.network.forward(x), y).backward();
    const largest = linearLayers(this.network).map(({ weight }) => largestOf(weight.grad as Tensor));
    this.optimizer.zeroGrad();
    return Math.max(...largest);
  }
}

const largestOf = (x: Tensor): number => x.detach().abs().max().item();

function movementOf(network: Sequential): { zeroMoved: number; lastBiasMoved: number } {
  const sizes = [...network.parameters()].map(largestOf);
  return { zeroMoved: Math.max(...sizes.slice(0, -1)), lastBiasMoved: sizes[sizes.length - 1] };
}

function meanOfEnd(losses: readonly number[]): number {
  const end = losses.slice(-WINDOW);
  return end.reduce((sum, loss) => sum + loss, 0) / end.length;
}
