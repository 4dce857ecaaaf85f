import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataLoader, type DataLoaderOptions } from "../../lib/data/data_loader.js";
import { TensorDataset } from "../../lib/data/dataset.js";
import { ArgumentError, StateError } from "../../lib/errors.js";
import { defaultGenerator, Generator, manualSeed } from "../../lib/random/generator.js";
import { arange, type Tensor } from "../../lib/tensor.js";
import { thrown } from "../ndarray/thrown.js";

const range = (n: number): TensorDataset<[Tensor]> => new TensorDataset(arange(0, n, 1, { dtype: "int32" }));
const numbers = ([batch]: [Tensor]): number[] => batch.toArray() as number[];
const epochOf = (loader: DataLoader<[Tensor]>): number[][] => Array.from(loader, numbers);

describe("order and batches", () => {
  test("in order by default, the last batch shorter", () => {
    const loader = new DataLoader(range(7), { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect(epochOf(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(epochOf(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  test("one by one without a batch size", () => {
    expect(epochOf(new DataLoader(range(2)))).toEqual([[0], [1]]);
  });

  test("dropLast leaves out the shorter batch only", () => {
    expect(epochOf(new DataLoader(range(7), { batchSize: 3, dropLast: true }))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(epochOf(new DataLoader(range(6), { batchSize: 3, dropLast: true }))).toHaveLength(2);
    expect(epochOf(new DataLoader(range(2), { batchSize: 3, dropLast: true }))).toEqual([]);
  });

  test("an empty dataset has empty epochs", () => {
    expect(epochOf(new DataLoader(range(0), { batchSize: 3, shuffle: true }))).toEqual([]);
  });

  test("shuffled: each epoch another permutation, the same for the same seed", () => {
    const make = (seed: number) =>
      new DataLoader(range(50), { batchSize: 8, shuffle: true, generator: new Generator(seed) });
    const loader = make(1);
    const [first, second] = [epochOf(loader).flat(), epochOf(loader).flat()];
    expect(first.toSorted((a, b) => a - b)).toEqual([...Array(50).keys()]);
    expect(second.toSorted((a, b) => a - b)).toEqual([...Array(50).keys()]);
    expect(first).not.toEqual(second);
    expect(epochOf(make(1)).flat()).toEqual(first);
    expect(epochOf(make(2)).flat()).not.toEqual(first);
  });

  test("draws from the default generator unless given one, and not at all in order", () => {
    manualSeed(3);
    const first = epochOf(new DataLoader(range(20), { shuffle: true }));
    expect(defaultGenerator().getState()).not.toMatchObject({ offset: "0" });
    manualSeed(3);
    epochOf(new DataLoader(range(20)));
    expect(defaultGenerator().getState()).toMatchObject({ offset: "0" });
    expect(epochOf(new DataLoader(range(20), { shuffle: true }))).toEqual(first);
  });

  test("for await gives the same batches and lets the event loop turn between them", async () => {
    const loader = new DataLoader(range(7), { batchSize: 3 });
    let turns = 0;
    const count = (): void => {
      turns++;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const seen: { batch: number[]; turns: number }[] = [];
    for await (const batch of loader) seen.push({ batch: numbers(batch), turns });
    clearImmediate(timer);
    expect(seen.map(({ batch }) => batch)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(seen[1].turns).toBeGreaterThan(seen[0].turns);
    expect(seen[2].turns).toBeGreaterThan(seen[1].turns);
  });

  test("break leaves the epoch: the next loop begins a new one", async () => {
    const loader = new DataLoader(range(6), { batchSize: 2 });
    for (const batch of loader) if (numbers(batch)[0] === 2) break;
    expect(loader.getState()).toMatchObject({ epoch: 0, batch: 2 });
    expect(epochOf(loader)).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(loader.getState()).toMatchObject({ epoch: 2, batch: 0 });
    for await (const _ of loader) break;
    expect(loader.getState()).toMatchObject({ epoch: 2, batch: 1 });
  });

  test("an older iterator goes on with its own epoch and does not move the position", () => {
    const loader = new DataLoader(range(4), { batchSize: 2 });
    const older = loader[Symbol.iterator]();
    older.next();
    const newer = loader[Symbol.iterator]();
    newer.next();
    expect(older.next().value?.map((part) => part.toArray())).toEqual([[2, 3]]);
    expect(older.next().done).toBe(true);
    expect(loader.getState()).toMatchObject({ epoch: 1, batch: 1 });
  });
});

describe("options", () => {
  test.each<[string, unknown, string]>([
    ["batchSize", 0, "batchSize must be a positive integer, got 0"],
    ["batchSize", 2.5, "batchSize must be a positive integer, got 2.5"],
    ["batchSize", "4", 'batchSize must be a positive integer, got string "4"'],
    ["shuffle", 1, "shuffle must be true or false, got 1"],
    ["dropLast", null, "dropLast must be true or false, got null"],
    ["generator", { seed: 1 }, "generator must be a Generator, got a value of class Object"],
    ["batch_size", 4, "unknown option batch_size; it takes batchSize, shuffle, generator, dropLast"],
  ])("refuses %s = %j", (name, value, message) => {
    const error = thrown(() => new DataLoader(range(3), { [name]: value } as DataLoaderOptions));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toBe(`DataLoader: ${message}`);
  });

  test("refuses what are no options, and what is no dataset", () => {
    const [options, dataset] = [
      thrown(() => new DataLoader(range(3), null as never)),
      thrown(() => new DataLoader(undefined as never)),
    ];
    for (const error of [options, dataset]) expect(error).toBeInstanceOf(ArgumentError);
    expect(options.message).toBe("DataLoader: options must be an object, got null");
    expect(dataset.message).toBe("DataLoader: needs a dataset, with length and batch, got undefined");
  });
});

describe("resuming", () => {
  /** Batches of some epochs; between batches others draw from the generator, as dropout does. */
  function* run(loader: DataLoader<[Tensor]>, epochs: number): Iterable<number[]> {
    while (loader.getState().epoch < epochs) {
      for (const batch of loader) {
        yield numbers(batch);
        loader.generator.permutation(3);
      }
      loader.generator.permutation(5);
    }
  }

  test("anywhere, a new loader gives the very batches that were left, and the generator ends where it would have", () => {
    const cases = fc.record({
      n: fc.integer({ min: 1, max: 30 }),
      batchSize: fc.integer({ min: 1, max: 12 }),
      shuffle: fc.boolean(),
      dropLast: fc.boolean(),
      seed: fc.nat(),
      stop: fc.nat(100),
    });
    fc.assert(
      fc.property(cases, ({ n, seed, stop, ...options }) => {
        const make = (from: number) =>
          new DataLoader(range(n), { ...options, generator: new Generator(from) });
        const whole = make(seed);
        const expected = [...run(whole, 3)];

        const interrupted = make(seed);
        const seen: number[][] = [];
        for (const batch of run(interrupted, 3)) {
          seen.push(batch);
          if (seen.length > stop) break;
        }
        // Between batches the state is taken where the loop's body has drawn nothing yet; so must the rest go on.
        const state = JSON.parse(JSON.stringify(interrupted.getState()));
        const resumed = make(seed + 1).setState(state);
        if (!options.shuffle) resumed.generator.setState(interrupted.generator.getState());
        if (seen.length <= stop) expect(seen).toEqual(expected);
        else if (state.batch > 0) resumed.generator.permutation(3);
        expect([...seen, ...run(resumed, 3)]).toEqual(expected);
        expect(resumed.generator.getState()).toEqual(whole.generator.getState());
        expect(resumed.getState()).toEqual(whole.getState());
      }),
      { numRuns: 200 },
    );
  });

  test("after the last batch nothing is left of the epoch, and the next one follows", () => {
    const make = () => new DataLoader(range(4), { batchSize: 2, shuffle: true, generator: new Generator(5) });
    const whole = make();
    const expected = [epochOf(whole), epochOf(whole)];
    const interrupted = make();
    const iterator = interrupted[Symbol.iterator]();
    iterator.next();
    iterator.next();
    const resumed = make().setState(interrupted.getState());
    expect(resumed.getState()).toMatchObject({ epoch: 0, batch: 2 });
    expect(epochOf(resumed)).toEqual([]);
    expect(epochOf(resumed)).toEqual(expected[1]);
  });

  test("a state can be taken again before the loop goes on", () => {
    const loader = new DataLoader(range(9), { batchSize: 2, shuffle: true, generator: new Generator(5) });
    loader[Symbol.iterator]().next();
    const state = loader.getState();
    const copy = new DataLoader(range(9), { batchSize: 2, shuffle: true, generator: new Generator(6) });
    expect(copy.setState(state).getState()).toEqual(state);
  });

  test.each<[string, object, RegExp]>([
    ["another dataset", { samples: 8 }, /with samples 8, this one has 9/],
    ["another batch size", { batchSize: 3 }, /with batchSize 3, this one has 2/],
    ["another dropLast", { dropLast: true }, /with dropLast true, this one has false/],
    ["no shuffling", { shuffle: null }, /with shuffle false, this one has true/],
    ["a batch after the end", { batch: 6 }, /batch 6; needs integers, epoch ≥ 0 and batch in \[0, 5\]/],
    ["a broken epoch", { epoch: 1.5 }, /epoch 1.5/],
    ["a broken generator", { shuffle: { epochStart: 1, now: 2 } }, /not a state of philox/],
  ])("refuses the state of %s and stays where it is", (_, change, message) => {
    const loader = new DataLoader(range(9), { batchSize: 2, shuffle: true, generator: new Generator(5) });
    loader[Symbol.iterator]().next();
    const before = loader.getState();
    const error = thrown(() => loader.setState({ ...before, batch: 2, ...change }));
    expect(error).toBeInstanceOf(StateError);
    expect(error.message).toMatch(message);
    expect(loader.getState()).toEqual(before);
  });

  test.each([null, undefined, 3, {}])("refuses %j", (state) => {
    const loader = new DataLoader(range(9));
    expect(() => loader.setState(state as never)).toThrow(StateError);
  });
});
