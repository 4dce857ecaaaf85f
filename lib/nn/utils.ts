/** Bounds on gradients between `backward()` and `step()`. */
import { noGrad } from "../autograd/mode.js";
import { checkTensor } from "../ops/operands.js";
import { checkNumber, listOf, NON_NEGATIVE, type Range, withDefaults } from "../options.js";
import { Tensor } from "../tensor.js";
import { checkGradient } from "./gradient.js";

const NORM_TYPE: Range = { text: "a number > 0, Infinity included", holds: (p) => p > 0 };
/** PyTorch's: keeps the quotient finite for a norm of 0. */
const NORM_EPS = 1e-6;

function withGradients(operation: string, parameters: Tensor | Iterable<Tensor>): Tensor[] {
  const list =
    parameters instanceof Tensor ? [parameters] : listOf(operation, "parameters", parameters, "tensors");
  list.forEach((parameter, i) => {
    checkGradient(operation, `parameters[${i}]`, checkTensor(operation, parameter, `parameters[${i}]`));
  });
  return list.filter((parameter) => parameter.grad !== null);
}

/** Replaces the gradient: its memory may be shared with another tensor's gradient, so it is not overwritten. */
function replaceGradient(parameter: Tensor, change: (grad: Tensor) => Tensor): void {
  const { grad } = parameter;
  if (grad !== null) parameter.grad = noGrad(() => change(grad));
}

/** (Σ |x|^p)^(1/p), for p = ∞ the largest |x|; 0 for no elements. */
function normOf(x: Tensor, p: number): number {
  if (x.size === 0) return 0;
  const magnitude = x.detach().abs();
  if (p === Number.POSITIVE_INFINITY) return magnitude.max().item();
  return (p === 2 ? magnitude.square() : magnitude.pow(p)).sum().item() ** (1 / p);
}

/**
 * Scales all gradients together so that their norm, as of one long vector, is at most `maxNorm`. Returns the norm
 * before. Parameters without a gradient are skipped. A norm that is NaN makes every gradient NaN, as in PyTorch.
 */
export function clipGradNorm(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: { normType?: number } = {},
): number {
  const { normType } = withDefaults("clipGradNorm", options, { normType: 2 });
  checkNumber("clipGradNorm", "maxNorm", maxNorm, NON_NEGATIVE);
  checkNumber("clipGradNorm", "normType", normType, NORM_TYPE);
  const list = withGradients("clipGradNorm", parameters);
  const norms = list.map((parameter) => normOf(parameter.grad as Tensor, normType));
  const total =
    normType === Number.POSITIVE_INFINITY
      ? Math.max(0, ...norms)
      : norms.reduce((sum, norm) => sum + norm ** normType, 0) ** (1 / normType);
  const scale = maxNorm / (total + NORM_EPS);
  if (!(scale >= 1)) for (const parameter of list) replaceGradient(parameter, (grad) => grad.mul(scale));
  return total;
}

/** Bounds every element of every gradient to [−clipValue, clipValue]. */
export function clipGradValue(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  checkNumber("clipGradValue", "clipValue", clipValue, NON_NEGATIVE);
  for (const parameter of withGradients("clipGradValue", parameters)) {
    replaceGradient(parameter, (grad) => grad.clip(-clipValue, clipValue));
  }
}
