/**
 * Matrix products of several blocks, panels and chains: elements agree with sums in float64, and every level and number
 * of threads gives the bits of the scalar level on one thread. native/test/kernels_test.cc does the same for all kernels at sizes that stay inside one block.
 */
import { afterAll, describe, expect, test } from "vitest";
import { backendInfo, executor, setNumThreads, withBackend } from "../../lib/runtime/executor.js";
import { type Axes, wordsOf } from "./kernels/call.js";

const { backend, levels, threads } = backendInfo();

// Just under, at and over tiles, blocks (256 rows of float32) and panels (1024 columns), and products of vectors.
const SIZES = [1, 2, 7, 8, 9, 33, 128, 255, 256, 257, 400, 513, 1025];
// The same of chains (256), the depth of a panel (1024) and the blocks of a sum (4096).
const DEPTHS = [1, 255, 256, 257, 1023, 1025, 2100, 4100];
const MOST_WORK = 60e6;
// Rows of a small batch, whose product with a transposed weight is computed as its transpose.
const BATCHES = [15, 16, 17, 31, 32, 40, 63, 64];

/** A reproducible stream of integers below a bound. */
function stream(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

type Floats = typeof Float32Array | typeof Float64Array;

interface Matrix {
  data: Float32Array | Float64Array;
  offset: number;
  strides: Axes[];
}

/** A matrix in memory of its own: row- or column-major, with a gap between lines and before the first. */
function matrix(
  next: (bound: number) => number,
  Type: Floats,
  rows: number,
  columns: number,
  byColumns = next(2) === 1,
): Matrix {
  const gap = [0, 0, 3, 16][next(4)];
  const offset = next(4);
  const line = (byColumns ? rows : columns) + gap;
  const data = new Type(offset + line * (byColumns ? columns : rows));
  for (let i = 0; i < data.length; i++) data[i] = next(2001) / 1000 - 1;
  return { data, offset, strides: byColumns ? [[], 1, line] : [[], line, 1] };
}

describe.runIf(backend === "native")("products of several blocks", () => {
  afterAll(() => setNumThreads(threads));

  test.each([
    ["matmul_f32", Float32Array, 1],
    ["matmul_f64", Float64Array, 2],
  ] as const)("%s has the same bits on all levels and threads", (kernel, Type, seed) => {
    const next = stream(seed);
    for (let trial = 0; trial < 80; trial++) {
      const isBatch = trial >= 60;
      const m = isBatch ? BATCHES[next(BATCHES.length)] : SIZES[next(SIZES.length)];
      const n = SIZES[next(SIZES.length)];
      const k = DEPTHS[next(DEPTHS.length)];
      if (m * n * k > MOST_WORK) continue;
      const a = matrix(next, Type, m, k, isBatch ? false : undefined);
      const b = matrix(next, Type, k, n, isBatch ? true : undefined);
      const c = matrix(next, Type, m, n, isBatch ? false : undefined);
      const before = c.data.slice();
      const product = (isa: string, count: number): Buffer =>
        withBackend({ backend: "native", isa }, () => {
          setNumThreads(count);
          c.data.set(before);
          const { words, buffers } = wordsOf(kernel, [[], m, k, n], [a, b, c]);
          executor().run(words, words.length, buffers);
          return Buffer.from(c.data.slice().buffer);
        });
      const wanted = product("scalar", 1);
      for (let sample = 0; sample < 20; sample++) {
        const [i, j] = [next(m), next(n)];
        const at = ({ offset, strides }: Matrix, row: number, column: number): number =>
          offset + row * (strides[1] as number) + column * (strides[2] as number);
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a.data[at(a, i, p)] * b.data[at(b, p, j)];
        // Rounding errors of k products of numbers below 1, all in one direction.
        const bound = k * (kernel === "matmul_f32" ? 2 ** -24 : 2 ** -53) * Math.sqrt(k);
        expect(Math.abs(c.data[at(c, i, j)] - sum), `${m}×${k}×${n} at ${i}, ${j}`).toBeLessThanOrEqual(
          bound,
        );
      }
      for (const isa of levels) {
        for (const count of [1, 2, 3, 8]) {
          const isSame = product(isa, count).equals(wanted);
          expect(isSame, `${m}×${k}×${n} on ${isa}, ${count} threads`).toBe(true);
        }
      }
    }
  });
});
