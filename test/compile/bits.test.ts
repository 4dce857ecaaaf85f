/** A compiled step has the bits of the plain one: for every kind of layer and optimizer, called in every way. */
import { afterAll, describe, expect, test } from "vitest";
import {
  type Compiled,
  compile,
  data,
  defaultGenerator,
  Generator,
  manualSeed,
  nn,
  optim,
  setNumThreads,
  type Tensor,
  tensor,
} from "../../lib/index.js";
import { backendInfo, withBackend } from "../../lib/runtime/executor.js";

const IN = 6;
const OUT = 3;

type Model = nn.Module<[Tensor], Tensor>;
/** An optimizer of any kind; those that need a closure are given one. */
interface Rule {
  step(closure?: () => Tensor): unknown;
  zeroGrad(): void;
  stateDict(): optim.OptimizerStateDict;
  readonly needsClosure: boolean;
}

const MODELS: Record<string, () => Model> = {
  relu: () => new nn.Sequential(new nn.Linear(IN, 9), new nn.ReLU(), new nn.Linear(9, OUT)),
  gelu: () => new nn.Sequential(new nn.Linear(IN, 17), new nn.GELU(), new nn.Linear(17, OUT)),
  tanh: () => new nn.Sequential(new nn.Linear(IN, 5), new nn.Tanh(), new nn.Linear(5, OUT, { bias: false })),
  sigmoid: () => new nn.Sequential(new nn.Linear(IN, 5), new nn.Sigmoid(), new nn.Linear(5, OUT)),
  leaky: () =>
    new nn.Sequential(new nn.Linear(IN, 5), new nn.LeakyReLU({ negativeSlope: 0.1 }), new nn.Linear(5, OUT)),
  dropout: () =>
    new nn.Sequential(new nn.Linear(IN, 40), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(40, OUT)),
  batchNorm: () =>
    new nn.Sequential(new nn.Linear(IN, 8), new nn.BatchNorm1d(8), new nn.ReLU(), new nn.Linear(8, OUT)),
  cumulativeBatchNorm: () =>
    new nn.Sequential(new nn.Linear(IN, 8), new nn.BatchNorm1d(8, { momentum: null }), new nn.Linear(8, OUT)),
  layerNorm: () =>
    new nn.Sequential(new nn.Linear(IN, 8), new nn.LayerNorm(8), new nn.SiLU(), new nn.Linear(8, OUT)),
};

const OPTIMIZERS: Record<string, (model: Model) => Rule> = {
  sgd: (model) => new optim.SGD(model.parameters(), { lr: 0.1, weightDecay: 0.01 }),
  momentum: (model) => new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, dampening: 0.1 }),
  nesterov: (model) => new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true }),
  adam: (model) => new optim.Adam(model.parameters(), { lr: 0.01 }),
  adamw: (model) => new optim.AdamW(model.parameters(), { lr: 0.01, weightDecay: 0.1 }),
  amsgrad: (model) => new optim.AdamW(model.parameters(), { lr: 0.01, betas: [0.5, 0.6], amsgrad: true }),
  uncorrected: (model) => new optim.Adam(model.parameters(), { lr: 0.01, biasCorrection: false }),
  classic: (model) => new optim.Momentum(model.parameters(), { lr: 0.1 }),
  averaged: (model) => new optim.Momentum(model.parameters(), { lr: 0.1, form: "averaged" }),
  unbiased: (model) =>
    new optim.Momentum(model.parameters(), { lr: 0.1, form: "unbiased", weightDecay: 0.1 }),
  nesterovFirst: (model) => new optim.Nesterov(model.parameters(), { lr: 0.1, form: "first" }),
  nesterovSecond: (model) =>
    new optim.Nesterov(model.parameters(), { lr: 0.1, form: "second", weightDecay: 0.1, maximize: true }),
  nesterovPytorch: (model) => new optim.Nesterov(model.parameters(), { lr: 0.1 }),
  nadam: (model) =>
    new optim.NAdam(model.parameters(), { lr: 0.01, decoupledWeightDecay: true, weightDecay: 0.1 }),
  radam: (model) => new optim.RAdam(model.parameters(), { lr: 0.01, betas: [0.9, 0.9] }),
  adamax: (model) => new optim.Adamax(model.parameters(), { weightDecay: 0.1 }),
  adagrad: (model) => new optim.Adagrad(model.parameters(), { lrDecay: 0.1 }),
  adadelta: (model) => new optim.Adadelta(model.parameters()),
  rmsprop: (model) => new optim.RMSprop(model.parameters()),
  rmspropMomentum: (model) => new optim.RMSprop(model.parameters(), { momentum: 0.9 }),
  rmspropCentered: (model) => new optim.RMSprop(model.parameters(), { centered: true }),
  rmspropBoth: (model) => new optim.RMSprop(model.parameters(), { centered: true, momentum: 0.5 }),
  lion: (model) => new optim.Lion(model.parameters(), { lr: 0.01, weightDecay: 0.1 }),
  muon: (model) => new optim.Muon(model.parameters(), { lr: 0.01 }),
  sam: (model) => new optim.SAM(new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })),
  adaptiveSam: (model) => new optim.SAM(new optim.Adam(model.parameters()), { adaptive: true, rho: 0.5 }),
};

interface Run {
  model: Model;
  step: (x: Tensor, y: Tensor) => Tensor;
  optimizer: Rule;
}

/** A model with its step; equal seeds give equal ones. */
function makeRun(model: () => Model, optimizer: (model: Model) => Rule, clip = false): Run {
  manualSeed(5);
  const made = model();
  const rule = optimizer(made);
  const evaluate = (x: Tensor, y: Tensor): Tensor => {
    const loss = nn.functional.crossEntropy(made.forward(x), y);
    rule.zeroGrad();
    loss.backward();
    if (clip) nn.utils.clipGradNorm(made.parameters(), 0.5);
    return loss;
  };
  const step = (x: Tensor, y: Tensor): Tensor => {
    if (rule.needsClosure) return rule.step(() => evaluate(x, y)) as Tensor;
    const loss = evaluate(x, y);
    rule.step();
    return loss;
  };
  return { model: made, step, optimizer: rule };
}

const random = new Generator(11);
const BATCHES = Array.from({ length: 6 }, (_, i): [Tensor, Tensor] => {
  const size = i === 4 ? 5 : 16;
  return [random.normal([size, IN]), random.integers(0, OUT, [size])];
});

/** The bytes of everything that training changes. */
function state({ model, optimizer }: Run): string[] {
  const bytes = ({ data }: Tensor): string =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
  const states = Object.values(optimizer.stateDict().state).flatMap((entry) =>
    Object.values(entry).map((value) => (typeof value === "number" ? String(value) : bytes(value))),
  );
  return [...Object.values(model.stateDict()).map(bytes), ...states];
}

/** Trains plainly and compiled, from equal seeds, and compares losses and states. */
function compare(
  make: () => Run,
  call: (step: Compiled<[Tensor, Tensor], Tensor>, x: Tensor, y: Tensor) => Tensor,
): void {
  const plain = make();
  const expected = BATCHES.map(([x, y]) => plain.step(x, y).item());
  const position = defaultGenerator().getState();
  const compiled = make();
  const step = compile(compiled.step);
  const losses = BATCHES.map(([x, y]) => call(step, x, y).item());
  expect(losses).toEqual(expected);
  expect(state(compiled)).toEqual(state(plain));
  expect(defaultGenerator().getState()).toEqual(position);
}

const BACKENDS = backendInfo().backend === "native" ? (["native", "ts"] as const) : (["ts"] as const);

describe.each(BACKENDS)("on the %s executor", (backend) => {
  test.each(Object.keys(MODELS))("a network with %s", (name) => {
    withBackend({ backend }, () =>
      compare(
        () => makeRun(MODELS[name], OPTIMIZERS.adam),
        (step, x, y) => step.sync(x, y),
      ),
    );
  });

  test.each(Object.keys(OPTIMIZERS))("%s", (name) => {
    withBackend({ backend }, () =>
      compare(
        () => makeRun(MODELS.relu, OPTIMIZERS[name]),
        (step, x, y) => step.sync(x, y),
      ),
    );
  });

  test("clipped gradients", () => {
    withBackend({ backend }, () =>
      compare(
        () => makeRun(MODELS.tanh, OPTIMIZERS.momentum, true),
        (step, x, y) => step.sync(x, y),
      ),
    );
  });
});

describe("in the background", () => {
  const threads = backendInfo().threads;
  afterAll(() => setNumThreads(threads));

  test.each([1, 2, 3])("with %i threads the bits are those of the plain step", async (count) => {
    setNumThreads(count);
    const plain = makeRun(MODELS.dropout, OPTIMIZERS.adam);
    const expected = BATCHES.map(([x, y]) => plain.step(x, y).item());
    const run = makeRun(MODELS.dropout, OPTIMIZERS.adam);
    const step = compile(run.step);
    // All are asked for at once: they run in the order of the calls.
    const losses = await Promise.all(BATCHES.map(([x, y]) => step(x, y)));
    expect(losses.map((loss) => loss.item())).toEqual(expected);
    expect(state(run)).toEqual(state(plain));
  });
});

describe("an epoch", () => {
  const samples = 45;
  const images = new Generator(2).integers(0, 256, [samples, 2, 3]).astype("uint8");
  const labels = new Generator(3).integers(0, OUT, [samples]);
  const datasets = {
    images: new data.ImageDataset(images.array, labels.array),
    tensors: new data.TensorDataset(images.reshape([samples, IN]).astype("float32"), labels),
  };

  test.each(["images", "tensors"] as const)(
    "of %s has the bits of the loop over a DataLoader",
    async (name) => {
      for (const [dropLast, shuffle] of [
        [false, true],
        [true, true],
        [false, false],
      ]) {
        const dataset = datasets[name] as data.Dataset<[Tensor, Tensor]>;
        const options = { batchSize: 16, shuffle, dropLast, generator: new Generator(9) };
        const plain = makeRun(MODELS.dropout, OPTIMIZERS.adam);
        const loader = new data.DataLoader(dataset, options);
        const expected: number[] = [];
        for (let epoch = 0; epoch < 2; epoch++) {
          for (const [x, y] of loader) expected.push(plain.step(x, y).item());
        }
        options.generator.seed(9);
        const run = makeRun(MODELS.dropout, OPTIMIZERS.adam);
        const step = compile(run.step);
        const losses: number[] = [];
        for (let epoch = 0; epoch < 2; epoch++) {
          const result = await step.epoch(dataset, options);
          expect(result.steps).toBe(loader.length);
          losses.push(...(result.results.toArray() as number[]));
        }
        expect(losses).toEqual(expected);
        expect(state(run)).toEqual(state(plain));
      }
    },
  );

  test("joins results along their first axis", async () => {
    const model = MODELS.relu();
    const predict = compile((x: Tensor, _y: Tensor) => ({ logits: model.forward(x), mean: x.mean() }));
    const { results, steps, samples: count } = await predict.epoch(datasets.tensors, { batchSize: 20 });
    expect([steps, count]).toEqual([3, samples]);
    expect(results.logits.toArray()).toEqual(model.forward(datasets.tensors.tensors[0]).toArray());
    expect(results.mean.shape).toEqual([3]);
  });
});

test("a literal, a captured tensor and a captured number", () => {
  const weight = tensor([1, 2, 3], { requiresGrad: true });
  const step = compile((x: Tensor) => x.mul(weight).add(0.1).sum());
  const x = tensor([4, 5, 6]);
  expect(step.sync(x).item()).toBe(x.mul(weight).add(0.1).sum().item());
  weight.detach().assign(tensor([0, 1, 0]));
  expect(step.sync(x).item()).toBe(x.mul(weight).add(0.1).sum().item());
});
