import { describe, expect, test } from "vitest";
import { ProgramError } from "../../lib/errors.js";
import { checkProgram, encodeInstruction } from "../../lib/runtime/program.js";
import { KERNELS, kernelId } from "../../lib/runtime/table.js";
import { runProgram } from "../../lib/runtime/ts_executor.js";
import type { TypedArray } from "../../lib/runtime/types.js";

const BIG = Number.MAX_SAFE_INTEGER;

/** neg_f32 over `sizes` from slot 0 to slot 1. */
const negate = (
  sizes: readonly number[],
  from: readonly number[],
  to: readonly number[],
  offsets: readonly number[] = [0, 0],
): number[] => encodeInstruction("neg_f32", [0, 1], offsets, [sizes.length, ...sizes, ...from, ...to]);

/** The message with which a program over these buffers is refused; no buffer may have changed. */
function refusal(words: readonly number[], buffers: readonly TypedArray[], count = words.length): string {
  const before = buffers.map((buffer) => [...buffer]);
  let message = "";
  try {
    runProgram(Float64Array.from(words), count, buffers);
  } catch (error) {
    expect(error).toBeInstanceOf(ProgramError);
    message = (error as ProgramError).message;
  }
  expect(buffers.map((buffer) => [...buffer])).toEqual(before);
  return message;
}

const floats = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i + 1);

describe("encodeInstruction", () => {
  test("lays words out as docs/kernels.md says", () => {
    const words = encodeInstruction("clip_f32", [3, 4], [10, 20], [1, 5, 1, 1], [-1, 1]);
    expect(words).toEqual([kernelId("clip_f32"), 12, 3, 10, 4, 20, 1, 5, 1, 1, -1, 1]);
  });
});

describe("a program that is fine", () => {
  test("runs instruction after instruction on views of its buffers", () => {
    const x = floats(6);
    const y = new Float32Array(6);
    const words = [
      ...negate([2, 3], [3, 1], [-3, -1], [0, 5]), // y = −x backwards
      ...encodeInstruction("add_f32", [1, 0, 1], [0, 0, 0], [1, 6, 1, 1, 1]),
    ];
    runProgram(Float64Array.from([...words, 999]), words.length, [x, y]);
    expect([...y]).toEqual([-5, -3, -1, 1, 3, 5]);
  });

  test("is decoded into its parts", () => {
    const words = encodeInstruction("fill_i64", [1], [2], [2, 2, 2, 4, 1], [7]);
    const [instruction] = checkProgram(Float64Array.from(words), words.length, [
      floats(1),
      new BigInt64Array(8),
    ]);
    expect(instruction).toEqual({
      kernel: KERNELS[kernelId("fill_i64")],
      counts: [],
      slots: [1],
      offsets: [2],
      dims: [2, 2, 2, 4, 1],
      scalars: [7],
    });
  });

  test("may be empty, and may touch nothing wherever it points", () => {
    expect(refusal([], [])).toBe("");
    expect(refusal(negate([0, 3], [BIG, 1], [1, 1], [BIG, -BIG]), [floats(0), floats(0)])).toBe("");
  });

  test("may write an operand without elements with any strides, such as the [0, 1] of shape [2, 0]", () => {
    expect(refusal(negate([2, 0], [0, 1], [0, 1]), [floats(1), floats(1)])).toBe("");
  });

  test("may have huge strides along axes that do not move, and zero strides in inputs", () => {
    const y = floats(3);
    const words = negate([1, 3], [BIG, 0], [-BIG, 1]);
    runProgram(Float64Array.from(words), words.length, [floats(1), y]);
    expect([...y]).toEqual([-1, -1, -1]);
  });

  test("takes scalars of any value", () => {
    const words = encodeInstruction("fill_f32", [0], [0], [0], [Number.NaN]);
    const y = floats(1);
    runProgram(Float64Array.from(words), words.length, [y]);
    expect(y[0]).toBeNaN();
  });

  test("takes views that reach exactly the ends of their buffers", () => {
    expect(refusal(negate([5], [-1], [1], [4, 0]), [floats(5), new Float32Array(0)])).not.toBe("");
    const y = new Float32Array(5);
    const words = negate([5], [-1], [1], [4, 0]);
    runProgram(Float64Array.from(words), words.length, [floats(5), y]);
    expect([...y]).toEqual([-5, -4, -3, -2, -1]);
  });
});

describe("a program that reaches outside its buffers is refused", () => {
  const cases: [string, number[], number[], string][] = [
    ["one past the end", negate([5], [1], [1]), [4, 5], "operand 0 reaches element 4 of a buffer with 4"],
    [
      "an output past its end",
      negate([5], [1], [1]),
      [5, 4],
      "operand 1 reaches element 4 of a buffer with 4",
    ],
    [
      "below the start",
      negate([3], [-1], [1], [1, 0]),
      [5, 5],
      "operand 0 reaches element -1 of a buffer with 5",
    ],
    [
      "an offset below 0",
      negate([1], [1], [1], [-1, 0]),
      [5, 5],
      "operand 0 reaches element -1 of a buffer with 5",
    ],
    [
      "a scalar past the end",
      negate([], [], [], [5, 0]),
      [5, 5],
      "operand 0 reaches element 5 of a buffer with 5",
    ],
    [
      "one axis forward, one backward",
      negate([3, 3], [4, -4], [3, 1], [4, 0]),
      [9, 9],
      "operand 0 reaches element -4 of a buffer with 9",
    ],
  ];
  test.each(cases)("%s", (_, words, [n0, n1], message) => {
    expect(refusal(words, [floats(n0), floats(n1)])).toBe(`program: instruction 0 (neg_f32): ${message}`);
  });

  test("in a later instruction, before the first one runs", () => {
    const words = [...negate([4], [1], [1]), ...negate([4], [1], [1], [0, 1])];
    expect(refusal(words, [floats(4), floats(4)])).toBe(
      "program: instruction 1 (neg_f32): operand 1 reaches element 4 of a buffer with 4",
    );
  });

  test("by an inner axis of a matrix product", () => {
    const words = encodeInstruction("matmul_f32", [0, 1, 2], [0, 0, 0], [0, 2, 5, 3, 5, 1, 5, 2, 3, 1]);
    expect(refusal(words, [floats(10), floats(20), floats(6)])).toBe(
      "program: instruction 0 (matmul_f32): operand 1 reaches element 24 of a buffer with 20",
    );
  });

  test.each([
    ["size times stride beyond 2^53", negate([2 ** 31], [2 ** 31], [1])],
    ["a product that wraps to 0 in int64", negate([2 ** 32 + 1], [2 ** 32], [1])],
    ["a product that wraps around int64", negate([2 ** 40 + 1], [2 ** 52], [1])],
    ["a product that cancels a negative offset", negate([2 ** 27 + 1], [2 ** 26], [1], [-BIG, 0])],
    ["two strides that cancel", negate([2, 2], [BIG, -BIG], [2, 1])],
    ["a sum that rounding could pull back", negate([2, 2, 2], [BIG, BIG, -BIG], [4, 2, 1])],
  ])("however the arithmetic is provoked: %s", (_, words) => {
    expect(refusal(words, [floats(8), floats(8)])).toMatch(/operand 0 reaches element/);
  });
});

describe("a program whose words are wrong is refused", () => {
  const good = negate([4], [1], [1]);
  const buffers = (): TypedArray[] => [floats(4), floats(4)];
  const replace = (position: number, value: number): number[] => good.with(position, value);

  test.each([
    ["kernel", 0, -1],
    ["kernel", 0, KERNELS.length],
    ["kernel", 0, 0.5],
    ["number of words", 1, 1],
    ["number of words", 1, good.length + 1],
    ["slot", 2, 2],
    ["slot", 2, -1],
    ["offset", 3, 0.5],
    ["offset", 3, 2 ** 53],
    ["rank", 6, 17],
    ["rank", 6, -1],
    ["size", 7, -1],
    ["size", 7, 1e300],
    ["stride", 8, 1.5],
    ["stride", 9, -(2 ** 53)],
  ])("%s at word %i is %d", (what, position, value) => {
    expect(refusal(replace(position, value), buffers())).toContain(
      `${what} is ${value}; it must be an integer in`,
    );
  });

  test.each([Number.NaN, Infinity, -Infinity])("%d anywhere", (value) => {
    for (let position = 0; position < good.length; position++) {
      expect(refusal(replace(position, value), buffers())).toContain(`is ${value}; it must be an integer`);
    }
  });

  test("too few words for its dims, wherever it is cut", () => {
    for (let length = 2; length < good.length; length++) {
      const cut = replace(1, length).slice(0, length);
      expect(refusal(cut, buffers())).toContain(`(neg_f32): has ${length} words, needs more`);
    }
  });

  test("more words than its dims and scalars take", () => {
    expect(refusal([...replace(1, good.length + 1), 0], buffers())).toContain("has 11 words, needs 10");
  });

  test("a lone header word, and a count beyond the array", () => {
    expect(refusal([0], [])).toContain("there is no word for number of words");
    expect(refusal(good, buffers(), good.length + 1)).toContain(
      "the number of words is 11; it must be in [0, 10]",
    );
    expect(refusal(good, buffers(), -1)).toContain("the number of words is -1");
  });

  test("a buffer of another element type", () => {
    expect(refusal(good, [floats(4), new Float64Array(4)])).toBe(
      "program: instruction 0 (neg_f32): operand 1 is buffer 1 of f64; it must be of f32",
    );
    const clamped = new Uint8ClampedArray(4) as unknown as Uint8Array;
    const not = encodeInstruction("logical_not_u8", [0, 0], [0, 0], [1, 4, 1, 1]);
    expect(refusal(not, [clamped])).toContain("operand 0 is buffer 0 of Uint8ClampedArray; it must be of u8");
  });

  test("an output that writes one element more than once", () => {
    expect(refusal(negate([2, 3], [3, 1], [0, 1]), [floats(6), floats(6)])).toContain(
      "operand 1 is written; its stride over size 2 must not be 0",
    );
    const inPlace = encodeInstruction("sgd_f32", [0, 1], [0, 0], [4, 1, 0], [1, 0, 0]);
    expect(refusal(inPlace, buffers())).toContain(
      "operand 1 is written; its stride over size 4 must not be 0",
    );
  });

  test("sizes whose product no int64 holds", () => {
    const words = encodeInstruction("sum_f32", [0, 1], [0, 0], [0, 2, 2 ** 40, 2 ** 40, 0, 0]);
    expect(refusal(words, buffers())).toContain("the product of all sizes is");
  });
});
