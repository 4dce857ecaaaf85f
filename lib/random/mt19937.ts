/**
 * The Mersenne Twister MT19937: M. Matsumoto and T. Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed
 * uniform pseudo-random number generator" (ACM TOMACS 8, 1998), seeded by one word as in the authors' version of 2002.
 * Words only; what a library makes of them is in numpy_legacy.ts and torch.ts.
 */
import { isCount } from "./source.js";

const SIZE = 624;
const SHIFT = 397;
const MATRIX = 0x9908b0df;
const UPPER = 0x80000000;
const LOWER = 0x7fffffff;
const WORD = 2 ** 32;

/** Where a source on MT19937 stands. The fields are those of `RandomState.get_state`, under other names. */
export interface Mt19937State<Name extends string> {
  algorithm: Name;
  /** The 624 words of the twister. */
  key: number[];
  /** Words of `key` already given; 624 when all are. */
  position: number;
  /** The second normal number of the last pair, if it has not been given. */
  cached: number | null;
}

/** The twister: 624 words, given one by one and renewed all at once. */
export class Mt19937 {
  private readonly key = new Uint32Array(SIZE);
  private position = SIZE;

  /** Fills the state from the lower 32 bits of a seed. */
  seed(seed: bigint): void {
    const { key } = this;
    key[0] = Number(seed % BigInt(WORD));
    for (let i = 1; i < SIZE; i++) key[i] = Math.imul(key[i - 1] ^ (key[i - 1] >>> 30), 1812433253) + i;
    this.position = SIZE;
  }

  /** The next word, an integer in [0, 2³²). */
  next(): number {
    if (this.position === SIZE) this.renew();
    let y = this.key[this.position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Two words as one of 64 bits, the first one above. */
  nextWide(): bigint {
    const high = this.next();
    return BigInt(high) * BigInt(WORD) + BigInt(this.next());
  }

  getState<Name extends string>(algorithm: Name, cached: number | null): Mt19937State<Name> {
    return { algorithm, key: [...this.key], position: this.position, cached };
  }

  /** Takes a state over, or returns undefined and changes nothing if it is not one; else its `cached`. */
  setState(algorithm: string, state: unknown): number | null | undefined {
    const { key, position, cached, algorithm: own } = (state ?? {}) as Partial<Mt19937State<string>>;
    const isKey = Array.isArray(key) && key.length === SIZE && key.every((word) => isCount(word, WORD));
    const isCached = cached === null || Number.isFinite(cached);
    if (own !== algorithm || !isKey || !isCached || !isCount(position, SIZE + 1)) return undefined;
    this.key.set(key);
    this.position = position;
    return cached;
  }

  private renew(): void {
    const { key } = this;
    for (let i = 0; i < SIZE; i++) {
      const y = (key[i] & UPPER) | (key[(i + 1) % SIZE] & LOWER);
      key[i] = key[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ (y & 1 ? MATRIX : 0);
    }
    this.position = 0;
  }
}
