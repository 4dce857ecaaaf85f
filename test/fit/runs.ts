/** Small trainings that the tests of `fit` share, and the loop by hand that they are held against. */
import { createHash } from "node:crypto";
import { data, type FitOptions, Generator, manualSeed, nn, optim, type Tensor } from "../../lib/index.js";

export const IN = 6;
export const CLASSES = 3;
export const SAMPLES = 45;

const random = new Generator(2);
const inputs = random.normal([SAMPLES, IN]);
const labels = random.integers(0, CLASSES, [SAMPLES]);

/** Samples that a compiled epoch gathers itself. */
export const dataset = new data.TensorDataset(inputs, labels);

/** The same samples, for which JavaScript must be asked; `onBatch` hears of each batch before it is given. */
export class AskedDataset extends data.Dataset<[Tensor, Tensor]> {
  readonly length = SAMPLES;
  private readonly onBatch: () => void;

  constructor(onBatch: () => void = () => undefined) {
    super();
    this.onBatch = onBatch;
  }

  override batch(indices: Int32Array): [Tensor, Tensor] {
    this.onBatch();
    return dataset.batch(indices);
  }
}

/** A model with everything that has a state: dropout, batch norm. */
export function makeModel(): nn.Sequential {
  manualSeed(5);
  return new nn.Sequential(
    new nn.Linear(IN, 12),
    new nn.BatchNorm1d(12),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    new nn.Linear(12, CLASSES),
  );
}

export const OPTIMIZERS = {
  momentum: (model: nn.Module) => new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
  adam: (model: nn.Module) => new optim.Adam(model.parameters(), { lr: 0.01 }),
};

/** A hash of a tensor's bytes: equal for equal bits, and short where they are not. */
export const bytes = ({ data }: Tensor): string =>
  createHash("sha1")
    .update(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");

/** The bytes of all that a training changes. */
export function stateOf(model: nn.Module, optimizer: optim.SGD | optim.Adam): unknown {
  const states = Object.values(optimizer.stateDict().state).flatMap((entry) =>
    Object.values(entry).map((value) => (typeof value === "number" ? value : bytes(value))),
  );
  return [Object.values(model.stateDict()).map(bytes), states, optimizer.paramGroups.map(({ lr }) => lr)];
}

/** What the loop by hand does differently. */
export interface Loop {
  epochs: number;
  clipNorm?: number;
  /** The factor on the learning rate at a step. */
  factor?: (step: number) => number;
  afterEpoch?: () => void;
}

export const BATCH = 8;
export const STEPS = Math.ceil(SAMPLES / BATCH);

/** Trains as anybody would by hand; the losses of each epoch. */
export function byHand(
  model: nn.Module,
  optimizer: optim.SGD | optim.Adam,
  { epochs, clipNorm, factor, afterEpoch }: Loop,
): number[][] {
  const loader = new data.DataLoader(dataset, { batchSize: BATCH, shuffle: true });
  const lr = optimizer.paramGroups[0].lr;
  let step = 0;
  const all: number[][] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const losses: number[] = [];
    for (const [x, y] of loader) {
      optimizer.zeroGrad();
      const loss = nn.functional.crossEntropy(model.forward(x), y);
      loss.backward();
      if (clipNorm !== undefined) nn.utils.clipGradNorm(model.parameters(), clipNorm);
      if (factor !== undefined) optimizer.paramGroups[0].lr = lr * factor(step++);
      optimizer.step();
      losses.push(loss.item());
    }
    all.push(losses);
    afterEpoch?.();
  }
  return all;
}

/** The options of `fit` that mean the same. */
export const options = (optimizer: FitOptions["optimizer"], more: Partial<FitOptions> = {}): FitOptions => ({
  loss: "crossEntropy",
  optimizer,
  batchSize: BATCH,
  epochs: 3,
  ...more,
});

/** A scheduler as people write them: it divides the learning rate by 2 at each step. */
export class Halving {
  count = 0;
  private readonly optimizer: optim.SGD | optim.Adam;

  constructor(optimizer: optim.SGD | optim.Adam) {
    this.optimizer = optimizer;
  }

  step(): void {
    this.count++;
    for (const group of this.optimizer.paramGroups) group.lr /= 2;
  }

  stateDict(): { count: number } {
    return { count: this.count };
  }

  loadStateDict({ count }: { count: number }): void {
    this.count = count;
  }
}
