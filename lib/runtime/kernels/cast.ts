/**
 * Copies and conversions: `cast_from_*`, `to_bool`, `fill`. Float to integer truncates and saturates (NaN gives
 * 0), integer to narrower integer wraps, everything else is rounded once to the nearest value.
 */
import type { Kernel, KernelFactory, StorageType } from "../types.js";
import {
  bigToFloat32Source,
  I32_MAX,
  I32_MIN,
  type Numbers,
  saturate,
  saturateBig,
  scalarAs,
} from "./elements.js";
import { elementwiseKernel, elementwiseLayout, mapFactory, type UnaryLoop } from "./elementwise.js";
import { forEachRow } from "./strided.js";

/** Storing rounds to float32 and wraps to narrower integers: just what these conversions ask for. */
const store: UnaryLoop<Numbers, Numbers> = (n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = x[i];
};

const floatToInteger =
  (low: number, high: number): UnaryLoop<Numbers, Numbers> =>
  (n, x, i, si, y, j, sj) => {
    for (let k = 0; k < n; k++, i += si, j += sj) y[j] = saturate(x[i], low, high);
  };

const floatToBig: UnaryLoop<Numbers, BigInt64Array> = (n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = saturateBig(x[i]);
};

const integerToBig: UnaryLoop<Numbers, BigInt64Array> = (n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = BigInt(x[i]);
};

const copyBig: UnaryLoop<BigInt64Array, BigInt64Array> = (n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = x[i];
};

const bigTo =
  (convert: (x: bigint) => number): UnaryLoop<BigInt64Array, Numbers> =>
  (n, x, i, si, y, j, sj) => {
    for (let k = 0; k < n; k++, i += si, j += sj) y[j] = convert(x[i]);
  };

function castFromBig(to: StorageType): Kernel {
  switch (to) {
    case "i64":
      return elementwiseKernel(copyBig);
    case "f32":
      return elementwiseKernel(bigTo(bigToFloat32Source));
    case "f64":
      return elementwiseKernel(bigTo(Number));
    case "i32":
      return elementwiseKernel(bigTo((x) => Number(BigInt.asIntN(32, x))));
    default:
      return elementwiseKernel(bigTo((x) => Number(BigInt.asUintN(8, x))));
  }
}

function castFromFloat(to: StorageType): Kernel {
  switch (to) {
    case "i64":
      return elementwiseKernel(floatToBig);
    case "i32":
      return elementwiseKernel(floatToInteger(I32_MIN, I32_MAX));
    case "u8":
      return elementwiseKernel(floatToInteger(0, 255));
    default:
      return elementwiseKernel(store);
  }
}

const castFromInteger = (to: StorageType): Kernel =>
  to === "i64" ? elementwiseKernel(integerToBig) : elementwiseKernel(store);

/** The row `cast_from_<from>`: one kernel for each type that it converts to. */
export const castFrom = (from: StorageType): KernelFactory => {
  if (from === "i64") return castFromBig;
  return from === "f32" || from === "f64" ? castFromFloat : castFromInteger;
};

const isTrue: UnaryLoop<Numbers, Numbers> = (n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = x[i] === 0 ? 0 : 1;
};

/** 1 where x ≠ 0, else 0; NaN gives 1. */
export const toBool = mapFactory(
  (dtype) =>
    dtype === "i64" ? elementwiseKernel(bigTo((x) => (x === 0n ? 0 : 1))) : elementwiseKernel(isTrue),
  { inputs: 1, loop: isTrue },
);

/** Every element is `value`, converted like an element of float64. */
export const fill = mapFactory(
  (dtype) => (buffers, offsets, dims, scalars) => {
    forEachRow(elementwiseLayout(dims, 1), offsets, (n, at, step) => {
      if (dtype === "i64") {
        fillRow(buffers[0] as BigInt64Array, saturateBig(scalars[0]), n, at[0], step[0]);
      } else {
        fillRow(buffers[0] as Numbers, scalarAs(dtype, scalars[0]), n, at[0], step[0]);
      }
    });
  },
  { inputs: 0, loop: (n, y, j, sj, value) => fillRow(y, value, n, j, sj) },
);

function fillRow<E>(
  y: { [index: number]: E; fill(value: E, from: number, to: number): unknown },
  value: E,
  n: number,
  j: number,
  step: number,
): void {
  if (step === 1) {
    y.fill(value, j, j + n);
  } else {
    for (let k = 0; k < n; k++, j += step) y[j] = value;
  }
}
