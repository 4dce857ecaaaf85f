/** Small training steps for the tests of compiled functions: plain and compiled from equal seeds. */
import { data, Generator, manualSeed, nn, optim, type Tensor } from "../../lib/index.js";

const SIZE = 4;
const CLASSES = 3;
const random = new Generator(3);

/** A batch of six. */
export const X: Tensor = random.normal([6, SIZE]);
export const Y: Tensor = random.integers(0, CLASSES, [6]);

export interface Training {
  readonly model: nn.Sequential;
  readonly optimizer: optim.SGD | optim.Adam;
  readonly fn: (x: Tensor, y: Tensor) => Tensor;
}

/** A model with dropout and its step; always the same. */
export function training(
  make: (parameters: Tensor[]) => optim.SGD | optim.Adam = (parameters) =>
    new optim.SGD(parameters, { lr: 0.1 }),
): Training {
  manualSeed(1);
  const model = new nn.Sequential(
    new nn.Linear(SIZE, 8),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(8, CLASSES),
  );
  const optimizer = make([...model.parameters()]);
  const fn = (x: Tensor, y: Tensor): Tensor => {
    const loss = nn.functional.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { model, optimizer, fn };
}

/** All parameters. */
export const valuesOf = ({ model }: Pick<Training, "model">): unknown[] =>
  [...model.parameters()].map((parameter) => parameter.toArray());

/** Labelled samples. */
export function samples(count: number): data.TensorDataset<[Tensor, Tensor]> {
  const source = new Generator(5);
  return new data.TensorDataset(source.normal([count, SIZE]), source.integers(0, CLASSES, [count]));
}

/** The same dataset, which can be asked only from outside. */
export class Opaque extends data.Dataset<[Tensor, Tensor]> {
  private readonly inner: data.Dataset<[Tensor, Tensor]>;

  constructor(inner: data.Dataset<[Tensor, Tensor]>) {
    super();
    this.inner = inner;
  }

  get length(): number {
    return this.inner.length;
  }

  override batch(indices: Int32Array): [Tensor, Tensor] {
    return this.inner.batch(indices);
  }
}
