/** Trainings that are left, stopped or refused. */
import { describe, expect, test } from "vitest";
import {
  BusyError,
  data,
  type FitOptions,
  type FitProgress,
  Generator,
  nn,
  optim,
  type Tensor,
  tensor,
  fit as train,
} from "../../lib/index.js";
import { AskedDataset, dataset, makeModel, OPTIMIZERS, options, STEPS, stateOf } from "./runs.js";

/** The state after so many steps of an undisturbed training. */
async function stateAfter(steps: number): Promise<unknown> {
  const model = makeModel();
  const optimizer = OPTIMIZERS.adam(model);
  const controller = new AbortController();
  let asked = 0;
  const set = new AskedDataset(() => {
    if (++asked === steps) controller.abort();
  });
  await expect(
    Promise.resolve(train(model, set, options(optimizer, { signal: controller.signal }))),
  ).rejects.toThrow();
  return stateOf(model, optimizer);
}

describe("going through a training", () => {
  test("epoch by epoch, until the loop is left", async () => {
    const model = makeModel();
    const training = train(model, dataset, options(OPTIMIZERS.adam(model), { epochs: 5 }));
    const seen: number[] = [];
    for await (const { epoch } of training) {
      seen.push(epoch);
      // Between epochs the model is free.
      expect(model.parameters()[0].data.length).toBeGreaterThan(0);
      if (epoch === 2) break;
    }
    expect(seen).toEqual([1, 2]);
    expect(training.history.map(({ steps }) => steps)).toEqual([STEPS, 2 * STEPS]);
    expect(() => training[Symbol.asyncIterator]()).toThrow(/gone through already/);
  });

  test("nothing runs before it is asked for, and awaiting twice trains once", async () => {
    const model = makeModel();
    const optimizer = OPTIMIZERS.adam(model);
    const before = stateOf(model, optimizer);
    const training = train(model, dataset, options(optimizer));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stateOf(model, optimizer)).toEqual(before);
    const history = await training;
    const after = stateOf(model, optimizer);
    expect(history).toHaveLength(3);
    expect(await training).toEqual(history);
    expect(stateOf(model, optimizer)).toEqual(after);
  });

  test("the event loop goes on meanwhile, and the model is busy", async () => {
    const [x, y] = [new Generator(1).normal([4096, 256]), new Generator(2).integers(0, 10, [4096])];
    const model = new nn.Sequential(new nn.Linear(256, 256), new nn.ReLU(), new nn.Linear(256, 10));
    let turns = 0;
    let busy = 0;
    const timer = setInterval(() => {
      turns++;
      try {
        model.parameters()[0].data;
      } catch (error) {
        if (error instanceof BusyError) busy++;
      }
    }, 1);
    await train(
      model,
      new data.TensorDataset(x, y),
      options(new optim.SGD(model.parameters(), { lr: 0.01 }), { epochs: 2, batchSize: 64 }),
    );
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
    expect(busy).toBeGreaterThan(0);
  });
});

describe("ending early", () => {
  test("a signal ends it after a whole step, with the signal's reason", async () => {
    const model = makeModel();
    const optimizer = OPTIMIZERS.adam(model);
    const controller = new AbortController();
    const reason = new Error("enough");
    let asked = 0;
    const set = new AskedDataset(() => {
      if (++asked === STEPS + 3) controller.abort(reason);
    });
    const training = train(model, set, options(optimizer, { signal: controller.signal }));
    await expect(Promise.resolve(training)).rejects.toBe(reason);
    expect(asked).toBe(STEPS + 3);
    expect(training.history).toHaveLength(1);
    expect(stateOf(model, optimizer)).toEqual(await stateAfter(STEPS + 3));
  });

  test("an aborted signal lets nothing begin", async () => {
    const model = makeModel();
    const optimizer = OPTIMIZERS.adam(model);
    const before = stateOf(model, optimizer);
    const training = train(model, dataset, options(optimizer, { signal: AbortSignal.abort() }));
    await expect(Promise.resolve(training)).rejects.toThrow(/abort/);
    expect(stateOf(model, optimizer)).toEqual(before);
  });

  test("what onProgress throws ends it, after a whole step", async () => {
    const model = makeModel();
    const optimizer = OPTIMIZERS.adam(model);
    const seen: FitProgress[] = [];
    const onProgress = (progress: FitProgress): void => {
      seen.push(progress);
      if (progress.epoch === 2) throw new Error("no more");
    };
    const training = train(model, dataset, options(optimizer, { callbacks: { onProgress } }));
    await expect(Promise.resolve(training)).rejects.toThrow("no more");
    expect(seen.at(-1)).toMatchObject({ epoch: 2, epochs: 3, step: STEPS, steps: STEPS });
    expect(seen.at(-1)?.loss).toBeGreaterThan(0);
    expect(training.history).toHaveLength(1);
    expect(stateOf(model, optimizer)).toEqual(await stateAfter(2 * STEPS));
  });

  test("what onEpoch throws or rejects with ends it, after its epoch", async () => {
    for (const onEpoch of [
      (): never => {
        throw new Error("no more");
      },
      () => Promise.reject(new Error("no more")),
    ]) {
      const model = makeModel();
      const optimizer = OPTIMIZERS.adam(model);
      const training = train(model, dataset, options(optimizer, { callbacks: { onEpoch } }));
      await expect(Promise.resolve(training)).rejects.toThrow("no more");
      expect(training.history).toHaveLength(1);
      expect(stateOf(model, optimizer)).toEqual(await stateAfter(STEPS));
      // It can be trained on.
      await train(model, dataset, options(optimizer, { epochs: 1 }));
    }
  });

  test("a label that is no class is an IndexError, and the model can be trained on", async () => {
    const model = makeModel();
    const optimizer = OPTIMIZERS.adam(model);
    const labels = dataset.tensors[1].clone();
    labels.data[20] = 7;
    const bad = new data.TensorDataset(dataset.tensors[0], labels);
    const training = train(model, bad, options(optimizer, { shuffle: false }));
    await expect(Promise.resolve(training)).rejects.toThrow(/7/);
    await train(model, dataset, options(optimizer, { epochs: 1 }));
  });
});

describe("refuses", () => {
  const model = makeModel();
  const good = options(OPTIMIZERS.adam(model));
  const cases: [string, Partial<Record<keyof FitOptions | "unknown", unknown>>, RegExp][] = [
    ["an unknown option", { unknown: 1 }, /fit: unknown option unknown; it takes .*diagnostics/],
    ["an unknown loss", { loss: "cross" }, /loss must be a function .* or one of crossEntropy.*got "cross"/],
    ["no optimizer", { optimizer: undefined }, /optimizer must be one/],
    ["half an epoch", { epochs: 0.5 }, /epochs must be a positive integer, got 0.5/],
    ["no clipping at 0", { clipNorm: 0 }, /clipNorm must be a number > 0/],
    ["an empty validation", { validation: new data.Subset(dataset, []) }, /validation has no samples/],
    [
      "a dataset of no length",
      { validation: { length: -3, batch() {} } },
      /length must be an integer in \[0, 2\^31\), got -3/,
    ],
    ["an array as validation", { validation: [] }, /validation: needs a dataset/],
    ["a number as schedule", { schedule: 3 }, /schedule must be a function of the position or an object/],
    ["an unknown rhythm", { scheduleEvery: "day" }, /scheduleEvery must be "epoch" or "step"/],
    ["a scheduler that cannot be saved", { schedule: { step() {} }, scheduleEvery: "step" }, /stateDict/],
    ["a callback that is none", { callbacks: { onEpoch: 1 } }, /callbacks.onEpoch must be a function/],
    ["an unknown callback", { callbacks: { onStep() {} } }, /unknown option onStep/],
    ["a path that is none", { checkpoint: { every: 1 } }, /checkpoint.path must be the path of a file/],
    ["a signal that is none", { signal: {} }, /signal must be an AbortSignal/],
    ["too few samples", { batchSize: 100, dropLast: true }, /no batch of 100 with dropLast/],
  ];
  test.each(cases)("%s", (_, more, message) => {
    expect(() => train(model, dataset, { ...good, ...(more as object) })).toThrow(message);
  });

  test("a model that is none", () => {
    expect(() => train({} as nn.Module, dataset, good)).toThrow(/model must be a Module/);
  });

  test("a schedule that gives no factor, and leaves all as it was", async () => {
    const optimizer = OPTIMIZERS.adam(model);
    const before = stateOf(model, optimizer);
    const training = train(model, dataset, options(optimizer, { schedule: () => Number.NaN }));
    await expect(Promise.resolve(training)).rejects.toThrow(
      /schedule at step 0 must be a number ≥ 0, got NaN/,
    );
    expect(stateOf(model, optimizer)).toEqual(before);
  });

  test.each<[string, (...args: Tensor[]) => unknown, RegExp]>([
    ["no tensor", () => 3, /fit: loss must return a Tensor of one element, got number 3/],
    [
      "a promise",
      async () => tensor(1),
      /fit: loss must return a Tensor of one element, got a value of class Promise/,
    ],
    [
      "many elements",
      (...args) => args[0],
      /fit: loss must return a Tensor of one element, got a tensor of shape/,
    ],
  ])("a loss that returns %s", async (_, loss, message) => {
    const training = train(model, dataset, options(OPTIMIZERS.adam(model), { loss: loss as never }));
    await expect(Promise.resolve(training)).rejects.toThrow(message);
  });

  test("a loss that reads a value", async () => {
    const loss = (output: Tensor, target: Tensor): Tensor => {
      const value = nn.functional.crossEntropy(output, target);
      if (value.item() > 1e9) throw new Error("too large");
      return value;
    };
    const training = train(model, dataset, options(OPTIMIZERS.adam(model), { loss }));
    await expect(Promise.resolve(training)).rejects.toThrow(/the value of a tensor was read/);
  });
});
