/** Lists of tensors as one long float64 vector: what linear algebra over all parameters at once works on. */
import { noGrad } from "../../autograd/mode.js";
import { fromTypedArray } from "../../ndarray/creation.js";
import type { NDArray } from "../../ndarray/ndarray.js";
import { Tensor } from "../../tensor.js";

/** The elements of all tensors, end to end; a copy. */
export function flatten(tensors: readonly Tensor[]): Float64Array {
  const flat = new Float64Array(tensors.reduce((count, { size }) => count + size, 0));
  let at = 0;
  for (const { data, size } of tensors) {
    flat.set(data as Float64Array, at);
    at += size;
  }
  return flat;
}

/** Tensors of the shapes and dtypes of `like` whose elements, end to end, are `flat`. */
export function unflatten(flat: Float64Array, like: readonly Tensor[]): Tensor[] {
  let at = 0;
  return like.map(({ size, shape, dtype }) => {
    const part: NDArray = fromTypedArray(flat.slice(at, at + size), shape).astype(dtype);
    at += size;
    return new Tensor(part);
  });
}

/** Overwrites the tensors in place. */
export function overwriteAll(tensors: readonly Tensor[], flat: Float64Array): void {
  noGrad(() => {
    unflatten(flat, tensors).forEach((values, i) => {
      tensors[i].assign(values);
    });
  });
}

/** aᵀb. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** √(aᵀa). */
export const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

/** y ← y + scale·x. */
export function addScaled(y: Float64Array, scale: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] += scale * x[i];
}

/** x + scale·d, a new vector. */
export const along = (x: Float64Array, scale: number, d: Float64Array): Float64Array =>
  x.map((value, i) => value + scale * d[i]);
