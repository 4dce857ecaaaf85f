/**
 * The one source of random numbers that everything else asks. It checks what it is asked for; the numbers come from the
 * `Source` of its algorithm: Philox by default, or one that repeats NumPy or PyTorch.
 */
import { inspect } from "node:util";
import { Tensor } from "../autograd/tensor.js";
import { describe, shown } from "../describe.js";
import { ArgumentError, DTypeError, StateError } from "../errors.js";
import { type DType, isFloat } from "../ndarray/dtype.js";
import { allocate, type NDArray } from "../ndarray/ndarray.js";
import { checkShape, type Shape } from "../ndarray/shape.js";
import { BELOW_ONE, checkChoice, checkNumber, withDefaults } from "../options.js";
import { recorder } from "../runtime/recorder.js";
import { NumpyLegacySource } from "./numpy_legacy.js";
import { NumpyPcg64Source } from "./numpy_pcg64.js";
import { PhiloxSource } from "./philox_source.js";
import { ALGORITHMS, type Algorithm, type GeneratorState, type Source } from "./source.js";
import { TorchSource } from "./torch.js";

/** Options of `Generator`. */
export interface GeneratorOptions {
  /**
   * Whose numbers these are (default `philox`): `numpy-legacy` repeats `numpy.random.RandomState`, `pcg64` repeats
   * `numpy.random.default_rng`, `torch` repeats PyTorch on a CPU.
   */
  algorithm?: Algorithm;
}

/** What floating draws can be asked for. */
export interface DrawOptions {
  /** float32 (default) or float64. */
  dtype?: DType;
}

const DRAW: Required<DrawOptions> = { dtype: "float32" };

const SOURCES: Record<Algorithm, new () => Source> = {
  philox: PhiloxSource,
  "numpy-legacy": NumpyLegacySource,
  pcg64: NumpyPcg64Source,
  torch: TorchSource,
};

/** What each integer dtype holds, from the first number to before the second. */
const INTEGERS = { int32: [-(2n ** 31n), 2n ** 31n], int64: [-(2n ** 63n), 2n ** 63n] } as const;
const WORD = 2n ** 32n;

/**
 * A stream of random numbers. Two generators with the same algorithm and state give the same numbers, on every machine.
 *
 * Philox (the default) is drawn by kernels and is the only one that a compiled step can draw from. The others are there
 * to repeat numbers that NumPy or PyTorch has drawn; they are computed in TypeScript, one after another:
 *
 * | here | `numpy-legacy` (RandomState) | `pcg64` (default_rng) | `torch` (CPU) |
 * | --- | --- | --- | --- |
 * | `uniform` | `rand`, `uniform` | `random`, `uniform` | `torch.rand`, `uniform_` |
 * | `normal` | `randn`, `normal` | `standard_normal`, `normal` | `torch.randn`, `normal_` |
 * | `integers` | `randint` | `integers` | `torch.randint` |
 * | `permutation` | `permutation` | `permutation` | `torch.randperm` |
 * | `shuffle` | `shuffle` | `shuffle` | in the order of `torch.randperm` |
 * | `dropoutMask` | `(rand(…) < 1 − p) / (1 − p)` | `(random(…) < 1 − p) / (1 − p)` | `bernoulli_(1 − p) / (1 − p)` |
 *
 * Uniform numbers, integers and orders have the bits of the original. Normal numbers depend on the processor and the C
 * library: these are the bits of x86-64 with FMA and glibc 2.28 or later, which is most of Linux. Two draws differ in the
 * last digit now and then: float64 of `torch`, by up to 2 units in the last place for 1 number in 800 (its sine and cosine
 * are rounded correctly here, glibc's not always), and float32 of `pcg64`, by one for 1 in 600,000 (in the tail).
 *
 * `torch` is PyTorch as it is now; two things were otherwise in older versions. `integers` on a range of 2²⁸ to 2³² took one
 * word, not two, up to 2.6, after which the stream goes on elsewhere. Fewer than 16 float64 `normal` numbers took
 * log(1 − u) for log1p(−u) in 1.13, where 1 in 28 has another last digit.
 *
 * Masks of `torch` are those of a build without MKL, whose own stream is not here. PyTorch's `DataLoader` draws two more
 * integers an epoch: `integers(0, 2n ** 63n, [], { dtype: "int64" })` for its workers, and one more that seeds the
 * generator whose `permutation` is the order, unless it was given a generator.
 */
export class Generator {
  /** Whose numbers these are. */
  readonly algorithm: Algorithm;
  private readonly source: Source;

  /**
   * @param seed an integer ≥ 0, as a number a safe one: below 2⁶⁴, for `numpy-legacy` below 2³², for `pcg64` any. Of that
   *   of `torch` only the lower 32 bits matter, as in PyTorch.
   */
  constructor(seed: number | bigint = 0, options: GeneratorOptions = {}) {
    const { algorithm } = withDefaults("Generator", options, { algorithm: "philox" as Algorithm });
    this.algorithm = checkChoice("Generator", "algorithm", algorithm, ALGORITHMS);
    this.source = new SOURCES[this.algorithm]();
    this.seed(seed);
  }

  /** Starts the stream of another seed from its beginning. */
  seed(seed: number | bigint): this {
    recorder()?.refuse(
      "Generator.seed",
      "seed it before the step: a compiled function goes on in the stream",
    );
    const { seedBound } = this.source;
    const isInteger = typeof seed === "bigint" || Number.isSafeInteger(seed);
    if (!isInteger || seed < 0 || (seedBound !== null && BigInt(seed) >= seedBound)) {
      const range = seedBound === null ? "≥ 0" : `in [0, 2^${seedBound.toString(2).length - 1})`;
      throw new ArgumentError(`Generator: the seed must be an integer ${range}, got ${shown(seed)}`);
    }
    this.source.seed(BigInt(seed));
    return this;
  }

  /** The state, for a checkpoint. */
  getState(): GeneratorState {
    return this.source.getState();
  }

  /** Continues from a saved state. StateError, and no change, if it is not one of this algorithm. */
  setState(state: GeneratorState): this {
    recorder()?.refuse("Generator.setState", "set it before the step");
    if (this.source.setState(state)) return this;
    const name = this.getState().algorithm;
    throw new StateError(`Generator: not a state of ${name}: ${inspect(state, { maxArrayLength: 3 })}`);
  }

  /** Throws the StateError that `setState` would throw. Changes nothing. */
  checkState(state: GeneratorState): void {
    new Generator(0, { algorithm: this.algorithm }).setState(state);
  }

  /** Numbers uniform on [low, high); a rounded float32 of `numpy-legacy` or `torch` can be `high` itself. */
  uniform(shape: Shape, options: DrawOptions & { low?: number; high?: number } = {}): Tensor {
    const { low, high, dtype } = withDefaults("uniform", options, { ...DRAW, low: 0, high: 1 });
    if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
      throw new ArgumentError(`uniform: needs finite low ≤ high, got ${shown(low)} and ${shown(high)}`);
    }
    return this.draw("uniform", shape, dtype, (result) => this.source.uniform(result, low, high));
  }

  /** Numbers from the normal distribution. */
  normal(shape: Shape, options: DrawOptions & { mean?: number; std?: number } = {}): Tensor {
    const { mean, std, dtype } = withDefaults("normal", options, { ...DRAW, mean: 0, std: 1 });
    if (!Number.isFinite(mean) || !Number.isFinite(std) || std < 0) {
      throw new ArgumentError(
        `normal: needs a finite mean and std ≥ 0, got ${shown(mean)} and ${shown(std)}`,
      );
    }
    return this.draw("normal", shape, dtype, (result) => this.source.normal(result, mean, std));
  }

  /** 0 with probability p, else 1/(1 − p): what dropout multiplies with. */
  dropoutMask(shape: Shape, p: number, options: DrawOptions = {}): Tensor {
    const { dtype } = withDefaults("dropoutMask", options, DRAW);
    checkNumber("dropoutMask", "p", p, BELOW_ONE);
    return this.draw("dropoutMask", shape, dtype, (result) => this.source.dropoutMask(result, p));
  }

  /**
   * Integers uniform on [low, high).
   *
   * @param options `dtype`: int32 (default) or int64; both take the same numbers from the stream
   */
  integers(
    low: number | bigint,
    high: number | bigint,
    shape: Shape,
    options: { dtype?: "int32" | "int64" } = {},
  ): Tensor {
    const { dtype } = withDefaults("integers", options, { dtype: "int32" as "int32" | "int64" });
    if (!Object.hasOwn(INTEGERS, dtype)) {
      throw new DTypeError(`integers: dtype must be int32 or int64, got ${shown(dtype)}`);
    }
    const [least, end] = INTEGERS[dtype];
    const isInteger = (x: unknown) => typeof x === "bigint" || Number.isInteger(x);
    if (!isInteger(low) || !isInteger(high) || low >= high || low < least || high > end) {
      throw new ArgumentError(
        `integers: needs ${dtype} integers low < high, got ${shown(low)} and ${shown(high)}`,
      );
    }
    checkShape("integers", shape);
    this.refuse("integers");
    const result = allocate(shape, dtype);
    const draws = this.source.integers();
    const { data } = result;
    const first = BigInt(low);
    const range = BigInt(high) - first;
    const draw = range > WORD ? () => draws.belowWide(range) : () => draws.below(Number(range));
    if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = first + BigInt(draw());
    else for (let i = 0; i < data.length; i++) data[i] = Number(low) + Number(draw());
    return new Tensor(result);
  }

  /** The integers 0 … n − 1 in random order. */
  permutation(n: number): Int32Array {
    if (!Number.isInteger(n) || n < 0 || n >= 2 ** 31) {
      throw new ArgumentError(`permutation: n must be an integer in [0, 2^31), got ${shown(n)}`);
    }
    this.refuse("permutation");
    return this.shuffled(Int32Array.from({ length: n }, (_, i) => i));
  }

  /** Puts the items of an array or typed array into random order, that of `permutation`; returns it. */
  shuffle<Items extends { readonly length: number; [index: number]: unknown }>(items: Items): Items {
    if (!Array.isArray(items) && !(ArrayBuffer.isView(items) && !(items instanceof DataView))) {
      throw new ArgumentError(`shuffle: needs an array or a typed array, got ${describe(items)}`);
    }
    this.refuse("shuffle");
    return this.shuffled(items);
  }

  private shuffled<Items extends { readonly length: number; [index: number]: unknown }>(items: Items): Items {
    this.source.shuffle(items.length, (i, j) => {
      const moved = items[i];
      items[i] = items[j];
      items[j] = moved;
    });
    return items;
  }

  private draw(operation: string, shape: Shape, dtype: DType, fill: (result: NDArray) => void): Tensor {
    checkShape(operation, shape);
    if (!isFloat(dtype))
      throw new DTypeError(`${operation}: dtype must be float32 or float64, got ${shown(dtype)}`);
    if (!this.source.isTraceable) this.refuse(operation);
    const result = allocate(shape, dtype);
    fill(result);
    return new Tensor(result);
  }

  /** Throws a TraceError while a function is traced. */
  private refuse(operation: string): void {
    recorder()?.refuse(`Generator.${operation}`, "draw it before the step and pass it in as a tensor");
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
