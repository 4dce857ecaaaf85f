/**
 * NumPy's SeedSequence: hashes a seed of any length into a pool of four words, and the pool into as many well-mixed
 * words as a generator needs. After M. E. O'Neill, "Developing a seed_seq Alternative" (2015), with NumPy's constants.
 */

const POOL = 4;
const WORD = 2n ** 32n;
const INIT_A = 0x43b0d7e5;
const MULTIPLY_A = 0x931e8875;
const INIT_B = 0x8b51f9dd;
const MULTIPLY_B = 0x58f38ded;
const MIX_LEFT = 0xca01f9dd;
const MIX_RIGHT = 0x4973f715;

/** A hash whose constant changes with every word. */
function hasher(start: number, multiplier: number): (word: number) => number {
  let constant = start;
  return (word) => {
    const value = word ^ constant;
    constant = Math.imul(constant, multiplier);
    const hashed = Math.imul(value, constant);
    return (hashed ^ (hashed >>> 16)) >>> 0;
  };
}

function mix(x: number, y: number): number {
  const mixed = (Math.imul(MIX_LEFT, x) - Math.imul(MIX_RIGHT, y)) | 0;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The 32-bit words of a number, the least significant first; one word for 0. */
function wordsOf(seed: bigint): number[] {
  const words = [Number(seed % WORD)];
  for (let rest = seed / WORD; rest > 0n; rest /= WORD) words.push(Number(rest % WORD));
  return words;
}

/** `numpy.random.SeedSequence(seed).generate_state(count)`: words of 32 bits for a seed ≥ 0. */
export function seedSequence(seed: bigint, count: number): Uint32Array {
  const entropy = wordsOf(seed);
  const hash = hasher(INIT_A, MULTIPLY_A);
  const pool = Array.from({ length: POOL }, (_, i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < POOL; from++) {
    for (let to = 0; to < POOL; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  for (const word of entropy.slice(POOL)) {
    for (let to = 0; to < POOL; to++) pool[to] = mix(pool[to], hash(word));
  }
  const give = hasher(INIT_B, MULTIPLY_B);
  return Uint32Array.from({ length: count }, (_, i) => give(pool[i % POOL]));
}
