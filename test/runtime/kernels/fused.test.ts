/**
 * Chains of elementwise operations against the same kernels one after the other, bit for bit, on both executors: on
 * random code, shapes, strides, broadcasts and folds.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProgramError } from "../../../lib/errors.js";
import { backendInfo, executor, withBackend } from "../../../lib/runtime/executor.js";
import { chainCode } from "../../../lib/runtime/fused.js";
import { encodeInstruction } from "../../../lib/runtime/program.js";
import { KERNELS, type KernelEntry, type KernelName, kernelId } from "../../../lib/runtime/table.js";
import type { TypedArray } from "../../../lib/runtime/types.js";

type Floats = Float32Array | Float64Array;
type Type = "f32" | "f64";

const { levels } = backendInfo();
const executors =
  backendInfo().backend === "native"
    ? [{ backend: "ts" as const }, ...levels.map((isa) => ({ backend: "native" as const, isa }))]
    : [{ backend: "ts" as const }];

const floats = (type: Type, n: number): Floats =>
  type === "f32" ? new Float32Array(n) : new Float64Array(n);
const countOf = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const contiguous = (sizes: readonly number[]): number[] => sizes.map((_, i) => countOf(sizes.slice(i + 1)));

/** A view into a buffer of its own, with strides over the axes of O and then R. */
interface View {
  data: TypedArray;
  offset: number;
  strides: number[];
}

interface Chain {
  type: Type;
  o: number[];
  r: number[];
  bytes: View[];
  inputs: View[];
  outputs: View[];
  folds: View[];
  code: number[];
}

function runChain({ type, o, r, bytes, inputs, outputs, folds, code }: Chain): void {
  const views = [...bytes, ...inputs, ...outputs, ...folds];
  const words = encodeInstruction(
    `fused_${type}`,
    views.map((_, i) => i),
    views.map(({ offset }) => offset),
    [o.length, ...o, r.length, ...r, ...views.flatMap(({ strides }) => strides)],
    code,
    [bytes, inputs, outputs, folds].map((kind) => kind.length),
  );
  executor().run(
    Float64Array.from(words),
    words.length,
    views.map(({ data }) => data),
  );
}

/** Runs one kernel over contiguous arrays. */
function runKernel(kernel: KernelEntry, sizes: number[], buffers: TypedArray[], scalars: number[]): void {
  const dims = [sizes.length, ...sizes, ...buffers.flatMap(() => contiguous(sizes))];
  const slots = buffers.map((_, i) => i);
  const words = encodeInstruction(
    kernel.name,
    slots,
    slots.map(() => 0),
    dims,
    scalars,
  );
  executor().run(Float64Array.from(words), words.length, buffers);
}

/** The elements of a view in row-major order. */
function positions({ offset, strides }: View, sizes: readonly number[]): number[] {
  let all = [offset];
  for (const [axis, size] of sizes.entries()) {
    all = all.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * strides[axis]));
  }
  return all;
}

/** What the chain means: each instruction of its code as a kernel over whole arrays. Writes the outputs. */
function runApart(chain: Chain): void {
  const { type, o, r, code } = chain;
  const sizes = [...o, ...r];
  const n = countOf(sizes);
  const operands = [...chain.bytes, ...chain.inputs, ...chain.outputs, ...chain.folds];
  const loads = [...chain.bytes, ...chain.inputs].map((view) => {
    const x = floats(type, n);
    positions(view, sizes).forEach((at, i) => {
      x[i] = Number(view.data[at]);
    });
    return x;
  });
  const registers: Floats[] = [];
  const stores: (() => void)[] = [];
  for (let next = 0; next < code.length; ) {
    const operation = code[next++];
    if (operation === -1) {
      const to = code[next++];
      registers[to] = loads[code[next++]];
    } else if (operation === -2) {
      const view = operands[code[next++]];
      const x = registers[code[next++]];
      stores.push(() => {
        positions(view, sizes).forEach((at, i) => {
          view.data[at] = x[i];
        });
      });
    } else {
      const kernel = KERNELS[operation];
      const to = code[next++];
      if (kernel.map === null) {
        const y = floats(type, countOf(o));
        const dims = [o.length, ...o, r.length, ...r, ...contiguous(sizes), ...contiguous(o)];
        const words = encodeInstruction(kernel.name, [0, 1], [0, 0], dims);
        executor().run(Float64Array.from(words), words.length, [registers[code[next++]], y]);
        const view = operands[to];
        positions(view, o).forEach((at, i) => {
          view.data[at] = y[i];
        });
        continue;
      }
      const from = code.slice(next, next + map(kernel).inputs).map((register) => registers[register]);
      next += from.length;
      const scalars = code.slice(next, next + kernel.scalars.length);
      next += scalars.length;
      const types = kernel.signature.operands.map((operand) => operand.type);
      const y = floats(type, n);
      const buffers = [...from, y].map((x, i) =>
        types[i] === "u8" ? Uint8Array.from(x, (v) => +(v !== 0)) : x,
      );
      runKernel(kernel, sizes, buffers, scalars);
      registers[to] = types[from.length] === "u8" ? floatsFrom(type, buffers[from.length] as Uint8Array) : y;
    }
  }
  for (const store of stores) store();
}

const floatsFrom = (type: Type, x: Uint8Array): Floats =>
  type === "f32" ? Float32Array.from(x) : Float64Array.from(x);

function map(kernel: KernelEntry): { inputs: number } {
  if (kernel.map === null) throw new Error(`${kernel.name} is no function of elements`);
  return kernel.map;
}

const MAPS = (type: Type): KernelEntry[] =>
  KERNELS.filter((kernel) => kernel.dtype === type && kernel.map !== null);
const FOLDS = ["sum", "prod", "max", "min"] as const;

/** Draws everything of a chain from a stream of numbers. */
function randomChain(type: Type, draw: (below: number) => number): Chain {
  const pick = <T>(values: readonly T[]): T => values[draw(values.length)];
  let room = pick([60, 3000, 20000]);
  const size = (): number => {
    const n = draw(12) === 0 ? 1 + draw(room) : pick([0, 1, 2, 3, 7, 8, 16, 33, 100, 1025, 4097]);
    const fits = Math.min(n, room);
    room = Math.max(1, Math.floor(room / Math.max(1, fits)));
    return draw(10) === 0 ? fits : Math.max(1, fits);
  };
  const sizesO = Array.from({ length: draw(3) }, size);
  const sizesR = Array.from({ length: draw(3) }, size);
  const view = (make: (n: number) => TypedArray, sizes: readonly number[], isInput: boolean): View => {
    const strides = new Array<number>(sizes.length).fill(0);
    const order = sizes.map((_, i) => sizes.length - 1 - i);
    const isStrided = draw(2) === 0;
    if (isStrided && draw(2) === 0) order.reverse();
    let step = 1;
    let low = 0;
    let high = 0;
    for (const axis of order) {
      if (isInput && draw(5) === 0) continue;
      if (isStrided && draw(4) === 0) step += draw(3);
      strides[axis] = isStrided && draw(4) === 0 ? -step : step;
      const reach = Math.max(0, sizes[axis] - 1) * strides[axis];
      if (reach < 0) low += reach;
      else high += reach;
      step *= Math.max(1, sizes[axis]);
    }
    const guard = draw(3);
    const offset = guard - low;
    return { data: make(offset + high + 1 + guard), offset, strides };
  };
  const both = [...sizesO, ...sizesR];
  const values = [0, -0, 1, -1, 0.5, -2.5, 3e38, 1e-40, Number.NaN, Infinity, -Infinity];
  const isWild = draw(3) === 0;
  const number = (): number => (isWild && draw(4) === 0 ? pick(values) : draw(2 ** 24) / 2 ** 21 - 4);
  const fill = (n: number): Floats => floats(type, n).map(number);
  const many = (make: () => View): View[] => Array.from({ length: draw(4) }, make);
  const bytes = many(() => view((n) => new Uint8Array(n).map(() => draw(2)), both, true)).slice(0, 1);
  const inputs = many(() => view(fill, both, true));
  const outputs = many(() => view(fill, both, false));
  const folds = many(() => view(fill, sizesO, false));
  const code: number[] = [];
  const written: number[] = [];
  const first = bytes.length + inputs.length;
  const left = [...outputs, ...folds].map((_, i) => first + i);
  const maps = MAPS(type);
  const register = (): number => pick([...written]);
  for (let steps = 1 + draw(14); steps > 0 || left.length > 0; steps--) {
    if (written.length > 0 && left.length > 0 && (steps <= 0 || draw(5) === 0)) {
      const [operand] = left.splice(draw(left.length), 1);
      const fold = kernelId(`${pick(FOLDS)}_${type}`);
      code.push(operand < first + outputs.length ? -2 : fold, operand, register());
      continue;
    }
    const to = draw(6);
    if (first > 0 && (written.length === 0 || draw(3) === 0)) {
      code.push(-1, to, draw(first));
    } else {
      const usable = written.length > 0 ? maps : maps.filter((kernel) => map(kernel).inputs === 0);
      const kernel = pick(usable);
      code.push(kernelId(kernel.name), to, ...Array.from({ length: map(kernel).inputs }, register));
      code.push(...kernel.scalars.map(() => pick([-1, 0.1, 0.5, 2])));
    }
    written.push(to);
  }
  return { type, o: sizesO, r: sizesR, bytes, inputs, outputs, folds, code };
}

const copyOf = (chain: Chain): Chain => {
  const copy = (views: View[]): View[] => views.map((view) => ({ ...view, data: view.data.slice() }));
  return {
    ...chain,
    bytes: copy(chain.bytes),
    inputs: copy(chain.inputs),
    outputs: copy(chain.outputs),
    folds: copy(chain.folds),
  };
};

describe.each(executors)("a chain on %o", (choice) => {
  test.each(["f32", "f64"] as const)("has the bits of its kernels one after the other: %s", (type) => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(2 ** 30)), (stream) => {
        const draw = (below: number): number => (stream.next().value as number) % below;
        const chain = randomChain(type, draw);
        const apart = copyOf(chain);
        withBackend(choice, () => {
          runChain(chain);
          runApart(apart);
        });
        for (const kind of ["bytes", "inputs", "outputs", "folds"] as const) {
          // Whole buffers: what lies around the views must not change either.
          for (const [i, view] of chain[kind].entries()) expect(view.data).toEqual(apart[kind][i].data);
        }
      }),
      { numRuns: 60 },
    );
  });

  test.each<[string, number[], number[], number[]]>([
    ["one long sequence", [], [20000], [1]],
    ["several", [3], [5000], [5000, 1]],
    ["columns", [40], [9000], [1, 40]],
    ["sequences over two strided axes", [2], [70, 143], [20020, 286, 2]],
  ])("folds in blocks like the kernels: %s", (_name, o, r, strides) => {
    let state = 1;
    const data = Float32Array.from({ length: 400000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32 - 0.3;
    });
    const code = chainCode("f32", [
      ["load", "x", 0],
      ["mul", "y", "x", "x"],
      ["sum", 1, "y"],
      ["max", 2, "x"],
    ]);
    const fold = (): View => ({ data: new Float32Array(countOf(o)), offset: 0, strides: contiguous(o) });
    const inputs = [{ data, offset: 0, strides }];
    const chain: Chain = { type: "f32", o, r, bytes: [], inputs, outputs: [], folds: [fold(), fold()], code };
    const apart = copyOf(chain);
    withBackend(choice, () => {
      runChain(chain);
      runApart(apart);
    });
    expect(chain.folds.map((view) => view.data)).toEqual(apart.folds.map((view) => view.data));
  });

  test("stores a constant where only the last, short tile can be written in place", () => {
    for (const n of [1025, 513, 2049]) {
      const strided = { data: new Float32Array(4 * n), offset: 0, strides: [2 * n, 2] };
      const dense = { data: new Float32Array(2 * n), offset: 0, strides: [n, 1] };
      const fold = { data: new Float32Array(2), offset: 0, strides: [1] };
      const code = chainCode("f32", [
        ["fill", "c", 2],
        ["store", 0, "c"],
        ["store", 1, "c"],
        ["sum", 2, "c"],
      ]);
      const kinds = { bytes: [], inputs: [], outputs: [strided, dense], folds: [fold] };
      withBackend(choice, () => runChain({ type: "f32", o: [2], r: [n], ...kinds, code }));
      expect(dense.data.every((x) => x === 2)).toBe(true);
      expect(strided.data.every((x, i) => x === (i % 2 === 0 ? 2 : 0))).toBe(true);
      expect([...fold.data]).toEqual([2 * n, 2 * n]);
    }
  });

  test("may write over its inputs", () => {
    withBackend(choice, () => {
      for (const n of [1, 5, 300, 5000]) {
        const x = Float32Array.from({ length: n }, (_, i) => i - 7);
        const y = new Float32Array(n);
        const view = (data: Float32Array): View => ({ data, offset: 0, strides: [1] });
        // x is written before it is read for the last time.
        const code = chainCode("f32", [
          ["load", "x", 0],
          ["square", "s", "x"],
          ["store", 1, "s"],
          ["neg", "y", "x"],
          ["store", 2, "y"],
        ]);
        const kinds = { bytes: [], inputs: [view(x)], outputs: [view(x), view(y)], folds: [] };
        const shared: Chain = { type: "f32", o: [], r: [n], ...kinds, code };
        const words = encodeInstruction(
          "fused_f32",
          [0, 0, 1],
          [0, 0, 0],
          [0, 1, n, 1, 1, 1],
          code,
          [0, 1, 2, 0],
        );
        expect(shared.outputs[0].data).toBe(x);
        executor().run(Float64Array.from(words), words.length, [x, y]);
        expect([...y]).toEqual(Array.from({ length: n }, (_, i) => -(i - 7)));
        expect([...x]).toEqual(Array.from({ length: n }, (_, i) => Math.fround((i - 7) ** 2)));
      }
    });
  });

  test("refuses code that is wrong, names its instruction, and writes nothing", () => {
    const mul = kernelId("mul_f32");
    const good = [-1, 0, 0, mul, 1, 0, 0, -2, 1, 1];
    const refusal = (code: number[]): string => {
      const [x, y] = [Float32Array.of(1, 2, 3), new Float32Array(3)];
      const words = encodeInstruction("fused_f32", [0, 1], [0, 0], [0, 1, 3, 1, 1], code, [0, 1, 1, 0]);
      let message = "";
      withBackend(choice, () => {
        try {
          executor().run(Float64Array.from(words), words.length, [x, y]);
        } catch (error) {
          expect(error).toBeInstanceOf(ProgramError);
          message = (error as Error).message;
          expect([...y]).toEqual([0, 0, 0]);
        }
      });
      return message;
    };
    expect(refusal(good)).toBe("");
    const at = (instruction: number): string => `fused_f32: instruction ${instruction} of its code: `;
    const register = "it must be an integer in [0, 15]";
    expect(refusal(good.with(4, 16))).toBe(`${at(1)}register is 16; ${register}`);
    expect(refusal(good.with(1, -1))).toBe(`${at(0)}register is -1; ${register}`);
    expect(refusal(good.with(1, 0.5))).toBe(`${at(0)}register is 0.5; ${register}`);
    expect(refusal(good.with(5, 2))).toBe(`${at(1)}register is 2; it must be one that has been written`);
    expect(refusal(good.with(2, 1))).toBe(`${at(0)}loaded operand is 1; it must be an input`);
    const output = "it must be an output over O and R that nothing is stored to yet";
    expect(refusal(good.with(8, 0))).toBe(`${at(2)}stored operand is 0; ${output}`);
    expect(refusal([...good, -2, 1, 0])).toBe(`${at(3)}stored operand is 1; ${output}`);
    expect(refusal([...good, kernelId("sum_f32"), 1, 0])).toContain(`${at(3)}stored operand is 1`);
    for (const bad of [
      -3,
      0.5,
      1e9,
      Number.NaN,
      kernelId("mul_f64"),
      kernelId("softmax_f32"),
      kernelId("var_f32"),
    ]) {
      expect(refusal(good.with(3, bad))).toBe(
        `${at(1)}operation is ${bad}; it must be -1, -2, or the number of an elementwise kernel or a fold of this type`,
      );
    }
    for (let length = 0; length < good.length; length++) {
      expect(refusal(good.slice(0, length))).toMatch(
        /number of words after it is 0; it must be enough|that nothing is stored to is 1; it must be none/,
      );
    }
    expect(refusal([...good, kernelId("clip_f32"), 0, 0, 1])).toContain("number of words after it is 1");
    const long = Array.from({ length: 254 }, () => [-1, 3, 0]).flat();
    expect(refusal([...long, ...good])).toBe(
      `${at(256)}number of instructions is 257; it must be at most 256`,
    );
  });
});

test("the kernels of MAP rows are what a chain can apply", () => {
  const names = MAPS("f32").map(({ stem }) => stem);
  for (const name of ["fill", "add", "where", "lt", "exp", "clip", "leaky_relu_grad", "is_nan"]) {
    expect(names).toContain(name);
  }
  for (const name of ["sum", "philox_uniform", "softmax", "cast_from_u8"]) expect(names).not.toContain(name);
});

describe("chainCode", () => {
  test("gives values registers, and frees them after the last use", () => {
    const id = (name: KernelName): number => kernelId(name);
    expect(
      chainCode("f64", [
        ["load", "x", 0],
        ["fill", "half", 0.5],
        ["mul", "y", "x", "half"],
        ["clip", "z", "y", -1, 1],
        ["store", 1, "z"],
        ["sum", 2, "y"],
      ]),
    ).toEqual([
      ...[-1, 0, 0],
      ...[id("fill_f64"), 1, 0.5],
      ...[id("mul_f64"), 0, 0, 1],
      ...[id("clip_f64"), 1, 0, -1, 1],
      ...[-2, 1, 1],
      ...[id("sum_f64"), 2, 0],
    ]);
  });

  test("refuses unknown values, too many of them, and wrong numbers of arguments", () => {
    expect(() => chainCode("f32", [["store", 0, "x"]])).toThrow(/there is no value "x" yet/);
    const loads = Array.from({ length: 17 }, (_, i) => ["load", `x${i}`, 0] as const);
    const stores = loads.map(([, name], i) => ["store", i, name] as const);
    expect(() => chainCode("f32", [...loads, ...stores])).toThrow(/more than 16 values/);
    expect(() =>
      chainCode("f32", [
        ["load", "x", 0],
        ["add", "y", "x"],
      ]),
    ).toThrow(/add at instruction 1 has 1 values and 0 scalars; it takes 2 and 0/);
  });
});
