/**
 * What stands behind a `Generator`: a source of random numbers. Arguments are checked before they come here; a source
 * only turns its stream into numbers, in the order and with the roundings of the library that it is named after.
 */
import type { NDArray } from "../ndarray/ndarray.js";
import type { Mt19937State } from "./mt19937.js";
import type { NumpyPcg64State } from "./numpy_pcg64.js";
import type { PhiloxState } from "./philox_source.js";

/** The streams a generator can have. */
export const ALGORITHMS = ["philox", "numpy-legacy", "pcg64", "torch"] as const;

/**
 * `philox`: the default, Philox4x32-10, drawn by kernels. The others are those of other libraries, number by number:
 * `numpy-legacy` is `numpy.random.RandomState`, `pcg64` is `numpy.random.default_rng`, `torch` is PyTorch's on a CPU.
 */
export type Algorithm = (typeof ALGORITHMS)[number];

/** A generator's state, as JSON can hold it. */
export type GeneratorState =
  | PhiloxState
  | NumpyPcg64State
  | Mt19937State<"numpy-legacy">
  | Mt19937State<"torch">;

/** Integers one by one. */
export interface IntegerDraws {
  /** An integer uniform on [0, range), for a range in [1, 2³²]. */
  below(range: number): number;
  /** The same for a range in (2³², 2⁶⁴]. */
  belowWide(range: bigint): bigint;
}

/** A stream of random numbers. Results are fresh, contiguous arrays of float32 or float64. */
export interface Source {
  /** Whether `uniform`, `normal` and `dropoutMask` are kernels that a trace can hold. */
  readonly isTraceable: boolean;
  /** Seeds are integers from 0 up to this, exclusive; null if there is no bound. */
  readonly seedBound: bigint | null;
  seed(seed: bigint): void;
  getState(): GeneratorState;
  /** Takes a state over, or returns false and changes nothing if it is not one of this algorithm. */
  setState(state: unknown): boolean;
  uniform(result: NDArray, low: number, high: number): void;
  normal(result: NDArray, mean: number, std: number): void;
  /** 0 with probability p, else 1/(1 − p). */
  dropoutMask(result: NDArray, p: number): void;
  integers(): IntegerDraws;
  /** Swaps the positions 0 … n − 1 until they are in random order. */
  shuffle(n: number, swap: (i: number, j: number) => void): void;
}

/** Whether a value is an integer in [0, bound). */
export const isCount = (value: unknown, bound: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < bound;

/** The number that a string of decimal digits stands for, if it is below the bound. */
export function parseDecimal(value: unknown, bound: bigint): bigint | undefined {
  const parsed = typeof value === "string" && /^\d{1,40}$/.test(value) ? BigInt(value) : undefined;
  return parsed !== undefined && parsed < bound ? parsed : undefined;
}
