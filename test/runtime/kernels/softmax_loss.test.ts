import { describe, expect, test } from "vitest";
import { IndexError } from "../../../lib/errors.js";
import { call, numbers, relativeError } from "./call.js";
import { sumInLanes } from "./reference.js";

const { fround, exp, log } = Math;
const [ROWS, N] = [5, 21];
const x = numbers(ROWS * N).map((value) => 4 * value);
const g = numbers(ROWS * N, 2);
const row = (data: Float32Array, i: number): number[] => [...data.slice(i * N, (i + 1) * N)];
const rows = (f: (i: number) => number[]): number[] => Array.from({ length: ROWS }, (_, i) => f(i)).flat();
const sum = (terms: number[]): number => sumInLanes(terms, fround);

/** exp(x − max x), rounded twice. */
function exponentials(values: number[]): number[] {
  const m = Math.max(...values);
  return values.map((value) => fround(exp(fround(value - m))));
}

describe("softmax", () => {
  const y = new Float32Array(ROWS * N);
  call("softmax_f32", [[ROWS], N], [x, y]);

  test("is e / Σe of every row, with the contract's sum", () => {
    const expected = rows((i) => {
      const e = exponentials(row(x, i));
      return e.map((value) => fround(value / sum(e)));
    });
    expect([...y]).toEqual(expected);
  });

  test("of strided rows is the same", () => {
    const z = new Float32Array(ROWS * N);
    const columns = new Float32Array(ROWS * N);
    for (let i = 0; i < ROWS * N; i++) columns[(i % N) * ROWS + Math.floor(i / N)] = x[i];
    call(
      "softmax_f32",
      [[ROWS], N],
      [
        { data: columns, strides: [[1], ROWS] },
        { data: z, offset: N - 1, strides: [[N], -1] },
      ],
    );
    expect(rows((i) => row(z, i).reverse())).toEqual([...y]);
  });

  test("does not overflow, and is NaN where it has no value", () => {
    const one = (values: number[]): number[] => {
      const out = new Float64Array(values.length);
      call("softmax_f64", [[], values.length], [Float64Array.from(values), out]);
      return [...out];
    };
    expect(one([1000, 1000])).toEqual([0.5, 0.5]);
    expect(one([-Infinity, 0])).toEqual([0, 1]);
    expect(one([-Infinity, -Infinity])).toEqual([Number.NaN, Number.NaN]);
    expect(one([Number.NaN, 0])).toEqual([Number.NaN, Number.NaN]);
    expect(one([])).toEqual([]);
  });

  test("softmax_grad is y·(g − Σ g·y)", () => {
    const z = new Float32Array(ROWS * N);
    call("softmax_grad_f32", [[ROWS], N], [y, g, z]);
    const expected = rows((i) => {
      const total = sum(row(y, i).map((value, j) => fround(value * row(g, i)[j])));
      return row(y, i).map((value, j) => fround(value * fround(row(g, i)[j] - total)));
    });
    expect([...z]).toEqual(expected);
  });
});

describe("log_softmax", () => {
  const y = new Float32Array(ROWS * N);
  call("log_softmax_f32", [[ROWS], N], [x, y]);

  test("is (x − m) − log Σe", () => {
    const expected = rows((i) => {
      const m = Math.max(...row(x, i));
      const logTotal = fround(log(sum(exponentials(row(x, i)))));
      return row(x, i).map((value) => fround(fround(value - m) - logTotal));
    });
    expect([...y]).toEqual(expected);
  });

  test("log_softmax_grad is g − exp(y)·Σg", () => {
    const z = new Float32Array(ROWS * N);
    call("log_softmax_grad_f32", [[ROWS], N], [y, g, z]);
    const expected = rows((i) => {
      const total = sum(row(g, i));
      return row(y, i).map((value, j) => fround(row(g, i)[j] - fround(fround(exp(value)) * total)));
    });
    expect([...z]).toEqual(expected);
  });
});

describe("cross entropy", () => {
  const labels = Int32Array.of(3, -100, 20, 0, 7);
  const weights = numbers(N, 4).map((value) => value + 2.5);

  /** The formulas of docs/kernels.md in float64, over whole rows. */
  function reference(
    s: number,
    upstream: number[],
  ): { loss: number[]; weight: number[]; lse: number[]; grad: number[] } {
    const loss: number[] = [];
    const weight: number[] = [];
    const lse: number[] = [];
    const total = weights.reduce((a, b) => a + b, 0);
    const grad = rows((i) => {
      const logits = row(x, i);
      const y = labels[i];
      lse.push(log(logits.reduce((acc, value) => acc + exp(value), 0)));
      weight.push(y === -100 ? 0 : weights[y]);
      const smooth = logits.reduce((acc, value, j) => acc + weights[j] * (lse[i] - value), 0);
      loss.push(y === -100 ? 0 : (1 - s) * weights[y] * (lse[i] - logits[y]) + (s / N) * smooth);
      return logits.map((value, j) => {
        if (y === -100) return 0;
        const p = exp(value - lse[i]);
        const hit = j === y ? (1 - s) * weights[y] : 0;
        return upstream[i] * (p * ((1 - s) * weights[y] + (s / N) * total) - hit - (s / N) * weights[j]);
      });
    });
    return { loss, weight, lse, grad };
  }

  test.each([0, 0.1])("with label smoothing %d equals the float64 formula", (s) => {
    const upstream = numbers(ROWS, 6);
    const expected = reference(s, [...upstream]);
    const wide = (data: Iterable<number>): Float64Array => Float64Array.from(data);
    const out = [0, 1, 2, 3].map(() => new Float64Array(ROWS));
    call("cross_entropy_f64", [ROWS, N], [wide(x), labels, wide(weights), ...out], [s, -100]);
    expect(relativeError(out[0], expected.loss)).toBeLessThan(1e-13);
    expect([...out[1]]).toEqual(expected.weight);
    const lse = out[2].map((m, i) => m + out[3][i]);
    expect(relativeError(lse, expected.lse)).toBeLessThan(1e-14);
    const grad = new Float64Array(ROWS * N);
    const inputs = [wide(upstream), wide(x), labels, wide(weights), out[2], out[3]];
    call("cross_entropy_grad_f64", [ROWS, N], [...inputs, grad], [s, -100]);
    const worst = grad.reduce((acc, value, i) => Math.max(acc, Math.abs(value - expected.grad[i])), 0);
    expect(worst).toBeLessThan(1e-13);
    expect(rows((i) => (labels[i] === -100 ? [...grad.slice(i * N, (i + 1) * N)] : []))).toEqual(
      new Array(N).fill(0),
    );
  });

  test("rounds every step to float32", () => {
    const s = 0.1;
    const [loss, weight, most, rest] = [0, 1, 2, 3].map(() => new Float32Array(ROWS));
    call("cross_entropy_f32", [ROWS, N], [x, labels, weights, loss, weight, most, rest], [s, -100]);
    const grad = new Float32Array(ROWS * N);
    call("cross_entropy_grad_f32", [ROWS, N], [g, x, labels, weights, most, rest, grad], [s, -100]);
    const share = fround(s / N);
    for (const i of [0, 2, 3, 4]) {
      const logits = row(x, i);
      const y = labels[i];
      const m = Math.max(...logits);
      const total = fround(log(sum(exponentials(logits))));
      expect([most[i], rest[i]]).toEqual([m, total]);
      const distance = (value: number): number => fround(fround(m - value) + total);
      const hit = fround(fround(1 - s) * weights[y]);
      const smooth = sum(logits.map((value, j) => fround(weights[j] * distance(value))));
      expect(loss[i]).toBe(fround(fround(hit * distance(logits[y])) + fround(share * smooth)));
      const scale = fround(hit + fround(share * sum([...weights])));
      const expected = logits.map((value, j) => {
        const p = fround(fround(exp(fround(fround(value - m) - total))) * scale);
        return fround(g[i] * fround(fround(p - (j === y ? hit : 0)) - fround(share * weights[j])));
      });
      expect(row(grad, i)).toEqual(expected);
    }
  });

  test("a class of probability 0 costs nothing without smoothing", () => {
    const out = [0, 1, 2, 3].map(() => new Float64Array(1));
    const operands = [Float64Array.of(0, -Infinity), Int32Array.of(0), Float64Array.of(1, 1), ...out];
    call("cross_entropy_f64", [1, 2], operands, [0, -100]);
    expect(out.map(([value]) => value)).toEqual([0, 1, 0, 0]);
  });

  test("large logits lose nothing: adding the maximum to all of a row changes no loss and no derivative", () => {
    const outcome = (offset: number): number[] => {
      const out = [0, 1, 2, 3].map(() => new Float32Array(1));
      const operands = [
        Float32Array.of(offset, offset + 1, offset - 2),
        Int32Array.of(0),
        new Float32Array(3).fill(1),
      ];
      call("cross_entropy_f32", [1, 3], [...operands, ...out], [0.1, -100]);
      const grad = new Float32Array(3);
      call(
        "cross_entropy_grad_f32",
        [1, 3],
        [Float32Array.of(1), ...operands, out[2], out[3], grad],
        [0.1, -100],
      );
      return [out[0][0], ...grad];
    };
    for (const offset of [1000, 1e7, -1e7]) expect(outcome(offset)).toEqual(outcome(0));
  });

  test("refuses a label outside the classes before it writes anything", () => {
    const out = [0, 1, 2, 3].map(() => new Float32Array(ROWS).fill(77));
    const run = (bad: number) => () =>
      call("cross_entropy_f32", [ROWS, N], [x, labels.with(4, bad), weights, ...out], [0, -100]);
    expect(run(N)).toThrow(new IndexError("cross_entropy_f32: index 21 at position 4 is outside [0, 21)"));
    expect(run(-1)).toThrow(IndexError);
    expect(out.flatMap((values) => [...values])).toEqual(new Array(4 * ROWS).fill(77));
    const grad = new Float32Array(ROWS * N).fill(77);
    expect(() =>
      call("cross_entropy_grad_f32", [ROWS, N], [g, x, labels.with(0, 99), weights, g, g, grad], [0, -100]),
    ).toThrow("cross_entropy_grad_f32: index 99 at position 0 is outside [0, 21)");
    expect(grad.every((value) => value === 77)).toBe(true);
  });

  test("ignore_index may be a class", () => {
    const out = [0, 1, 2, 3].map(() => new Float32Array(ROWS));
    call("cross_entropy_f32", [ROWS, N], [x, labels.with(1, 7), weights, ...out], [0, 7]);
    expect([out[0][1], out[1][1], out[0][4], out[1][4]]).toEqual([0, 0, 0, 0]);
    expect(out[1][0]).toBe(weights[3]);
  });
});
