/**
 * PCG64 (XSL RR 128/64): a linear congruential generator of 128 bits whose halves are folded and rotated: M. E.
 * O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number Generation"
 * (2014). Words only, in halves of 32 bits, since BigInt is twenty times slower; NumPy's numbers are in numpy_pcg64.ts.
 */
import { multiplyHigh } from "../runtime/kernels/philox.js";
import { seedSequence } from "./seed_sequence.js";

const WORD = 2n ** 32n;
/** One more than the largest state. */
export const STATES = 2n ** 128n;
// 0x2360ed051fc65da44385df649fccf645, least significant word first.
const M0 = 0x9fccf645;
const M1 = 0x4385df64;
const M2 = 0x1fc65da4;
const M3 = 0x2360ed05;

/** The words of a number below 2¹²⁸, least significant first. */
const split = (value: bigint): Uint32Array =>
  Uint32Array.from({ length: 4 }, (_, i) => Number((value >> BigInt(32 * i)) % WORD));

const join = (words: Iterable<number>): bigint =>
  [...words].reduceRight((sum, word) => sum * WORD + BigInt(word), 0n);

/** The generator. A draw leaves its 64 bits in `high` and `low`. */
export class Pcg64 {
  high = 0;
  low = 0;
  /** The upper half of the last 64 bits, if only their lower half was given by `next`. */
  buffered: number | null = null;
  private readonly state = new Uint32Array(4);
  private readonly increment = new Uint32Array(4);

  /** As `numpy.random.PCG64(seed)`: state and increment come from a SeedSequence. */
  seed(seed: bigint): void {
    const w = seedSequence(seed, 8);
    // Of each pair of words the first is the lower half; of each pair of pairs the first is the upper half.
    const start = join([w[2], w[3], w[0], w[1]]);
    const sequence = join([w[6], w[7], w[4], w[5]]);
    this.increment.set(split((sequence * 2n + 1n) % STATES));
    this.state.fill(0);
    this.step();
    this.state.set(split((join(this.state) + start) % STATES));
    this.step();
    this.buffered = null;
  }

  /** Draws 64 bits into `high` and `low`. */
  advance(): void {
    this.step();
    const [s0, s1, s2, s3] = this.state;
    const high = s3 ^ s1;
    const low = s2 ^ s0;
    const turn = s3 >>> 26;
    const [a, b] = turn < 32 ? [high, low] : [low, high];
    const by = turn & 31;
    this.high = by === 0 ? a >>> 0 : ((a >>> by) | (b << (32 - by))) >>> 0;
    this.low = by === 0 ? b >>> 0 : ((b >>> by) | (a << (32 - by))) >>> 0;
  }

  /** The next 32 bits: lower, then upper half of a draw. */
  next(): number {
    const { buffered } = this;
    if (buffered !== null) {
      this.buffered = null;
      return buffered;
    }
    this.advance();
    this.buffered = this.high;
    return this.low;
  }

  /** The next 64 bits as one number; leaves a buffered half where it is. */
  nextWide(): bigint {
    this.advance();
    return BigInt(this.high) * WORD + BigInt(this.low);
  }

  /** State and increment. */
  position(): [state: bigint, increment: bigint] {
    return [join(this.state), join(this.increment)];
  }

  restore(state: bigint, increment: bigint, buffered: number | null): void {
    this.state.set(split(state));
    this.increment.set(split(increment));
    this.buffered = buffered;
  }

  /** state ← state · multiplier + increment modulo 2¹²⁸, in columns of 32 bits. */
  private step(): void {
    const { state, increment } = this;
    const [s0, s1, s2, s3] = state;
    const low0 = Math.imul(s0, M0) >>> 0;
    const column0 = low0 + increment[0];
    let carry = column0 >= 2 ** 32 ? 1 : 0;
    const column1 =
      multiplyHigh(s0, M0) + (Math.imul(s1, M0) >>> 0) + (Math.imul(s0, M1) >>> 0) + increment[1] + carry;
    carry = Math.floor(column1 / 2 ** 32);
    const column2 =
      multiplyHigh(s1, M0) +
      multiplyHigh(s0, M1) +
      (Math.imul(s2, M0) >>> 0) +
      (Math.imul(s1, M1) >>> 0) +
      (Math.imul(s0, M2) >>> 0) +
      increment[2] +
      carry;
    carry = Math.floor(column2 / 2 ** 32);
    const column3 =
      multiplyHigh(s2, M0) +
      multiplyHigh(s1, M1) +
      multiplyHigh(s0, M2) +
      (Math.imul(s3, M0) >>> 0) +
      (Math.imul(s2, M1) >>> 0) +
      (Math.imul(s1, M2) >>> 0) +
      (Math.imul(s0, M3) >>> 0) +
      increment[3] +
      carry;
    state[0] = column0;
    state[1] = column1;
    state[2] = column2;
    state[3] = column3;
  }
}
