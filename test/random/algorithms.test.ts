/** What the algorithms have in common: what they refuse, states, integers, traces. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../lib/compile/index.js";
import { DataLoader, TensorDataset } from "../../lib/data/index.js";
import { ArgumentError, DTypeError, StateError, TraceError } from "../../lib/errors.js";
import { loadCheckpoint, saveCheckpoint } from "../../lib/io/index.js";
import { type Algorithm, Generator, type GeneratorState } from "../../lib/random/index.js";
import { arange, tensor } from "../../lib/tensor.js";

const ALGORITHMS: Algorithm[] = ["philox", "numpy-legacy", "pcg64", "torch"];
const make = (algorithm: Algorithm, seed: number | bigint = 1) => new Generator(seed, { algorithm });

test("Philox is the default", () => {
  expect(new Generator(3).algorithm).toBe("philox");
  expect(new Generator(3).normal([4]).toArray()).toEqual(make("philox", 3).normal([4]).toArray());
});

const refused: [() => unknown, typeof ArgumentError, string][] = [
  [
    () => new Generator(0, { algorithm: "mt19937" as never }),
    ArgumentError,
    'Generator: algorithm must be "philox" or "numpy-legacy" or "pcg64" or "torch", got "mt19937"',
  ],
  [
    () => new Generator(0, { seed: 1 } as never),
    ArgumentError,
    "Generator: unknown option seed; it takes algorithm",
  ],
  [() => make("philox", 2n ** 64n), ArgumentError, "the seed must be an integer in [0, 2^64), got 18446744"],
  [() => make("torch", 2n ** 64n), ArgumentError, "the seed must be an integer in [0, 2^64), got 18446744"],
  [() => make("torch", -1), ArgumentError, "the seed must be an integer in [0, 2^64), got -1"],
  [() => make("numpy-legacy", 2 ** 32), ArgumentError, "the seed must be an integer in [0, 2^32), got 4294"],
  [() => make("pcg64", -1n), ArgumentError, "the seed must be an integer ≥ 0, got -1"],
  [() => make("pcg64", 2 ** 53), ArgumentError, "the seed must be an integer ≥ 0, got 9007199254740992"],
  [
    () => make("torch").integers(0, 2 ** 31 + 1, [1]),
    ArgumentError,
    "integers: needs int32 integers low < high, got 0 and 2147483649",
  ],
  [
    () => make("torch").integers(0, 2n ** 63n + 1n, [1], { dtype: "int64" }),
    ArgumentError,
    "integers: needs int64 integers low < high, got 0 and 9223372036854775809",
  ],
  [() => make("torch").integers(2n, 2, [1]), ArgumentError, "integers: needs int32 integers low < high"],
  [() => make("torch").integers(0, 1.5, [1]), ArgumentError, "integers: needs int32 integers low < high"],
  [
    () => make("torch").integers(0, 1, [1], { dtype: "uint8" as never }),
    DTypeError,
    'integers: dtype must be int32 or int64, got string "uint8"',
  ],
  [() => make("torch").normal([1], { dtype: "int32" }), DTypeError, "normal: dtype must be float32 or"],
  [() => make("torch").permutation(-1), ArgumentError, "permutation: n must be an integer in [0, 2^31)"],
  [
    () => make("torch").shuffle("abc" as never),
    ArgumentError,
    'shuffle: needs an array or a typed array, got string "abc"',
  ],
  [
    () => make("torch").shuffle(new DataView(new ArrayBuffer(8)) as never),
    ArgumentError,
    "shuffle: needs an array or a typed array, got a value of class DataView",
  ],
];
test.each(refused)("refuses what it cannot draw: %#", (call, kind, message) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(message);
});

describe.each(ALGORITHMS)("%s", (algorithm) => {
  test("integers of both dtypes are the same numbers, within their bounds", () => {
    const narrow = make(algorithm).integers(-3, 1000, [500]);
    const wide = make(algorithm).integers(-3n, 1000n, [500], { dtype: "int64" });
    expect([narrow.dtype, wide.dtype]).toEqual(["int32", "int64"]);
    expect([...wide.data].map(Number)).toEqual([...narrow.data]);
    expect(Math.min(...(narrow.data as Int32Array))).toBeGreaterThanOrEqual(-3);
    expect(Math.max(...(narrow.data as Int32Array))).toBeLessThan(1000);
  });

  test("wide integers reach all of their range and nothing beyond", () => {
    const [low, high] = [-(2n ** 40n), 2n ** 40n + 1n];
    const { data } = make(algorithm).integers(low, high, [300], { dtype: "int64" });
    const all = [...(data as BigInt64Array)];
    expect(all.every((x) => x >= low && x < high)).toBe(true);
    expect(all.some((x) => x < low / 2n)).toBe(true);
    expect(all.some((x) => x > high / 2n)).toBe(true);
  });

  // PyTorch takes remainders, which favour small numbers.
  test.skipIf(algorithm === "torch")("wide integers are equally likely", () => {
    const third = 2n ** 62n;
    const { data } = make(algorithm).integers(-third, 2n * third, [900], { dtype: "int64" });
    const low = [...(data as BigInt64Array)].filter((x) => x < 0n).length;
    expect(Math.abs(low - 300)).toBeLessThan(70);
  });

  test("shuffle puts lists into the order of permutation", () => {
    const letters = [..."abcdefghij"];
    const order = [...make(algorithm).permutation(10)];
    expect(make(algorithm).shuffle([...letters])).toEqual(order.map((i) => letters[i]));
    const typed = Float64Array.from(order.keys());
    expect(make(algorithm).shuffle(typed)).toBe(typed);
    expect([...typed]).toEqual(order);
    expect(make(algorithm).shuffle([])).toEqual([]);
  });

  test("masks of dropout hold 0 and 1/(1 − p) in the proportion asked for", () => {
    const { data } = make(algorithm).dropoutMask([10_000], 0.2);
    expect(new Set<number | bigint>(data)).toEqual(new Set([0, Math.fround(1.25)]));
    expect([...data].filter((x) => x === 0).length / 10_000).toBeCloseTo(0.2, 1);
  });

  test("draws nothing for empty shapes and refuses wrong ones", () => {
    const generator = make(algorithm);
    const before = generator.getState();
    expect(generator.normal([0, 3]).shape).toEqual([0, 3]);
    expect(generator.uniform([0], { dtype: "float64" }).size).toBe(0);
    expect(generator.getState()).toEqual(before);
    expect(() => generator.normal([-1])).toThrow("normal: ");
    expect(generator.getState()).toEqual(before);
  });

  test("takes only its own states, and does not change when it refuses one", () => {
    const generator = make(algorithm);
    generator.normal([3]);
    const before = generator.getState();
    const others = ALGORITHMS.filter((name) => name !== algorithm).map((name) => make(name).getState());
    for (const state of [...others, null, undefined, 5, {}, { algorithm: before.algorithm }]) {
      const call = () => generator.setState(state as never);
      expect(call).toThrow(StateError);
      expect(call).toThrow(`Generator: not a state of ${before.algorithm}: `);
      expect(() => generator.checkState(state as never)).toThrow(StateError);
    }
    expect(generator.getState()).toEqual(before);
    generator.checkState(make(algorithm, 9).getState());
    expect(generator.getState()).toEqual(before);
  });

  test("a checkpoint and a loader keep its state", () => {
    const folder = mkdtempSync(join(tmpdir(), "thalweg-random-"));
    const path = join(folder, "run.safetensors");
    try {
      const generator = make(algorithm);
      generator.normal([3]);
      saveCheckpoint(path, { generators: { noise: generator } });
      const next = generator.normal([5]).toArray();
      const other = make(algorithm, 7);
      loadCheckpoint(path, { generators: { noise: other } });
      expect(other.normal([5]).toArray()).toEqual(next);
      const wrong = make(algorithm === "torch" ? "philox" : "torch");
      expect(() => loadCheckpoint(path, { generators: { noise: wrong } })).toThrow(StateError);
      const loader = (g: Generator) =>
        new DataLoader(new TensorDataset(arange(4)), { shuffle: true, generator: g });
      expect(() => loader(wrong).checkState(loader(generator).getState())).toThrow(StateError);
      loader(other).checkState(loader(generator).getState());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("single-number draws cannot be traced, Philox's kernels can", () => {
    const generator = make(algorithm);
    const x = tensor([1, 2, 3]);
    const calls: Record<string, () => unknown> = {
      uniform: () => generator.uniform([3]),
      normal: () => generator.normal([3]),
      dropoutMask: () => generator.dropoutMask([3], 0.5),
      integers: () => generator.integers(0, 3, [3]),
      permutation: () => generator.permutation(3),
      shuffle: () => generator.shuffle([1, 2]),
    };
    const before = generator.getState();
    for (const [name, call] of Object.entries(calls)) {
      const isKernel = ["uniform", "normal", "dropoutMask"].includes(name);
      if (algorithm === "philox" && isKernel) continue;
      const step = compile((input: typeof x) => {
        call();
        return input.mul(2);
      });
      expect(() => step.sync(x), name).toThrow(TraceError);
      expect(() => step.sync(x), name).toThrow(`Generator.${name}`);
    }
    expect(generator.getState()).toEqual(before);
  });
});

const damaged: [Algorithm, (state: never) => object][] = [
  ["philox", (state: object) => ({ ...state, offset: "-1" })],
  ["philox", (state: object) => ({ ...state, seed: String(2n ** 64n) })],
  ["numpy-legacy", (state: { key: number[] }) => ({ ...state, key: state.key.slice(1) })],
  ["numpy-legacy", (state: { key: number[] }) => ({ ...state, key: state.key.with(9, 2 ** 32) })],
  ["numpy-legacy", (state: { key: number[] }) => ({ ...state, key: state.key.with(9, 0.5) })],
  ["numpy-legacy", (state: object) => ({ ...state, position: 625 })],
  ["numpy-legacy", (state: object) => ({ ...state, algorithm: "torch" })],
  ["torch", (state: object) => ({ ...state, cached: "1" })],
  ["torch", (state: object) => ({ ...state, cached: undefined })],
  ["pcg64", (state: object) => ({ ...state, increment: "2" })],
  ["pcg64", (state: object) => ({ ...state, state: String(2n ** 128n) })],
  ["pcg64", (state: object) => ({ ...state, state: "0x1" })],
  ["pcg64", (state: object) => ({ ...state, buffered: -1 })],
  ["pcg64", (state: object) => ({ ...state, buffered: undefined })],
];
test.each(damaged)("refuses a damaged state of %s: %#", (algorithm, damage) => {
  const generator = make(algorithm);
  const state = generator.getState();
  const bad = damage(structuredClone(state) as never) as GeneratorState;
  expect(() => generator.setState(bad)).toThrow(StateError);
  expect(generator.getState()).toEqual(state);
});
