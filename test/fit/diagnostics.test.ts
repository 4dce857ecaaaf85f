/** What an epoch tells about its layers, against the same figures computed by hand. */
import { expect, test } from "vitest";
import {
  type Diagnostics,
  data,
  nn,
  noGrad,
  optim,
  type Tensor,
  tensor,
  fit as train,
} from "../../lib/index.js";
import { AskedDataset, BATCH, dataset, makeModel, OPTIMIZERS, options } from "./runs.js";

const norm = ({ data: values }: Tensor): number =>
  Math.sqrt((values as Float32Array).reduce((sum, value) => sum + value * value, 0));

/** The same training by hand, with everything looked at on the way. */
function byHand(): Diagnostics {
  const model = makeModel();
  const optimizer = OPTIMIZERS.adam(model);
  const named = [...model.namedParameters()];
  const gradients = named.map((): number[] => []);
  const weights = named.map((): number[] => []);
  const updates = named.map((): number[] => []);
  let alive: boolean[] = [];
  for (const [x, y] of new data.DataLoader(dataset, { batchSize: BATCH, shuffle: true })) {
    const hidden = [0, 1, 2].reduce((value, i) => (model.at(i) as nn.Module).forward(value), x);
    const output = [3, 4].reduce((value, i) => (model.at(i) as nn.Module).forward(value), hidden);
    const units = (hidden.toArray() as number[][]).reduce<boolean[]>(
      (all, row) => row.map((value, i) => all[i] || value > 0),
      [],
    );
    alive = units.map((isAlive, i) => isAlive || Boolean(alive[i]));
    optimizer.zeroGrad();
    nn.functional.crossEntropy(output, y).backward();
    named.forEach(([, { grad }], i) => {
      gradients[i].push(norm(grad as Tensor));
    });
    nn.utils.clipGradNorm(model.parameters(), 0.5);
    const before = named.map(([, parameter]) => noGrad(() => parameter.clone()));
    optimizer.step();
    named.forEach(([, parameter], i) => {
      weights[i].push(norm(before[i]));
      updates[i].push(norm(noGrad(() => parameter.sub(before[i]))));
    });
  }
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const close = (value: number): number => expect.closeTo(value, 5) as unknown as number;
  return {
    layers: named.map(([name], i) => ({
      name,
      gradientNorm: {
        mean: close(sum(gradients[i]) / gradients[i].length),
        max: close(Math.max(...gradients[i])),
        last: close(gradients[i].at(-1) as number),
      },
      weightNorm: close(weights[i].at(-1) as number),
      updateRatio: close(sum(updates[i]) / sum(weights[i])),
    })),
    relus: [
      { layer: "2 (ReLU)", units: 12, dead: alive.filter((isAlive) => !isAlive).length / alive.length },
    ],
  };
}

test.each(["gathered inside", "asked for"])("norms and ratios, batches %s", async (how) => {
  const model = makeModel();
  const set = how === "asked for" ? new AskedDataset() : dataset;
  const more = { epochs: 1, clipNorm: 0.5, diagnostics: true };
  const [{ diagnostics }] = await train(model, set, options(OPTIMIZERS.adam(model), more));
  expect(diagnostics).toEqual(byHand());
});

/** A layer with a ReLU of its own, used twice. */
class Block extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.relu().sub(1).relu();
  }
}

test("dead units: by epoch and by place, in modules and in functions", async () => {
  const model = new nn.Sequential(new nn.Linear(2, 4, { bias: false }), new nn.ReLU(), new Block());
  // Unit 0 is on for the first sample only, unit 1 for the second, 2 never, 3 always and above 1.
  model
    .parameters()[0]
    .detach()
    .assign(
      tensor([
        [1, -1],
        [-1, 1],
        [-1, -1],
        [2, 2],
      ]),
    );
  const x = tensor([
    [1, 0.5],
    [0.5, 1],
  ]);
  const set = new data.TensorDataset(
    x,
    tensor([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]),
  );
  const optimizer = new optim.SGD(model.parameters(), { lr: 0 });
  const settings = { loss: "mseLoss", optimizer, batchSize: 1, epochs: 2, diagnostics: true } as const;
  const [first, second] = await train(model, set, settings);
  const relus = [
    { layer: "1 (ReLU)", units: 4, dead: 0.25 },
    { layer: "2 (Block)", units: 4, dead: 0.25 },
    { layer: "2 (Block) #2", units: 4, dead: 0.75 },
  ];
  expect(first.diagnostics?.relus).toEqual(relus);
  expect(second.diagnostics?.relus).toEqual(relus);
  expect(first.diagnostics?.layers).toMatchObject([{ name: "0.weight", updateRatio: 0 }]);

  // An epoch begins with no unit seen.
  model
    .parameters()[0]
    .detach()
    .assign(
      tensor([
        [-1, -1],
        [-1, -1],
        [-1, -1],
        [2, 2],
      ]),
    );
  const [third] = await train(model, set, { ...settings, epochs: 1 });
  expect(third.diagnostics?.relus[0].dead).toBe(0.75);
});

test("units that die between epochs are dead in the second", async () => {
  const model = new nn.Sequential(new nn.Linear(1, 1), new nn.ReLU(), new nn.Linear(1, 1));
  const [weight, bias, out, outBias] = model.parameters();
  for (const [parameter, value] of [
    [weight, 1],
    [bias, 0],
    [out, 1],
    [outBias, 0],
  ] as const) {
    parameter.data[0] = value;
  }
  // One large step drives the unit below zero for the only input there is.
  const set = new data.TensorDataset(tensor([[1]]), tensor([[-5]]));
  const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
  const history = await train(model, set, { loss: "mseLoss", optimizer, epochs: 2, diagnostics: true });
  expect(history.map(({ diagnostics }) => diagnostics?.relus[0].dead)).toEqual([0, 1]);
});

test("a frozen parameter is left out", async () => {
  const model = makeModel();
  (model.at(0) as nn.Linear).weight.requiresGrad = false;
  const [{ diagnostics }] = await train(
    model,
    dataset,
    options(OPTIMIZERS.adam(model), { epochs: 1, diagnostics: true }),
  );
  expect(diagnostics?.layers.map(({ name }) => name)).toEqual([
    "0.bias",
    "1.weight",
    "1.bias",
    "4.weight",
    "4.bias",
  ]);
});
