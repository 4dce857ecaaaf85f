/** What a benchmark's figures rest on: the check of a product, turns and their ratio, and the fields of a row. */
import { describe, expect, test } from "vitest";
// @ts-expect-error The benchmark is plain JavaScript.
import { matmulCases } from "../../bench/cases/matmul.mjs";
// @ts-expect-error The benchmark is plain JavaScript.
import { medianRatio, takeTurns } from "../../bench/harness.mjs";
// @ts-expect-error The benchmark is plain JavaScript.
import { makeRow } from "../../bench/rows.mjs";

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
