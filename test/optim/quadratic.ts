/** The lecture's quadratic f(θ) = ½θᵀPθ: what it says of update rules is known in closed form. */
import { type Tensor, tensor } from "../../lib/tensor.js";

export const P = [
  [1.63, 1.82],
  [1.82, 4.28],
] as const;
export const START = [4, -4] as const;

const [[a, b], [, d]] = P;
const root = Math.sqrt(((a - d) / 2) ** 2 + b * b);
export const LAMBDA_MAX = (a + d) / 2 + root;
export const LAMBDA_MIN = (a + d) / 2 - root;

const matrix = tensor(
  P.map((row) => [...row]),
  { dtype: "float64" },
);

/** θ₀. */
export const start = (): Tensor => tensor([...START], { dtype: "float64", requiresGrad: true });
/** f(θ). */
export const quadratic = (theta: Tensor): Tensor => matrix.matmul(theta).mul(theta).sum().mul(0.5);
