/**
 * Philox4x32-10, counter-based: element i of a draw needs none of the elements before it, so kernels draw it on both
 * executors and a compiled step can hold the draw. The whole state is a seed and a position.
 */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { execute } from "../runtime/execute.js";
import { philox4x32 } from "../runtime/kernels/philox.js";
import { recorder } from "../runtime/recorder.js";
import type { KernelName } from "../runtime/table.js";
import { type IntegerDraws, parseDecimal, type Source } from "./source.js";

const WORD = 2n ** 32n;
const STATES = 2n ** 64n;

/** A position in the stream of a seed. */
export interface PhiloxState {
  algorithm: "philox4x32-10";
  /** The seed, a decimal number below 2⁶⁴. */
  seed: string;
  /** Blocks of four 32-bit words drawn so far, a decimal number below 2⁶⁴. */
  offset: string;
}

/** The default source. */
export class PhiloxSource implements Source {
  readonly isTraceable = true;
  readonly seedBound = STATES;
  private key = 0n;
  private offset = 0n;

  seed(seed: bigint): void {
    this.key = seed;
    this.offset = 0n;
  }

  getState(): PhiloxState {
    return { algorithm: "philox4x32-10", seed: String(this.key), offset: String(this.offset) };
  }

  setState(state: Partial<PhiloxState> | null | undefined): boolean {
    const seed = parseDecimal(state?.seed, STATES);
    const offset = parseDecimal(state?.offset, STATES);
    if (state?.algorithm !== "philox4x32-10" || seed === undefined || offset === undefined) return false;
    this.key = seed;
    this.offset = offset;
    return true;
  }

  uniform(result: NDArray, low: number, high: number): void {
    this.draw("philox_uniform", result, [low, high], result.dtype === "float64" ? 2 : 4);
  }

  normal(result: NDArray, mean: number, std: number): void {
    this.draw("philox_normal", result, [mean, std], 2);
  }

  dropoutMask(result: NDArray, p: number): void {
    this.draw("dropout_mask", result, [p], 4);
  }

  /** Single words, for what is drawn one by one. Takes whole blocks from the stream. */
  integers(): IntegerDraws {
    const [keyLow, keyHigh] = [Number(this.key % WORD), Number(this.key / WORD)];
    const block = new Uint32Array(4);
    let used = 4;
    const next = (): number => {
      if (used === 4) {
        philox4x32(keyLow, keyHigh, Number(this.offset % WORD), Number(this.offset / WORD), 0, 0, block);
        this.advance(1);
        used = 0;
      }
      return block[used++];
    };
    // Words at or above the largest multiple of the bound would favour small results.
    const below = (range: number): number => {
      const limit = 2 ** 32 - (2 ** 32 % range);
      let word = next();
      while (word >= limit) word = next();
      return word % range;
    };
    const belowWide = (range: bigint): bigint => {
      const limit = STATES - (STATES % range);
      const pair = (): bigint => BigInt(next()) * WORD + BigInt(next());
      let word = pair();
      while (word >= limit) word = pair();
      return word % range;
    };
    return { below, belowWide };
  }

  /** Fisher and Yates, from the end. */
  shuffle(n: number, swap: (i: number, j: number) => void): void {
    const draws = this.integers();
    for (let i = n - 1; i > 0; i--) swap(i, draws.below(i + 1));
  }

  private draw(kernel: string, result: NDArray, parameters: readonly number[], perBlock: number): void {
    const { size, storage } = result;
    const name = `${kernel}_${storageOf(result.dtype)}` as KernelName;
    const blocks = Math.ceil(size / perBlock);
    const trace = recorder();
    if (trace === null) {
      execute(name, [storage], [0], [1, size, 1], this.scalars(parameters));
      this.advance(blocks);
      return;
    }
    const live = trace.recordLive(name, [storage], [0], [1, size, 1], this.scalars(parameters));
    trace.everyStep({
      advance: () => {
        live.set(this.scalars(parameters));
        this.advance(blocks);
      },
      save: () => {
        const { key, offset } = this;
        return () => {
          this.key = key;
          this.offset = offset;
        };
      },
    });
  }

  /** The scalars of a draw from where the stream stands. */
  private scalars(parameters: readonly number[]): number[] {
    const { key, offset } = this;
    return [
      Number(key % WORD),
      Number(key / WORD),
      Number(offset % WORD),
      Number(offset / WORD),
      ...parameters,
    ];
  }

  private advance(blocks: number): void {
    this.offset = (this.offset + BigInt(blocks)) % STATES;
  }
}
