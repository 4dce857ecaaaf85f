/**
 * PyTorch's generator on a CPU, `torch.manual_seed` and `torch.Generator`: MT19937, of whose words uniform numbers take
 * the lower 24 or 53 bits. The numbers are those of an x86-64 processor with AVX2.
 */

import { fmaDouble, fmaSingle } from "./fused.js";
import { type Floats, HostSource } from "./host_source.js";
import { log1p } from "./libm_log1p.js";
import { Mt19937, type Mt19937State } from "./mt19937.js";
import { cos, sin } from "./rounded.js";
import type { IntegerDraws } from "./source.js";
import { BLOCK, normalBlock } from "./torch_normal.js";

/** Ranges from here on take 64 bits, so that the remainder favours small integers by 5 % at most. */
const WIDE_RANGE = 2 ** 28;

/** torch's numbers. */
export class TorchSource extends HostSource {
  readonly seedBound = 2n ** 64n;
  private readonly words = new Mt19937();
  /** The second number of the last pair of single normals, before mean and standard deviation. */
  private cached: number | null = null;

  /** Of the seed the lower 32 bits are used, as in PyTorch. */
  seed(seed: bigint): void {
    this.words.seed(seed);
    this.cached = null;
  }

  getState(): Mt19937State<"torch"> {
    return this.words.getState("torch", this.cached);
  }

  setState(state: unknown): boolean {
    const cached = this.words.setState("torch", state);
    if (cached === undefined) return false;
    this.cached = cached;
    return true;
  }

  /** `torch.randint`: the remainder of a word. */
  integers(): IntegerDraws {
    const belowWide = (range: bigint): bigint => this.words.nextWide() % range;
    const below = (range: number): number =>
      range < WIDE_RANGE ? this.words.next() % range : Number(belowWide(BigInt(range)));
    return { below, belowWide };
  }

  /** `torch.randperm`: Fisher and Yates, from the front. */
  shuffle(n: number, swap: (i: number, j: number) => void): void {
    for (let i = 0; i < n - 1; i++) swap(i, i + (this.words.next() % (n - i)));
  }

  protected uniform53(): number {
    const high = this.words.next() & 0x1fffff;
    return (high * 2 ** 32 + this.words.next()) * 2 ** -53;
  }

  /** `uniform_`; `torch.rand` for 0 and 1. */
  protected fillUniform(out: Floats, low: number, high: number): void {
    const isSingle = out instanceof Float32Array;
    const fma = isSingle ? fmaSingle : fmaDouble;
    const from = isSingle ? Math.fround(low) : low;
    const range = isSingle ? Math.fround(Math.fround(high) - from) : high - from;
    for (let i = 0; i < out.length; i++) out[i] = fma(this.unit(isSingle), range, from);
  }

  /**
   * `normal_`; `torch.randn` for 0 and 1. Fewer than 16 numbers are drawn in pairs, and the second one of a pair is kept
   * for the next such draw; otherwise by blocks, and where the last is not full, the last 16 numbers are drawn anew.
   */
  protected fillNormal(out: Floats, mean: number, std: number): void {
    if (out.length < BLOCK) {
      for (let i = 0; i < out.length; i++) out[i] = fmaDouble(this.boxMuller(), std, mean);
      return;
    }
    this.fillUniform(out, 0, 1);
    const whole = out.length - (out.length % BLOCK);
    for (let start = 0; start < whole; start += BLOCK) normalBlock(out, start, mean, std);
    if (whole === out.length) return;
    this.fillUniform(out.subarray(out.length - BLOCK), 0, 1);
    normalBlock(out, out.length - BLOCK, mean, std);
  }

  /** A number uniform on [0, 1). */
  private unit(isSingle: boolean): number {
    return isSingle ? (this.words.next() & 0xffffff) * 2 ** -24 : this.uniform53();
  }

  /** G. E. P. Box and M. E. Muller, "A Note on the Generation of Random Normal Deviates" (1958), in float64. */
  private boxMuller(): number {
    const { cached } = this;
    if (cached !== null) {
      this.cached = null;
      return cached;
    }
    const theta = 2 * Math.PI * this.uniform53();
    const radius = Math.sqrt(-2 * log1p(-this.uniform53()));
    this.cached = radius * sin(theta);
    return radius * cos(theta);
  }
}
