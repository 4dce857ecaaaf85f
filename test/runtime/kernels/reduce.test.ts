import { describe, expect, test } from "vitest";
import { maxLine, sumLine } from "../../../lib/runtime/kernels/lanes.js";
import type { KernelName } from "../../../lib/runtime/table.js";
import { call, numbers } from "./call.js";
import { foldInLanes, sumInLanes } from "./reference.js";

const { fround } = Math;
const same = (x: number): number => x;
const int32 = (x: number): number => x | 0;

/** One line of the input reduced to one number, over axes R = [n]. */
function line(name: KernelName, x: Float32Array | Float64Array, scalars: number[] = []): number {
  const y = x instanceof Float32Array ? new Float32Array(1) : new Float64Array(1);
  call(name, [[], [x.length]], [x, y], scalars);
  return y[0];
}

// Beside one lane, one block and two levels of blocks, each with one more and one fewer.
const LENGTHS = [0, 1, 2, 15, 16, 17, 100, 4095, 4096, 4097, 8192, 65536, 65537 + 4096];

describe("sums", () => {
  test.each(LENGTHS)("of %i numbers are added in the contract's order", (n) => {
    const x = numbers(n);
    expect(line("sum_f32", x)).toBe(sumInLanes(x, fround));
    const wide = Float64Array.from(x, (value) => value / 3);
    expect(line("sum_f64", wide)).toBe(sumInLanes(wide, same));
  });

  test("over more than 4096 blocks of 4096 go a level deeper", () => {
    // 2²⁴ + 4096 numbers: 4097 block sums, themselves summed in two blocks.
    const n = 2 ** 24 + 4096;
    const period = numbers(4096, 7);
    const x = new Float32Array(n);
    for (let i = 0; i < n; i += 4096) x.set(period, i);
    x[n - 1] = 1000;
    const blocks = new Array<number>(4097).fill(sumInLanes(period, fround));
    blocks[4096] = sumInLanes(period.with(4095, 1000), fround);
    expect(sumLine("f32", x, 0, n, 1)).toBe(sumInLanes(blocks, fround));
  });

  test("of int32 wrap", () => {
    const y = new Int32Array(1);
    call("sum_i32", [[], [3]], [Int32Array.of(2 ** 31 - 1, 2 ** 31 - 1, 5), y]);
    expect(y[0]).toBe(3);
  });

  test.each([1, 17, 4097, 12289])("of %i rows, column by column, have the bits of the same lines", (rows) => {
    const columns = 9;
    const x = numbers(rows * columns);
    const y = new Float32Array(columns);
    call("sum_f32", [[columns], [rows]], [{ data: x, strides: [[1], [columns]] }, y]);
    const expected = Array.from({ length: columns }, (_, c) =>
      sumInLanes(
        Array.from({ length: rows }, (_, r) => x[r * columns + c]),
        fround,
      ),
    );
    expect([...y]).toEqual(expected);
  });

  test("over two axes that do not collapse, both by lines and by columns", () => {
    // x[a, b, c] summed over a and c, then over a and b.
    const [a, b, c] = [5, 3, 40];
    const x = numbers(a * b * c);
    const at = (i: number, j: number, k: number): number => x[(i * b + j) * c + k];
    const overAC = new Float32Array(b);
    call("sum_f32", [[b], [a, c]], [{ data: x, strides: [[c], [b * c, 1]] }, overAC]);
    for (let j = 0; j < b; j++) {
      const terms = Array.from({ length: a * c }, (_, i) => at(Math.floor(i / c), j, i % c));
      expect(overAC[j]).toBe(sumInLanes(terms, fround));
    }
    const overBA = new Float32Array(c);
    call("sum_f32", [[c], [b, a]], [{ data: x, strides: [[1], [c, b * c]] }, overBA]);
    for (let k = 0; k < c; k++) {
      const terms = Array.from({ length: a * b }, (_, i) => at(i % a, Math.floor(i / a), k));
      expect(overBA[k]).toBe(sumInLanes(terms, fround));
    }
  });

  test("of reversed and strided views", () => {
    const x = numbers(100);
    const y = new Float32Array(2);
    call("sum_f32", [[2], [30]], [{ data: x, offset: 99, strides: [[-1], [-3]] }, y]);
    const terms = (from: number): number[] => Array.from({ length: 30 }, (_, i) => x[from - 3 * i]);
    expect([...y]).toEqual([sumInLanes(terms(99), fround), sumInLanes(terms(98), fround)]);
  });

  test("of nothing are 0, and there may be no sums at all", () => {
    const y = Float32Array.of(7, 7, 7, 7, 7, 7, 7, 7, 7);
    call("sum_f32", [[9], [0]], [{ data: new Float32Array(0), strides: [[1], [9]] }, y]);
    expect([...y]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    call("sum_f32", [[0], [9]], [new Float32Array(0), y]);
    expect(y[0]).toBe(0);
  });
});

describe("prod", () => {
  test.each([0, 1, 16, 17, 4097])("of %i numbers is multiplied in the order of the sum", (n) => {
    const x = numbers(n).map((value) => 1 + value / 64);
    expect(line("prod_f32", x)).toBe(foldInLanes([...x], (a, b) => fround(a * b), 1));
  });

  test("of int32 wraps", () => {
    const x = Int32Array.from({ length: 40 }, (_, i) => 2 * i + 3);
    const y = new Int32Array(1);
    call("prod_i32", [[], [40]], [x, y]);
    expect(y[0]).toBe([...x].reduce((a, b) => int32(Math.imul(a, b)), 1));
  });
});

describe("mean and var", () => {
  test.each([1, 10, 4099])("of %i numbers round every step", (n) => {
    const x = numbers(n);
    const mean = fround(sumInLanes(x, fround) / n);
    expect(line("mean_f32", x)).toBe(mean);
    const squares = [...x].map((value) => fround(fround(value - mean) ** 2));
    expect(line("var_f32", x, [0])).toBe(fround(sumInLanes(squares, fround) / n));
    expect(line("var_f32", x, [1])).toBe(fround(sumInLanes(squares, fround) / (n - 1)));
  });

  test("mean of columns and of nothing", () => {
    const x = numbers(24);
    const y = new Float32Array(8);
    call("mean_f32", [[8], [3]], [{ data: x, strides: [[1], [8]] }, y]);
    expect([...y]).toEqual(
      Array.from({ length: 8 }, (_, c) => fround(sumInLanes([x[c], x[c + 8], x[c + 16]], fround) / 3)),
    );
    expect(line("mean_f32", new Float32Array(0))).toBeNaN();
  });

  test("var is that of two passes in float64", () => {
    const x = Float64Array.of(1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16);
    expect(line("var_f64", x, [1])).toBe(30);
  });
});

describe("max, min, argmax, argmin", () => {
  const ARGS = ["argmax_f32", "argmin_f32"] as const;
  const positions = (x: number[]): number[] =>
    ARGS.map((name) => {
      const y = new Int32Array(1);
      call(name, [[], [x.length]], [Float32Array.from(x), y]);
      return y[0];
    });
  const extrema = (x: number[]): number[] => [
    line("max_f32", Float32Array.from(x)),
    line("min_f32", Float32Array.from(x)),
  ];

  test("find the extremum wherever it is", () => {
    for (let at = 0; at < 40; at++) {
      const x = [...numbers(40)];
      x[at] = 5;
      x[(at + 17) % 40] = -5;
      expect(extrema(x)).toEqual([5, -5]);
      expect(positions(x)).toEqual([at, (at + 17) % 40]);
    }
  });

  test("the first of equal extrema counts", () => {
    expect(positions([1, 3, 3, 0, 0])).toEqual([1, 3]);
    expect(positions([0, -0])).toEqual([0, 0]);
  });

  test("hand a NaN on, and give the place of the first", () => {
    for (const at of [0, 1, 20, 39]) {
      const x = [...numbers(40)];
      x[at] = Number.NaN;
      x[39] = Number.NaN;
      expect(extrema(x)).toEqual([Number.NaN, Number.NaN]);
      expect(positions(x)).toEqual([at, at]);
    }
  });

  test("infinities", () => {
    expect(extrema([-Infinity, -Infinity])).toEqual([-Infinity, -Infinity]);
    expect(positions([-Infinity, -Infinity])).toEqual([0, 0]);
    expect(extrema([Infinity, 1])).toEqual([Infinity, 1]);
  });

  test("of two zeros the lanes decide which sign stays", () => {
    const later = (a: number, b: number): number => (a > b ? a : b);
    for (const x of [
      [0, -0],
      [-0, 0],
      [...new Float32Array(20).fill(-0), 0],
    ]) {
      expect(maxLine("f32", Float32Array.from(x), 0, x.length, 1)).toBe(foldInLanes(x, later, -Infinity));
    }
  });

  test("of nothing are the ends of the type's range", () => {
    expect(extrema([])).toEqual([-Infinity, Infinity]);
    const y = new Int32Array(1);
    call("max_i32", [[], [0]], [new Int32Array(0), y]);
    expect(y[0]).toBe(-(2 ** 31));
    const byte = new Uint8Array(1);
    call("min_u8", [[], [0]], [new Uint8Array(0), byte]);
    expect(byte[0]).toBe(255);
  });

  test("of int32, u8 and over an axis", () => {
    const y = new Int32Array(2);
    call("min_i32", [[2], [3]], [Int32Array.of(5, -7, 2, -1, -2, -9), y]);
    expect([...y]).toEqual([-7, -9]);
    const bytes = new Uint8Array(1);
    call("max_u8", [[], [3]], [Uint8Array.of(3, 200, 7), bytes]);
    expect(bytes[0]).toBe(200);
    call(
      "argmax_i32",
      [[2], [2, 2]],
      [{ data: Int32Array.of(1, 2, 9, 4, 5, 6, 7, 8), strides: [[2], [4, 1]] }, y],
    );
    expect([...y]).toEqual([3, 0]);
  });
});

describe("logsumexp", () => {
  test("is m + log Σ exp(x − m), rounded at every step", () => {
    const x = numbers(50);
    const m = Math.max(...x);
    const sum = sumInLanes(
      [...x].map((value) => fround(Math.exp(fround(value - m)))),
      fround,
    );
    expect(line("logsumexp_f32", x)).toBe(fround(m + fround(Math.log(sum))));
  });

  test("neither overflows nor loses infinities and NaN", () => {
    expect(line("logsumexp_f64", Float64Array.of(1000, 1000))).toBe(1000 + Math.log(2));
    expect(line("logsumexp_f64", Float64Array.of(-Infinity, -Infinity))).toBe(-Infinity);
    expect(line("logsumexp_f64", Float64Array.of(1, Infinity))).toBe(Infinity);
    expect(line("logsumexp_f64", Float64Array.of(-Infinity, 3))).toBe(3);
    expect(line("logsumexp_f64", Float64Array.of(1, Number.NaN))).toBeNaN();
    expect(line("logsumexp_f64", new Float64Array(0))).toBe(-Infinity);
  });
});
