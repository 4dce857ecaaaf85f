import { describe, expect, test } from "vitest";
import { call, numbers } from "./call.js";

const { fround } = Math;

/** The contract's element: a float64 chain for each block of 256 k, rounded, and the blocks added in order. */
function element(
  k: number,
  a: (p: number) => number,
  b: (p: number) => number,
  round: (x: number) => number,
): number {
  let result = 0;
  for (let k0 = 0; k0 < k || k0 === 0; k0 += 256) {
    let chain = 0;
    for (let p = k0; p < Math.min(k0 + 256, k); p++) chain += a(p) * b(p);
    result = k0 === 0 ? round(chain) : round(result + round(chain));
  }
  return result;
}

const SHAPES = [
  [0, 3, 2],
  [2, 3, 0],
  [2, 0, 3],
  [1, 1, 1],
  [3, 5, 7],
  [4, 4, 4],
  [5, 256, 6],
  [5, 257, 6],
  [66, 70, 9],
  [3, 600, 131],
  [5, 600, 131],
  [67, 300, 2],
  [1, 520, 1],
];

describe.each(SHAPES)("%i×%i times %i columns", (m, k, n) => {
  const a = numbers(m * k, 1);
  const b = numbers(k * n, 2);

  test("equals the plain triple loop bit for bit, float32 and float64", () => {
    const c = new Float32Array(m * n).fill(77);
    call("matmul_f32", [[], m, k, n], [a, b, c]);
    const wideA = Float64Array.from(a, (x) => x / 3);
    const wideB = Float64Array.from(b, (x) => x / 7);
    const wideC = new Float64Array(m * n).fill(77);
    call("matmul_f64", [[], m, k, n], [wideA, wideB, wideC]);
    const product = (x: ArrayLike<number>, y: ArrayLike<number>, round: (x: number) => number): number[] =>
      Array.from({ length: m * n }, (_, at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        return element(
          k,
          (p) => x[i * k + p],
          (p) => y[p * n + j],
          round,
        );
      });
    expect([...c]).toEqual(product(a, b, fround));
    expect([...wideC]).toEqual(product(wideA, wideB, (x) => x));
  });

  test("reads and writes transposed, reversed and spaced views", () => {
    const c = new Float32Array(m * n);
    call("matmul_f32", [[], m, k, n], [a, b, c]);
    const at = new Float32Array(m * k);
    for (let i = 0; i < m; i++) for (let p = 0; p < k; p++) at[p * m + i] = a[i * k + p];
    const reversed = b.toReversed();
    const spaced = new Float32Array(2 * m * n).fill(77);
    call(
      "matmul_f32",
      [[], m, k, n],
      [
        { data: at, strides: [[], 1, m] },
        { data: reversed, offset: Math.max(k * n - 1, 0), strides: [[], -n, -1] },
        { data: spaced, strides: [[], 2, 2 * m] },
      ],
    );
    const transposed = Array.from({ length: m * n }, (_, at) => c[(at % m) * n + Math.floor(at / m)]);
    expect([...spaced]).toEqual(transposed.flatMap((value) => [value, 77]));
  });
});

test("int32 wraps", () => {
  const [m, k, n] = [5, 300, 3];
  const a = Int32Array.from({ length: m * k }, (_, i) => Math.imul(i + 1, 2654435761));
  const b = Int32Array.from({ length: k * n }, (_, i) => Math.imul(i + 7, 40503));
  const c = new Int32Array(m * n);
  call("matmul_i32", [[], m, k, n], [a, b, c]);
  const expected = Array.from({ length: m * n }, (_, at) => {
    let sum = 0n;
    for (let p = 0; p < k; p++) sum += BigInt(a[Math.floor(at / n) * k + p]) * BigInt(b[p * n + (at % n)]);
    return Number(BigInt.asIntN(32, sum));
  });
  expect([...c]).toEqual(expected);
});

test("a batch of two axes, one of them broadcast", () => {
  const a = numbers(2 * 3 * 2 * 2);
  const b = numbers(3 * 2 * 2, 5);
  const c = new Float32Array(24);
  call("matmul_f32", [[2, 3], 2, 2, 2], [a, { data: b, strides: [[0, 4], 2, 1] }, c]);
  for (let batch = 0; batch < 6; batch++) {
    const one = new Float32Array(4);
    const part = (x: Float32Array, i: number): Float32Array => x.slice(4 * i, 4 * i + 4);
    call("matmul_f32", [[], 2, 2, 2], [part(a, batch), part(b, batch % 3), one]);
    expect([...part(c, batch)]).toEqual([...one]);
  }
});

test("NaN and infinities reach their own row and column only, also beside a panel that is not full", () => {
  const nan = new Float32Array(25).fill(1).with(0, Number.NaN).with(24, Infinity);
  call("matmul_f32", [[], 5, 5, 5], [nan, nan, new Float32Array(25)]);
  const c = new Float32Array(25);
  call("matmul_f32", [[], 5, 5, 5], [new Float32Array(25).fill(1), new Float32Array(25).fill(2), c]);
  expect([...c]).toEqual(new Array(25).fill(10));
});
