/**
 * The random numbers of one drawn image: Philox4x32-10 with the seed as key and (block, 0, image, tag) as
 * counter, so that an image depends on nothing but the seed and its own position. The tag keeps this stream
 * apart from those of `Generator`, whose counters end in two zeros.
 */
import { philox4x32 } from "../../runtime/kernels/philox.js";

const TAG = 0x64696769; // "digi"

export class ImageRandom {
  readonly #keyLow: number;
  readonly #keyHigh: number;
  readonly #words = new Uint32Array(4);
  #image = 0;
  #block = 0;
  #used = 4;

  /** @param seed an integer in [0, 2^53) */
  constructor(seed: number) {
    this.#keyLow = seed >>> 0;
    this.#keyHigh = Math.floor(seed / 2 ** 32);
  }

  /** Goes to the start of an image's stream. */
  seek(image: number): void {
    this.#image = image;
    this.#block = 0;
    this.#used = 4;
  }

  /** 32 random bits. */
  word(): number {
    if (this.#used === 4) {
      philox4x32(this.#keyLow, this.#keyHigh, this.#block++, 0, this.#image, TAG, this.#words);
      this.#used = 0;
    }
    return this.#words[this.#used++];
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.word() * 2 ** -32;
  }

  /** Uniform among 0 … n − 1. */
  below(n: number): number {
    return Math.floor(this.word() * 2 ** -32 * n);
  }

  /**
   * Bell-shaped around 0 with the given standard deviation, never beyond 3.5 of them: a sum of four uniforms.
   */
  bell(std: number): number {
    const sum = (this.word() + this.word() + this.word() + this.word()) * 2 ** -32;
    return std * Math.sqrt(3) * (sum - 2);
  }
}
