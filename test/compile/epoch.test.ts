/** Epochs: what ends them early leaves a consistent model, and all that a loop leaves behind is there. */
import { expect, test } from "vitest";
import {
  ArgumentError,
  BusyError,
  DTypeError,
  IndexError,
  ShapeError,
  TraceError,
} from "../../lib/errors.js";
import { compile, data, defaultGenerator, manualSeed, nn, optim, type Tensor } from "../../lib/index.js";
import { Opaque, samples, type Training, training, valuesOf, X } from "./steps.js";

const adam = (): Training => training((parameters) => new optim.Adam(parameters, { lr: 0.01 }));
const stepsOf = ({ optimizer }: Training): number =>
  (optimizer.stateDict().state[0]?.step as number | undefined) ?? 0;
const stateOf = (made: Training): unknown => [valuesOf(made), stepsOf(made), defaultGenerator().getState()];

/** The state after that many steps of the plain loop. */
function plainState(count: number, dataset: data.Dataset<[Tensor, Tensor]>, options: object): unknown {
  const made = adam();
  let done = 0;
  for (const batch of new data.DataLoader(dataset, options)) {
    if (done++ === count) break;
    made.fn(...batch);
  }
  return stateOf(made);
}

const MANY = samples(40_000);
// Enough that progress is reported long before the end, on any machine.
const LONG_STEPS = 200_000;
const LONG = new data.Subset(
  MANY,
  Int32Array.from({ length: 4 * LONG_STEPS }, (_, i) => i % MANY.length),
);

test("an abort ends the epoch between steps", async () => {
  const made = adam();
  const step = compile(made.fn);
  const controller = new AbortController();
  const reason = new Error("enough");
  const running = step.epoch(LONG, {
    batchSize: 4,
    signal: controller.signal,
    onProgress: ({ step: done }) => {
      if (done > 0) controller.abort(reason);
    },
  });
  await expect(running).rejects.toBe(reason);
  const done = stepsOf(made);
  const state = stateOf(made);
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(LONG_STEPS);
  expect(state).toEqual(plainState(done, LONG, { batchSize: 4 }));
});

test("aborted beforehand, or while it waits for its turn, nothing runs", async () => {
  const made = adam();
  const step = compile(made.fn);
  const before = stateOf(made);
  await expect(step.epoch(MANY, { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow(
    "before",
  );
  expect(stateOf(made)).toEqual(before);
  const small = samples(64);
  const controller = new AbortController();
  const first = step.epoch(small, { batchSize: 8 });
  const second = step.epoch(small, { batchSize: 8, signal: controller.signal });
  controller.abort(new Error("waiting"));
  await first;
  await expect(second).rejects.toThrow("waiting");
  expect(stepsOf(made)).toBe(8);
});

test("an asynchronous onProgress is waited for, and its rejection is the epoch's", async () => {
  const { fn } = training();
  let isDone = false;
  await compile(fn).epoch(samples(8), {
    batchSize: 4,
    onProgress: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      isDone = true;
    },
  });
  expect(isDone).toBe(true);
  const failing = async (): Promise<void> => {
    throw new RangeError("later");
  };
  for (const source of [samples(8), new Opaque(samples(8))]) {
    const run = compile(fn).epoch(source, { batchSize: 4, onProgress: failing });
    await expect(run).rejects.toThrow("later");
  }
});

test("a dataset of somebody's own must give batches of tensors", async () => {
  const step = compile(training().fn);
  const like = (length: number, batch: unknown) => ({ length, batch: () => batch }) as never;
  await expect(step.epoch(like(8, X), { batchSize: 4 })).rejects.toThrow(/must return an array of tensors/);
  await expect(step.epoch(like(8, [1, 2]), { batchSize: 4 })).rejects.toThrow(
    /part 0 of the dataset's batch/,
  );
  for (const length of [-3, 0.5, Number.NaN, 2 ** 40]) {
    await expect(step.epoch(like(length, []), { batchSize: 4 })).rejects.toThrow(/length must be an integer/);
  }
});

test("what onProgress throws ends the epoch, in the middle and at the end", async () => {
  const made = adam();
  const step = compile(made.fn);
  const fail = (): void => {
    throw new RangeError("mine");
  };
  await expect(step.epoch(LONG, { batchSize: 4, onProgress: fail })).rejects.toThrow(RangeError);
  const done = stepsOf(made);
  const state = stateOf(made);
  expect(done).toBeLessThan(LONG_STEPS);
  const other = adam();
  await compile(other.fn).epoch(
    new data.Subset(
      LONG,
      Array.from({ length: 4 * done }, (_, i) => i),
    ),
    {
      batchSize: 4,
    },
  );
  expect(state).toEqual(stateOf(other));
  await expect(step.epoch(samples(8), { batchSize: 4, onProgress: fail })).rejects.toThrow("mine");
});

test("progress comes about every 100 ms, and at the end", async () => {
  const step = compile(adam().fn);
  const seen: number[] = [];
  const times: number[] = [];
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  const { steps, samples: count } = await step.epoch(MANY, {
    batchSize: 4,
    onProgress: ({ step: at, steps: all, samples: gone, elapsed, value }) => {
      expect([all, gone]).toEqual([10_000, 4 * at]);
      if (at > 0) expect(value).toBeGreaterThan(0);
      seen.push(at);
      times.push(elapsed);
    },
  });
  clearInterval(timer);
  expect([steps, count, seen.at(-1)]).toEqual([10_000, 40_000, 10_000]);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  const all = times.at(-1) as number;
  expect(seen.length).toBeLessThanOrEqual(Math.floor(all / 90) + 2);
  // The event loop was free meanwhile.
  expect(turns).toBeGreaterThan(1);
});

test("a bad label in the middle: the steps before it are done", async () => {
  const dataset = samples(256);
  (dataset.tensors[1].data as Int32Array)[150] = 7;
  const made = adam();
  const step = compile(made.fn);
  const running = step.epoch(dataset, { batchSize: 16 });
  await expect(running).rejects.toThrow(IndexError);
  const state = stateOf(made);
  expect(stepsOf(made)).toBe(9);
  expect(state).toEqual(plainState(9, dataset, { batchSize: 16 }));
  // And the next epoch goes on from there.
  await step.epoch(new data.Subset(dataset, [1, 2, 3, 4]), { batchSize: 2 });
  expect(stepsOf(made)).toBe(11);
});

test.each<[string, (inner: data.Dataset<[Tensor, Tensor]>) => data.Dataset<[Tensor, Tensor]>]>([
  ["a subset", (inner) => new data.Subset(inner, [5, 3, 99, 98, 97, 0, 1, 2, 3, 40, 41])],
  ["a dataset that only JavaScript can ask", (inner) => new Opaque(inner)],
  ["a subset of such a one", (inner) => new data.Subset(new Opaque(inner), [5, 3, 99, 98, 97])],
])("%s gives what the loop gives", async (_, wrap) => {
  const dataset = wrap(samples(100));
  const options = { batchSize: 4, shuffle: true };
  const plain = adam();
  const losses: number[] = [];
  for (const batch of new data.DataLoader(dataset, options)) losses.push(plain.fn(...batch).item());
  const expected = stateOf(plain);
  const made = adam();
  const seen: number[] = [];
  const {
    results,
    steps,
    samples: count,
  } = await compile(made.fn).epoch(dataset, {
    ...options,
    onProgress: ({ step }) => seen.push(step),
  });
  expect(results.toArray()).toEqual(losses);
  expect([steps, count]).toEqual([losses.length, dataset.length]);
  expect(stateOf(made)).toEqual(expected);
  expect(seen.at(-1)).toBe(steps);
});

test("epochs that wait for one another draw in their order", async () => {
  const dataset = samples(64);
  const options = { batchSize: 8, shuffle: true };
  const plain = adam();
  for (let i = 0; i < 2; i++) for (const batch of new data.DataLoader(dataset, options)) plain.fn(...batch);
  const expected = stateOf(plain);
  const made = adam();
  const step = compile(made.fn);
  await Promise.all([step.epoch(dataset, options), step.epoch(dataset, options)]);
  expect(stateOf(made)).toEqual(expected);
});

test("gradients are left as the last step has left them", async () => {
  const dataset = samples(50);
  const outcome = async (isCompiled: boolean): Promise<unknown> => {
    const { model, optimizer } = training();
    const fn = (x: Tensor, y: Tensor): Tensor => {
      optimizer.zeroGrad();
      const loss = nn.functional.crossEntropy(model.forward(x), y);
      loss.backward();
      return loss;
    };
    let shape: readonly number[] = [3];
    if (isCompiled) shape = (await compile(fn).epoch(dataset, { batchSize: 20 })).results.shape;
    else for (const batch of new data.DataLoader(dataset, { batchSize: 20 })) fn(...batch);
    return [[...model.parameters()].map(({ grad }) => grad?.toArray()), shape];
  };
  expect(await outcome(true)).toEqual(await outcome(false));
});

test("results of every form", async () => {
  const { model } = training();
  const [weight] = model.parameters();
  const step = compile((x: Tensor, _y: Tensor) => ({
    list: [x.sum(), "text"] as const,
    count: x.shape[0],
    nothing: null,
    weight,
  }));
  const { results } = await step.epoch(samples(50), { batchSize: 20 });
  expect(results.list[0].shape).toEqual([3]);
  expect([results.list[1], results.count, results.nothing]).toEqual(["text", 20, null]);
  expect(results.weight).toBe(weight);
  const silent = compile((_x: Tensor, _y: Tensor): undefined => undefined);
  const seen: number[] = [];
  const outcome = await silent.epoch(samples(50), {
    batchSize: 20,
    onProgress: ({ value }) => seen.push(value),
  });
  expect([outcome.results, seen.at(-1)]).toEqual([undefined, Number.NaN]);
});

test("a last batch with other results", async () => {
  const step = compile((x: Tensor, _y: Tensor) => (x.shape[0] === 10 ? [x.sum(), x.sum()] : [x.sum()]));
  await expect(step.epoch(samples(50), { batchSize: 20 })).rejects.toThrow(DTypeError);
  await step.epoch(samples(50), { batchSize: 20, dropLast: true });
  const wide = compile((x: Tensor, _y: Tensor) => x.transpose());
  await expect(wide.epoch(samples(50), { batchSize: 20 })).rejects.toThrow(ShapeError);
});

test("a gradient that is never zeroed", async () => {
  const { model } = training();
  const step = compile((x: Tensor, y: Tensor) => {
    const loss = nn.functional.crossEntropy(model.forward(x), y);
    loss.backward();
    return loss;
  });
  await expect(step.epoch(samples(8), { batchSize: 4 })).rejects.toThrow(TraceError);
});

test("datasets, parameters and the function are busy meanwhile", async () => {
  const made = adam();
  const step = compile(made.fn);
  const running = step.epoch(MANY, { batchSize: 400 });
  const [weight] = made.model.parameters();
  for (const used of [weight, ...MANY.tensors]) expect(() => used.toArray()).toThrow(BusyError);
  expect(() => made.model.forward(X)).toThrow(BusyError);
  await running;
  made.model.forward(X);
});

test("options are checked", async () => {
  const step = compile(adam().fn);
  const dataset = samples(8);
  const all = [
    { batchSize: 0 },
    { shuffle: 1 },
    { signal: 3 },
    { onProgress: 3 },
    { generator: 3 },
    { size: 1 },
  ];
  for (const options of [...all, { batchSize: 9, dropLast: true }]) {
    await expect(step.epoch(dataset, options as never)).rejects.toThrow(ArgumentError);
  }
  for (const bad of [undefined, null, 3, [1]]) {
    await expect(step.epoch(bad as never)).rejects.toThrow(/needs a dataset/);
  }
  manualSeed(0);
});
