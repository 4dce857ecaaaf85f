/**
 * The matrix product with an epilogue against `matmul` into memory of its own and `fused` over that, bit for bit, on
 * both executors: chains of training, shapes around tiles, blocks and chains of k, strides, batches, and updates in
 * place.
 */
import { describe, expect, test } from "vitest";
import { ProgramError } from "../../../lib/errors.js";
import { backendInfo, executor, withBackend } from "../../../lib/runtime/executor.js";
import { type ChainInstruction, chainCode } from "../../../lib/runtime/fused.js";
import { encodeInstruction } from "../../../lib/runtime/program.js";
import { kernelId } from "../../../lib/runtime/table.js";
import type { TypedArray } from "../../../lib/runtime/types.js";
import { numbers } from "./call.js";

type Type = "f32" | "f64";
type Floats = Float32Array | Float64Array;

const single = numbers(1_500_000);
const NUMBERS: Record<Type, Floats> = { f32: single, f64: Float64Array.from(single, (x) => x / 3) };

const { levels } = backendInfo();
const executors =
  backendInfo().backend === "native"
    ? [{ backend: "ts" as const }, ...levels.map((isa) => ({ backend: "native" as const, isa }))]
    : [{ backend: "ts" as const }];

/** A chain over the product `ab`. An input may be one row for all, bytes, or updated: the same view as an output. */
interface Epilogue {
  inputs: readonly ("bytes" | "row" | "full" | "updated")[];
  /** How many outputs there are besides the updated inputs, which come first among them. */
  outputs: number;
  /** `out` is the number of the first output. */
  chain: (out: number) => ChainInstruction[];
}

const EPILOGUES: Record<string, Epilogue> = {
  "bias and relu": {
    inputs: ["row"],
    outputs: 1,
    chain: (out) => [
      ["load", "bias", 0],
      ["add", "x", "ab", "bias"],
      ["relu", "y", "x"],
      ["store", out, "y"],
    ],
  },
  "bias and gelu, with what gelu is taken of": {
    inputs: ["row"],
    outputs: 2,
    chain: (out) => [
      ["load", "bias", 0],
      ["add", "x", "ab", "bias"],
      ["gelu", "y", "x"],
      ["store", out, "x"],
      ["store", out + 1, "y"],
    ],
  },
  "the derivative of relu, and a mask of bytes": {
    inputs: ["bytes", "full"],
    outputs: 1,
    chain: (out) => [
      ["load", "mask", 0],
      ["load", "x", 1],
      ["relu_grad", "g", "ab", "x"],
      ["fill", "none", 0],
      ["where", "y", "mask", "g", "none"],
      ["store", out, "y"],
    ],
  },
  "scaling and accumulation": {
    inputs: ["updated"],
    outputs: 0,
    chain: (out) => [
      ["load", "c", 0],
      ["fill", "scale", 0.3],
      ["mul", "scaled", "ab", "scale"],
      ["add", "sum", "scaled", "c"],
      ["store", out, "sum"],
    ],
  },
  "an update of SGD": {
    inputs: ["updated"],
    outputs: 0,
    chain: (out) => [
      ["load", "w", 0],
      ["fill", "rate", 0.1],
      ["mul", "step", "rate", "ab"],
      ["sub", "w", "w", "step"],
      ["store", out, "w"],
    ],
  },
  "an update of Adam": {
    inputs: ["updated", "updated", "updated"],
    outputs: 0,
    chain: (out) => [
      ...(["w", "m", "v"] as const).map((name, i) => ["load", name, i] as const),
      ["fill", "beta1", 0.9],
      ["mul", "m", "m", "beta1"],
      ["fill", "rest1", 0.1],
      ["mul", "g1", "ab", "rest1"],
      ["add", "m", "m", "g1"],
      ["store", out + 1, "m"],
      ["fill", "beta2", 0.999],
      ["mul", "v", "v", "beta2"],
      ["square", "g2", "ab"],
      ["fill", "rest2", 0.001],
      ["mul", "g2", "g2", "rest2"],
      ["add", "v", "v", "g2"],
      ["store", out + 2, "v"],
      ["sqrt", "root", "v"],
      ["fill", "eps", 1e-8],
      ["add", "root", "root", "eps"],
      ["div", "step", "m", "root"],
      ["fill", "rate", 0.01],
      ["mul", "step", "step", "rate"],
      ["sub", "w", "w", "step"],
      ["store", out, "w"],
    ],
  },
  "the product stored, and read after that": {
    inputs: ["updated"],
    outputs: 1,
    chain: (out) => [
      ["load", "c", 0],
      ["store", out, "ab"],
      ["store", out + 1, "c"],
      ["neg", "y", "ab"],
      ["add", "unused", "y", "c"],
    ],
  },
};

/** Strides of each operand over all axes: as they come, of transposed matrices, or backward and with gaps. */
type Order = "contiguous" | "transposed" | "apart";

/** A view into a buffer of its own. */
interface View {
  data: TypedArray;
  offset: number;
  strides: number[];
}

function viewOf(
  data: (n: number) => TypedArray,
  sizes: readonly number[],
  order: Order,
  isRow = false,
): View {
  const last = sizes.length - 1;
  const axes = sizes.map((_, axis) => last - axis);
  if (order === "transposed") [axes[0], axes[1]] = [last - 1, last];
  const strides = new Array<number>(sizes.length).fill(0);
  const gap = order === "apart" ? 1 : 0;
  let step = 1 + gap;
  let offset = gap;
  let length = 1;
  for (const axis of axes) {
    if (isRow && axis !== last) continue;
    const isBackward = order === "apart" && axis !== last;
    const reach = Math.max(0, sizes[axis] - 1) * step;
    strides[axis] = isBackward ? -step : step;
    if (isBackward) offset += reach;
    length += reach;
    step = step * Math.max(1, sizes[axis]) + gap;
  }
  return { data: data(length + 2 * gap), offset, strides };
}

interface Case {
  type: Type;
  batch: number[];
  m: number;
  k: number;
  n: number;
  order: Order;
  /** That of b, if it is another. */
  orderB?: Order;
  sharesB: boolean;
}

function run(words: readonly number[], buffers: TypedArray[]): void {
  executor().run(Float64Array.from(words), words.length, buffers);
}

/** Runs an epilogue as one kernel (`together`) or two; returns all buffers of its operands. */
function runCase(
  { type, batch, m, k, n, order, orderB = order, sharesB }: Case,
  { inputs, outputs, chain }: Epilogue,
  together: boolean,
): TypedArray[] {
  let taken = 0;
  const some = (length: number): Floats => {
    taken = (taken + 7919) % 100000;
    return NUMBERS[type].slice(taken, taken + length);
  };
  const floats = (length: number): TypedArray => some(length);
  const truths = (length: number): TypedArray => Uint8Array.from(some(length), (x) => +(x > 0));
  const sizes = [...batch, m, n];
  const a = viewOf(floats, [...batch, m, k], order);
  const b = viewOf(floats, [...batch, k, n], orderB);
  if (sharesB) b.strides.fill(0, 0, batch.length);
  const read = inputs.map((kind) => viewOf(kind === "bytes" ? truths : floats, sizes, order, kind === "row"));
  const updated = read.filter((_, i) => inputs[i] === "updated");
  const written = [...updated, ...Array.from({ length: outputs }, () => viewOf(floats, sizes, order))];
  const instruction = (
    name: "matmul" | "fused" | "matmul_fused",
    views: View[],
    dims: number[],
    code: number[] = [],
    counts: number[] = [],
  ): void => {
    const buffers = [...new Set(views.map(({ data }) => data))];
    const words = encodeInstruction(
      `${name}_${type}`,
      views.map(({ data }) => buffers.indexOf(data)),
      views.map(({ offset }) => offset),
      [...dims, ...views.flatMap(({ strides }) => strides)],
      code,
      counts,
    );
    run(words, buffers);
  };
  const bytes = inputs.filter((kind) => kind === "bytes").length;
  const rest = inputs.length - bytes;
  const dims = [batch.length, ...batch, m, k, n];
  if (together) {
    const code = chainCode(type, chain(inputs.length), "ab");
    instruction("matmul_fused", [a, b, ...read, ...written], dims, code, [bytes, rest, written.length]);
  } else {
    const product = viewOf(floats, sizes, "contiguous");
    instruction("matmul", [a, b, product], dims);
    const code = chainCode(type, [["load", "ab", inputs.length], ...chain(inputs.length + 1)]);
    const counts = [bytes, rest + 1, written.length, 0];
    instruction("fused", [...read, product, ...written], [0, sizes.length, ...sizes], code, counts);
  }
  return [a, b, ...read, ...written].map(({ data }) => data);
}

// Batch axes, m, k, n: around tiles of 8×32, 6×16 and 4×8, blocks of 128×512 and chains of 256.
const SHAPES: [number[], number, number, number][] = [
  [[], 1, 5, 1],
  [[], 1, 300, 1100],
  [[], 1, 5000, 33],
  [[], 700, 40, 1],
  [[], 5, 0, 7],
  [[], 1, 0, 7],
  [[], 0, 3, 7],
  [[], 3, 3, 0],
  [[], 2, 3, 2],
  [[], 8, 256, 32],
  [[], 9, 257, 33],
  [[], 7, 600, 31],
  [[], 17, 20, 65],
  [[], 131, 30, 70],
  [[], 270, 8, 34],
  [[], 9, 12, 530],
  [[], 133, 258, 515],
  [[3], 4, 5, 6],
  [[2, 3], 1, 7, 9],
  [[2, 2], 6, 0, 5],
  [[0], 4, 5, 6],
  [[20], 9, 10, 11],
];

describe.each(executors)("a product with an epilogue on %o", (choice) => {
  /** Whole buffers: what lies around the views must not change either. */
  const expectSameBits = (one: Case, epilogue: Epilogue): void => {
    const [together, apart] = [true, false].map((fused) =>
      withBackend(choice, () => runCase(one, epilogue, fused)),
    );
    for (const [i, data] of together.entries()) {
      if (Buffer.from(data.buffer).equals(Buffer.from(apart[i].buffer))) continue;
      expect({ ...one, operand: i, data }).toEqual({ ...one, operand: i, data: apart[i] });
    }
  };

  describe.each(Object.entries(EPILOGUES))("%s", (_name, epilogue) => {
    test.each(["contiguous", "transposed", "apart"] as const)("%s operands", (order) => {
      for (const [batch, m, k, n] of SHAPES) {
        for (const type of ["f32", "f64"] as const) {
          for (const sharesB of batch.length > 0 ? [false, true] : [false]) {
            expectSameBits({ type, batch, m, k, n, order, sharesB }, epilogue);
          }
        }
      }
    });
  });

  test("a small batch by a weight that is stored by outputs", () => {
    for (const m of [8, 9, 15, 16, 17, 31, 32, 33]) {
      for (const [k, n] of [
        [64, 64],
        [70, 131],
        [300, 1100],
      ]) {
        for (const type of ["f32", "f64"] as const) {
          for (const name of ["bias and relu", "an update of SGD"]) {
            const one: Case = {
              type,
              batch: [],
              m,
              k,
              n,
              order: "contiguous",
              orderB: "transposed",
              sharesB: false,
            };
            expectSameBits(one, EPILOGUES[name]);
          }
        }
      }
    }
  });

  test("so large that b is packed in several parts", () => {
    const one: Case = {
      type: "f32",
      batch: [],
      m: 260,
      k: 2100,
      n: 600,
      order: "contiguous",
      sharesB: false,
    };
    expectSameBits(one, EPILOGUES["bias and relu"]);
    expectSameBits(one, EPILOGUES["an update of SGD"]);
  });

  test("is the formula: bias and relu", () => {
    const [a, b, bias] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, -8), Float32Array.of(-20, 1)];
    const y = new Float32Array(4);
    const code = chainCode("f32", EPILOGUES["bias and relu"].chain(1), "ab");
    const dims = [0, 2, 2, 2, 2, 1, 2, 1, 0, 1, 2, 1];
    const words = encodeInstruction("matmul_fused_f32", [0, 1, 2, 3], [0, 0, 0, 0], dims, code, [0, 1, 1]);
    withBackend(choice, () => run(words, [a, b, bias, y]));
    // a·b is [[19, −10], [43, −14]].
    expect([...y]).toEqual([0, 0, 23, 0]);
  });

  test("refuses code that is wrong, names its instruction, and writes nothing", () => {
    const refusal = (code: number[]): string => {
      const [x, y] = [Float32Array.of(1, 2, 3, 4), new Float32Array(4)];
      const dims = [0, 2, 2, 2, ...[2, 1], ...[2, 1], ...[2, 1], ...[2, 1]];
      const words = encodeInstruction("matmul_fused_f32", [0, 0, 0, 1], [0, 0, 0, 0], dims, code, [0, 1, 1]);
      let message = "";
      withBackend(choice, () => {
        try {
          run(words, [x, y]);
        } catch (error) {
          expect(error).toBeInstanceOf(ProgramError);
          message = (error as Error).message;
          expect([...y]).toEqual([0, 0, 0, 0]);
        }
      });
      return message;
    };
    const good = [kernelId("add_f32"), 1, 0, 0, -2, 1, 1];
    expect(refusal(good)).toBe("");
    const at = (instruction: number): string => `matmul_fused_f32: instruction ${instruction} of its code: `;
    expect(refusal(good.with(3, 1))).toBe(`${at(0)}register is 1; it must be one that has been written`);
    expect(refusal(good.with(5, 2))).toBe(
      `${at(1)}stored operand is 2; it must be an output that nothing is stored to yet`,
    );
    expect(refusal([-1, 1, 1, ...good])).toBe(`${at(0)}loaded operand is 1; it must be an input`);
    expect(refusal([kernelId("sum_f32"), 1, 0])).toBe(
      `${at(0)}operation is ${kernelId("sum_f32")}; ` +
        "it must be -1, -2, or the number of an elementwise kernel of this type",
    );
    expect(refusal(good.slice(0, 4))).toBe(`${at(1)}operand that nothing is stored to is 1; it must be none`);
  });
});

test("chainCode gives the product register 0, and frees it after its last use", () => {
  const id = (name: "add_f32" | "neg_f32"): number => kernelId(name);
  const words = chainCode(
    "f32",
    [
      ["load", "x", 0],
      ["add", "y", "ab", "x"],
      ["neg", "z", "y"],
      ["store", 1, "z"],
    ],
    "ab",
  );
  expect(words).toEqual([-1, 1, 0, id("add_f32"), 0, 0, 1, id("neg_f32"), 0, 0, -2, 1, 0]);
  expect(chainCode("f32", [["store", 0, "ab"]], "ab")).toEqual([-2, 0, 0]);
  expect(() => chainCode("f32", [["store", 0, "ab"]])).toThrow(/there is no value "ab" yet/);
});
