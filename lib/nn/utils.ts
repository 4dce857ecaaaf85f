/** Bounds on gradients between `backward()` and `step()`. */
import { noGrad } from "../autograd/mode.js";
import { GradientError } from "../errors.js";
import { div } from "../ops/arithmetic.js";
import { checkTensor } from "../ops/operands.js";
import { where } from "../ops/select.js";
import { stack } from "../ops/shape.js";
import { checkBoolean, checkNumber, listOf, NON_NEGATIVE, type Range, withDefaults } from "../options.js";
import { Tensor, zeros } from "../tensor.js";
import { checkGradient } from "./gradient.js";

const NORM_TYPE: Range = { text: "a number > 0, Infinity included", holds: (p) => p > 0 };
const MAX_NORM: Range = { text: "a number ≥ 0", holds: (x) => x >= 0 };
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
function normOf(x: Tensor, p: number): Tensor {
  if (p === 2) return x.norm();
  const magnitude = x.abs();
  if (p === Number.POSITIVE_INFINITY) return x.size === 0 ? magnitude.sum() : magnitude.max();
  return magnitude
    .pow(p)
    .sum()
    .pow(1 / p);
}

/**
 * Scales all gradients together so that their norm, as of one long vector, is at most `maxNorm`. Returns the norm
 * before, a 0-d tensor of the first gradient's dtype (float32 if there is none). Parameters without a gradient are
 * skipped. A `maxNorm` of Infinity measures only. A norm that is NaN makes every gradient NaN, as in PyTorch; with
 * `errorIfNonfinite` (default false; not in compiled functions) it is a GradientError, and nothing was scaled.
 */
export function clipGradNorm(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: { normType?: number; errorIfNonfinite?: boolean } = {},
): Tensor {
  const { normType, errorIfNonfinite } = withDefaults("clipGradNorm", options, {
    normType: 2,
    errorIfNonfinite: false,
  });
  checkNumber("clipGradNorm", "maxNorm", maxNorm, MAX_NORM);
  checkBoolean("clipGradNorm", "errorIfNonfinite", errorIfNonfinite);
  checkNumber("clipGradNorm", "normType", normType, NORM_TYPE);
  const list = withGradients("clipGradNorm", parameters);
  if (list.length === 0) return zeros([]);
  return noGrad(() => {
    const dtype = list[0].dtype;
    const norms = list.map((parameter) => normOf(parameter.grad as Tensor, normType).astype(dtype));
    const total = normOf(stack(norms), normType);
    if (errorIfNonfinite && !Number.isFinite(total.item())) {
      throw new GradientError(
        `clipGradNorm: the norm of the gradients is ${total.item()}; errorIfNonfinite: false scales them by it`,
      );
    }
    const quotient = div(maxNorm, total.add(NORM_EPS));
    const scale = where(quotient.ge(1), 1, quotient);
    for (const parameter of list) replaceGradient(parameter, (grad) => grad.mul(scale.astype(grad.dtype)));
    return total;
  });
}

/** Bounds every element of every gradient to [−clipValue, clipValue]. */
export function clipGradValue(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  checkNumber("clipGradValue", "clipValue", clipValue, NON_NEGATIVE);
  for (const parameter of withGradients("clipGradValue", parameters)) {
    replaceGradient(parameter, (grad) => grad.clip(-clipValue, clipValue));
  }
}
