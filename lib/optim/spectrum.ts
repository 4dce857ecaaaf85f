/**
 * The largest and smallest eigenvalue of a symmetric matrix that is known by its products with vectors only: the
 * Lanczos process, which is power iteration that remembers where it has been (Golub and Van Loan, chapter 10).
 */
import type { Generator } from "../random/generator.js";
import { addScaled, dot, norm } from "./newton/vectors.js";

/** What the process found; each value lies inside the spectrum, so `max` is never too large. */
export interface Spectrum {
  max: number;
  min: number;
  /** Number of products with the matrix. */
  products: number;
  /** Whether both values came to rest before the products were used up. */
  converged: boolean;
}

/** How long to look. */
export interface SpectrumOptions {
  /** Largest number of products. */
  iterations: number;
  /** Relative change of an end of the spectrum from product to product that counts as rest. */
  tolerance: number;
  /** Where the first vector comes from. */
  generator: Generator;
}

/** How often an end must rest in a row: a first vector that is poor in an eigenvector rests a while before. */
const RESTS = 3;
/** Below this, relative to the matrix, a new direction is rounding: what was seen is an invariant subspace. */
const NOTHING_NEW = 1e-13;
/** Numbers of all vectors together up to which every new one is made orthogonal to all before. */
const REMEMBERED = 2 ** 24;

/** Runs the process on an n×n matrix. */
export function extremeEigenvalues(
  multiply: (v: Float64Array) => Float64Array,
  n: number,
  { iterations, tolerance, generator }: SpectrumOptions,
): Spectrum {
  const steps = Math.min(iterations, n);
  // Without it the process finds the ends as well, some of them several times.
  const isRemembered = steps * n <= REMEMBERED;
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const beside: number[] = [];
  let v = Float64Array.from(generator.normal([n], { dtype: "float64" }).data, Number);
  scale(v, 1 / norm(v));
  let previous: Float64Array | null = null;
  let ends = { min: Number.NaN, max: Number.NaN };
  let rests = 0;
  while (diagonal.length < steps) {
    const w = Float64Array.from(multiply(v));
    diagonal.push(dot(v, w));
    if (previous !== null) addScaled(w, -(beside.at(-1) as number), previous);
    addScaled(w, -(diagonal.at(-1) as number), v);
    if (isRemembered) {
      basis.push(v);
      for (const earlier of basis) addScaled(w, -dot(earlier, w), earlier);
    }
    const next = endsOf(diagonal, beside);
    const size = Math.max(Math.abs(next.min), Math.abs(next.max));
    const isAtRest =
      Math.abs(next.max - ends.max) <= tolerance * Math.abs(next.max) &&
      Math.abs(next.min - ends.min) <= tolerance * size;
    ends = next;
    rests = isAtRest ? rests + 1 : 0;
    const fresh = norm(w);
    if (!(fresh > NOTHING_NEW * size)) return { ...ends, products: diagonal.length, converged: true };
    if (rests >= RESTS) return { ...ends, products: diagonal.length, converged: true };
    beside.push(fresh);
    scale(w, 1 / fresh);
    previous = v;
    v = w;
  }
  return { ...ends, products: diagonal.length, converged: steps === n };
}

function scale(v: Float64Array, factor: number): void {
  for (let i = 0; i < v.length; i++) v[i] *= factor;
}

/** The smallest and largest eigenvalue of a symmetric tridiagonal matrix, by bisection. */
function endsOf(diagonal: readonly number[], beside: readonly number[]): { min: number; max: number } {
  // Every eigenvalue lies within the sum of the neighbours of a diagonal element (Gershgorin).
  const reach = (i: number): number =>
    (i > 0 ? beside[i - 1] : 0) + (i < diagonal.length - 1 ? beside[i] : 0);
  const low = Math.min(...diagonal.map((value, i) => value - reach(i)));
  const high = Math.max(...diagonal.map((value, i) => value + reach(i)));
  const m = diagonal.length;
  return {
    min: bisect(low, high, (x) => countBelow(diagonal, beside, x) >= 1),
    max: bisect(low, high, (x) => countBelow(diagonal, beside, x) >= m),
  };
}

/** Where a condition that fails at `low` and holds at `high` begins to hold, to a rounding of the larger. */
function bisect(low: number, high: number, holds: (x: number) => boolean): number {
  let [a, b] = [low, high];
  const rounding = Number.EPSILON * Math.max(Math.abs(low), Math.abs(high));
  while (b - a > rounding) {
    const middle = (a + b) / 2;
    if (holds(middle)) b = middle;
    else a = middle;
  }
  return b;
}

/** How many eigenvalues lie below x: the negative pivots of T − xI (Sylvester's law of inertia). */
function countBelow(diagonal: readonly number[], beside: readonly number[], x: number): number {
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    pivot = diagonal[i] - x - (i > 0 ? beside[i - 1] ** 2 / pivot : 0);
    if (pivot === 0) pivot = Number.MIN_VALUE;
    if (pivot < 0) count++;
  }
  return count;
}
