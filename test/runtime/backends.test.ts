/** The two executors as one: same programs, same refusals, same random streams. */
import { describe, expect, test } from "vitest";
import { ArgumentError, BackendError, IndexError, ProgramError } from "../../lib/errors.js";
import { matmul } from "../../lib/ops/index.js";
import { Generator } from "../../lib/random/generator.js";
import { backendInfo, executor, setNumThreads, withBackend } from "../../lib/runtime/executor.js";
import { kernelId } from "../../lib/runtime/table.js";
import type { TypedArray } from "../../lib/runtime/types.js";

const native = backendInfo().backend === "native";
const backends = native ? (["native", "ts"] as const) : (["ts"] as const);

/** One instruction: kernel, slots with offsets, dims and scalars. */
const words = (kernel: number, operands: [number, number][], rest: number[]): Float64Array =>
  Float64Array.from([kernel, 2 + 2 * operands.length + rest.length, ...operands.flat(), ...rest]);

const run = (program: Float64Array, buffers: TypedArray[], count = program.length): void =>
  executor().run(program, count, buffers);

describe.each(backends)("%s", (backend) => {
  const on = (body: () => void): void => withBackend({ backend }, body);
  const add = kernelId("add_f32");

  test("runs a program of several instructions", () => {
    on(() => {
      const [x, y] = [Float32Array.of(1, 2, 3), new Float32Array(3)];
      const square = words(
        kernelId("square_f32"),
        [
          [0, 0],
          [1, 0],
        ],
        [1, 3, 1, 1],
      );
      const sum = words(
        add,
        [
          [1, 0],
          [0, 2],
          [1, 0],
        ],
        [1, 3, 1, -1, 1],
      );
      run(Float64Array.from([...square, ...sum]), [x, y]);
      expect([...y]).toEqual([4, 6, 10]);
    });
  });

  test.each<[string, Float64Array, RegExp]>([
    ["an unknown kernel", words(1e6, [[0, 0]], [0]), /kernel/],
    ["a fraction for a kernel", words(1.5, [[0, 0]], [0]), /./],
    [
      "a slot without a buffer",
      words(
        add,
        [
          [0, 0],
          [9, 0],
          [1, 0],
        ],
        [1, 3, 1, 1, 1],
      ),
      /slot/,
    ],
    [
      "an extent past the end",
      words(
        add,
        [
          [0, 0],
          [0, 1],
          [1, 0],
        ],
        [1, 3, 1, 1, 1],
      ),
      /operand 1/,
    ],
    [
      "an extent before the start",
      words(
        add,
        [
          [0, 0],
          [0, 1],
          [1, 0],
        ],
        [1, 3, 1, -1, 1],
      ),
      /operand 1/,
    ],
    [
      "a huge stride",
      words(
        add,
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [1, 3, 1, 2 ** 52, 1],
      ),
      /./,
    ],
    [
      "a negative size",
      words(
        add,
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [1, -3, 1, 1, 1],
      ),
      /./,
    ],
    [
      "NaN for a size",
      words(
        add,
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [1, Number.NaN, 1, 1, 1],
      ),
      /./,
    ],
    [
      "a rank of 17",
      words(
        add,
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [17, ...new Array(17 * 4).fill(1)],
      ),
      /./,
    ],
    [
      "an output that overlaps itself",
      words(
        add,
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [1, 3, 1, 1, 0],
      ),
      /stride/,
    ],
    [
      "an element type that is not the kernel's",
      words(
        kernelId("add_i32"),
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [1, 3, 1, 1, 1],
      ),
      /./,
    ],
    [
      "too few words",
      words(
        add,
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [1, 3, 1, 1],
      ),
      /./,
    ],
  ])("refuses %s, and runs nothing", (_name, bad, message) => {
    on(() => {
      const [x, y] = [Float32Array.of(1, 2, 3), new Float32Array(3)];
      const good = words(
        add,
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [1, 3, 1, 1, 1],
      );
      const program = Float64Array.from([...good, ...bad]);
      expect(() => run(program, [x, y])).toThrow(ProgramError);
      expect(() => run(program, [x, y])).toThrow(message);
      expect([...y]).toEqual([0, 0, 0]);
    });
  });

  test("refuses a count beyond the words", () => {
    on(() => {
      const good = words(
        add,
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        [1, 3, 1, 1, 1],
      );
      const buffers = [new Float32Array(3), new Float32Array(3)];
      expect(() => run(good, buffers, good.length + 1)).toThrow();
      expect(() => run(good, buffers, good.length - 1)).toThrow(ProgramError);
    });
  });

  test("an index outside its axis is an IndexError and nothing is written", () => {
    on(() => {
      const buffers = [Float32Array.of(1, 2, 3), Int32Array.of(0, 5), Float32Array.of(7, 7)];
      const gather = words(
        kernelId("gather_f32"),
        [
          [0, 0],
          [1, 0],
          [2, 0],
        ],
        [3, 1, 2, 1, 1, 1, 1, 1],
      );
      expect(() => run(gather, buffers)).toThrow(IndexError);
      expect(() => run(gather, buffers)).toThrow(/index 5 at position 1 is outside \[0, 3\)/);
      expect([...buffers[2]]).toEqual([7, 7]);
    });
  });
});

describe.skipIf(!native)("the random stream is the same on both executors, bit for bit", () => {
  const both = (draw: (generator: Generator) => TypedArray): [TypedArray, TypedArray] => [
    withBackend({ backend: "native" }, () => draw(new Generator(12345678901234567n))),
    withBackend({ backend: "ts" }, () => draw(new Generator(12345678901234567n))),
  ];
  test.each(["float32", "float64"] as const)("%s", (dtype) => {
    for (const n of [0, 1, 2, 3, 5, 17, 1000, 4099]) {
      const [uniform, uniformTs] = both((g) => g.uniform([n], { dtype, low: -2, high: 3 }).data);
      expect(uniform).toEqual(uniformTs);
      const [normal, normalTs] = both((g) => g.normal([n], { dtype, mean: 1, std: 0.5 }).data);
      expect(normal).toEqual(normalTs);
      const [mask, maskTs] = both((g) => g.dropoutMask([n], 0.3, { dtype }).data);
      expect(mask).toEqual(maskTs);
    }
  });
});

test("setNumThreads takes 1 to 256 and changes no result", () => {
  for (const bad of [0, -1, 1.5, 257, Number.NaN]) expect(() => setNumThreads(bad)).toThrow(ArgumentError);
  const { threads } = backendInfo();
  const x = new Generator(1).normal([130, 70]);
  const y = new Generator(2).normal([70, 90]);
  const results = [1, 2, 3, 5].map((n) => {
    setNumThreads(n);
    return withBackend({ backend: native ? "native" : "ts" }, () => matmul(x, y).data);
  });
  setNumThreads(threads);
  for (const result of results) expect(result).toEqual(results[0]);
});

test("withBackend comes back after an error", () => {
  const before = executor();
  expect(() =>
    withBackend({ backend: "ts" }, () => {
      throw new BackendError("inside");
    }),
  ).toThrow("inside");
  expect(executor()).toBe(before);
});
