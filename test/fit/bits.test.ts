/** `fit` has the bits of the loop that it stands for. */
import { describe, expect, test } from "vitest";
import {
  defaultGenerator,
  type EpochSummary,
  evaluate,
  type FitOptions,
  nn,
  noGrad,
  fit as train,
} from "../../lib/index.js";
import {
  AskedDataset,
  BATCH,
  byHand,
  dataset,
  Halving,
  type Loop,
  makeModel,
  OPTIMIZERS,
  options,
  SAMPLES,
  STEPS,
  stateOf,
} from "./runs.js";

const losses = (history: readonly EpochSummary[]): unknown => history.map((epoch) => epoch.losses.toArray());

const CASES: Record<string, { loop?: Partial<Loop>; fit?: Partial<FitOptions>; adam?: boolean }> = {
  plain: {},
  adam: { adam: true },
  "clipped gradients": { loop: { clipNorm: 0.5 }, fit: { clipNorm: 0.5 } },
  "a schedule by step": {
    loop: { factor: (step) => 1 / (1 + step) },
    fit: { schedule: ({ step }) => 1 / (1 + step) },
  },
  diagnostics: { loop: { clipNorm: 0.5 }, fit: { clipNorm: 0.5, diagnostics: true } },
};

describe.each(["gathered inside", "asked for"])("with batches %s", (how) => {
  const set = how === "asked for" ? new AskedDataset() : dataset;

  test.each(Object.keys(CASES))("%s", async (name) => {
    const { loop, fit: more, adam } = CASES[name];
    const make = adam ? OPTIMIZERS.adam : OPTIMIZERS.momentum;
    const plain = makeModel();
    const rule = make(plain);
    const expected = byHand(plain, rule, { epochs: 3, ...loop });
    const position = defaultGenerator().getState();
    const model = makeModel();
    const optimizer = make(model);
    const history = await train(model, set, options(optimizer, more));
    expect(losses(history)).toEqual(expected);
    expect(stateOf(model, optimizer)).toEqual(stateOf(plain, rule));
    expect(defaultGenerator().getState()).toEqual(position);
  });
});

test.each(["epoch", "step"] as const)("a scheduler called after each %s", async (every) => {
  const plain = makeModel();
  const rule = OPTIMIZERS.adam(plain);
  const scheduler = new Halving(rule);
  const expected =
    every === "epoch"
      ? byHand(plain, rule, { epochs: 3, afterEpoch: () => scheduler.step() })
      : byHand(plain, rule, { epochs: 3, factor: (step) => 0.5 ** step });
  const model = makeModel();
  const optimizer = OPTIMIZERS.adam(model);
  const schedule = new Halving(optimizer);
  const history = await train(model, dataset, options(optimizer, { schedule, scheduleEvery: every }));
  expect(losses(history)).toEqual(expected);
  expect(schedule.count).toBe(every === "epoch" ? 3 : 3 * STEPS);
  expect(history.map(({ learningRate }) => learningRate)).toEqual(
    every === "epoch" ? [0.01, 0.005, 0.0025] : [1, 2, 3].map((epoch) => 0.01 * 0.5 ** (epoch * STEPS)),
  );
});

test("a scheduler that needs a metric is given the validation loss", async () => {
  const model = makeModel();
  const metrics: number[] = [];
  const schedule = { step: (metric: number): unknown => metrics.push(metric) };
  const history = await train(
    model,
    dataset,
    options(OPTIMIZERS.adam(model), { schedule: schedule as never, validation: dataset }),
  );
  expect(metrics).toEqual(history.map(({ validationLoss }) => validationLoss));
});

test("a summary", async () => {
  const model = makeModel();
  const optimizer = OPTIMIZERS.adam(model);
  const before = performance.now();
  const history = await train(model, dataset, options(optimizer, { validation: dataset, epochs: 2 }));
  const elapsed = (performance.now() - before) / 1000;
  const [x, y] = dataset.tensors;
  const [first, last] = history;
  const mean = (epoch: EpochSummary): number =>
    (epoch.losses.toArray() as number[]).reduce(
      (sum, loss, i) => sum + loss * (i < STEPS - 1 ? BATCH : SAMPLES % BATCH),
      0,
    ) / SAMPLES;
  expect(history.map(({ epoch, steps }) => [epoch, steps])).toEqual([
    [1, STEPS],
    [2, 2 * STEPS],
  ]);
  expect(first.trainLoss).toBeCloseTo(mean(first), 12);
  model.eval();
  const logits = noGrad(() => model.forward(x));
  expect(last.validationLoss).toBeCloseTo(nn.functional.crossEntropy(logits, y).item(), 6);
  expect(last.validationAccuracy).toBe(logits.argmax(1).eq(y).astype("float64").mean().item());
  expect(last.diagnostics).toBeNull();
  expect(first.seconds + last.seconds).toBeLessThan(elapsed);
  expect(last.samplesPerSecond).toBeCloseTo(SAMPLES / last.seconds, 6);
  expect(await evaluate(model, dataset, { loss: "crossEntropy", batchSize: 10 })).toEqual({
    loss: expect.closeTo(last.validationLoss as number, 6),
    accuracy: last.validationAccuracy,
  });
});

test("trains in training mode, evaluates in evaluation mode, and leaves the model in its own", async () => {
  const model = makeModel();
  model.at(3)?.eval();
  const modes = model.modules().map(({ training }) => training);
  await train(model, dataset, options(OPTIMIZERS.adam(model), { validation: dataset, epochs: 1 }));
  expect(model.modules().map(({ training }) => training)).toEqual(modes);
});
