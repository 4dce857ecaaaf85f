/**
 * `numpy.random.RandomState`, NumPy's generator before 1.17 and that of `numpy.random.seed`: MT19937 with numbers of 53
 * bits, Marsaglia's polar method, and masked rejection. NumPy has frozen this stream.
 */
import { maskedBelow, maskedBelowWide } from "./bounded.js";
import { type Floats, HostSource } from "./host_source.js";
import { log } from "./libm_log.js";
import { Mt19937, type Mt19937State } from "./mt19937.js";
import type { IntegerDraws } from "./source.js";

/** RandomState's numbers. float32 results are those of float64, rounded, as `.astype(float32)` gives them. */
export class NumpyLegacySource extends HostSource {
  readonly seedBound = 2n ** 32n;
  private readonly words = new Mt19937();
  /** The second number of the last pair of normals. */
  private cached: number | null = null;

  seed(seed: bigint): void {
    this.words.seed(seed);
    this.cached = null;
  }

  getState(): Mt19937State<"numpy-legacy"> {
    return this.words.getState("numpy-legacy", this.cached);
  }

  setState(state: unknown): boolean {
    const cached = this.words.setState("numpy-legacy", state);
    if (cached === undefined) return false;
    this.cached = cached;
    return true;
  }

  /** `randint`. */
  integers(): IntegerDraws {
    const { words } = this;
    return {
      below: (range) => maskedBelow(words, range),
      belowWide: (range) => maskedBelowWide(words, range),
    };
  }

  /** `shuffle`, which is also `permutation`: Fisher and Yates, from the end. */
  shuffle(n: number, swap: (i: number, j: number) => void): void {
    for (let i = n - 1; i > 0; i--) swap(i, maskedBelow(this.words, i + 1));
  }

  protected uniform53(): number {
    const high = this.words.next() >>> 5;
    return (high * 2 ** 26 + (this.words.next() >>> 6)) * 2 ** -53;
  }

  /** `uniform`; `rand` for 0 and 1. */
  protected fillUniform(out: Floats, low: number, high: number): void {
    const range = high - low;
    for (let i = 0; i < out.length; i++) out[i] = low + range * this.uniform53();
  }

  /** `normal`; `randn` for 0 and 1. */
  protected fillNormal(out: Floats, mean: number, std: number): void {
    for (let i = 0; i < out.length; i++) out[i] = mean + std * this.polar();
  }

  /** G. Marsaglia and T. A. Bray, "A Convenient Method for Generating Normal Variables" (SIAM Review 6, 1964). */
  private polar(): number {
    const { cached } = this;
    if (cached !== null) {
      this.cached = null;
      return cached;
    }
    for (;;) {
      const x = 2 * this.uniform53() - 1;
      const y = 2 * this.uniform53() - 1;
      const r2 = x * x + y * y;
      if (r2 >= 1 || r2 === 0) continue;
      const factor = Math.sqrt((-2 * log(r2)) / r2);
      this.cached = factor * x;
      return factor * y;
    }
  }
}
