/** Derivatives against central differences, in float64: the judge of every derivative, for downstream authors too. */
import { describe } from "../describe.js";
import { ArgumentError, DTypeError, GradientError } from "../errors.js";
import { NDArray } from "../ndarray/ndarray.js";
import { add, mul } from "../ops/arithmetic.js";
import { checkTensor } from "../ops/operands.js";
import { sum } from "../ops/reduce.js";
import { withDefaults } from "../options.js";
import { Generator } from "../random/generator.js";
import { gradientsOf } from "./backward.js";
import { enableGrad } from "./mode.js";
import { Tensor } from "./tensor.js";

/** Options of `gradcheck`. */
export interface GradcheckOptions {
  /** Step of the central difference. */
  eps?: number;
  /** Allowed error: `atol + rtol · |numeric|`. */
  atol?: number;
  rtol?: number;
  /** Check the derivatives of the derivatives too. */
  secondOrder?: boolean;
  /** Seed of the random projection of the outputs. */
  seed?: number;
}

const DEFAULTS: Required<GradcheckOptions> = {
  eps: 1e-6,
  atol: 1e-6,
  rtol: 1e-5,
  secondOrder: false,
  seed: 0,
};

/**
 * Compares the gradient of a random projection of `fn(...inputs)` with central differences, element by element, for
 * every input that requires a gradient. Inputs must be float64: float32 differences say nothing.
 * Returns true, or throws a GradientError that names the input, the element and both values.
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): true {
  const { eps, atol, rtol, secondOrder, seed } = withDefaults("gradcheck", options, DEFAULTS);
  if (typeof fn !== "function") throw new ArgumentError(`gradcheck: needs a function, got ${describe(fn)}`);
  if (!Array.isArray(inputs))
    throw new ArgumentError(`gradcheck: needs an array of inputs, got ${describe(inputs)}`);
  for (const input of inputs) checkTensor("gradcheck", input, "each input");
  const wanted = inputs.filter((input) => input.requiresGrad);
  if (wanted.length === 0) throw new ArgumentError("gradcheck: no input requires a gradient");
  for (const input of wanted) {
    if (input.dtype !== "float64") {
      throw new DTypeError(`gradcheck: inputs that require a gradient must be float64, got ${input.dtype}`);
    }
  }
  const generator = new Generator(seed);
  const project = projection(generator);
  const value = (...args: Tensor[]): Tensor =>
    project(checkTensor("gradcheck", fn(...args), "the function's result"));
  compare("gradient", value, inputs, { eps, atol, rtol });
  if (secondOrder) {
    const projectGradient = projection(generator);
    const slope = (...args: Tensor[]): Tensor => {
      const sources = args.filter((arg) => arg.requiresGrad);
      const grads = gradientsOf([value(...args)], sources, { createGraph: true });
      return grads.map((grad) => projectGradient(grad)).reduce((a, b) => enableGrad(() => add(a, b)));
    };
    compare("second derivative", slope, inputs, { eps, atol, rtol });
  }
  return true;
}

/** One weight per output element, the same on every call, so that one backward pass checks all outputs at once. */
function projection(generator: Generator): (output: Tensor) => Tensor {
  const weights = new Map<string, Tensor>();
  return (output) => {
    const key = output.shape.join();
    let weight = weights.get(key);
    if (weight === undefined) {
      weight = generator.uniform(output.shape, { low: 0.5, high: 1.5, dtype: "float64" });
      weights.set(key, weight);
    }
    return sum(mul(output, weight));
  };
}

function compare(
  what: string,
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { eps, atol, rtol }: { eps: number; atol: number; rtol: number },
): void {
  // Own copies: the differences below move the elements in place.
  const copies = inputs.map((input) => new Tensor(input.array.clone(), { requiresGrad: input.requiresGrad }));
  const wanted = copies.filter((copy) => copy.requiresGrad);
  const analytic = gradientsOf([enableGrad(() => fn(...copies))], wanted).map((grad) => grad.data);
  // Recorded, since what is checked may itself take derivatives.
  const value = (): number => enableGrad(() => fn(...copies.map(fresh)).item());
  wanted.forEach((input, k) => {
    const data = input.array.storage.data as Float64Array;
    for (let i = 0; i < input.size; i++) {
      const x = data[i];
      data[i] = x + eps;
      const above = value();
      data[i] = x - eps;
      const below = value();
      data[i] = x;
      const numeric = (above - below) / (2 * eps);
      const exact = Number(analytic[k][i]);
      if (!(Math.abs(numeric - exact) <= atol + rtol * Math.abs(numeric))) {
        throw new GradientError(
          `gradcheck: the ${what} with respect to element ${i} of input ${copies.indexOf(input)} is ${exact}, ` +
            `but central differences give ${numeric} (allowed error ${atol + rtol * Math.abs(numeric)})`,
        );
      }
    }
  });
}

/** A leaf of its own for each evaluation, over the same memory. */
const fresh = (tensor: Tensor): Tensor => {
  const { storage, dtype, shape } = tensor.array;
  return new Tensor(new NDArray(storage, dtype, shape), { requiresGrad: tensor.requiresGrad });
};
