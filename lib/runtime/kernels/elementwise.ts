/**
 * From a loop over one row to a kernel over any strided views of one shape. Every operation writes its own loop:
 * a loop shared by all operations would call a function per element, which costs several times the arithmetic.
 */
import { DimsReader } from "../signature.js";
import type { Kernel, KernelFactory, StorageType, TypedArray } from "../types.js";
import { type Numbers, scalarAs } from "./elements.js";
import { collapseFreely, forEachRow, type Layout } from "./strided.js";

/** A row of n elements: x from position i in steps of si, to y from j in steps of sj; up to two scalars. */
export type UnaryLoop<X extends TypedArray, Y extends TypedArray> = (
  n: number,
  x: X,
  i: number,
  si: number,
  y: Y,
  j: number,
  sj: number,
  a: number,
  b: number,
) => void;

/** As UnaryLoop with two inputs: x from i, y from j, to z from k; one scalar. */
export type BinaryLoop = (
  n: number,
  x: Numbers,
  i: number,
  si: number,
  y: Numbers,
  j: number,
  sj: number,
  z: Numbers,
  k: number,
  sk: number,
  a: number,
) => void;

/** As UnaryLoop without inputs: to y from j; one scalar. */
export type NullaryLoop = (n: number, y: Numbers, j: number, sj: number, a: number) => void;

/** As UnaryLoop with a condition, from h, and two inputs: x from i, y from j, to z from k. */
export type TernaryLoop = (
  n: number,
  c: Numbers,
  h: number,
  sh: number,
  x: Numbers,
  i: number,
  si: number,
  y: Numbers,
  j: number,
  sj: number,
  z: Numbers,
  k: number,
  sk: number,
) => void;

/** The loop of an elementwise function by its number of inputs: what `fused` runs over its tiles. */
export type MapLoop =
  | { readonly inputs: 0; readonly loop: NullaryLoop }
  | { readonly inputs: 1; readonly loop: UnaryLoop<Numbers, Numbers> }
  | { readonly inputs: 2; readonly loop: BinaryLoop }
  | { readonly inputs: 3; readonly loop: TernaryLoop };

/** The factory of a row MAP(…) of kernels.def, which also gives the loop for one float type. */
export interface MapFactory extends KernelFactory {
  map(dtype: StorageType): MapLoop;
}

/** A factory whose loop is the same for all types. */
export const mapFactory = (factory: KernelFactory, map: MapLoop): MapFactory =>
  Object.assign((dtype: StorageType) => factory(dtype), { map: () => map });

/** A factory that is one of two by type. */
export const byType = (choose: (dtype: StorageType) => MapFactory): MapFactory =>
  Object.assign((dtype: StorageType) => choose(dtype)(dtype), {
    map: (dtype: StorageType) => choose(dtype).map(dtype),
  });

/** The rows of `operands` views of one shape, in the order that is quickest: elements are independent. */
export function elementwiseLayout(dims: readonly number[], operands: number): Layout {
  const reader = new DimsReader(dims);
  const sizes = reader.group();
  const strides: (readonly number[])[] = [];
  for (let i = 0; i < operands; i++) strides.push(reader.strides(sizes));
  return collapseFreely({ sizes, strides });
}

/** The kernel of a loop from one element to one element; scalars must already fit the element type. */
export function elementwiseKernel<X extends TypedArray, Y extends TypedArray>(loop: UnaryLoop<X, Y>): Kernel {
  return (buffers, offsets, dims, scalars) => {
    const x = buffers[0] as X;
    const y = buffers[1] as Y;
    const a = scalars[0];
    const b = scalars[1];
    forEachRow(elementwiseLayout(dims, 2), offsets, (n, at, step) => {
      loop(n, x, at[0], step[0], y, at[1], step[1], a, b);
    });
  };
}

/** A row of the table whose operands and scalars are all of type T (or whose output is u8). */
export const unary = (loop: UnaryLoop<Numbers, Numbers>): MapFactory => {
  const kernel = elementwiseKernel(loop);
  const factory: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) =>
    kernel(
      buffers,
      offsets,
      dims,
      scalars.map((scalar) => scalarAs(dtype, scalar)),
    );
  return mapFactory(factory, { inputs: 1, loop });
};

/** As `unary` with two inputs. */
export const binary = (loop: BinaryLoop): MapFactory => {
  const factory: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
    const [x, y, z] = buffers as readonly Numbers[];
    const a = scalars.length > 0 ? scalarAs(dtype, scalars[0]) : 0;
    forEachRow(elementwiseLayout(dims, 3), offsets, (n, at, step) => {
      loop(n, x, at[0], step[0], y, at[1], step[1], z, at[2], step[2], a);
    });
  };
  return mapFactory(factory, { inputs: 2, loop });
};
