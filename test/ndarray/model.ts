/** Arrays as plain nested lists: the slow and obvious definitions that views are compared with. */
import fc from "fast-check";
import { array } from "../../lib/ndarray/creation.js";
import type { NDArray } from "../../lib/ndarray/ndarray.js";
import type { NestedArray } from "../../lib/ndarray/nested.js";
import type { Bounds } from "../../lib/ndarray/slicing.js";

export interface Sample {
  shape: number[];
  nested: NestedArray;
}

/** Builds nested lists by asking for the value at every index. */
export function build(
  shape: readonly number[],
  at: (index: number[]) => NestedArray,
  index: number[] = [],
): NestedArray {
  if (index.length === shape.length) return at(index);
  return Array.from({ length: shape[index.length] }, (_, i) => build(shape, at, [...index, i]));
}

/** The entry at a (possibly partial) index. */
export function pick(nested: NestedArray, index: readonly number[]): NestedArray {
  return index.reduce((node, i) => (node as NestedArray[])[i], nested);
}

/** The elements in row-major order. */
export function flat(nested: NestedArray): NestedArray[] {
  return Array.isArray(nested) ? nested.flatMap(flat) : [nested];
}

/** Nested lists of the given shape filled from elements in row-major order. */
export function fill(shape: readonly number[], elements: readonly NestedArray[]): NestedArray {
  let next = 0;
  return build(shape, () => elements[next++]);
}

/** 0, 1, 2, … in a shape. */
export const counting = (shape: readonly number[]): NestedArray => {
  let next = 0;
  return build(shape, () => next++);
};

/** The indices that Python's start:stop:step selects, by the words of the language reference. */
export function pythonRange([start, stop, step]: Bounds, size: number): number[] {
  const k = step ?? 1;
  const place = (bound: number | null | undefined, missing: number) => {
    if (bound === null || bound === undefined) return missing;
    const i = bound < 0 ? bound + size : bound;
    return k > 0 ? Math.min(Math.max(i, 0), size) : Math.min(Math.max(i, -1), size - 1);
  };
  const from = place(start, k > 0 ? 0 : size - 1);
  const to = place(stop, k > 0 ? size : -1);
  const indices: number[] = [];
  for (let i = from; k > 0 ? i < to : i > to; i += k) indices.push(i);
  return indices;
}

export const bounds: fc.Arbitrary<Bounds> = fc.tuple(
  optional(fc.integer({ min: -7, max: 7 })),
  optional(fc.integer({ min: -7, max: 7 })),
  optional(fc.constantFrom(-3, -2, -1, 1, 2, 3)),
);

function optional(value: fc.Arbitrary<number>): fc.Arbitrary<number | null> {
  return fc.option(value, { nil: null });
}

export const shapes = (minLength = 0): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: 4 }), { minLength, maxLength: 4 });

const fourOf = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 4, maxLength: 4 });

/** An array together with the nested lists it should equal, as a view that need not be contiguous. */
export const views = (minRank = 0): fc.Arbitrary<{ x: NDArray; nested: NestedArray; shape: number[] }> =>
  fc
    .tuple(shapes(minRank), fourOf(fc.constantFrom(1, 1, 2, -1, -2)), fourOf(fc.nat()))
    .map(([base, steps, keys]) => {
      const nested = counting(base);
      const ranges = base.map((_, axis): Bounds => [null, null, steps[axis]]);
      const kept = base.map((size, axis) => pythonRange(ranges[axis], size));
      const order = base
        .map((_, axis) => ({ axis, key: keys[axis] }))
        .sort((a, b) => a.key - b.key)
        .map(({ axis }) => axis);
      const shape = order.map((axis) => kept[axis].length);
      return {
        x: array(nested, { shape: base })
          .slice(...ranges)
          .permute(order),
        nested: build(shape, (index) =>
          pick(
            nested,
            base.map((_, axis) => kept[axis][index[order.indexOf(axis)]]),
          ),
        ),
        shape,
      };
    });
