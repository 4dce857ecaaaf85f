/**
 * `numpy.random.default_rng`, NumPy's generator since 1.17: PCG64, the ziggurat, and Lemire's bounded integers. NumPy
 * may change this stream between versions; these are the numbers of 1.19 to 2.4.
 */
import { lemireBelow, lemireBelowWide, maskedBelow } from "./bounded.js";
import { type Floats, HostSource } from "./host_source.js";
import { Pcg64, STATES } from "./pcg64.js";
import { type IntegerDraws, isCount, parseDecimal } from "./source.js";
import { normalDouble, normalSingle, uniform24, uniform53 } from "./ziggurat.js";

/** Where the stream stands. The fields are those of `bit_generator.state`, under other names. */
export interface NumpyPcg64State {
  algorithm: "pcg64";
  /** The state of 128 bits, a decimal number. */
  state: string;
  /** What is added at each step: an odd decimal number below 2¹²⁸. */
  increment: string;
  /** The upper 32 bits of the last 64, if only their lower half has been given. */
  buffered: number | null;
}

/**
 * default_rng's numbers. float32 draws take 32 bits each, as with `dtype=np.float32`; they are scaled and shifted by
 * float32 operations, as in `low + (high - low) * rng.random(size, dtype=np.float32)`.
 */
export class NumpyPcg64Source extends HostSource {
  readonly seedBound = null;
  private readonly words = new Pcg64();

  seed(seed: bigint): void {
    this.words.seed(seed);
  }

  getState(): NumpyPcg64State {
    const [state, increment] = this.words.position();
    return {
      algorithm: "pcg64",
      state: `${state}`,
      increment: `${increment}`,
      buffered: this.words.buffered,
    };
  }

  setState(saved: Partial<NumpyPcg64State> | null | undefined): boolean {
    const state = parseDecimal(saved?.state, STATES);
    const increment = parseDecimal(saved?.increment, STATES);
    const buffered = saved?.buffered;
    if (saved?.algorithm !== "pcg64" || state === undefined || increment === undefined) return false;
    if (increment % 2n !== 1n || !(buffered === null || isCount(buffered, 2 ** 32))) return false;
    this.words.restore(state, increment, buffered);
    return true;
  }

  /** `integers`. */
  integers(): IntegerDraws {
    const { words } = this;
    return {
      below: (range) => lemireBelow(words, range),
      belowWide: (range) => lemireBelowWide(words, range),
    };
  }

  /** `shuffle`, which is also `permutation`: Fisher and Yates, from the end, by masked words, unlike `integers`. */
  shuffle(n: number, swap: (i: number, j: number) => void): void {
    for (let i = n - 1; i > 0; i--) swap(i, maskedBelow(this.words, i + 1));
  }

  protected uniform53(): number {
    return uniform53(this.words);
  }

  /** `random` and `uniform`. */
  protected fillUniform(out: Floats, low: number, high: number): void {
    fill(
      out,
      low,
      high - low,
      () => uniform53(this.words),
      () => uniform24(this.words),
    );
  }

  /** `standard_normal` and `normal`. */
  protected fillNormal(out: Floats, mean: number, std: number): void {
    fill(
      out,
      mean,
      std,
      () => normalDouble(this.words),
      () => normalSingle(this.words),
    );
  }
}

/** shift + scale · draw, each operation rounded to the dtype. */
function fill(out: Floats, shift: number, scale: number, double: () => number, single: () => number): void {
  if (out instanceof Float64Array) {
    for (let i = 0; i < out.length; i++) out[i] = shift + scale * double();
    return;
  }
  const { fround } = Math;
  const [a, b] = [fround(shift), fround(scale)];
  for (let i = 0; i < out.length; i++) out[i] = a + fround(b * single());
}
