/** The normal distribution cut off at two bounds. */
import { ArgumentError } from "../errors.js";
import { array } from "../ndarray/creation.js";
import { checkTensor } from "../ops/operands.js";
import { checkNumber, FINITE, NON_NEGATIVE, withDefaults } from "../options.js";
import { checkGenerator } from "../random/generator.js";
import type { Tensor } from "../tensor.js";
import { overwrite, RANDOM_INIT, type RandomInit } from "./fill.js";

/** Options of `truncatedNormal`. */
export interface TruncatedNormalOptions extends RandomInit {
  /** Mean and standard deviation before the truncation (defaults 0 and 1). */
  mean?: number;
  std?: number;
  /** Bounds, as values, not in units of `std` (defaults −2 and 2, as PyTorch's). */
  low?: number;
  high?: number;
}

/** Wider windows, in standard deviations, are hit by normal draws; narrower ones by uniform draws. */
const WIDE = 3;
/** How far from the mean, in standard deviations, a window may begin: beyond, nearly every draw would be thrown away. */
const REACH = 2;

/**
 * Overwrites x with draws from the normal distribution that fall into [low, high], by rejection. ArgumentError if
 * the window is empty, or begins more than two standard deviations from the mean.
 */
export function truncatedNormal<T extends Tensor>(x: T, options: TruncatedNormalOptions = {}): T {
  checkTensor("truncatedNormal", x);
  const { mean, std, low, high, ...source } = withDefaults("truncatedNormal", options, {
    ...RANDOM_INIT,
    mean: 0,
    std: 1,
    low: -2,
    high: 2,
  });
  const generator = checkGenerator("truncatedNormal", source.generator);
  checkNumber("truncatedNormal", "mean", mean, FINITE);
  checkNumber("truncatedNormal", "std", std, NON_NEGATIVE);
  checkNumber("truncatedNormal", "low", low, FINITE);
  checkNumber("truncatedNormal", "high", high, FINITE);
  const nearest = Math.min(Math.max(mean, low), high);
  if (!(low < high) || !(Math.abs(nearest - mean) <= REACH * std)) {
    throw new ArgumentError(
      `truncatedNormal: [${low}, ${high}] must be an interval that begins within ${REACH} standard deviations ` +
        `(${std}) of the mean ${mean}`,
    );
  }
  const isWide = high - low >= WIDE * std;
  const peak = (nearest - mean) / std;
  const values = new Float64Array(x.size);
  let count = 0;
  while (count < values.length) {
    const shape = [values.length - count];
    const draws = isWide
      ? generator.normal(shape, { mean, std, dtype: x.dtype }).data
      : generator.uniform(shape, { low, high, dtype: x.dtype }).data;
    const levels = isWide ? undefined : generator.uniform(shape, { dtype: "float64" }).data;
    draws.forEach((draw: number | bigint, i: number) => {
      const value = Number(draw);
      const z = (value - mean) / std;
      const accepted = levels === undefined || Number(levels[i]) < Math.exp((peak * peak - z * z) / 2);
      if (accepted && value >= low && value <= high) values[count++] = value;
    });
  }
  return overwrite(x, array(values, { shape: x.shape, dtype: x.dtype }));
}
