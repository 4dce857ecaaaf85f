/** The plain reference: arrays as shape and flat numbers, and the naive loops that operations are compared with. */
import { fromTypedArray } from "../../lib/ndarray/creation.js";
import type { DType } from "../../lib/ndarray/dtype.js";
import { Tensor } from "../../lib/tensor.js";

export interface Plain {
  shape: number[];
  data: number[];
}

export const plainOf = (x: Tensor): Plain => ({
  shape: [...x.shape],
  data: Array.from(x.data as ArrayLike<number | bigint>, Number),
});

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Position in `shape` of flat index i. */
export function unravel(i: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}

/** Flat index of a position. */
export const ravel = (index: readonly number[], shape: readonly number[]): number =>
  index.reduce((flat, at, axis) => flat * shape[axis] + at, 0);

/** An array of the given shape whose elements are a function of their position. */
export function build(shape: readonly number[], element: (index: number[]) => number): Plain {
  return {
    shape: [...shape],
    data: Array.from({ length: sizeOf(shape) }, (_, i) => element(unravel(i, shape))),
  };
}

/** The element of x at a position of a shape that x broadcasts to. */
export function at(x: Plain, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  return x.data[
    ravel(
      x.shape.map((size, axis) => (size === 1 ? 0 : index[lead + axis])),
      x.shape,
    )
  ];
}

/** A function of numbers applied elementwise with broadcasting. */
export const elementwise =
  (f: (...values: number[]) => number) =>
  (...inputs: Plain[]): Plain => {
    const rank = Math.max(...inputs.map((x) => x.shape.length));
    const shape = Array.from({ length: rank }, (_, axis) => {
      const sizes = inputs.map((x) => x.shape[axis - rank + x.shape.length] ?? 1);
      return sizes.find((size) => size !== 1) ?? 1;
    });
    return build(shape, (index) => f(...inputs.map((x) => at(x, index))));
  };

/** A function of lists of numbers applied along axes. */
export const along =
  (f: (values: number[]) => number, axes: readonly number[], keepDims = false) =>
  (x: Plain): Plain => {
    const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const outer = kept.map((axis) => x.shape[axis]);
    const lists = new Map<number, number[]>(Array.from({ length: sizeOf(outer) }, (_, i) => [i, []]));
    x.data.forEach((value, i) => {
      const index = unravel(i, x.shape);
      lists
        .get(
          ravel(
            kept.map((axis) => index[axis]),
            outer,
          ),
        )
        ?.push(value);
    });
    const shape = keepDims ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) : outer;
    return { shape, data: [...lists.values()].map(f) };
  };

/** A tensor from plain numbers. */
export function tensorOf({ shape, data }: Plain, dtype: DType = "float64", requiresGrad = false): Tensor {
  const array = fromTypedArray(Float64Array.from(data), shape).astype(dtype);
  return new Tensor(array, { requiresGrad });
}
