/** Orthogonal and sparse initial values. */
import { describe, expect, test } from "vitest";
import { ArgumentError, ShapeError } from "../../lib/errors.js";
import * as init from "../../lib/init/index.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, zeros } from "../../lib/tensor.js";

const fresh = (shape: number[]): Tensor => zeros(shape, { dtype: "float64", requiresGrad: true });

describe("orthogonal", () => {
  test.each([
    [[20, 50], "rows"],
    [[50, 20], "columns"],
    [[30, 30], "rows"],
    [[8, 3, 5], "rows"],
    [[1, 1], "rows"],
  ])("of shape %j has orthonormal %s, times the gain", (shape, side) => {
    const x = fresh(shape);
    expect(init.orthogonal(x, { gain: 3, generator: new Generator(1) })).toBe(x);
    const matrix = x.detach().reshape([shape[0], -1]);
    const product = side === "rows" ? matrix.matmul(matrix.transpose()) : matrix.transpose().matmul(matrix);
    const n = product.shape[0];
    Array.from(product.data, Number).forEach((value, i) => {
      expect(Math.abs(value - (i % (n + 1) === 0 ? 9 : 0))).toBeLessThan(1e-13);
    });
  });

  test("is uniform: every element of either sign, of mean square 1/n", () => {
    const generator = new Generator(2);
    const draws = Array.from({ length: 2000 }, () => init.orthogonal(fresh([3, 3]), { generator }));
    for (const element of [0, 4, 8, 5]) {
      const values = draws.map((x) => Number(x.data[element]));
      const mean = (f: (v: number) => number): number => values.reduce((s, v) => s + f(v), 0) / values.length;
      // The variance of an element is 1/3, of its square 1/5 − 1/9.
      expect(Math.abs(mean((v) => v))).toBeLessThan(4 * Math.sqrt(1 / 3 / 2000));
      expect(Math.abs(mean((v) => v * v) - 1 / 3)).toBeLessThan(4 * Math.sqrt((1 / 5 - 1 / 9) / 2000));
    }
  });

  test("takes float32, empty tensors, and refuses vectors and bad options", () => {
    const x = init.orthogonal(zeros([4, 4]), { generator: new Generator(3) });
    expect(x.dtype).toBe("float32");
    expect(Math.abs(x.square().sum().item() - 4)).toBeLessThan(1e-5);
    expect(init.orthogonal(zeros([0, 3])).size).toBe(0);
    expect(() => init.orthogonal(zeros([3]))).toThrow(ShapeError);
    expect(() => init.orthogonal(zeros([3]))).toThrow("orthogonal: needs at least two axes, got [3]");
    expect(() => init.orthogonal(zeros([2, 2]), { gain: Number.NaN })).toThrow(
      "orthogonal: gain must be a finite number, got NaN",
    );
    expect(() => init.orthogonal(zeros([2, 2]), { scale: 1 } as never)).toThrow(ArgumentError);
  });
});

describe("sparse", () => {
  test("has ⌈sparsity·rows⌉ zeros in each column, at random places, and normal numbers else", () => {
    const x = init.sparse(fresh([101, 60]), 0.25, { std: 2, generator: new Generator(4) });
    const columns = (x.transpose().toArray() as number[][]).map((column) =>
      column.flatMap((value, row) => (value === 0 ? [row] : [])),
    );
    for (const zeroRows of columns) expect(zeroRows.length).toBe(26);
    expect(new Set(columns.map(String)).size).toBe(60);
    const others = Array.from(x.data, Number).filter((value) => value !== 0);
    const square = others.reduce((sum, value) => sum + value * value, 0) / others.length;
    expect(Math.abs(square / 4 - 1)).toBeLessThan(6 * Math.sqrt(2 / others.length));
  });

  test("refuses a sparsity outside [0, 1], a negative std and other shapes", () => {
    expect(() => init.sparse(fresh([2, 2]), 1.5)).toThrow(
      "sparse: sparsity must be a number in [0, 1], got 1.5",
    );
    expect(() => init.sparse(fresh([2, 2]), 0.5, { std: -1 })).toThrow(ArgumentError);
    expect(() => init.sparse(fresh([2, 2, 2]), 0.5)).toThrow(ShapeError);
    expect(
      init
        .sparse(fresh([3, 2]), 1)
        .square()
        .sum()
        .item(),
    ).toBe(0);
  });
});
