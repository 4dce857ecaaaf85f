/** What the sources share that draw number after number in JavaScript: filling of results, masks. */
import type { NDArray } from "../ndarray/ndarray.js";
import type { GeneratorState, IntegerDraws, Source } from "./source.js";

/** The elements of a result. */
export type Floats = Float32Array | Float64Array;

/** A source without kernels: its numbers depend on all numbers before them, so no trace can hold them. */
export abstract class HostSource implements Source {
  readonly isTraceable = false;
  abstract readonly seedBound: bigint | null;
  abstract seed(seed: bigint): void;
  abstract getState(): GeneratorState;
  abstract setState(state: unknown): boolean;
  abstract integers(): IntegerDraws;
  abstract shuffle(n: number, swap: (i: number, j: number) => void): void;
  /** A float64 uniform on [0, 1) with 53 random bits. */
  protected abstract uniform53(): number;
  protected abstract fillUniform(out: Floats, low: number, high: number): void;
  protected abstract fillNormal(out: Floats, mean: number, std: number): void;

  uniform(result: NDArray, low: number, high: number): void {
    this.fillUniform(result.data as Floats, low, high);
  }

  normal(result: NDArray, mean: number, std: number): void {
    this.fillNormal(result.data as Floats, mean, std);
  }

  /**
   * Kept where u < 1 − p, u of 53 bits whatever the dtype: `rng.random(shape) < keep` in NumPy, `bernoulli_(keep)` in
   * PyTorch. Both then divide by `keep` in the dtype.
   */
  dropoutMask(result: NDArray, p: number): void {
    const keep = 1 - p;
    const out = result.data as Floats;
    const scale = 1 / (out instanceof Float32Array ? Math.fround(keep) : keep);
    for (let i = 0; i < out.length; i++) out[i] = this.uniform53() < keep ? scale : 0;
  }
}
