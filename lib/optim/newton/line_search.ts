/** How far to go along a direction of descent. */

/** A function along a line: its value at a step length and, where the search needs it, its slope there. */
export interface Line {
  value: (length: number) => number;
  /** After `value` of the same length. */
  slope: (length: number) => number;
}

/** What is known at length 0, and what is asked for. */
export interface LineSearchOptions {
  /** The value and the slope (negative) at length 0. */
  value: number;
  slope: number;
  /** The first length tried. */
  first: number;
  /** Only a decrease (Armijo), or a slope that has flattened too (weak Wolfe). */
  kind: "armijo" | "wolfe";
  /** How much the value may rise by rounding alone. */
  rounding: number;
  /** Largest number of lengths tried. */
  trials: number;
}

/** A decrease of at least this share of what the slope promises. */
const DECREASE = 1e-4;
/** A slope of at most this share of the first one. */
const FLATTENED = 0.9;

/**
 * A length at which the value has decreased enough and, for "wolfe", the slope has flattened, by bisection between
 * lengths that are too long and too short (doubling where none is too long yet). 0 if none was found.
 */
export function searchLine(line: Line, options: LineSearchOptions): { length: number; trials: number } {
  const { value, slope, first, kind, rounding } = options;
  let [low, high, length] = [0, Infinity, first];
  for (let trials = 1; trials <= options.trials; trials++) {
    const isLower = line.value(length) <= value + DECREASE * length * slope + rounding;
    if (!isLower) high = length;
    else if (kind === "armijo" || line.slope(length) >= FLATTENED * slope) return { length, trials };
    else low = length;
    length = high < Infinity ? (low + high) / 2 : 2 * length;
  }
  // What decreases without flattening is better than nothing.
  return { length: low, trials: options.trials };
}
