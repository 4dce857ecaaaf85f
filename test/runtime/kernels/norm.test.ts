import { describe, expect, test } from "vitest";
import { call, numbers } from "./call.js";
import { sumInLanes } from "./reference.js";

const { fround, sqrt } = Math;
const EPS = 1e-5;

type Round = (x: number) => number;
const ROUNDINGS: ["f32" | "f64", Round][] = [
  ["f32", fround],
  ["f64", (x) => x],
];

const array = (type: "f32" | "f64", data: Iterable<number>): Float32Array | Float64Array =>
  type === "f32" ? Float32Array.from(data) : Float64Array.from(data);

/** Mean, biased variance and 1/√(variance + eps) of a sequence, as the contract rounds them. */
function moments(x: number[], r: Round): { mean: number; variance: number; rstd: number } {
  const mean = r(sumInLanes(x, r) / x.length);
  const squares = x.map((value) => r(r(value - mean) ** 2));
  const variance = r(sumInLanes(squares, r) / x.length);
  return { mean, variance, rstd: r(1 / r(sqrt(r(variance + r(EPS))))) };
}

/** gx of one sequence: scale·(d − mean d − h·mean(d·h)). */
function inputGradient(d: number[], h: number[], scale: (i: number) => number, r: Round): number[] {
  const mean = r(sumInLanes(d, r) / d.length);
  const meanDh = r(
    sumInLanes(
      d.map((value, i) => r(value * h[i])),
      r,
    ) / d.length,
  );
  return d.map((value, i) => r(scale(i) * r(r(value - mean) - r(h[i] * meanDh))));
}

describe.each(ROUNDINGS)("layer normalization in %s", (type, r) => {
  const [rows, n] = [21, 35];
  const x = array(
    type,
    numbers(rows * n, 1).map((value) => 3 * value + 1),
  );
  const g = array(type, numbers(rows * n, 2));
  const weight = array(type, numbers(n, 3));
  const bias = array(type, numbers(n, 4));
  const zeros = (length: number): Float32Array | Float64Array => array(type, new Float32Array(length));
  const y = zeros(rows * n);
  const mean = zeros(rows);
  const rstd = zeros(rows);
  call(`layer_norm_${type}`, [[3, 7], n], [x, weight, bias, y, mean, rstd], [EPS]);
  const line = (data: Float32Array | Float64Array, i: number): number[] => [
    ...data.slice(i * n, (i + 1) * n),
  ];

  test("normalizes every row, all steps rounded", () => {
    for (let i = 0; i < rows; i++) {
      const expected = moments(line(x, i), r);
      expect([mean[i], rstd[i]]).toEqual([expected.mean, expected.rstd]);
      const h = line(x, i).map((value) => r(r(value - expected.mean) * expected.rstd));
      expect(line(y, i)).toEqual(h.map((value, k) => r(r(value * weight[k]) + bias[k])));
    }
  });

  test("has the gradients of the contract", () => {
    const gx = zeros(rows * n);
    const gweight = zeros(n);
    const gbias = zeros(n);
    call(`layer_norm_grad_${type}`, [[3, 7], n], [g, x, weight, mean, rstd, gx, gweight, gbias]);
    const h = Array.from({ length: rows }, (_, i) =>
      line(x, i).map((value) => r(r(value - mean[i]) * rstd[i])),
    );
    for (let i = 0; i < rows; i++) {
      const d = line(g, i).map((value, k) => r(value * weight[k]));
      expect(line(gx, i)).toEqual(inputGradient(d, h[i], () => rstd[i], r));
    }
    for (let k = 0; k < n; k++) {
      const products = h.map((values, i) => r(g[i * n + k] * values[k]));
      expect(gweight[k]).toBe(sumInLanes(products, r));
      expect(gbias[k]).toBe(
        sumInLanes(
          h.map((_, i) => g[i * n + k]),
          r,
        ),
      );
    }
  });

  test("reads and writes strided views", () => {
    const transposed = zeros(rows * n);
    for (let i = 0; i < rows; i++) for (let k = 0; k < n; k++) transposed[k * rows + i] = x[i * n + k];
    const z = zeros(2 * rows * n);
    call(
      `layer_norm_${type}`,
      [[3, 7], n],
      [
        { data: transposed, strides: [[7, 1], rows] },
        weight,
        { data: array(type, [...bias].reverse()), offset: n - 1, strides: [-1] },
        { data: z, strides: [[14 * n, 2 * n], 2] },
        zeros(rows),
        zeros(rows),
      ],
      [EPS],
    );
    expect([...z].filter((_, i) => i % 2 === 0)).toEqual([...y]);
  });
});

// With l = 1 and with l > 1, and with more than 16 and more than 4096 samples of a channel.
const IMAGES = [
  [20, 5, 1],
  [3, 4, 7],
  [2, 2, 2050],
  [1, 1, 1],
];

describe.each(IMAGES)("batch normalization of [%i, %i, %i]", (b, c, l) => {
  test.each(ROUNDINGS)("in %s: values and gradients of the contract", (type, r) => {
    const zeros = (length: number): Float32Array | Float64Array => array(type, new Float32Array(length));
    const x = array(type, numbers(b * c * l, 1));
    const g = array(type, numbers(b * c * l, 2));
    const weight = array(type, numbers(c, 3));
    const bias = array(type, numbers(c, 4));
    const y = zeros(b * c * l);
    const mean = zeros(c);
    const variance = zeros(c);
    call(`batch_norm_${type}`, [b, c, l], [x, weight, bias, y, mean, variance], [EPS]);
    const gx = zeros(b * c * l);
    const gweight = zeros(c);
    const gbias = zeros(c);
    call(`batch_norm_grad_${type}`, [b, c, l], [g, x, weight, mean, variance, gx, gweight, gbias], [EPS]);

    for (let k = 0; k < c; k++) {
      const channel = (data: Float32Array | Float64Array): number[] =>
        Array.from({ length: b * l }, (_, i) => data[(Math.floor(i / l) * c + k) * l + (i % l)]);
      const expected = moments(channel(x), r);
      expect([mean[k], variance[k]]).toEqual([expected.mean, expected.variance]);
      const h = channel(x).map((value) => r(r(value - expected.mean) * expected.rstd));
      expect(channel(y)).toEqual(h.map((value) => r(r(value * weight[k]) + bias[k])));
      const products = channel(g).map((value, i) => r(value * h[i]));
      expect(gweight[k]).toBe(sumInLanes(products, r));
      expect(gbias[k]).toBe(sumInLanes(channel(g), r));
      const scale = r(weight[k] * expected.rstd);
      expect(channel(gx)).toEqual(inputGradient(channel(g), h, () => scale, r));
    }
  });
});
