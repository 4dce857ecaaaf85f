// Numbers that cases are made of: the same on every run and machine.

/** Uniform float32 numbers in [-1, 1) with 24 random bits (Mulberry32, a public-domain generator). */
export function uniform(size, seed, Type = Float32Array) {
  const data = new Type(size);
  let state = seed >>> 0;
  for (let i = 0; i < size; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    data[i] = ((x ^ (x >>> 14)) >>> 8) * 2 ** -23 - 1;
  }
  return data;
}

/** Largest difference between the elements of two arrays, relative to `scale`, or else to the largest expected. */
export function residual(actual, expected, scale = largest(expected)) {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= worst)) worst = difference; // a NaN stays
    if (Number.isNaN(worst)) return Number.NaN;
  }
  return worst / scale;
}

const largest = (values) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-30);
