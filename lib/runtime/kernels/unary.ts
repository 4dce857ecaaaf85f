/**
 * Elementwise kernels of one argument. Each states its loop: y = f(x) over a row. Transcendental functions are
 * computed in float64 and rounded once by the store; int32 results wrap by the store.
 */
import { larger, smaller } from "./elements.js";
import { byType, unary } from "./elementwise.js";
import * as special from "./special.js";

export const neg = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = -x[i];
});

export const abs = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.abs(x[i]);
});

/** −1, 1, or x itself where it is ±0 or NaN. */
export const sign = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.sign(x[i]);
});

const squareFloat = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = x[i] * x[i];
});

const squareInteger = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.imul(x[i], x[i]);
});

export const square = byType((dtype) => (dtype === "i32" ? squareInteger : squareFloat));

export const sqrt = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.sqrt(x[i]);
});

const rsqrtDouble = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = 1 / Math.sqrt(x[i]);
});

const rsqrtSingle = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = 1 / Math.fround(Math.sqrt(x[i]));
});

/** 1/√x, each operation rounded. */
export const rsqrt = byType((dtype) => (dtype === "f32" ? rsqrtSingle : rsqrtDouble));

export const reciprocal = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = 1 / x[i];
});

export const floor = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.floor(x[i]);
});

export const ceil = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.ceil(x[i]);
});

/** Half to even. */
export const round = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = special.roundHalfEven(x[i]);
});

export const trunc = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.trunc(x[i]);
});

export const exp = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.exp(x[i]);
});

export const expm1 = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.expm1(x[i]);
});

export const log = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.log(x[i]);
});

export const log1p = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.log1p(x[i]);
});

export const sin = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.sin(x[i]);
});

export const cos = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.cos(x[i]);
});

export const tan = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.tan(x[i]);
});

export const tanh = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Math.tanh(x[i]);
});

export const erf = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = special.erf(x[i]);
});

export const sigmoid = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = special.sigmoid(x[i]);
});

export const softplus = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = special.softplus(x[i]);
});

export const gelu = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = special.gelu(x[i]);
});

export const silu = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = special.silu(x[i]);
});

/** 0 where x < 0, else x: NaN stays. */
export const relu = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = larger(0, x[i]);
});

/** slope·x where x < 0, else x. */
export const leakyRelu = unary((n, x, i, si, y, j, sj, slope) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = x[i] < 0 ? slope * x[i] : x[i];
});

/** low where x < low, high where x > high, NaN stays. */
export const clip = unary((n, x, i, si, y, j, sj, low, high) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = x[i] < low ? low : smaller(high, x[i]);
});

export const isNan = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Number.isNaN(x[i]) ? 1 : 0;
});

export const isFiniteNumber = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = Number.isFinite(x[i]) ? 1 : 0;
});

/** 1 where x is 0, else 0. */
export const logicalNot = unary((n, x, i, si, y, j, sj) => {
  for (let k = 0; k < n; k++, i += si, j += sj) y[j] = x[i] === 0 ? 1 : 0;
});
