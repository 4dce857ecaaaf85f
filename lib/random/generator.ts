/**
 * The one source of random numbers: Philox4x32-10, counter-based, the same stream on both executors. Its whole state
 * is a seed and a position, so it can be saved and resumed.
 */
import { inspect } from "node:util";
import { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { ArgumentError, DTypeError, StateError } from "../errors.js";
import { type DType, isFloat, storageOf } from "../ndarray/dtype.js";
import { allocate } from "../ndarray/ndarray.js";
import { checkShape, type Shape } from "../ndarray/shape.js";
import { BELOW_ONE, checkNumber, withDefaults } from "../options.js";
import { execute } from "../runtime/execute.js";
import { philox4x32 } from "../runtime/kernels/philox.js";
import { recorder } from "../runtime/recorder.js";
import type { KernelName } from "../runtime/table.js";

const WORD = 2n ** 32n;
const STATE_BITS = 64;

/** A generator's state, as JSON can hold it. */
export interface GeneratorState {
  algorithm: "philox4x32-10";
  /** The seed, a decimal number below 2⁶⁴. */
  seed: string;
  /** Blocks of four 32-bit words drawn so far, a decimal number below 2⁶⁴. */
  offset: string;
}

/** What floating draws can be asked for. */
export interface DrawOptions {
  /** float32 (default) or float64. */
  dtype?: DType;
}

const DRAW: Required<DrawOptions> = { dtype: "float32" };

/** A stream of random numbers. Two generators with the same state give the same numbers, on every machine. */
export class Generator {
  private key = 0n;
  private offset = 0n;

  /** @param seed an integer in [0, 2⁶⁴); as a number, a safe one. */
  constructor(seed: number | bigint = 0) {
    this.seed(seed);
  }

  /** Starts the stream of another seed from its beginning. */
  seed(seed: number | bigint): this {
    const integer = typeof seed === "bigint" || Number.isSafeInteger(seed);
    if (!integer || seed < 0 || BigInt(seed) >= 2n ** 64n) {
      throw new ArgumentError(`Generator: the seed must be an integer in [0, 2^64), got ${String(seed)}`);
    }
    this.key = BigInt(seed);
    this.offset = 0n;
    return this;
  }

  /** The state, for a checkpoint. */
  getState(): GeneratorState {
    return { algorithm: "philox4x32-10", seed: String(this.key), offset: String(this.offset) };
  }

  /** Continues from a saved state. StateError if it is not one. */
  setState(state: GeneratorState): this {
    const parse = (value: unknown): bigint | undefined => {
      const parsed = typeof value === "string" && /^\d{1,20}$/.test(value) ? BigInt(value) : undefined;
      return parsed !== undefined && parsed < 2n ** BigInt(STATE_BITS) ? parsed : undefined;
    };
    const seed = parse(state?.seed);
    const offset = parse(state?.offset);
    if (state?.algorithm !== "philox4x32-10" || seed === undefined || offset === undefined) {
      throw new StateError(`Generator: not a state of philox4x32-10: ${inspect(state)}`);
    }
    this.key = seed;
    this.offset = offset;
    return this;
  }

  /** Numbers uniform on [low, high). */
  uniform(shape: Shape, options: DrawOptions & { low?: number; high?: number } = {}): Tensor {
    const { low, high, dtype } = withDefaults("uniform", options, { ...DRAW, low: 0, high: 1 });
    if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
      throw new ArgumentError(`uniform: needs finite low ≤ high, got ${low} and ${high}`);
    }
    return this.draw("uniform", "philox_uniform", shape, dtype, [low, high], dtype === "float64" ? 2 : 4);
  }

  /** Numbers from the normal distribution. */
  normal(shape: Shape, options: DrawOptions & { mean?: number; std?: number } = {}): Tensor {
    const { mean, std, dtype } = withDefaults("normal", options, { ...DRAW, mean: 0, std: 1 });
    if (!Number.isFinite(mean) || !Number.isFinite(std) || std < 0) {
      throw new ArgumentError(`normal: needs a finite mean and std ≥ 0, got ${mean} and ${std}`);
    }
    return this.draw("normal", "philox_normal", shape, dtype, [mean, std], 2);
  }

  /** 0 with probability p, else 1/(1 − p): what dropout multiplies with. */
  dropoutMask(shape: Shape, p: number, options: DrawOptions = {}): Tensor {
    const { dtype } = withDefaults("dropoutMask", options, DRAW);
    checkNumber("dropoutMask", "p", p, BELOW_ONE);
    return this.draw("dropoutMask", "dropout_mask", shape, dtype, [p], 4);
  }

  /** Integers (int32) uniform on [low, high). */
  integers(low: number, high: number, shape: Shape): Tensor {
    const range = high - low;
    if (
      !Number.isInteger(low) ||
      !Number.isInteger(high) ||
      range < 1 ||
      low < -(2 ** 31) ||
      high > 2 ** 31
    ) {
      throw new ArgumentError(`integers: needs int32 integers low < high, got ${low} and ${high}`);
    }
    checkShape("integers", shape);
    const words = this.words("Generator.integers");
    const result = allocate(shape, "int32");
    const { data } = result.storage;
    for (let i = 0; i < result.size; i++) data[i] = low + words.below(range);
    return new Tensor(result);
  }

  /** The integers 0 … n − 1 in random order (Fisher and Yates). */
  permutation(n: number): Int32Array {
    if (!Number.isInteger(n) || n < 0 || n >= 2 ** 31) {
      throw new ArgumentError(`permutation: n must be an integer in [0, 2^31), got ${n}`);
    }
    const order = Int32Array.from({ length: n }, (_, i) => i);
    const words = this.words("Generator.permutation");
    for (let i = n - 1; i > 0; i--) {
      const j = words.below(i + 1);
      const moved = order[i];
      order[i] = order[j];
      order[j] = moved;
    }
    return order;
  }

  private draw(
    operation: string,
    kernel: string,
    shape: Shape,
    dtype: DType,
    parameters: readonly number[],
    perBlock: number,
  ): Tensor {
    checkShape(operation, shape);
    if (!isFloat(dtype)) throw new DTypeError(`${operation}: dtype must be float32 or float64, got ${dtype}`);
    const result = allocate(shape, dtype);
    const { size } = result;
    const name = `${kernel}_${storageOf(dtype)}` as KernelName;
    const blocks = Math.ceil(size / perBlock);
    const trace = recorder();
    if (trace === null) {
      execute(name, [result.storage], [0], [1, size, 1], this.scalars(parameters));
      this.advance(blocks);
      return new Tensor(result);
    }
    const live = trace.recordLive(name, [result.storage], [0], [1, size, 1], this.scalars(parameters));
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
    return new Tensor(result);
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
    this.offset = (this.offset + BigInt(blocks)) % 2n ** BigInt(STATE_BITS);
  }

  /** Single words, for what is drawn one by one. Takes whole blocks from the stream. */
  private words(operation: string): { below(bound: number): number } {
    recorder()?.refuse(operation, "draw it before the step and pass it in as a tensor");
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
    const below = (bound: number): number => {
      const limit = 2 ** 32 - (2 ** 32 % bound);
      let word = next();
      while (word >= limit) word = next();
      return word % bound;
    };
    return { below };
  }
}

const shared = new Generator(0);

/** The generator that everything uses that is not given one. */
export const defaultGenerator = (): Generator => shared;

/** The generator given as an option, or the default one for undefined. ArgumentError for anything else. */
export function checkGenerator(owner: string, generator: unknown): Generator {
  if (generator === undefined) return shared;
  if (generator instanceof Generator) return generator;
  throw new ArgumentError(`${owner}: generator must be a Generator, got ${describe(generator)}`);
}

/** Seeds the default generator of this environment (worker). */
export function manualSeed(seed: number | bigint): Generator {
  return shared.seed(seed);
}
