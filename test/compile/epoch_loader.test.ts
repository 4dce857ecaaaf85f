/** Epochs by a loader, in parts and ended early. */
import { describe, expect, test } from "vitest";
import { BusyError, compile, data, Generator, nn, optim, type Tensor } from "../../lib/index.js";

const IN = 5;
const SAMPLES = 45;
const BATCH = 8;
const STEPS = 6;

const samples = new Generator(6);
const inside = new data.TensorDataset(samples.normal([SAMPLES, IN]), samples.integers(0, 3, [SAMPLES]));

/** The same, which only JavaScript can ask. */
class Asked extends data.Dataset<[Tensor, Tensor]> {
  readonly length = SAMPLES;
  override batch(indices: Int32Array): [Tensor, Tensor] {
    return inside.batch(indices);
  }
}

const sets = { "gathered inside": inside, "asked for": new Asked() };

interface Made {
  loader: data.DataLoader<[Tensor, Tensor]>;
  plain: (x: Tensor, y: Tensor) => Tensor;
}

/** A step with dropout and a loader, all from one generator. */
function make(dataset: data.Dataset<[Tensor, Tensor]>, options: data.DataLoaderOptions = {}): Made {
  const generator = new Generator(3);
  const model = new nn.Sequential(
    new nn.Linear(IN, 20),
    new nn.Dropout(0.3, { generator }),
    new nn.Linear(20, 3),
  );
  model.parameters().forEach((parameter, i) => {
    parameter.detach().assign(new Generator(i).normal(parameter.shape).mul(0.3));
  });
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const loader = new data.DataLoader(dataset, { batchSize: BATCH, shuffle: true, generator, ...options });
  const plain = (x: Tensor, y: Tensor): Tensor => {
    const loss = nn.functional.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { loader, plain };
}

/** The losses of so many epochs in the plain loop, and where loader and generator stand then. */
function byHand(epochs: number, options: data.DataLoaderOptions = {}): { losses: number[]; state: unknown } {
  const { loader, plain } = make(inside, options);
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) for (const [x, y] of loader) losses.push(plain(x, y).item());
  return { losses, state: loader.getState() };
}

const listOf = (results: Tensor): number[] => results.toArray() as number[];

describe.each(Object.keys(sets) as (keyof typeof sets)[])("a loader whose batches are %s", (how) => {
  test.each([{}, { dropLast: true }, { shuffle: false }])("in parts of any size: %o", async (options) => {
    const expected = byHand(3, options);
    for (const maxSteps of [1, 2, 4, STEPS, 100]) {
      const { loader, plain } = make(sets[how], options);
      const step = compile(plain);
      const losses: number[] = [];
      while (losses.length < expected.losses.length) {
        const { results, steps, samples: count } = await step.epoch(loader, { maxSteps });
        losses.push(...listOf(results));
        expect(steps).toBe(results.size);
        expect(count).toBeLessThanOrEqual(steps * BATCH);
      }
      expect(losses).toEqual(expected.losses);
      expect(loader.getState()).toEqual(expected.state);
    }
  });

  test("goes on from a saved position, and leaves one that can be saved", async () => {
    const expected = byHand(2);
    const first = make(sets[how]);
    const step = compile(first.plain);
    const losses = listOf((await step.epoch(first.loader, { maxSteps: 4 })).results);
    const state = JSON.parse(JSON.stringify(first.loader.getState())) as data.DataLoaderState;
    expect(state.batch).toBe(4);
    // The rest of the epoch by a loop, the next by a call.
    first.loader.setState(state);
    for (const [x, y] of first.loader) losses.push(first.plain(x, y).item());
    losses.push(...listOf((await step.epoch(first.loader)).results));
    expect(losses).toEqual(expected.losses);
    expect(first.loader.getState()).toEqual(expected.state);
  });

  test("a partial epoch keeps the results of its steps and goes on after them", async () => {
    const expected = byHand(1);
    const { loader, plain } = make(sets[how]);
    const step = compile(plain);
    const losses: number[] = [];
    let ends = 0;
    while (losses.length < STEPS) {
      const controller = new AbortController();
      setImmediate(() => controller.abort());
      try {
        const { results, steps } = await step.epoch(loader, { signal: controller.signal, partial: true });
        expect(steps).toBe(results.size);
        losses.push(...listOf(results));
      } catch (error) {
        // Not a single step was done.
        expect(error).toBe(controller.signal.reason);
        expect(++ends).toBeLessThan(1000);
      }
    }
    expect(losses).toEqual(expected.losses);
    expect(loader.getState()).toEqual(expected.state);
  });

  test("runs epochs in turn or refuses the second, and refuses options that are the loader's", async () => {
    const { loader, plain } = make(sets[how]);
    const step = compile(plain);
    const first = step.epoch(loader);
    const second = step.epoch(loader);
    // Gathered inside, an epoch waits for its turn and draws its order then.
    if (how === "gathered inside") await second;
    else await expect(second).rejects.toThrow(BusyError);
    await first;
    expect(loader.getState()).toEqual(byHand(how === "gathered inside" ? 2 : 1).state);
    await expect(step.epoch(loader, { batchSize: 3 })).rejects.toThrow(/batchSize is the loader's own/);
    await expect(step.epoch(loader, { maxSteps: 0 })).rejects.toThrow(/maxSteps must be a positive integer/);
  });

  test("what onProgress throws at the end is not lost", async () => {
    const { loader, plain } = make(sets[how]);
    const onProgress = (): never => {
      throw new Error("no more");
    };
    await expect(compile(plain).epoch(loader, { onProgress })).rejects.toThrow("no more");
    expect(loader.getState()).toEqual(byHand(1).state);
  });
});

test.each([0, 2])(
  "an epoch that fails in step %i leaves the loader after the steps before",
  async (failing) => {
    const labels = inside.tensors[1].clone();
    labels.data[failing * BATCH] = 9;
    const bad = new data.TensorDataset(inside.tensors[0], labels);
    const { loader, plain } = make(bad, { shuffle: false });
    const before = loader.getState();
    await expect(compile(plain).epoch(loader)).rejects.toThrow(/9/);
    expect(loader.getState()).toEqual({ ...before, batch: failing });
  },
);

test("an epoch without a single step has drawn no order", async () => {
  const bad = new data.TensorDataset(inside.tensors[0], inside.tensors[1].add(9));
  const { loader, plain } = make(bad);
  const before = loader.getState();
  await expect(compile(plain).epoch(loader)).rejects.toThrow(/outside/);
  expect(loader.getState()).toEqual(before);
});
