/**
 * 16-bit floats, which no array holds, widened to float32. Every value is kept, signed zeros and infinities
 * too.
 */

const HALF = { exponentBits: 5, mantissaBits: 10, bias: 15 } as const;
const FLOAT_MANTISSA_SHIFT = 13; // 23 − 10
const FLOAT_BIAS = 127;

/** IEEE 754 binary16 from its bits. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  const floats = new Float32Array(words.buffer);
  const largestExponent = (1 << HALF.exponentBits) - 1;
  for (let i = 0; i < bits.length; i++) {
    const sign = bits[i] >>> 15;
    const exponent = (bits[i] >>> HALF.mantissaBits) & largestExponent;
    const mantissa = bits[i] & ((1 << HALF.mantissaBits) - 1);
    if (exponent === 0) {
      // Subnormal: a multiple of the smallest one, which float32 holds as a normal number.
      floats[i] = (sign ? -mantissa : mantissa) * 2 ** (1 - HALF.bias - HALF.mantissaBits);
    } else {
      const wide = exponent === largestExponent ? 255 : exponent - HALF.bias + FLOAT_BIAS;
      words[i] = ((sign << 31) | (wide << 23) | (mantissa << FLOAT_MANTISSA_SHIFT)) >>> 0;
    }
  }
  return floats;
}

/** bfloat16 from its bits: the upper half of a float32. */
export function widenBFloat16(bits: Uint16Array): Float32Array {
  const words = Uint32Array.from(bits, (half) => half << 16);
  return new Float32Array(words.buffer);
}
