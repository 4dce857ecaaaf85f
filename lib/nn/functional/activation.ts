/** Activations that have options; those without are the operations themselves. */

import { checkTensor } from "../../ops/operands.js";
import { where } from "../../ops/select.js";
import { gelu as geluExact, softplus as softplusExact } from "../../ops/unary.js";
import { checkChoice, checkNumber, FINITE, POSITIVE, withDefaults } from "../../options.js";
import type { Tensor } from "../../tensor.js";

/** Options of `gelu`. */
export interface GeluOptions {
  /** "none" (default) is x·Φ(x), "tanh" its approximation. */
  approximate?: "none" | "tanh";
}

/** The options with defaults, checked. */
export function geluOptions(operation: string, options: GeluOptions): Required<GeluOptions> {
  const resolved = withDefaults<Required<GeluOptions>>(operation, options, { approximate: "none" });
  checkChoice(operation, "approximate", resolved.approximate, ["none", "tanh"]);
  return resolved;
}

/** The factor of the cubic term in the approximation. */
const CUBIC = 0.044715;

/**
 * x·Φ(x), Φ the distribution function of the standard normal, or ½x(1 + tanh(√(2/π)(x + 0.044715x³))): Hendrycks and
 * Gimpel 2016.
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  if (geluOptions("gelu", options).approximate === "none") return geluExact(x);
  const argument = checkTensor("gelu", x)
    .square()
    .mul(CUBIC)
    .add(1)
    .mul(x)
    .mul(Math.sqrt(2 / Math.PI));
  return argument.tanh().add(1).mul(x).mul(0.5);
}

/** Options of `softplus`. */
export interface SoftplusOptions {
  /** Sharpness of the bend, > 0 (default 1). */
  beta?: number;
  /** Where beta·x is above it, the result is x (default 20). */
  threshold?: number;
}

/** The options with defaults, checked. */
export function softplusOptions(operation: string, options: SoftplusOptions): Required<SoftplusOptions> {
  const resolved = withDefaults<Required<SoftplusOptions>>(operation, options, { beta: 1, threshold: 20 });
  checkNumber(operation, "beta", resolved.beta, POSITIVE);
  checkNumber(operation, "threshold", resolved.threshold, FINITE);
  return resolved;
}

/** ln(1 + exp(beta·x))/beta; x itself where beta·x is above the threshold. */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  const { beta, threshold } = softplusOptions("softplus", options);
  checkTensor("softplus", x);
  const scaled = beta === 1 ? x : x.mul(beta);
  const smooth = softplusExact(scaled);
  return where(scaled.gt(threshold), x, beta === 1 ? smooth : smooth.div(beta));
}
