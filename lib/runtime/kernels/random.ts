/**
 * Random numbers from Philox4x32-10 blocks: the element of row-major number i depends on the seed, the offset and
 * i alone, never on the order in which elements are computed.
 */
import { DimsReader } from "../signature.js";
import type { KernelFactory, StorageType } from "../types.js";
import { type Numbers, rounded } from "./elements.js";
import { cosTwoPi, ln, sinTwoPi } from "./exact_math.js";
import { philox4x32 } from "./philox.js";
import { collapse, forEachRow } from "./strided.js";

const WORD = 2 ** 32;

/** The blocks of one seed and offset. */
class Stream {
  readonly words = new Uint32Array(4);
  private readonly seedLow: number;
  private readonly seedHigh: number;
  private readonly offsetLow: number;
  private readonly offsetHigh: number;
  private current = -1;

  constructor([seedLow, seedHigh, offsetLow, offsetHigh]: readonly number[]) {
    this.seedLow = seedLow >>> 0;
    this.seedHigh = seedHigh >>> 0;
    this.offsetLow = offsetLow >>> 0;
    this.offsetHigh = offsetHigh >>> 0;
  }

  /** Puts block q into `words`; its counter is offset + q in 64 bits. */
  seek(q: number): Uint32Array {
    if (q !== this.current) {
      const low = this.offsetLow + q;
      const high = (this.offsetHigh + Math.floor(low / WORD)) >>> 0;
      philox4x32(this.seedLow, this.seedHigh, low >>> 0, high, 0, 0, this.words);
      this.current = q;
    }
    return this.words;
  }

  /** u = (word >> 8)·2⁻²⁴ of element i, four elements a block. */
  uniform24(i: number): number {
    return (this.seek(Math.floor(i / 4))[i % 4] >>> 8) * 2 ** -24;
  }

  /** u of 53 bits of element i, two elements a block. */
  uniform53(i: number): number {
    const words = this.seek(Math.floor(i / 2));
    const first = (i % 2) * 2;
    return fraction53(words[first], words[first + 1], 0);
  }
}

/** ((hi >> 5)·2²⁶ + (lo >> 6) + more)·2⁻⁵³. */
const fraction53 = (hi: number, lo: number, more: number): number =>
  ((hi >>> 5) * 2 ** 26 + (lo >>> 6) + more) * 2 ** -53;

/** A row that computes element i from a stream and its scalars. */
const fromStream =
  (
    element: (type: StorageType, stream: Stream, i: number, scalars: readonly number[]) => number,
  ): KernelFactory =>
  (dtype) =>
  (buffers, offsets, dims, scalars) => {
    const y = buffers[0] as Numbers;
    const stream = new Stream(scalars);
    const reader = new DimsReader(dims);
    const sizes = reader.group();
    let i = 0;
    forEachRow(collapse({ sizes, strides: [reader.strides(sizes)] }), offsets, (n, [at], [step]) => {
      for (let k = 0; k < n; k++, at += step) y[at] = element(dtype, stream, i++, scalars);
    });
  };

const asDouble = new Float64Array(1);
const doubleBits = new BigInt64Array(asDouble.buffer);
const asSingle = new Float32Array(1);
const singleBits = new Int32Array(asSingle.buffer);

/** The largest number of the type below a finite x of that type. */
function nextBelow(type: StorageType, x: number): number {
  if (x === 0) return type === "f32" ? -(2 ** -149) : -Number.MIN_VALUE;
  if (type === "f32") {
    asSingle[0] = x;
    singleBits[0] += x > 0 ? -1 : 1;
    return asSingle[0];
  }
  asDouble[0] = x;
  doubleBits[0] += x > 0 ? -1n : 1n;
  return asDouble[0];
}

/** low + (high − low)·u with u in [0, 1), computed in float64 and rounded; never `high` itself. */
export const philoxUniform = fromStream((type, stream, i, [, , , , low, high]) => {
  const u = type === "f32" ? stream.uniform24(i) : stream.uniform53(i);
  const value = rounded(type === "f32", low + (high - low) * u);
  return low < high && value >= high ? nextBelow(type, value) : value;
});

/**
 * Box and Muller's transform of a block: r = √(−2 ln u₁); even elements r·cos 2πu₂, odd ones r·sin 2πu₂; then
 * mean + std·z. In float64, rounded at the end.
 */
export const philoxNormal = fromStream((_type, stream, i, [, , , , mean, std]) => {
  const words = stream.seek(Math.floor(i / 2));
  const u1 = fraction53(words[0], words[1], 1);
  const u2 = fraction53(words[2], words[3], 0);
  const r = Math.sqrt(-2 * ln(u1));
  return mean + std * (r * (i % 2 === 0 ? cosTwoPi(u2) : sinTwoPi(u2)));
});

/** 0 where u < p, else 1/(1−p). */
export const dropoutMask = fromStream((type, stream, i, [, , , , p]) =>
  stream.uniform24(i) < rounded(type === "f32", p) ? 0 : 1 / (1 - p),
);
