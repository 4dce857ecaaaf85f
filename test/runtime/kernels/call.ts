/** Calls a kernel through a program, with contiguous views where a test does not say otherwise. */
import { encodeInstruction } from "../../../lib/runtime/program.js";
import { KERNELS, type KernelName, kernelId } from "../../../lib/runtime/table.js";
import { runProgram } from "../../../lib/runtime/ts_executor.js";
import type { TypedArray } from "../../../lib/runtime/types.js";

/** A size or stride of one axis, or those of a group. */
export type Axes = number | readonly number[];

/** A strided operand; `strides` has one entry for each letter. */
export interface View {
  data: TypedArray;
  offset?: number;
  strides?: readonly Axes[];
}

const flat = (axes: Axes): readonly number[] => (typeof axes === "number" ? [axes] : axes);

/** Row-major strides of an operand whose letters have the given sizes. */
function contiguous(sizes: readonly Axes[]): Axes[] {
  let stride = 1;
  const step = (size: number): number => {
    const here = stride;
    stride *= size;
    return here;
  };
  return sizes
    .toReversed()
    .map((axes) => (typeof axes === "number" ? step(axes) : axes.toReversed().map(step).reverse()))
    .reverse();
}

/** The words of a call: `sizes` letter by letter in order of first appearance, one operand per buffer. */
export function wordsOf(
  name: KernelName,
  sizes: readonly Axes[],
  operands: readonly (TypedArray | View)[],
  scalars: readonly number[] = [],
): { words: Float64Array; buffers: TypedArray[] } {
  const { signature } = KERNELS[kernelId(name)];
  const views = operands.map((operand): View => ("data" in operand ? operand : { data: operand }));
  const dims = sizes.flatMap((axes) => (typeof axes === "number" ? [axes] : [axes.length, ...axes]));
  signature.operands.forEach(({ axes }, i) => {
    const strides = views[i].strides ?? contiguous(axes.map((axis) => sizes[axis]));
    dims.push(...strides.flatMap(flat));
  });
  const words = encodeInstruction(
    name,
    views.map((_, i) => i),
    views.map(({ offset }) => offset ?? 0),
    dims,
    scalars,
  );
  return { words: Float64Array.from(words), buffers: views.map(({ data }) => data) };
}

export function call(
  name: KernelName,
  sizes: readonly Axes[],
  operands: readonly (TypedArray | View)[],
  scalars: readonly number[] = [],
): void {
  const { words, buffers } = wordsOf(name, sizes, operands, scalars);
  runProgram(words, words.length, buffers);
}

/** n numbers in (−2, 2), the same for the same seed; each is a float32 number. */
export function numbers(n: number, seed = 1): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 22 - 2;
  });
}

/** The largest |got − expected| / |expected| (absolute where 0 is expected). */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(got[i], expected[i])) continue;
    const error = Math.abs(got[i] - expected[i]) / (Math.abs(expected[i]) || 1);
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }
  return worst;
}
