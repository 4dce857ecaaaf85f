/**
 * Cross entropy of many rows of few classes, which vectors hold class by class, has the bits of its rows one by one, which
 * they hold row by row; its gradient has those of the scalar level.
 */
import { describe, expect, test } from "vitest";
import { backendInfo, executor, withBackend } from "../../lib/runtime/executor.js";
import type { KernelName } from "../../lib/runtime/table.js";
import type { TypedArray } from "../../lib/runtime/types.js";
import { numbers, type View, wordsOf } from "./kernels/call.js";

const { backend, levels } = backendInfo();
const ROWS = 37;
const CLASSES = [1, 2, 3, 4, 7, 8, 9, 10, 15, 16, 17];

function run(
  isa: string,
  name: KernelName,
  sizes: number[],
  operands: (TypedArray | View)[],
  scalars: number[],
): void {
  const { words, buffers } = wordsOf(name, sizes, operands, scalars);
  withBackend({ backend: "native", isa }, () => executor().run(words, words.length, buffers));
}

describe.runIf(backend === "native").each(levels)("cross entropy at level %s", (isa) => {
  for (const [type, Type] of [
    ["f32", Float32Array],
    ["f64", Float64Array],
  ] as const) {
    test.each([0, 0.1])(`of ${type} with label smoothing %d`, (smoothing) => {
      for (const c of CLASSES) {
        const scalars = [smoothing, -100];
        const x = new Type(numbers(ROWS * c, c).map((value) => 20 * value));
        x[c] = Number.NaN;
        x.fill(-Infinity, 2 * c, 3 * c);
        x[3 * c] = Infinity;
        const labels = Int32Array.from({ length: ROWS }, (_, i) => (i % 5 === 4 ? -100 : (i * 7) % c));
        const weights = new Type(numbers(c, 3).map((value) => value + 2.5));
        const upstream = new Type(numbers(ROWS, 4));
        const outcome = (): InstanceType<typeof Type>[] => [
          ...[0, 1, 2, 3].map(() => new Type(ROWS)),
          new Type(ROWS * c),
        ];
        const whole = outcome();
        const [loss, weight, most, rest, grad] = whole;
        run(isa, `cross_entropy_${type}`, [ROWS, c], [x, labels, weights, loss, weight, most, rest], scalars);
        const inputs = [upstream, x, labels, weights, most, rest];
        run(isa, `cross_entropy_grad_${type}`, [ROWS, c], [...inputs, grad], scalars);
        const single = outcome();
        for (let i = 0; i < ROWS; i++) {
          const at = (array: TypedArray, width = 1): TypedArray => array.subarray(i * width, (i + 1) * width);
          const [l, w, m, r] = single.slice(0, 4).map((array) => at(array));
          run(isa, `cross_entropy_${type}`, [1, c], [at(x, c), at(labels), weights, l, w, m, r], scalars);
          // The gradient goes row by row anyway; the scalar level holds one number at a time.
          const row = [at(upstream), at(x, c), at(labels), weights, m, r, at(single[4], c)];
          run("scalar", `cross_entropy_grad_${type}`, [1, c], row, scalars);
        }
        expect(whole).toEqual(single);
      }
    });
  }
});
