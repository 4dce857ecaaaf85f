/** Functions of one tensor, elementwise. Integers are converted to float32 where the function needs floats. */

import type { Tensor } from "../autograd/tensor.js";
import { shown } from "../describe.js";
import { ArgumentError } from "../errors.js";
import type { KernelStem } from "../runtime/table.js";
import { add, div, mul, sub } from "./arithmetic.js";
import { type Apply, type DerivativeContext, defineOperation } from "./define.js";
import { elementwise } from "./kernel_call.js";
import { onlyOperand, type TensorLike, zerosLike } from "./operands.js";

type Unary = (x: TensorLike) => Tensor;

/** `slope` gives ∂y/∂x times the gradient from x and y. */
function unary(
  stem: KernelStem & string,
  slope: (grad: Tensor, x: Tensor, y: Tensor) => Tensor,
  name: string = stem,
): Unary {
  const apply = defineOperation<object>({
    name,
    forward: (inputs) => elementwise(name, stem, inputs, inputs[0].dtype),
    derivative: (grad, { inputs: [x], outputs: [y] }: DerivativeContext<object>) => [() => slope(grad, x, y)],
  });
  return (x) => apply([onlyOperand(name, stem, x)], {});
}

const zeroSlope = (grad: Tensor): Tensor => zerosLike(grad);

/** −x. */
export const neg: Unary = unary("neg", (grad) => neg(grad));
/** |x|; the derivative at 0 is 0. */
export const abs: Unary = unary("abs", (grad, x) => mul(grad, sign(x)));
/** −1, 0 or 1; the derivative is 0. */
export const sign: Unary = unary("sign", zeroSlope);
/** x². */
export const square: Unary = unary("square", (grad, x) => mul(grad, mul(x, 2)));
/** √x; NaN below 0. */
export const sqrt: Unary = unary("sqrt", (grad, _x, y) => div(mul(grad, 0.5), y));
/** 1/√x. */
export const rsqrt: Unary = unary("rsqrt", (grad, x, y) => mul(mul(grad, -0.5), div(y, x)));
/** 1/x. */
export const reciprocal: Unary = unary("reciprocal", (grad, _x, y) => neg(mul(grad, square(y))));

/** The largest integer not above x; the derivative is 0. */
export const floor: Unary = unary("floor", zeroSlope);
/** The smallest integer not below x; the derivative is 0. */
export const ceil: Unary = unary("ceil", zeroSlope);
/** The nearest integer, halves to even; the derivative is 0. */
export const round: Unary = unary("round", zeroSlope);
/** x without its fraction; the derivative is 0. */
export const trunc: Unary = unary("trunc", zeroSlope);

/** eˣ. */
export const exp: Unary = unary("exp", (grad, _x, y) => mul(grad, y));
/** eˣ − 1, accurate near 0. */
export const expm1: Unary = unary("expm1", (grad, x) => mul(grad, exp(x)));
/** The natural logarithm. */
export const log: Unary = unary("log", (grad, x) => div(grad, x));
/** ln(1 + x), accurate near 0. */
export const log1p: Unary = unary("log1p", (grad, x) => div(grad, add(x, 1)));
/** The sine of x in radians. */
export const sin: Unary = unary("sin", (grad, x) => mul(grad, cos(x)));
/** The cosine of x in radians. */
export const cos: Unary = unary("cos", (grad, x) => neg(mul(grad, sin(x))));
/** The tangent of x in radians. */
export const tan: Unary = unary("tan", (grad, _x, y) => mul(grad, add(square(y), 1)));
/** The hyperbolic tangent. */
export const tanh: Unary = unary("tanh", (grad, _x, y) => mul(grad, sub(1, square(y))));
/** The error function (2/√π) ∫₀ˣ exp(−t²) dt. */
export const erf: Unary = unary("erf", (grad, x) =>
  mul(grad, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
);

/** 1 / (1 + e⁻ˣ). */
export const sigmoid: Unary = unary("sigmoid", (grad, _x, y) => mul(grad, mul(y, sub(1, y))));
/** ln(1 + eˣ), without overflow. */
export const softplus: Unary = unary("softplus", (grad, x) => mul(grad, sigmoid(x)));
/** x · Φ(x), Φ the distribution function of the standard normal (Hendrycks and Gimpel 2016, the exact form). */
export const gelu: Unary = unary("gelu", (grad, x) => {
  const distribution = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(grad, add(distribution, mul(x, density)));
});
/** x · sigmoid(x). */
export const silu: Unary = unary("silu", (grad, x) => {
  const s = sigmoid(x);
  return mul(grad, mul(s, add(mul(x, sub(1, s)), 1)));
});

/** max(x, 0); the derivative at 0 is 0. */
export const relu: Unary = unary("relu", (grad, x) => reluGrad([x, grad], {}));

const reluGrad: Apply<object> = defineOperation<object>({
  name: "reluGrad",
  forward: (inputs) => elementwise("reluGrad", "relu_grad", inputs, inputs[0].dtype),
  derivative: (grad, { inputs: [x] }) => [null, () => reluGrad([x, grad], {})],
});

interface Slope {
  slope: number;
}

const leakyReluOperation = defineOperation<Slope>({
  name: "leakyRelu",
  forward: ([x], { slope }) => elementwise("leakyRelu", "leaky_relu", [x], x.dtype, x.dtype, [slope]),
  derivative: (grad, { inputs: [x], options }) => [() => leakyReluGrad([x, grad], options)],
});

const leakyReluGrad: Apply<Slope> = defineOperation<Slope>({
  name: "leakyReluGrad",
  forward: ([x, grad], { slope }) =>
    elementwise("leakyReluGrad", "leaky_relu_grad", [x, grad], x.dtype, x.dtype, [slope]),
  derivative: (grad, { inputs: [x], options }) => [null, () => leakyReluGrad([x, grad], options)],
});

/** x where x > 0, else slope · x. */
export function leakyRelu(x: TensorLike, negativeSlope = 0.01): Tensor {
  if (!Number.isFinite(negativeSlope)) {
    throw new ArgumentError(`leakyRelu: negativeSlope must be a finite number, got ${shown(negativeSlope)}`);
  }
  return leakyReluOperation([onlyOperand("leakyRelu", "leaky_relu", x)], { slope: negativeSlope });
}
