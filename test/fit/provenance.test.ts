/** Where a NaN came from: operation, layer and step are named, and the model is back before the epoch. */
import { describe, expect, test } from "vitest";
import {
  AnomalyError,
  data,
  type FitOptions,
  nn,
  optim,
  type Tensor,
  tensor,
  fit as train,
} from "../../lib/index.js";
import { AskedDataset, dataset, makeModel, OPTIMIZERS, options, STEPS, stateOf } from "./runs.js";

/** The error that a training ends with. */
async function anomalyOf(training: PromiseLike<unknown>): Promise<AnomalyError> {
  try {
    await training;
  } catch (error) {
    if (error instanceof AnomalyError) return error;
    throw error;
  }
  throw new Error("the training did not fail");
}

/** The logarithm of the input, which one sample's is NaN of. */
class Log extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.log();
  }
}

/** A model that takes the logarithm of each sample, of which number 5 is negative. */
function negative(): {
  model: nn.Sequential;
  settings: FitOptions;
  set: data.TensorDataset<[Tensor, Tensor]>;
} {
  const model = new nn.Sequential(new Log(), new nn.Linear(1, 2));
  const samples = [1, 2, 3, 4, 5, -6, 7, 8];
  const set = new data.TensorDataset(tensor(samples.map((x) => [x])), tensor(samples.map(() => [0, 0])));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  const common = { batchSize: 1, shuffle: false, diagnostics: true, epochs: 2 };
  return { model, settings: { loss: "mseLoss", optimizer, ...common }, set };
}

describe("the source of a NaN", () => {
  test("forward: operation, layer, step", async () => {
    const { model, settings, set } = negative();
    const before = model.parameters().map((parameter) => parameter.toArray());
    const error = await anomalyOf(train(model, set, settings));
    expect(error.place).toEqual({ operation: "log", phase: "forward", layer: "0 (Log)", epoch: 1, step: 6 });
    expect(error.message).toMatch(
      /^fit: the loss is NaN in step 6 of epoch 1: in step 6, log \(forward\) in layer 0 \(Log\) produced NaN in 1 of 1/,
    );
    expect(model.parameters().map((parameter) => parameter.toArray())).toEqual(before);
  });

  test("in a later epoch, with dropout and a shuffled order, by both kinds of datasets", async () => {
    const places: unknown[] = [];
    for (const set of [dataset, new AskedDataset()]) {
      const model = makeModel();
      const optimizer = OPTIMIZERS.adam(model);
      const states: unknown[] = [];
      const onEpoch = (): unknown => states.push(stateOf(model, optimizer));
      // Rises until the weights overflow in the middle of the second epoch.
      const schedule = ({ step }: { step: number }): number => (step === STEPS + 3 ? 1e41 : 1);
      const training = train(
        model,
        set,
        options(optimizer, { diagnostics: true, schedule, callbacks: { onEpoch } }),
      );
      const error = await anomalyOf(training);
      places.push(error.place);
      expect(training.history).toHaveLength(1);
      expect(stateOf(model, optimizer)).toEqual(states[0]);
      expect(error.message).toContain("0.weight is no longer finite after the optimizer's update");
    }
    expect(places[0]).toEqual({ phase: "update", layer: "0.weight", epoch: 2, step: 4 });
    expect(places[1]).toEqual(places[0]);
  });

  test("backward", async () => {
    // √ has an infinite derivative at 0, and 0 · ∞ is NaN.
    class Root extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.mul(0).sqrt().mul(0);
      }
    }
    const model = new nn.Sequential(new nn.Linear(6, 3), new Root());
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    const error = await anomalyOf(train(model, dataset, options(optimizer, { diagnostics: true })));
    // The loss of the first step is finite still; the weights are not after it.
    expect(error.place).toEqual({
      operation: "sqrt",
      phase: "backward",
      layer: "1 (Root)",
      epoch: 1,
      step: 1,
    });
    expect(error.message).toContain("the loss is NaN in step 2");
  });

  test("the data", async () => {
    const inputs = dataset.tensors[0].clone();
    inputs.data[6 * 17 + 2] = Number.NaN;
    const bad = new data.TensorDataset(inputs, dataset.tensors[1]);
    const model = makeModel();
    const optimizer = OPTIMIZERS.adam(model);
    const error = await anomalyOf(
      train(model, bad, options(optimizer, { shuffle: false, diagnostics: true })),
    );
    expect(error.place).toEqual({ phase: "data", epoch: 1, step: 3 });
    expect(error.message).toContain("sample 17 of the dataset holds a NaN in its input");
  });

  test("without diagnostics only the step", async () => {
    const { model, settings, set } = negative();
    const error = await anomalyOf(train(model, set, { ...settings, diagnostics: false }));
    expect(error.place).toMatchObject({ epoch: 1 });
    expect(error.message).toMatch(/the loss is NaN in step \d of epoch 1; with \{ diagnostics: true \}/);
  });

  test("forwards are as they were, own ones included", async () => {
    const { model, settings, set } = negative();
    const own = model.at(0) as Log;
    const forward = (x: Tensor): Tensor => x.abs().log();
    Object.assign(own, { forward });
    await train(model, set, { ...settings, epochs: 1 });
    expect(own.forward).toBe(forward);
    expect(Object.hasOwn(model.at(1) as nn.Module, "forward")).toBe(false);
  });
});
