import { expect, test } from "vitest";
import { IndexError } from "../../../lib/errors.js";
import { call, numbers } from "./call.js";

const { fround } = Math;

test("gather copies rows by index, of any element type", () => {
  const x = Float32Array.of(0, 1, 10, 11, 20, 21);
  const out = new Float32Array(8);
  call("gather_f32", [3, 2, 4], [x, Int32Array.of(2, 0, 2, 1), out]);
  expect([...out]).toEqual([20, 21, 0, 1, 20, 21, 10, 11]);
  const big = new BigInt64Array(2);
  call("gather_i64", [2, 1, 2], [BigInt64Array.of(5n, -(2n ** 63n)), Int32Array.of(1, 0), big]);
  expect([...big]).toEqual([-(2n ** 63n), 5n]);
});

test("gather reads and writes strided views", () => {
  const x = Float64Array.of(99, 0, 10, 20, 1, 11, 21); // columns of a [3, 2] array
  const out = new Float64Array(4);
  const index = Int32Array.of(1, 99, 2);
  call(
    "gather_f64",
    [3, 2, 2],
    [
      { data: x, offset: 1, strides: [1, 3] },
      { data: index, strides: [2] },
      { data: out, offset: 3, strides: [-2, -1] },
    ],
  );
  expect([...out]).toEqual([21, 20, 11, 10]);
});

test("gather refuses an index outside the rows before it writes anything", () => {
  const out = new Float32Array(8).fill(77);
  const run = (bad: number) => () =>
    call("gather_f32", [10, 2, 4], [numbers(20), Int32Array.of(0, 9, 3, bad), out]);
  expect(run(12)).toThrow(new IndexError("gather_f32: index 12 at position 3 is outside [0, 10)"));
  expect(run(10)).toThrow(IndexError);
  expect(run(-1)).toThrow("gather_f32: index -1 at position 3 is outside [0, 10)");
  expect([...out]).toEqual(new Array(8).fill(77));
  expect(() => call("gather_f32", [0, 2, 1], [new Float32Array(0), Int32Array.of(0), out])).toThrow(
    IndexError,
  );
});

test("scatter_add adds rows in the order of the indices", () => {
  const out = Float32Array.of(1, 2, 3);
  // 2²⁴ + 1 is lost in float32 and −2²⁴ then leaves 0: another order would leave 1.
  call(
    "scatter_add_f32",
    [3, 1, 3],
    [Int32Array.of(1, 1, 1), Float32Array.of(2 ** 24 - 2, 1, -(2 ** 24)), out],
  );
  expect([...out]).toEqual([1, fround(2 ** 24 + 1) - 2 ** 24, 3]);
  const whole = Int32Array.of(2 ** 31 - 1, 0, 0, 0);
  call("scatter_add_i32", [2, 2, 2], [Int32Array.of(0, 1), Int32Array.of(1, 5, 6, 7), whole]);
  expect([...whole]).toEqual([-(2 ** 31), 5, 6, 7]);
});

test("scatter_add reads and writes strided views", () => {
  const out = new Float64Array(6);
  call(
    "scatter_add_f64",
    [2, 2, 3],
    [
      { data: Int32Array.of(2, 0), offset: 1, strides: [-1] },
      { data: Float64Array.of(99, 1, 2, 3, 4), offset: 1, strides: [1, 2] },
      { data: out, strides: [1, 3] },
    ],
  );
  expect([...out]).toEqual([1, 0, 2, 3, 0, 4]);
});

test("scatter_add refuses an index outside the rows before it adds anything", () => {
  const out = new Float32Array(3);
  expect(() => call("scatter_add_f32", [2, 1, 3], [Int32Array.of(0, 3), Float32Array.of(1, 1), out])).toThrow(
    new IndexError("scatter_add_f32: index 3 at position 1 is outside [0, 3)"),
  );
  expect([...out]).toEqual([0, 0, 0]);
});
