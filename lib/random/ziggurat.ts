/**
 * The ziggurat for the normal distribution: G. Marsaglia and W. W. Tsang, "The Ziggurat Method for Generating Random
 * Variables" (J. Stat. Softw. 5, 2000), with 256 layers, as NumPy draws it. The density exp(−x²/2) is covered by a base
 * with the tail beyond R and 255 rectangles, all of the area V; nearly every draw falls into the part of its layer that
 * lies under the curve. Tables and draws only; the stream comes from pcg64.ts.
 */
import { lazy } from "./lazy.js";
import { log1p } from "./libm_log1p.js";
import type { Pcg64 } from "./pcg64.js";
import { exp, log } from "./rounded.js";

const LAYERS = 256;
const R = 3.654152885361009;
const INVERSE_R = 0.2736612373297583;
const V = 0.004928673233974652;
const R_SINGLE = Math.fround(R);
const INVERSE_R_SINGLE = Math.fround(INVERSE_R);

/** What a draw looks up by the layer it is in: all numbers of the table's precision. */
interface Tables {
  /** Width of a layer in units of the random integer. */
  readonly width: Float64Array;
  /** Integers below this lie under the curve. */
  readonly inside: Float64Array;
  /** Height of the curve at the layer's right edge. */
  readonly height: Float64Array;
}

const density = (x: number): number => exp(-0.5 * x * x);

/**
 * The right edges of the layers, from the last one inwards: f(x[i − 1]) = f(x[i]) + V/x[i]. NumPy's table was made in
 * float64 by a C library whose exp was off by one unit in the last place for x[38], and everything further inwards
 * follows from that; with it, and exp and ln rounded correctly, all 256 edges come out as NumPy has them.
 */
function edges(): { x: Float64Array; height: Float64Array } {
  const x = new Float64Array(LAYERS);
  const height = new Float64Array(LAYERS);
  x[LAYERS - 1] = R;
  for (let i = LAYERS - 1; i > 0; i--) {
    height[i] = density(x[i]) + (i === 38 ? 2 ** -53 : 0);
    if (i > 1) x[i - 1] = Math.sqrt(-2 * log(height[i] + V / x[i]));
  }
  height[0] = 1;
  return { x, height };
}

/** The tables for random integers below `scale`, rounded to float32 if asked for. */
function tables({ x, height }: ReturnType<typeof edges>, scale: number, isSingle: boolean): Tables {
  const rounded = (value: number): number => (isSingle ? Math.fround(value) : value);
  const base = V / height[LAYERS - 1];
  return {
    width: x.map((edge, i) => rounded((i === 0 ? base : edge) / scale)),
    // No product with the scale has a fraction of one half, so any rounding to the nearest is right.
    inside: x.map((edge, i) =>
      Math.round((i === 0 ? (R * height[LAYERS - 1]) / V : x[i - 1] / edge) * scale),
    ),
    height: height.map(rounded),
  };
}

const layers = lazy(edges);
const double = lazy(() => tables(layers(), 2 ** 52, false));
const single = lazy(() => tables(layers(), 2 ** 23, true));

/** A float64 uniform on [0, 1) with 53 random bits. */
export function uniform53(stream: Pcg64): number {
  stream.advance();
  return (stream.high * 2 ** 21 + (stream.low >>> 11)) * 2 ** -53;
}

/** A float32 uniform on [0, 1) with 24 random bits. */
export const uniform24 = (stream: Pcg64): number => (stream.next() >>> 8) * 2 ** -24;

/** A standard normal float64, as `Generator.standard_normal()` draws it. */
export function normalDouble(stream: Pcg64): number {
  const { width, inside, height } = double();
  for (;;) {
    // From the lowest bit: 8 of the layer, one of the sign, 52 of the integer; three are left over.
    stream.advance();
    const { low } = stream;
    const layer = low & 0xff;
    const integer = (stream.high & 0x1fffffff) * 2 ** 23 + (low >>> 9);
    const x = (low & 0x100 ? -integer : integer) * width[layer];
    if (integer < inside[layer]) return x;
    if (layer === 0) {
      const tail = R + tailDouble(stream);
      return low & 0x20000 ? -tail : tail;
    }
    const step = height[layer - 1] - height[layer];
    if (step * uniform53(stream) + height[layer] < density(x)) return x;
  }
}

/** A standard normal float32, as `Generator.standard_normal(dtype=float32)` draws it. */
export function normalSingle(stream: Pcg64): number {
  const { fround } = Math;
  const { width, inside, height } = single();
  for (;;) {
    const word = stream.next();
    const layer = word & 0xff;
    const integer = word >>> 9;
    const x = fround((word & 0x100 ? -integer : integer) * width[layer]);
    if (integer < inside[layer]) return x;
    if (layer === 0) {
      const tail = fround(R_SINGLE + tailSingle(stream));
      return word & 0x20000 ? -tail : tail;
    }
    const step = fround(height[layer - 1] - height[layer]);
    if (fround(fround(step * uniform24(stream)) + height[layer]) < density(x)) return x;
  }
}

/** How far beyond R a draw of the tail lies: G. Marsaglia, "Generating a Variable from the Tail of the Normal" (1964). */
function tailDouble(stream: Pcg64): number {
  for (;;) {
    const x = -INVERSE_R * log1p(-uniform53(stream));
    const y = -log1p(-uniform53(stream));
    if (y + y > x * x) return x;
  }
}

/** The same in float32. The logarithm is the nearest float32 to the value. */
function tailSingle(stream: Pcg64): number {
  const { fround } = Math;
  const logOf = (u: number): number => fround(log(1 - u));
  for (;;) {
    const x = fround(-INVERSE_R_SINGLE * logOf(uniform24(stream)));
    const y = -logOf(uniform24(stream));
    if (fround(y + y) > fround(x * x)) return x;
  }
}
