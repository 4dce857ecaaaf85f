/** What a benchmark's figures rest on: the check of a product, turns and their ratio, and the fields of a row. */
import { describe, expect, test } from "vitest";
// @ts-expect-error The benchmark is plain JavaScript.
import { matmulCases } from "../../bench/cases/matmul.mjs";
// @ts-expect-error The benchmark is plain JavaScript.
import { callCases, trainCases } from "../../bench/cases/networks.mjs";
// @ts-expect-error The benchmark is plain JavaScript.
import { medianRatio, takeTurns } from "../../bench/harness.mjs";
// @ts-expect-error The benchmark is plain JavaScript.
import { floorNs, makeRow } from "../../bench/rows.mjs";

interface Product {
  name: string;
  shape: [number, number, number];
  form: string;
  tolerance: number;
  inputs(): { a: Float32Array; b: Float32Array };
  residual(operands: { a: Float32Array; b: Float32Array; c: Float32Array }): number;
}

const cases: Product[] = matmulCases();

function multiply({ shape: [m, k, n], form, inputs }: Product) {
  const { a, b } = inputs();
  const c = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) {
        sum += a[form[0] === "n" ? i * k + p : p * m + i] * b[form[1] === "n" ? p * n + j : j * k + p];
      }
      c[i * n + j] = sum;
    }
  }
  return { a, b, c };
}

describe("the check of a product", () => {
  const chosen = cases.filter(({ name }) =>
    ["matmul 64x64x64 nt", "matmul 128x32x784 tn", "matmul 1x1024x1024 nn"].includes(name),
  );
  test.each(chosen)("$name: passes the product, and no product with one element off", (work) => {
    const operands = multiply(work);
    expect(work.residual(operands)).toBeLessThan(work.tolerance);
    const middle = operands.c.length >> 1;
    operands.c[middle] += 0.01;
    expect(work.residual(operands)).toBeGreaterThan(work.tolerance);
    operands.c[middle] = Number.NaN;
    expect(work.residual(operands) <= work.tolerance).toBe(false);
  });
  test("finds three cases to check", () => expect(chosen).toHaveLength(3));
});

test("names are unique and say shape and form", () => {
  const names = cases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^matmul \d+x\d+x\d+ [nt][nt]( f64)?$/);
});

test("sides take turns, and the ratio is theirs over ours", async () => {
  const order: string[] = [];
  const side = (name: string, ns: number) => ({
    run: (calls: number) => {
      order.push(name);
      return ns * calls;
    },
  });
  const [ours, theirs] = await takeTurns([side("ours", 1e6), side("theirs", 3e6)], {
    rounds: 4,
    budgetNs: 1e9,
  });
  expect(order.slice(-8)).toEqual(new Array(4).fill(["ours", "theirs"]).flat());
  expect(ours).toEqual(new Array(4).fill(1e6));
  expect(medianRatio(ours, theirs)).toBe(3);
});

test("a side runs for as long as asked before the first turn", async () => {
  const calls: number[] = [];
  const side = {
    turnNs: 1e6,
    run: (count: number) => {
      calls.push(count);
      return 1e6 * count;
    },
  };
  await takeTurns([side], { rounds: 3, budgetNs: 1e9, warmUpNs: 7e6 });
  expect(calls).toEqual([1, 2, 4, 8, 1, 1, 1]);
});

describe("training steps", () => {
  const works: { name: string; floor: { flops: number; bytes: number } }[] = trainCases();

  test("names say layers, batch and optimizer, and ways of calling stand at the end", () => {
    const names = works.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^train \d+(-\d+(x\d+)?)+ b\d+ (adam|sgd)$/);
    expect(names).toContain("train 784-256-128-10 b128 adam");
    expect(names).toContain("train 784-100x50-10 b100 sgd");
    const ways: { name: string; way: string }[] = callCases();
    expect(ways.map(({ name }) => name)).toEqual(
      names.flatMap((name) => [`${name} async`, `${name} eager`, `${name} epoch`]),
    );
    expect(ways.every(({ name, way }) => name.endsWith(` ${way}`))).toBe(true);
  });

  test("the floor counts products, and parameters, state and batch", () => {
    const floor = works.find(({ name }) => name === "train 784-256-128-10 b128 adam")?.floor;
    // The first layer's input has no gradient; 235,146 parameters and two moments of each are read and written.
    expect(floor?.flops).toBe(2 * 128 * (2 * 784 * 256 + 3 * 256 * 128 + 3 * 128 * 10));
    expect(floor?.bytes).toBe(4 * (6 * 235_146 + 128 * 784));
    const sgd = works.find(({ name }) => name === "train 784-128-10 b32 sgd")?.floor;
    expect(sgd?.bytes).toBe(4 * (2 * (785 * 128 + 129 * 10) + 32 * 784));
  });

  test("the floor's time is by the ceilings of as many threads, and a row has its share", () => {
    const ceiling = (name: string, dtype: string, threads: number, median: number) => ({
      name,
      dtype,
      threads,
      median,
    });
    const rows = [
      ceiling("peak fma", "float32", 1, 50),
      ceiling("peak fma", "float64", 2, 7),
      ceiling("peak fma", "float32", 2, 100),
      ceiling("peak copy", "float32", 1, 5),
      ceiling("peak copy", "float32", 2, 10),
    ];
    const work = { floor: { flops: 1000, bytes: 200 }, unit: "samples/s", samples: 4 };
    expect(floorNs(work, rows, 2)).toBe(30);
    expect(floorNs(work, rows, 1)).toBe(60);
    expect(floorNs(work, rows.slice(0, 3), 2)).toBeUndefined();
    expect(makeRow(work, { by: {}, floorNs: 30 }, { ours: [30, 40, 90] })).toMatchObject({
      peakFraction: 0.75,
      median: 1e8,
    });
    expect(makeRow(work, { by: {} }, { ours: [40] }).peakFraction).toBeNull();
  });
});

test("a row has the fields of the contract", () => {
  const work = { name: "w", shape: [2], dtype: "float32", unit: "GFLOP/s", flops: 400, bytes: 8 };
  const details = { by: { backend: "native", isa: "avx2", threads: 1 }, residual: 1e-7, against: "blis" };
  const times = { ours: [8, 10, 16], theirs: [16, 20, 32], ceiling: { times: [2, 2, 2], work: 100 } };
  expect(makeRow(work, details, times)).toMatchObject({
    name: "w",
    shape: [2],
    dtype: "float32",
    backend: "native",
    isa: "avx2",
    threads: 1,
    median: 40,
    best: 50,
    unit: "GFLOP/s",
    peakFraction: 0.8,
    residual: 1e-7,
    ratio: 2,
    against: "blis",
  });
  expect(makeRow(work, { by: {} }, { ours: [8] })).toMatchObject({
    peakFraction: null,
    ratio: null,
    against: null,
  });
});
